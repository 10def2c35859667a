"""The benchmark of several processes: its figures and its tables."""

import pytest

from benchmarks import processes


def measured(count: int, step: float, reduce: float = 0.0, loss: float = -100.0) -> dict:
    """What a process prints: three slow steps, then those that count."""
    return {
        "processes": count,
        "trained_weights": 1_000_000,
        "seconds": [9.0, 9.0, 9.0, step, step, 5 * step, step],
        "loss": [loss * (1 + i) for i in range(12)],
        "reduce": reduce,
    }


@pytest.fixture
def result() -> dict:
    found = [measured(1, 1.0), measured(2, 0.5, 0.05, loss=-100.01)]
    return processes.summary(64, measured(1, 0.4), found)


@pytest.mark.parametrize("text", ["", "x", "64,", "-2", "1", "64;512", "9" * 400, "\u00b2"])
def test_what_is_no_list_of_numbers_is_refused(text):
    with pytest.raises(ValueError, match=r"--batch-sizes is .*: give numbers from 2 to 100000"):
        processes.whole_numbers(text, "--batch-sizes")
    assert processes.whole_numbers("64,512", "--batch-sizes") == [64, 512]


def test_the_first_steps_do_not_count_and_one_process_is_the_measure(result):
    assert result["seconds_per_step"] == {"1": 1.0, "2": 0.5}
    assert result["images_per_second"] == {"1": 64.0, "2": 128.0}
    assert result["speedup"] == {"1": 1.0, "2": 2.0}
    assert result["reduce_share"] == {"1": 0.0, "2": 0.1}
    assert result["history_difference"] == {"2": 1e-4}


def test_only_the_first_ten_losses_are_compared():
    one = [1.0] * 12
    assert processes.difference(one, [*one[:10], 5.0, 5.0]) == 0
    assert processes.difference(one, [*one[:9], 1.5, 1.0, 1.0]) == 0.5


def test_the_prediction_is_half_a_batch_and_the_all_reduce(result):
    assert result["predicted_seconds_2"] == pytest.approx(0.45)
    assert processes.last_line([result])["predicted_over_measured_2"] == pytest.approx(0.9)
    assert processes.last_line([result])["speedup_2"] == 2.0


def test_the_network_sends_the_gradients_nearly_twice(result):
    network = processes.network_model(result)
    assert network["bytes_per_step"] == 7_000_000  # 2 * 7/8 of 4 MB
    assert network["seconds_per_step"] == {"1": 0.056, "10": 0.0056, "100": 0.00056}
    assert network["efficiency"]["1"]["1"] == pytest.approx(0.4 / 0.456, abs=1e-3)
    assert network["efficiency"]["1"]["100"] == pytest.approx(0.004 / 0.06, abs=1e-3)


def test_the_tables_have_a_line_for_each_number_of_processes_and_each_speed(result):
    rows = [line.split() for line in processes.as_text(result).splitlines()]
    assert rows[-2:] == [
        ["1", "64.0", "1.00x", "0.0%"],
        ["2", "128.0", "2.00x", "10.0%", "1.0e-04"],
    ]
    rows = processes.network_text(processes.network_model(result)).splitlines()
    assert [row.split()[:2] for row in rows[-3:]] == [["1", "56.0"], ["10", "5.6"], ["100", "0.6"]]
