"""The benchmark of one device: its rates, its table, and what it refuses."""

import os

import pytest

from benchmarks import device, one_device

FOUND = {
    "batch_size": 64,
    "precision": "float32",
    "first_steps": 12.34,
    "from_memory": 2000.0,
    "from_folder": 1500.0,
    "reading": 9000.0,
    "multiply_adds": 1_000_000,
    "limit": 8_000_000_000,
}


@pytest.mark.parametrize("text", ["", "float16", "float32,", "float32,float32"])
def test_an_unknown_precision_is_refused(text):
    with pytest.raises(ValueError, match=r"--precisions is .*: give float32, bfloat16, or both"):
        device.chosen(text)
    assert device.chosen("bfloat16,float32") == ["bfloat16", "float32"]


def test_the_share_is_of_the_products_that_the_device_makes_in_a_second():
    assert device.share_of_limit(FOUND) == 0.25


def test_a_row_stands_below_its_heading():
    row = device.as_row({**FOUND, "share_of_limit": 0.25})
    assert row.split() == ["64", "float32", "12.3", "s", "2,000", "1,500", "9,000", "25.0%"]
    assert len(row) == device.HEADING.index("   (images")


def test_a_measurement_that_fails_is_an_error():
    lines = device.lines_of("benchmarks.none", {"precisions": "x"}, [], {**os.environ})
    with pytest.raises(ChildProcessError, match="ended with an error"):
        list(lines)


def test_a_run_that_is_there_is_not_overwritten(tmp_path):
    (tmp_path / "bfloat16").mkdir()
    with pytest.raises(FileExistsError, match=r"bfloat16 is there already: delete it"):
        device.measure(tmp_path, 64, "64", "float32,bfloat16", "jax", 1.0, False, True, tmp_path)


def test_a_rate_is_the_median_of_turns_that_last_as_long_as_asked():
    turns = []

    def work(steps: int) -> float:
        turns.append(steps)
        return 0.25 * steps * (10 if len(turns) == 4 else 1)  # somebody else works in one turn

    assert one_device.rate(work, 2.0) == pytest.approx(4.0)
    assert turns[-3:] == [8, 8, 8]


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_it_measures_on_both_backends(colour_faces, backend):
    options = {"faces": colour_faces, "image-size": 32, "batch-sizes": "16,32", "seconds": 0}
    environment = {**os.environ, "KERAS_BACKEND": backend}
    rows = list(device.lines_of("benchmarks.one_device", options, [], environment))
    assert [row["batch_size"] for row in rows] == [16, 32]
    assert {row["backend"] for row in rows} == {backend}
    for row in rows:
        assert min(row[name] for name in ("from_memory", "from_folder", "reading")) > 0
        assert device.share_of_limit(row) > 0
