"""The benchmark of overfitting: its training faces, what it keeps, and what notebook 3 reads."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from benchmarks import overfitting as benchmark
from benchmarks.overfitting import (
    EPOCHS,
    SHOWN,
    Pictures,
    Watch,
    few_faces,
    overfitting,
)
from portraits import write_dataset
from portraits.dataset.manifest import MANIFEST
from vaelib.data.faces import read_faces
from vaelib.metrics import rmse

RESULTS = Path(__file__).resolve().parents[2] / "data" / "overfitting"


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faces") / "portraits"
    write_dataset(folder, count=60, size=64, jobs=1)
    return read_faces(folder)


def test_the_first_training_faces_are_kept_and_all_others_held_out(faces):
    some = few_faces(faces, 7)
    assert some.file_names("train") == faces.file_names("train")[:7]
    assert all(some.file_names(split) == faces.file_names(split) for split in ("val", "test"))
    assert len(faces.file_names("train")) > 7  # the folder itself is as it was
    assert few_faces(faces, 1000).file_names("train") == faces.file_names("train")


class Dark:
    """A model whose pictures are darker by the number of times that it was asked."""

    asked = 0

    def evaluate(self, images, **options):
        return {"loss": float(images.sum())}

    def reconstruct(self, images, sharpen=True):
        assert not sharpen
        self.asked += 1
        return images - np.float32(self.asked / 255)


def test_after_each_epoch_errors_are_measured_and_the_best_pictures_kept():
    rng = np.random.default_rng(0)
    pictures = Pictures(*(rng.random((5, 8, 8, 3), "float32") for _ in range(2)))
    watch = Watch(pictures)
    watch.set_model(Dark())
    for epoch, loss in enumerate([3.0, -2.0, 1.0]):
        watch.on_epoch_end(epoch, {"loss": 1e9, "val_loss": loss})
    # Each epoch asks for the training faces, the validation faces, and those that are shown.
    expected = [{"rmse": 1, "val_rmse": 2}, {"rmse": 4, "val_rmse": 5}, {"rmse": 7, "val_rmse": 8}]
    losses = {"loss": pictures.known.sum()}  # of the training faces, at the end of the epoch
    for row, numbers, loss in zip(watch.rows, expected, [3.0, -2.0, 1.0], strict=True):
        assert row == pytest.approx(numbers | losses | {"val_loss": loss}, rel=1e-4)
    shown = np.concatenate([pictures.known[:SHOWN], pictures.others[:SHOWN]])
    assert rmse(shown, watch.best) == pytest.approx(6, rel=1e-4)
    assert rmse(shown, watch.last) == pytest.approx(9, rel=1e-4)


def test_photographs_are_refused(faces, tmp_path):
    photographs = tmp_path / "photographs"
    shutil.copytree(faces.folder, photographs)
    (photographs / MANIFEST).unlink()
    with pytest.raises(ValueError, match="photographs must not come into the course"):
        overfitting(str(photographs), steps=1, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_made_is_known_before_the_training(faces, tmp_path, monkeypatch):
    monkeypatch.setattr(benchmark, "train_and_watch", None)
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        overfitting(str(faces.folder), steps=1, out=tmp_path / "file")


def test_losses_that_are_no_numbers_write_nothing(faces, tmp_path, monkeypatch):
    watch = Watch(Pictures(np.zeros((1, 64, 64, 3)), np.zeros((1, 64, 64, 3))))
    monkeypatch.setattr(benchmark, "train_and_watch", lambda *_: (pd.DataFrame(), watch))
    with pytest.raises(ValueError, match="no number in any epoch"):
        overfitting(str(faces.folder), steps=1, out=tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.slow
def test_the_command_writes_the_history_and_the_faces(faces, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(benchmark, "FEW", 8)
    overfitting(str(faces.folder), steps=2, out=tmp_path / "new")
    history = pd.read_csv(tmp_path / "new" / "history.csv", index_col="epoch")
    assert list(history.index) == [*range(1, EPOCHS + 1)]
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["faces"] == 8
    width, height = Image.open(tmp_path / "new" / "faces.png").size
    assert (width, height) == (64 * 2 * SHOWN, 64 * 3)


# ------------------------------------------------------------------ the results that are kept


@pytest.fixture
def history() -> pd.DataFrame:
    return pd.read_csv(RESULTS / "history.csv", index_col="epoch")


def test_the_history_of_the_course_is_a_whole_one(history):
    assert list(history.index) == [*range(1, EPOCHS + 1)]
    columns = ["loss", "reconstruction", "kl", "rmse"]
    assert sorted(history) == sorted(columns + [f"val_{name}" for name in columns])
    assert history.notna().all(axis=None)


def test_the_training_loss_falls_to_the_end_while_the_validation_loss_rises(history):
    assert (history["loss"].diff().dropna() < 0).all()
    best = history["val_loss"].idxmin()
    assert 1 < best < EPOCHS
    assert history["val_loss"].iloc[-1] > history["val_loss"][best] + 100
    assert history["val_rmse"].iloc[-1] > 1.5 * history["rmse"].iloc[-1]


def test_the_faces_of_the_course_are_shown_as_they_are_best_and_last():
    width, height = Image.open(RESULTS / "faces.png").size
    assert (width, height) == (64 * 2 * SHOWN, 64 * 3)
