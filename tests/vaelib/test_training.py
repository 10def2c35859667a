"""Training: what it leaves behind, how it goes on, and what it refuses."""

import errno
import json
import math
import os
import shutil

import keras
import numpy as np
import pandas as pd
import pytest

from groundwork import files
from groundwork.files import DiskFull
from groundwork.locks import Locked
from tests.vaelib.event_files import events
from tests.vaelib.stopping import OPTIONS, check_same, damage
from vaelib import read_faces, runs, training
from vaelib.model import VAE
from vaelib.runs import load_model, newest_run
from vaelib.schedule import LEARNING_RATE, warmup_cosine
from vaelib.training import finish_run, set_precision, train


@pytest.mark.parametrize("rate", [0, -1e-3, math.nan, math.inf])
def test_a_rate_that_cannot_train_is_refused_before_anything_is_made(
    faces, vae, tmp_path, rate, one_sentence
):
    for minutes in (None, 1.0):
        with pytest.raises(ValueError) as error:
            train(vae, faces, tmp_path / "run", learning_rate=rate, minutes=minutes)
        one_sentence(error.value, "learning rate", rate, "above zero", LEARNING_RATE)
    assert not (tmp_path / "run").exists()
    with pytest.raises(ValueError):
        warmup_cosine(100, rate)


# What a training leaves behind


def test_train_writes_its_files(trained):
    names = {path.relative_to(trained.run).as_posix() for path in trained.run.rglob("*.*")}
    assert {
        "vae.keras",
        "checkpoint.keras",
        "checkpoints/epoch_001.keras",
        "checkpoints/epoch_002.keras",
        "history.csv",
        "settings.json",
        "images/epoch_001.png",
        "images/epoch_002.png",
    } <= names
    hidden = [path.name for path in trained.run.rglob("*") if path.name.startswith(".")]
    assert hidden == [".lock"]
    files = ("vae.keras", "checkpoint.keras", "history.csv", "settings.json", "faces.txt", ".lock")
    assert all(
        name in files or name.startswith(("logs/", "images/", "checkpoints/")) for name in names
    )


def test_the_history_has_a_row_an_epoch(trained):
    names = [f"{p}{n}" for p in ("", "val_") for n in ("loss", "reconstruction", "kl")]
    assert sorted(trained.history.columns) == sorted([*names, "seconds"])
    assert 0 < trained.history["seconds"][1] < trained.history["seconds"][2]
    assert trained.history.index.tolist() == [1, 2]
    assert trained.history.index.name == "epoch"
    assert np.isfinite(trained.history).all(axis=None)
    read = pd.read_csv(trained.run / "history.csv", index_col="epoch")
    pd.testing.assert_frame_equal(read, trained.history, check_names=False)


def test_training_sees_as_many_steps_as_asked_for(trained):
    assert int(trained.vae.optimizer.iterations) == 6


def test_the_finished_model_is_the_trained_one_without_the_optimizer(trained, images):
    path = trained.run / "vae.keras"
    loaded = load_model(path)
    np.testing.assert_allclose(loaded.encode(images), trained.vae.encode(images), atol=1e-6)
    assert getattr(loaded, "optimizer", None) is None
    weights = 4 * trained.vae.count_params()
    assert weights < path.stat().st_size < 1.1 * weights + 50_000
    assert (trained.run / "checkpoint.keras").stat().st_size > 2.5 * weights


def test_the_checkpoint_is_the_best_epoch(trained, images, faces):
    checkpoint = load_model(trained.run / "checkpoint.keras")
    best = int(trained.history["val_loss"].argmin()) + 1
    assert int(checkpoint.optimizer.iterations) == 3 * best


def test_a_finished_run_is_refused_before_any_training(trained, faces, new_vae, one_sentence):
    before = (trained.run / "vae.keras").read_bytes()
    with pytest.raises(FileExistsError) as error:
        train(new_vae(), faces, trained.run)
    one_sentence(error.value, trained.run, "another folder")
    assert (trained.run / "vae.keras").read_bytes() == before


def test_the_finished_model_samples_from_the_gaussian_of_the_training_faces(trained, images):
    loaded, expected = load_model(trained.run / "vae.keras"), load_model(trained.run / "vae.keras")
    expected.fit_latents(images[:17])
    np.testing.assert_allclose(loaded.latent_factor, expected.latent_factor, atol=1e-4)
    np.testing.assert_allclose(loaded.latent_mean, expected.latent_mean, atol=1e-4)
    assert not np.allclose(loaded.latent_factor, np.eye(4), atol=1e-3)


def test_finishing_a_run_leaves_the_model_ready_to_train_on(new_vae, faces, images, tmp_path):
    vae = new_vae()
    vae.compile(run_eagerly=True)
    history = vae.fit(images[:4], batch_size=4, verbose=0)
    table = finish_run(vae, faces, tmp_path, history)
    assert table.shape == (1, 3)
    vae.fit(images[:4], batch_size=4, verbose=0)
    assert int(vae.optimizer.iterations) == 2


