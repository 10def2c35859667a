"""The processes of the training benchmark: what they do between two lines."""

import numpy as np
import pytest

from benchmarks import baseline, contenders
from benchmarks.operations import KINDS
from vaelib import training

BATCHES = list(np.random.default_rng(0).random((2, 4, 32, 32, 3), "float32"))


def test_batches_are_those_of_training():
    assert (contenders.BATCH_SIZE, contenders.BASELINE_BATCH_SIZE) == (
        training.BATCH_SIZE,
        baseline.BATCH_SIZE,
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ours", "adam", "baseline"])
def test_a_contender_trains(name):
    train, said = contenders._prepare_training(name, BATCHES)
    train(3)
    assert contenders._time(train, 1) > 0
    assert said["per_image"] > 1e6 and (said["per_step"] > 0) == (name == "ours")
    counted = {kind: count for kind, count in said["counted"].items() if kind != "products"}
    assert sum(counted.values()) == 4 * said["per_image"]
    assert set(said["counted"]) <= set(KINDS)


@pytest.mark.slow
def test_matrices_are_multiplied(monkeypatch):
    monkeypatch.setattr(contenders, "SIDES", (16, 256))
    multiply, said = contenders._prepare_product()
    multiply(2)
    assert said["side"] == 256  # small products spend their time on other things
