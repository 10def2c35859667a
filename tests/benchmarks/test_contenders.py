"""The processes of the training benchmark: what they do between two lines."""

import re

import keras
import pytest

from benchmarks import baseline, contenders
from benchmarks.operations import KINDS
from vaelib import read_faces, training


def test_batches_are_those_of_training():
    assert (contenders.BATCH_SIZE, contenders.BASELINE_BATCH_SIZE) == (
        training.BATCH_SIZE,
        baseline.BATCH_SIZE,
    )


def test_a_batch_is_not_filled_with_the_same_faces(colour_faces):
    message = f"{colour_faces} has 120 faces to train on, and a batch needs 121."
    with pytest.raises(ValueError, match=re.escape(message)):
        contenders._prepare_training("ours", read_faces(colour_faces), 121, 32)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ours", "adam", "baseline"])
def test_a_contender_trains(name, colour_faces):
    train, said = contenders._prepare_training(name, read_faces(colour_faces), 4, 32)
    train(3)
    assert train(1) > 0
    assert said["batch_size"] == 4
    assert said["per_image"] > 1e6 and (said["per_step"] > 0) == (name == "ours")
    counted = {kind: count for kind, count in said["counted"].items() if kind != "products"}
    assert sum(counted.values()) == 4 * said["per_image"]
    assert set(said["counted"]) <= set(KINDS)


@pytest.mark.slow
def test_matrices_are_multiplied(monkeypatch):
    monkeypatch.setattr(contenders, "SIDES", (16, 256))
    multiply, said = contenders._prepare_product()
    assert multiply(2) > 0
    assert said["side"] == 256  # small products spend their time on other things
    assert said["framework"] == keras.backend.backend()