def test_the_model_is_saved_although_the_faces_cannot_be_noted(new_vae, faces, images, tmp_path):
    (tmp_path / "faces.txt").mkdir()
    vae = new_vae()
    with pytest.raises(IsADirectoryError):
        finish_run(vae, faces, tmp_path, pd.DataFrame({"loss": [1.0]}))
    loaded = load_model(tmp_path / "vae.keras")
    np.testing.assert_allclose(loaded.encode(images[:2]), vae.encode(images[:2]), atol=1e-6)


def test_a_run_has_its_model_last(new_vae, faces, tmp_path, monkeypatch):
    """Killed before, it is not finished; killed after, nothing is missing."""
    monkeypatch.setattr(training, "without_optimizer", lambda vae: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        finish_run(new_vae(), faces, tmp_path, pd.DataFrame({"loss": [1.0]}))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["faces.txt", "history.csv"]


@pytest.mark.parametrize("place", ["", "checkpoints", "logs", "images"])
def test_a_file_in_the_place_of_a_folder_is_one_sentence(faces, vae, tmp_path, place, one_sentence):
    path = tmp_path / "run" / place
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"")
    with pytest.raises(OSError) as error:
        train(vae, faces, tmp_path / "run")
    one_sentence(error.value, path, "choose another")


@pytest.mark.slow
def test_a_system_without_utf8_trains_on_and_into_any_folder(folder, tmp_path, python, monkeypatch):
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("PYTHONUTF8", "0")
    shutil.copytree(folder, tmp_path / "Pör é")
    options = "--epochs 1 --steps-per-epoch 1 --batch-size 8 --image-size 32 --latent-dim 4"
    done = python(
        "-m",
        "vaelib",
        "train",
        "--faces",
        "Pör é",
        "--out",
        "Läufe",
        *options.split(),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert newest_run(tmp_path, read_faces(folder)) == tmp_path / "Läufe"
    assert len(events(tmp_path / "Läufe" / "logs" / "train").Tensors("epoch_loss")) == 1


def test_broken_images_are_found_before_any_training(draw_folder, new_vae, tmp_path, monkeypatch):
    faces = read_faces(draw_folder(tmp_path / "faces", 6))
    (faces.folder / "img_align_celeba" / "000003.jpg").write_bytes(b"no image")
    vae = new_vae()
    monkeypatch.setattr(VAE, "fit", lambda *_, **__: pytest.fail("it trains"))
    with pytest.raises(ValueError, match=r"000003\.jpg"):
        train(vae, faces, tmp_path / "run")


# Precision


def convolutions(part: keras.Model) -> list[keras.layers.Layer]:
    return [layer for layer in part.layers if layer.name.startswith("conv")]


def test_bfloat16_is_for_all_convolutions_but_the_one_that_makes_the_picture():
    vae = training.new_vae(32, 4, large=True)
    set_precision(vae, "bfloat16")
    inner = [*convolutions(vae.encoder), *convolutions(vae.decoder)[:-1]]
    assert {layer.compute_dtype for layer in inner} == {"bfloat16"}
    assert len(inner) == 2 + 3 * 2 + 1 + 2
    rest = [*vae.encoder.layers, *vae.decoder.layers]
    assert {layer.compute_dtype for layer in rest if layer not in inner} == {"float32"}
    assert {weight.dtype for weight in vae.weights if "seed" not in weight.path} == {"float32"}


def test_bfloat16_changes_pictures_by_little_and_float32_brings_them_back(images):
    vae = training.new_vae(32, 4, large=True)
    exact = vae.encode(images)
    set_precision(vae, "bfloat16")
    coarse = vae.encode(images)
    assert 1e-4 < np.abs(coarse - exact).max() < 0.05 * np.abs(exact).max()
    set_precision(vae, "float32")
    np.testing.assert_allclose(vae.encode(images), exact, atol=1e-5)


def test_a_run_in_bfloat16_ends_with_a_model_in_float32_and_near_the_same(
    faces, new_vae, trained, tmp_path, one_sentence
):
    settings = {"epochs": 2, "steps_per_epoch": 3, "batch_size": 4}
    history = train(new_vae(1), faces, tmp_path, precision="bfloat16", **settings)
    vae = load_model(tmp_path / "vae.keras")
    assert {layer.compute_dtype for layer in convolutions(vae.encoder)} == {"float32"}
    again = train(new_vae(1), faces, tmp_path / "float32", **settings)
    assert history["loss"].tolist() != again["loss"].tolist()
    np.testing.assert_allclose(history["loss"], again["loss"], rtol=0.02)


def test_a_run_goes_on_in_the_precision_it_began_in(
    stopped, faces, new_vae, tmp_path, one_sentence
):
    shutil.copytree(stopped, tmp_path, dirs_exist_ok=True)
    settings = json.loads((tmp_path / "settings.json").read_text())
    assert settings.pop("precision") == "float32"
    with pytest.raises(ValueError) as error:
        train(new_vae(9, sigma=None), faces, tmp_path, precision="bfloat16", **OPTIONS)
    one_sentence(error.value, tmp_path, "precision float32 (now bfloat16)")
    (tmp_path / "settings.json").write_text(json.dumps(settings))  # of an older version
    with pytest.raises(ValueError):
        train(new_vae(9, sigma=None), faces, tmp_path, precision="bfloat16", **OPTIONS)


# Going on where a run was stopped


def going_on(stopped, faces, new_vae, run) -> pd.DataFrame:
    shutil.copytree(stopped, run, dirs_exist_ok=True)
    # Another start: what matters must come from the checkpoint and the seed of the settings.
    return train(new_vae(9, sigma=None), faces, run, **OPTIONS)


def test_a_stopped_run_keeps_its_last_two_epochs(stopped):
    names = sorted(path.name for path in (stopped / "checkpoints").iterdir())
    assert names == ["epoch_002.keras", "epoch_003.keras"]
    assert len(pd.read_csv(stopped / "history.csv")) == 3
    assert not (stopped / "vae.keras").exists()


@pytest.mark.slow
def test_a_stopped_run_goes_on_and_comes_to_the_same_end(
    stopped, whole, faces, new_vae, images, tmp_path, capsys
):
    (tmp_path / "checkpoints").mkdir()
    half = tmp_path / "checkpoints" / ".part-123-epoch_004.keras"
    half.write_bytes(b"half")  # what a process that was killed leaves behind
    check_same(going_on(stopped, faces, new_vae, tmp_path), whole.history)
    assert f"{tmp_path} goes on after epoch 3." in capsys.readouterr().out
    assert not half.exists()
    pair = [load_model(run / "vae.keras") for run in (tmp_path, whole.run)]
    assert pair[0].sigma == pytest.approx(pair[1].sigma, rel=1e-4)
    np.testing.assert_allclose(*(vae.encode(images) for vae in pair), atol=0.01)
    steps = [event.step for event in events(tmp_path / "logs" / "train").Tensors("epoch_loss")]
    assert steps == [0, 1, 2, 3]
    assert int(load_model(tmp_path / "checkpoints" / "epoch_004.keras").optimizer.iterations) == 12


def test_a_damaged_checkpoint_is_named_and_the_one_before_is_used(
    stopped, whole, faces, new_vae, tmp_path, capsys, one_sentence
):
    shutil.copytree(stopped, tmp_path, dirs_exist_ok=True)
    damaged = tmp_path / "checkpoints" / "epoch_003.keras"
    damage(damaged, "half")
    check_same(train(new_vae(9, sigma=None), faces, tmp_path, **OPTIONS), whole.history)
    out = capsys.readouterr().out.splitlines()
    one_sentence(out[0], f"{damaged} is damaged")
    assert out[1] == f"{tmp_path} goes on after epoch 2."
    assert int(load_model(damaged).optimizer.iterations) == 9  # written anew


def test_a_run_killed_before_its_model_is_saved_only_finishes(
    whole, faces, new_vae, tmp_path, monkeypatch
):
    shutil.copytree(whole.run, tmp_path, dirs_exist_ok=True)
    (tmp_path / "vae.keras").unlink()
    monkeypatch.setattr(VAE, "fit", lambda *_, **__: pytest.fail("it trains"))
    history = train(new_vae(sigma=None), faces, tmp_path, **OPTIONS)
    pd.testing.assert_frame_equal(history, whole.history, check_names=False)
    expected = load_model(whole.run / "vae.keras").get_weights()
    for a, b in zip(load_model(tmp_path / "vae.keras").get_weights(), expected, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


# Two trainings in one folder


def test_a_second_training_is_refused_and_the_first_goes_on(
    faces, new_vae, tmp_path, monkeypatch, one_sentence
):
    errors = []

    class Second(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            half = tmp_path / "checkpoints" / ".part-1-epoch_001.keras"
            half.write_bytes(b"half")
            with pytest.raises(Locked) as error:
                train(new_vae(1), faces, tmp_path, **OPTIONS)
            errors.append(error.value)
            assert half.exists()

    real = training.run_callbacks
    monkeypatch.setattr(training, "run_callbacks", lambda *a: [Second(), *real(*a)])
    history = train(new_vae(1), faces, tmp_path, **{**OPTIONS, "epochs": 1})
    one_sentence(errors[0], tmp_path, "Another training", "wait", "another folder")
    assert len(history) == 1
    assert (tmp_path / "vae.keras").exists()


# The disk is full


FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def full_from_epoch_3(place: str, monkeypatch) -> None:
    """From the third epoch on, there is no room for what ends on `place`."""
    real = files.sync

    def sync(path):
        later = "epoch_003" in str(path) or any(
            (path.parent / "images" / f"epoch_00{epoch}.png").exists() for epoch in (3, 4)
        )
        if str(path).endswith(place) and later:
            raise FULL
        real(path)

    monkeypatch.setattr(files, "sync", sync)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("place", "epoch"),
    [
        ("epoch_003.png", 2),
        ("history.csv", 2),
        ("epoch_003.keras", 2),
        ("vae.keras", 4),
    ],
)
def test_after_a_full_disk_the_same_call_goes_on(
    faces, new_vae, whole, tmp_path, monkeypatch, place, epoch, one_sentence, capsys
):
    with monkeypatch.context() as patch, pytest.raises(DiskFull) as error:
        full_from_epoch_3(place, patch)
        train(new_vae(1, sigma=None), faces, tmp_path, **OPTIONS)
    safe = tmp_path / "checkpoints" / f"epoch_{epoch:03}.keras"
    one_sentence(error.value, place, f"epoch {epoch} is safe in {safe}", "make room", "command")
    assert not list(tmp_path.rglob(".part-*"))
    check_same(train(new_vae(9, sigma=None), faces, tmp_path, **OPTIONS), whole.history)
    assert f"goes on after epoch {epoch}." in capsys.readouterr().out


# Stopping early, and in time


@pytest.mark.slow
def test_after_an_early_stop_the_model_is_that_of_the_best_epoch(
    faces, new_vae, images, tmp_path, monkeypatch
):
    losses = iter([5.0, 3.0, 4.0, 2.0])
    parts = {"reconstruction": 0.0, "kl": 0.0}
    monkeypatch.setattr(VAE, "evaluate", lambda *_, **__: {"loss": next(losses), **parts})
    options = {"epochs": 9, "steps_per_epoch": 1, "batch_size": 8}
    history = train(new_vae(3), faces, tmp_path, patience=1, **options)
    assert history["val_loss"].tolist() == [5.0, 3.0, 4.0]
    assert int(load_model(tmp_path / "checkpoint.keras").optimizer.iterations) == 2
    np.testing.assert_array_equal(
        load_model(tmp_path / "vae.keras").encode(images),
        load_model(tmp_path / "checkpoint.keras").encode(images),
    )


def test_a_run_with_a_time_budget(faces, new_vae, tmp_path, monkeypatch):
    """On a clock that only the steps move: 10 seconds each, 6 to a minute."""

    class Clock(keras.callbacks.Callback):
        seconds = 0.0

        def on_train_batch_end(self, batch, logs=None):
            self.seconds += 10

    clock, real = Clock(), training.run_callbacks
    monkeypatch.setattr(training, "stopwatch", lambda used: lambda: clock.seconds)
    monkeypatch.setattr(training, "FiniteLoss", lambda run, peak: clock)  # the first one
    monkeypatch.setattr(training, "run_callbacks", lambda *a: real(*a)[:2])
    vae = new_vae(1)
    history = train(vae, faces, tmp_path, steps_per_epoch=4, batch_size=8, minutes=1.0)
    assert history["seconds"].tolist() == [40, 60]
    assert int(vae.optimizer.iterations) == 6
    assert json.loads((tmp_path / "settings.json").read_text())["epochs"] is None


# A loss that is not finite


def test_a_loss_that_explodes_is_one_sentence(faces, new_vae, tmp_path, one_sentence):
    with pytest.raises(FloatingPointError) as error:
        train(new_vae(), faces, tmp_path, 1, 6, batch_size=8, learning_rate=1e30)
    parts = ["epoch 1", "batch", "step", "learning rate of", "smaller learning rate", "sigma"]
    one_sentence(error.value, *parts, "first epoch")
    assert not runs.checkpoints(tmp_path)
    assert not (tmp_path / "vae.keras").exists()


def test_after_a_loss_that_exploded_the_advice_can_be_followed(faces, new_vae, tmp_path):
    options = {"epochs": 1, "steps_per_epoch": 6, "batch_size": 8}
    with pytest.raises(FloatingPointError, match="try a smaller learning rate, a larger sigma"):
        train(new_vae(sigma=None), faces, tmp_path, **options, learning_rate=1e30)
    train(new_vae(sigma=0.5), faces, tmp_path, **options, learning_rate=1e-3)
    settings = json.loads((tmp_path / "settings.json").read_text())
    assert (settings["learning_rate"], settings["sigma"]) == (1e-3, 0.5)
    assert (tmp_path / "vae.keras").exists()
