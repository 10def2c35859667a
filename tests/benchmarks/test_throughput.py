"""The training benchmark: its arithmetic and its command."""

import itertools
import json
from types import SimpleNamespace

import pytest
from PIL import Image

from benchmarks import throughput

RATES = {
    "ours": [100.0, 80.0, 90.0],
    "adam": [120.0, 100.0, 120.0],
    "baseline": [25.0, 20.0, 30.0],
    "limit": [100e9, 50e9, 100e9],
}
SECONDS = {"forward": 0.03, "products": 0.06, "rest": 0.01, "dense": 0.0}


def facts(name: str) -> dict:
    common = {"device": "CPU", "cores": 2, "framework": "tensorflow", "version": "1"}
    if name == "limit":
        return {**common, "side": 2048}
    mine = {"ours": (0.5e9, 8e9), "adam": (0.5e9, 0)}.get(name, (1e9, 0))
    counts = {"per_image": mine[0], "per_step": mine[1]}
    counted = {"forward": 1.5e9, "products": 3e9, "dense": 1e9}
    size = 128 if name == "baseline" else 32
    return {**common, **counts, "batch_size": size, "counted": counted, "seconds": SECONDS}


def result(*names: str, used: float = 1.9) -> dict:
    rates = {name: RATES[name] for name in names or RATES}
    cores = dict.fromkeys(rates, used)
    return throughput.summary("ours", rates, cores, {name: facts(name) for name in rates})


def test_shares_and_ratios_are_medians_of_turns():
    found = result()
    assert found["share_of_limit"] == found["shares"]["ours"] == 0.5  # of 0.5, 0.8 and 0.45
    assert found["share_ranges"]["ours"] == [0.45, 0.8]
    assert found["ratio_to_baseline"] == 4.0  # of 4, 4 and 3
    assert found["images_per_second"] == {"ours": 90.0, "adam": 120.0, "baseline": 25.0}
    assert found["limit"]["multiply_adds_per_second"] == 100e9
    assert found["batch_sizes"] == {"ours": 32, "adam": 32, "baseline": 128}


def test_the_optimizer_counts_once_per_batch():
    # 8 billion for 32 images of 0.5 billion: half as much again.
    found = result()["shares_with_optimizer"]
    assert found == {"ours": 0.75, "adam": 0.6, "baseline": 0.3}


def test_the_profile_has_shares_of_the_time_and_of_the_limit():
    rows = throughput.profile_rows(result(), facts("ours"))
    assert rows == [
        {"kind": "products", "of_time": 0.6, "of_limit": 0.5},
        {"kind": "forward", "of_time": 0.3, "of_limit": 0.5},
        {"kind": "rest", "of_time": 0.1, "of_limit": None},
        {"kind": "dense", "of_time": 0.0, "of_limit": None},
    ]


def test_the_table_has_a_line_a_contender():
    found = result()
    lines = throughput.as_text(found).splitlines()
    assert lines[1].split()[:7] == ["ours", "32", "90.0", "50.0%", "45.0%", "to", "80.0%"]
    assert lines[3].split()[:4] == ["the", "baseline", "128", "25.0"]
    assert (
        lines[4].startswith("The limit: 100 billion multiply-adds per second") and len(lines) == 6
    )
    found["profile"] = throughput.profile_rows(found, facts("ours"))
    rows = throughput.as_text(found).splitlines()[8:]
    assert [row.split()[-2:] for row in rows[:2]] == [["60.0%", "50%"], ["30.0%", "50%"]]


def test_a_busy_machine_is_noticed():
    assert not throughput.disturbed(result())
    assert throughput.disturbed(result(used=1.2))


def test_turns_alternate(capsys):
    clock = itertools.count(1)
    worker = SimpleNamespace(work=lambda: {"rate": next(clock), "cores_used": 1.5})
    rates, cores = throughput.take_turns({"ours": worker, "baseline": worker}, 2)
    assert rates == {"ours": [1, 3], "baseline": [2, 4]}
    assert cores == {"ours": 1.5, "baseline": 1.5}
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "turn 2 of 2: ours 3, the baseline 4 images per second"


class FakeWorker:
    """Answers with the numbers above."""

    device = "CPU"

    def __init__(self, name, faces, batch_size, image_size, seconds):
        known = name.removesuffix("_xla")
        known = "ours" if known == "profile" else known
        self.facts = {**facts(known), "device": self.device}
        self._rates = iter(RATES[known])

    def work(self) -> dict:
        return {"rate": next(self._rates), "cores_used": 1.9}

    def stop(self) -> None:
        pass


@pytest.mark.parametrize(
    "options, device, ours",
    [
        ([], "CPU", ["ours"]),
        (["--jit"], "CPU", ["ours_xla"]),
        ([], "GPU", ["ours", "ours_xla"]),
    ],
)
def test_command(monkeypatch, tmp_path, capsys, options, device, ours, run_here):
    monkeypatch.setattr(throughput, "contender", FakeWorker)
    monkeypatch.setattr(FakeWorker, "device", device)
    figure = tmp_path / "new" / "rates.png"
    assert run_here(throughput.app, "--turns", 3, "--figure", figure, *options) == 0
    printed = capsys.readouterr().out
    found = json.loads(printed.splitlines()[-1])
    assert list(found["images_per_second"]) == [*ours, "adam", "baseline"]
    assert found["share_of_limit"] == 0.5
    assert ("of its time" in printed) is ("profile" in found) is (device == "CPU")
    with Image.open(figure) as picture:
        assert picture.width > 500


@pytest.mark.slow
def test_a_contender_that_fails_gives_its_reason(run_here, tmp_path, capsys):
    assert run_here(throughput.app, "--faces", tmp_path / "none") == 2
    message = capsys.readouterr().err.strip()
    assert message.startswith("error: Measuring ours failed: ") and "\n" not in message
    assert "none does not exist" in message
