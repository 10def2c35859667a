"""The training benchmark: its arithmetic, its command, and a real step of each contender."""

import itertools
import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from benchmarks import baseline, throughput
from vaelib import training

RATES = {"ours": [100.0, 80.0, 90.0], "torch": [50.0, 80.0, 50.0], "baseline": [25.0, 20.0, 30.0]}


def facts(name: str) -> dict:
    framework = "torch" if name == "torch" else "tensorflow"
    size = 128 if name == "baseline" else 32
    common = {"batch_size": size, "device": "CPU", "cores": 2}
    return {**common, "framework": framework, "version": f"{framework} 1"}


def result(*names: str, used: float = 1.9) -> dict:
    rates = {name: RATES[name] for name in names}
    cores = dict.fromkeys(names, used)
    return throughput.summary("ours", rates, cores, {name: facts(name) for name in names})


def test_batches_are_those_of_training():
    assert (throughput.BATCH_SIZE, throughput.BASELINE_BATCH_SIZE) == (
        training.BATCH_SIZE,
        baseline.BATCH_SIZE,
    )


def test_ratios_are_medians_of_turns():
    found = result("ours", "torch", "baseline")
    assert found["ratio_to_torch"] == 1.8  # of 2, 1 and 1.8
    assert found["ratio_to_baseline"] == 4.0
    assert found["ratio_ranges"]["baseline"] == [3.0, 4.0]
    assert found["images_per_second"] == {"ours": 90.0, "torch": 50.0, "baseline": 25.0}
    assert found["versions"] == {"tensorflow": "tensorflow 1", "torch": "torch 1"}
    assert found["batch_sizes"] == {"ours": 32, "torch": 32, "baseline": 128}


def test_without_pytorch_its_ratio_is_null():
    found = result("ours", "baseline")
    assert found["ratio_to_torch"] is None and found["ratio_to_baseline"] == 4.0


def test_the_table_has_a_line_a_contender():
    lines = throughput.as_text(result("ours", "torch", "baseline")).splitlines()
    assert [len(lines), lines[3].split()[:4]] == [5, ["the", "baseline", "128", "25.0"]]
    assert lines[2].split()[-5:] == ["1.80", "1.00", "to", "2.00", "CPU"]


def test_a_busy_machine_is_noticed():
    assert not throughput.disturbed(result("ours", "baseline"))
    assert throughput.disturbed(result("ours", "baseline", used=1.2))


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
        self.facts = {**facts(name), "device": self.device}
        self._rates = iter(RATES[name.removesuffix("_xla")])

    def work(self) -> dict:
        return {"rate": next(self._rates), "cores_used": 1.9}

    def stop(self) -> None:
        pass


@pytest.mark.parametrize("installed", [True, False])
@pytest.mark.parametrize("options, device", [([], "CPU"), (["--jit"], "CPU"), ([], "GPU")])
def test_command(monkeypatch, tmp_path, capsys, options, device, installed, run_here):
    monkeypatch.setattr(throughput, "contender", FakeWorker)
    monkeypatch.setattr(FakeWorker, "device", device)
    monkeypatch.setattr(throughput.importlib.util, "find_spec", lambda name: installed or None)
    figure = tmp_path / "new" / "rates.png"
    assert run_here(throughput.app, "--turns", 3, "--figure", figure, *options) == 0
    printed = capsys.readouterr().out
    found = json.loads(printed.splitlines()[-1])
    ours = ["ours_xla"] if options else ["ours", "ours_xla"] if device == "GPU" else ["ours"]
    assert list(found["images_per_second"]) == [*ours, *["torch"] * installed, "baseline"]
    assert found["ratio_to_torch"] == (1.8 if installed else None)
    assert ("PyTorch is not installed" in printed) is not installed
    with Image.open(figure) as picture:
        assert picture.width > 500


@pytest.mark.slow
def test_a_contender_that_fails_gives_its_reason(run_here, tmp_path, capsys):
    assert run_here(throughput.app, "--faces", tmp_path / "none") == 2
    message = capsys.readouterr().err.strip()
    assert message.startswith("error: Measuring ours failed: ") and "\n" not in message
    assert "none does not exist" in message


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ours", "baseline", "torch"])
def test_a_contender_trains(name):
    if name == "torch":
        pytest.importorskip("torch", reason="PyTorch is an extra: pip install -e .[torch]")
    prepare = throughput._prepare_torch if name == "torch" else throughput._prepare_keras
    batches = list(np.random.default_rng(0).random((2, 4, 32, 32, 3), "float32"))
    train, said = prepare(name, batches, 32)
    train(3)
    assert said["framework"] == ("torch" if name == "torch" else "tensorflow")
    assert throughput._time(train, 1) > 0
