"""The benchmark of the pretrained model: the floor, and the curve of a training."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmarks.pretrained import curve, grain, other_grain
from portraits import Person
from portraits.dataset.write import write_dataset
from vaelib import read_faces
from vaelib.training import new_vae


def test_another_grain_changes_nothing_else():
    person = Person.sample(3)
    other = replace(person, photo=replace(person.photo, grain=other_grain(person.photo.grain)))
    a, b = (who.render(64).astype("float64") for who in (person, other))
    assert 2.5 < (a - b).std() < 3.2  # the square root of 2 times 2.04 grey levels, and rounding
    assert abs((a - b).mean()) < 0.1
    blocks = (a - b).reshape(8, 8, 8, 8, 3).mean((1, 3))  # nothing but grain: it averages out
    assert np.abs(blocks).max() < 1.5


def test_the_floor_is_the_grain(tmp_path, capsys):
    faces = read_faces(write_dataset(tmp_path / "faces", 30, jobs=1))
    assert grain(faces, 2) == pytest.approx(2.15, abs=0.15)


def test_faces_that_are_no_portraits_have_no_known_grain(tmp_path, capsys):
    faces = read_faces(write_dataset(tmp_path / "faces", 30, jobs=1))
    (tmp_path / "faces" / "manifest.json").unlink()
    with pytest.raises(ValueError, match="no portraits"):
        grain(faces, 2)


def test_a_curve_is_in_minutes_and_bits():
    vae = new_vae(32, 2)
    nats = 3 * 32**2 * math.log(2)  # one bit per dimension
    history = pd.DataFrame(
        {"loss": [0.0, -nats], "val_loss": [nats, -2 * nats], "seconds": [90.0, 186.0]},
        index=pd.Index([1, 2], name="epoch"),
    )
    table = curve(history, vae)
    assert table["minutes"].tolist() == [1.5, 3.1]
    assert table["training_bpd"].tolist() == [8, 7]
    assert table["validation_bpd"].tolist() == [9, 6]
    assert table["epoch"].tolist() == [1, 2]
