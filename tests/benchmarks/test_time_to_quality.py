"""The race of the two recipes: the clock, the ratios, the figure, and a whole short run."""

import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from benchmarks import baseline
from benchmarks.time_to_quality import QUALITY, Clock, as_text, draw, summary

ROOT = Path(__file__).resolve().parents[2]


class Steps:
    """A clock of which each step of training takes a second, and each measurement a hundred."""

    def __init__(self):
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


def run_clock(seconds: float, marks: list[float], rate=lambda share: 1 + share):
    """Steps until the clock stops the training: the moments measured, and the rates set."""
    time, measured, rates = Steps(), [], []

    def measure(elapsed):
        measured.append(elapsed)
        time.time += 100

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.5))
    model.stop_training = False
    clock = Clock(seconds, rate, marks, measure, now=time)
    clock.set_model(model)
    while not model.stop_training:
        clock.on_train_batch_begin(0)
        rates.append(float(model.optimizer.learning_rate.numpy()))
        time.time += 1
        clock.on_train_batch_end(0)
    return measured, rates


def test_measurements_do_not_count_as_training():
    measured, rates = run_clock(10, [0.3, 0.5, 1.0])
    assert measured == [3, 5, 10]
    assert len(rates) == 11  # the first step builds the graph, and is not counted


def test_marks_that_one_step_passes_are_measured_once():
    assert run_clock(4, [0.1, 0.2, 0.25, 1.0])[0] == [1, 4]


def test_the_learning_rate_follows_the_share_of_the_time():
    _, rates = run_clock(10, [0.5])
    np.testing.assert_allclose(rates, [1, *(1 + i / 10 for i in range(10))], rtol=1e-6)


def curve(rows: list[tuple]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["seconds", *QUALITY])


def test_summary_compares_at_the_budget_and_finds_when_ours_is_as_good_as_the_final_baseline():
    ours = curve([(10, 7.0, 30, 30), (20, 6.5, 18, 22), (40, 6.2, 12, 15), (100, 6.0, 5, 4)])
    theirs = curve([(50, 8.0, 60, 60), (101, 7.7, 50, 40), (400, 7.3, 20, 25)])
    result = summary(ours, theirs, budget=100)
    assert result["fc_samples_ratio"] == 0.1
    assert result["fc_reconstructions_ratio"] == 0.1
    assert result["bpd_gain"] == 1.7
    assert result["speedup"] == 20.0  # 400 seconds of theirs in 20 of ours
    assert result["baseline_budget"] == 400


def test_a_quality_that_is_never_reached_has_no_speedup():
    ours = curve([(50, 7.4, 30, 30), (100, 6.0, 21, 4)])  # one of the three is worse
    assert summary(ours, curve([(100, 7.3, 20, 25)]), 100)["speedup"] is None


def test_a_single_measurement_tells_no_speedup():
    ours = curve([(100, 6.0, 5, 4)])
    assert summary(ours, curve([(100, 7.3, 20, 25)]), 100)["speedup"] is None


def test_the_table_and_the_figure(tmp_path):
    rows = [
        curve([(1, 7.0, 3.0, 3.0), (2, 6.0, 2.0, 2.0)]).assign(recipe=name)
        for name in ("ours", "other")
    ]
    curves = pd.concat(rows)
    assert "ours" in as_text(curves) and "6.000" in as_text(curves)
    draw(curves, tmp_path / "new" / "curves.png")
    assert (tmp_path / "new" / "curves.png").stat().st_size > 10_000


def test_the_baseline_has_the_figures_of_the_book():
    vae = baseline.build_baseline()
    convolutions = [x for x in vae.encoder.layers if isinstance(x, keras.layers.Conv2D)]
    assert [x.filters for x in convolutions] == [64] * 5
    assert {(x.kernel_size, x.strides) for x in convolutions} == {((3, 3), (2, 2))}
    assert vae.latent_dim == 200
    assert 1 / (2 * vae.sigma**2) == pytest.approx(0.163)
    assert not vae.estimates_sigma
    assert vae.detail == 1  # it counts pixels one by one
    assert type(vae.optimizer) is keras.optimizers.Adam
    assert float(vae.optimizer.learning_rate.numpy()) == pytest.approx(5e-4)
    assert vae.decoder.output_shape == (None, 64, 64, 3)


@pytest.mark.slow
def test_a_folder_that_is_not_there_is_one_sentence():
    command = [sys.executable, "-m", "benchmarks.time_to_quality", "--faces", "no/such/folder"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 2
    assert run.stderr.startswith("error: The folder no/such/folder does not exist")
    assert not run.stdout or not json.loads(run.stdout)
