"""Runs: what is written, what it shows, and what is refused."""

import errno
import io
import json
import math
import os
import shutil
import zipfile
from dataclasses import replace
from types import SimpleNamespace

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins import projector

from groundwork import files
from groundwork.files import DiskFull
from groundwork.locks import Locked
from vaelib import read_faces, training
from vaelib.callbacks import (
    FiniteLoss,
    HeldOutFaces,
    HowLong,
    ImageGenerator,
    ResumedEarlyStopping,
    TimeBudget,
    run_callbacks,
)
from vaelib.model import VAE
from vaelib.optimizer import Muon
from vaelib.pictures import image_grid
from vaelib.runs import is_over, load_model, new_run, newest_run
from vaelib.schedule import warmup_cosine
from vaelib.tensorboard import write_projector
from vaelib.training import finish_run, train


def events(folder) -> EventAccumulator:
    accumulator = EventAccumulator(str(folder), size_guidance={"tensors": 0, "images": 0})
    accumulator.Reload()
    return accumulator


def event_images(accumulator, tag: str) -> list[np.ndarray]:
    """The pictures of a tag, by epoch; TensorFlow 2 writes them as (width, height, png)."""
    return [
        np.asarray(Image.open(io.BytesIO(event.tensor_proto.string_val[2])))
        for event in accumulator.Tensors(tag)
    ]


# The learning rate


def test_the_learning_rate_climbs_to_its_peak_and_falls_to_zero():
    schedule = warmup_cosine(200, 2e-3)
    rate = np.array([float(schedule(step)) for step in range(201)])
    assert rate[0] == pytest.approx(2e-5)
    assert rate[10] == pytest.approx((2e-5 + 2e-3) / 2)
    assert rate[20] == pytest.approx(2e-3)
    assert rate.argmax() == 20
    assert rate[110] == pytest.approx(1e-3)
    assert rate[200] == pytest.approx(0, abs=1e-9)
    assert (np.diff(rate[:21]) > 0).all()
    assert (np.diff(rate[20:]) < 0).all()
    expected = [1e-3 * (1 + math.cos(math.pi * (step - 20) / 180)) for step in range(20, 201)]
    np.testing.assert_allclose(rate[20:], expected, atol=1e-8)


@pytest.mark.parametrize("steps", [1, 2, 9])
def test_a_very_short_run_has_a_learning_rate_too(steps):
    rates = [float(warmup_cosine(steps, 1e-3)(step)) for step in range(steps + 1)]
    assert np.isfinite(rates).all()
    assert min(rates) >= 0
    assert max(rates) <= 1e-3 * 1.0001


@pytest.mark.parametrize("rate", [0, -1e-3, math.nan, math.inf])
def test_a_rate_that_cannot_train_is_refused_before_anything_is_made(
    faces, vae, tmp_path, rate, one_sentence
):
    for minutes in (None, 1.0):
        with pytest.raises(ValueError) as error:
            train(vae, faces, tmp_path / "run", learning_rate=rate, minutes=minutes)
        one_sentence(error.value, "learning rate", rate, "above zero", training.LEARNING_RATE)
    assert not (tmp_path / "run").exists()
    with pytest.raises(ValueError):
        warmup_cosine(100, rate)


# Pictures


def test_a_grid_is_the_images_pixel_by_pixel_on_white():
    images = np.arange(3 * 2 * 4 * 3).reshape(3, 2, 4, 3) / 255
    grid = image_grid(images, columns=2, gap=1)
    expected = np.full((5, 9, 3), 255, "uint8")
    values = np.arange(3 * 2 * 4 * 3).reshape(3, 2, 4, 3)
    expected[:2, :4], expected[:2, 5:], expected[3:, :4] = values
    assert grid.dtype == np.uint8
    np.testing.assert_array_equal(grid, expected)


def test_a_grid_without_gaps_has_none():
    grid = image_grid(np.zeros((4, 2, 2, 3)), columns=2, gap=0)
    np.testing.assert_array_equal(grid, np.zeros((4, 4, 3)))


def test_a_grid_rounds_and_cuts_off_and_stretches_nothing():
    values = np.array([-1, 0, 0.4999 / 255, 0.5001 / 255, 100 / 255, 1, 2], "float32")
    images = values[:, None, None, None] * np.ones((1, 1, 1, 3), "float32")
    grid = image_grid(images, columns=7, gap=0)
    assert grid[0, :, 0].tolist() == [0, 0, 0, 1, 100, 255, 255]
    low = image_grid(np.full((1, 2, 2, 3), 0.2), 1)
    assert (low == 51).all()


class Constant:
    """Stands in for a model whose decoder makes one grey."""

    def __init__(self, grey: float):
        self.grey = grey
        self.asked = []

    def decode(self, latents):
        self.asked.append(np.array(latents))
        return np.full((len(latents), 32, 32, 3), self.grey, "float32")


def with_model(callback, model):
    callback.set_model(model)
    return callback


def test_the_generator_decodes_the_same_latents_after_each_epoch(tmp_path):
    model = Constant(0.5)
    generator = with_model(ImageGenerator(tmp_path, 4, count=6, columns=3, seed=5), model)
    for epoch in range(3):
        generator.on_epoch_end(epoch)
    first, second, third = model.asked
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first, third)
    assert first.shape == (6, 4)
    again = ImageGenerator(None, 4, count=6, seed=5).latents
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, ImageGenerator(None, 4, count=6, seed=6).latents)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "epoch_001.png",
        "epoch_002.png",
        "epoch_003.png",
    ]


@pytest.mark.parametrize(
    ("grey", "level"), [(0.5, (127, 128)), (0.0, (0,)), (0.2, (51,)), (1, (255,))]
)
def test_the_generators_picture_has_true_contrast(tmp_path, grey, level):
    generator = ImageGenerator(tmp_path / "new" / "folder", 4, count=6, columns=3)
    with_model(generator, Constant(grey)).on_epoch_end(0)
    picture = np.asarray(Image.open(tmp_path / "new" / "folder" / "epoch_001.png"))
    assert picture.shape == (2 * 32 + 2, 3 * 32 + 2 * 2, 3)
    assert set(picture[:32, :32].ravel().tolist()) <= set(level)
    assert (picture[32:34] == 255).all()  # the gap


def test_a_picture_is_whole_or_not_there(tmp_path, monkeypatch):
    def half(image, path):
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", half)
    with pytest.raises(DiskFull, match=r"epoch_001\.png"):
        with_model(ImageGenerator(tmp_path, 4), Constant(0.5)).on_epoch_end(0)
    assert list(tmp_path.iterdir()) == []


def test_the_generators_picture_is_in_the_event_file(tmp_path, vae):
    generator = ImageGenerator(tmp_path / "images", 4, count=4, columns=2, log_dir=tmp_path / "log")
    with_model(generator, vae)
    generator.on_epoch_end(0)
    generator.on_epoch_end(1)
    pictures = event_images(events(tmp_path / "log"), "generated faces")
    assert len(pictures) == 2
    saved = np.asarray(Image.open(tmp_path / "images" / "epoch_002.png"))
    np.testing.assert_array_equal(pictures[1], saved)
    np.testing.assert_array_equal(saved, image_grid(vae.decode(generator.latents), 2))


def test_the_generator_can_write_to_tensorboard_alone(tmp_path):
    with_model(ImageGenerator(None, 4, log_dir=tmp_path / "log"), Constant(0.5)).on_epoch_end(0)
    assert [path.name for path in tmp_path.iterdir()] == ["log"]


def test_held_out_faces_show_originals_over_reconstructions_and_histograms(tmp_path, vae, images):
    callback = with_model(HeldOutFaces(images[:20], tmp_path, columns=3), vae)
    callback.on_epoch_end(0)
    callback.on_epoch_end(1)
    log = events(tmp_path)
    (tag,) = [tag for tag in log.Tags()["tensors"] if "faces" in tag]
    pictures = event_images(log, tag)
    assert len(pictures) == 2
    originals = image_grid(images[:3], 3)
    assert pictures[0].shape == (2 * 32 + 2, originals.shape[1], 3)
    np.testing.assert_array_equal(pictures[0][:32], originals)
    below = image_grid(vae.reconstruct(images[:3]), 3).astype(int)
    np.testing.assert_allclose(pictures[0][34:].astype(int), below, atol=1)
    for tag in ("z_mean", "z standard deviation"):
        from tensorboard.util import tensor_util

        histogram = tensor_util.make_ndarray(log.Tensors(tag)[0].tensor_proto)
        assert histogram[:, 2].sum() == pytest.approx(20 * 4)  # all latents of all faces
        if tag != "z_mean":
            assert histogram[:, 0].min() > 0
        else:
            assert histogram[0, 0] == pytest.approx(vae.encode(images[:20]).min(), abs=1e-4)


def test_fewer_held_out_faces_than_columns_are_shown_all(tmp_path, vae, images):
    with_model(HeldOutFaces(images[:2], tmp_path, columns=8), vae).on_epoch_end(0)
    (picture,) = event_images(events(tmp_path), "held-out faces over reconstructions")
    assert picture.shape == (66, 66, 3)


# The projector


@pytest.mark.parametrize(("count", "side"), [(1, 1), (4, 2), (5, 3), (30, 6)])
def test_the_projector_gets_its_files(tmp_path, faces, images, count, side):
    latents = np.random.default_rng(0).normal(size=(count, 4)).astype("float32")
    write_projector(tmp_path, latents, images[:count], faces.attributes[:count])

    read = np.loadtxt(tmp_path / "latents.tsv", delimiter="\t", ndmin=2)
    np.testing.assert_allclose(read, latents, atol=1e-5)
    table = pd.read_csv(tmp_path / "attributes.tsv", sep="\t", index_col="name")
    assert (table == faces.attributes[:count]).all(axis=None)
    assert list(table.index) == faces.file_names()[:count]
    sprite = np.asarray(Image.open(tmp_path / "thumbnails.png"))
    assert sprite.shape == (32 * side, 32 * side, 3)  # a square, as the projector expects
    for i in range(count):
        top, left = 32 * (i // side), 32 * (i % side)
        np.testing.assert_allclose(
            sprite[top : top + 32, left : left + 32] / 255, images[i], atol=1e-6
        )


def test_the_projectors_configuration_can_be_read(tmp_path, faces, images):
    from google.protobuf import text_format

    write_projector(tmp_path / "new", np.zeros((30, 4)), images, faces.attributes)
    text = (tmp_path / "new" / "projector_config.pbtxt").read_text()
    (embedding,) = text_format.Parse(text, projector.ProjectorConfig()).embeddings
    for path in (embedding.tensor_path, embedding.metadata_path, embedding.sprite.image_path):
        assert (tmp_path / "new" / path).is_file()
    assert list(embedding.sprite.single_image_dim) == [32, 32]


@pytest.mark.parametrize("short", [0, 1, 2])
def test_the_projector_wants_the_same_faces_in_all_three(
    tmp_path, faces, images, short, one_sentence
):
    parts = [np.zeros((30, 4)), images, faces.attributes]
    parts[short] = parts[short][:29]
    with pytest.raises(ValueError) as error:
        write_projector(tmp_path / "log", *parts)
    one_sentence(error.value, "29", "30", "same faces")
    assert not (tmp_path / "log").exists()


def test_the_projectors_full_disk_is_one_sentence(
    tmp_path, faces, images, monkeypatch, one_sentence
):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savetxt", full)
    with pytest.raises(DiskFull) as error:
        write_projector(tmp_path, np.zeros((30, 4)), images, faces.attributes)
    one_sentence(error.value, tmp_path, "make room")


# Runs


def test_runs_have_names_of_their_own(tmp_path):
    runs = [new_run(tmp_path / "runs") for _ in range(5)]
    assert len(set(runs)) == 5
    assert all(run.is_dir() and not list(run.iterdir()) for run in runs)
    pd.to_datetime(runs[0].name, format="%Y-%m-%d_%H-%M-%S")


def finished(folder, order: int):
    folder.mkdir(parents=True)
    (folder / "vae.keras").write_bytes(b"")
    os.utime(folder / "vae.keras", (1_000_000 + order, 1_000_000 + order))
    return folder


def test_the_newest_run_is_the_one_that_finished_last(tmp_path):
    finished(tmp_path / "b", 1)
    newest = finished(tmp_path / "a", 3)
    finished(tmp_path / "c", 2)
    assert newest_run(tmp_path) == newest


def test_the_newest_run_may_be_asked_for_by_its_faces(tmp_path, faces, one_sentence):
    oldest = finished(tmp_path / "0", 0)
    (oldest / "faces.txt").write_text(training.fingerprint(faces))
    older = finished(tmp_path / "a", 1)  # older versions noted the folder
    (older / "faces.txt").write_text(str(faces.folder.resolve()))
    other = finished(tmp_path / "b", 2)
    (other / "faces.txt").write_text("/somewhere/else")
    finished(tmp_path / "c", 3)
    damaged = finished(tmp_path / "d", 4)
    (damaged / "faces.txt").write_bytes(b"\xff\x00")
    (finished(tmp_path / "e", 5) / "faces.txt").mkdir()
    assert newest_run(tmp_path, faces) == older
    (older / "faces.txt").unlink()
    assert newest_run(tmp_path, faces) == oldest
    (oldest / "faces.txt").unlink()
    with pytest.raises(FileNotFoundError) as error:
        newest_run(tmp_path, faces)
    one_sentence(error.value, faces.folder, "notebook 03")


def test_faces_are_the_same_wherever_their_folder_is(folder, faces, tmp_path):
    here = training.fingerprint(faces)
    copied = shutil.copytree(folder, tmp_path / "copied", copy_function=shutil.copyfile)
    assert training.fingerprint(read_faces(copied)) == here
    moved = copied.rename(tmp_path / "moved")
    assert training.fingerprint(read_faces(moved)) == here


@pytest.mark.parametrize("change", ["image", "label", "attribute", "split", "name", "less"])
def test_other_faces_are_others(folder, faces, tmp_path, change):
    copied = shutil.copytree(folder, tmp_path / "copied")
    other = read_faces(copied)
    first = faces.file_names()[0]
    if change == "image":
        with other.path(first).open("ab") as file:
            file.write(b"more")
    elif change == "label":
        other.attributes.loc[first, "Male"] ^= True
    elif change == "attribute":
        other = replace(other, attributes=other.attributes.rename(columns={"Male": "Female"}))
    elif change == "split":
        other.splits[first] = "test"
    elif change == "name":
        renamed = {first: "another.jpg"}
        tables = {"attributes": other.attributes, "splits": other.splits, "files": other.files}
        other = replace(other, **{name: table.rename(renamed) for name, table in tables.items()})
    else:
        tables = {"attributes": other.attributes, "splits": other.splits, "files": other.files}
        other = replace(other, **{name: table[:-1] for name, table in tables.items()})
    assert training.fingerprint(other) != training.fingerprint(faces)


def say_how_long(seconds_a_step: float, epochs: int, steps: int, monkeypatch, capsys) -> str:
    clock = iter(seconds_a_step * np.arange(1000))
    monkeypatch.setattr("vaelib.training.time.monotonic", lambda: next(clock))
    callback = HowLong(measured=1)
    callback.set_params({"epochs": epochs, "steps": steps})
    for step in range(20):
        callback.on_train_batch_end(step)
    return capsys.readouterr().out


@pytest.mark.parametrize(
    "seconds, expected",
    [(0.1, "less than a minute"), (0.2, "about 2 minutes"), (0.12, "about 1 minute ")],
)
def test_it_says_how_long_a_training_will_take(seconds, expected, monkeypatch, capsys):
    said = say_how_long(seconds, 5, 100, monkeypatch, capsys)
    assert said.startswith("500 steps will take") and expected in said
    assert said.count("\n") == 1


def test_an_unfinished_run_does_not_count(tmp_path, one_sentence):
    (tmp_path / "z").mkdir()
    (tmp_path / "z" / "checkpoint.keras").write_bytes(b"")
    (tmp_path / "z" / ".123.vae.keras").write_bytes(b"")
    with pytest.raises(FileNotFoundError) as error:
        newest_run(tmp_path)
    one_sentence(error.value, tmp_path, "notebook 03", "pretrained")
    assert newest_run_after(tmp_path) == tmp_path / "a"


def newest_run_after(tmp_path):
    finished(tmp_path / "a", 0)
    return newest_run(tmp_path)


def test_without_any_run_newest_run_is_one_sentence(tmp_path, one_sentence):
    with pytest.raises(FileNotFoundError) as error:
        newest_run(tmp_path / "nowhere")
    one_sentence(error.value, "nowhere")


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


def scalars(folder) -> dict[str, list[float]]:
    from tensorboard.util import tensor_util

    log = events(folder)
    return {
        tag: [float(tensor_util.make_ndarray(event.tensor_proto)) for event in log.Tensors(tag)]
        for tag in log.Tags()["tensors"]
    }


def test_the_logs_hold_the_losses_and_the_learning_rate(trained):
    training_, validation = (
        scalars(trained.run / "logs" / part) for part in ("train", "validation")
    )
    for name in ("loss", "reconstruction", "kl"):
        np.testing.assert_allclose(training_[f"epoch_{name}"], trained.history[name], rtol=1e-5)
        np.testing.assert_allclose(
            validation[f"epoch_{name}"], trained.history[f"val_{name}"], rtol=1e-5
        )
    schedule = warmup_cosine(6, 1e-3)
    rates = training_["epoch_learning_rate"]
    np.testing.assert_allclose(rates, [float(schedule(3)), float(schedule(6))], atol=1e-8)


def test_the_logs_hold_the_pictures_and_histograms(trained):
    generated = event_images(events(trained.run / "logs" / "generated"), "generated faces")
    assert len(generated) == 2
    held_out = events(trained.run / "logs" / "held_out").Tags()["tensors"]
    assert {"z_mean", "z standard deviation"} < set(held_out)


def test_the_held_out_picture_shows_validation_faces(trained, images):
    log = events(trained.run / "logs" / "held_out")
    picture = event_images(log, "held-out faces over reconstructions")[0]
    np.testing.assert_array_equal(picture[:32], image_grid(images[17:24], 7))


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


def test_the_copy_without_optimizer_has_all_weights(new_vae, images):
    vae = new_vae(sigma=None)
    vae.compile(run_eagerly=True)
    vae.fit(images[:8], batch_size=4, verbose=0)
    vae.fit_latents(images)
    copy = training.without_optimizer(vae)
    assert (copy.sigma, copy.estimates_sigma) == (vae.sigma, True)
    np.testing.assert_array_equal(copy.latent_factor, vae.latent_factor)
    np.testing.assert_array_equal(copy.encode(images), vae.encode(images))


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


# Going on where a run was stopped

OPTIONS = {"epochs": 4, "steps_per_epoch": 3, "batch_size": 8, "learning_rate": 1e-2, "flip": True}


class Stopped(Exception):
    pass


def stopping(monkeypatch, epoch: int, batch: int):
    """Lets every training from now on break off after this epoch and batch, both from 0."""

    class Stop(keras.callbacks.Callback):
        def on_epoch_begin(self, now, logs=None):
            self.now = now

        def on_train_batch_end(self, step, logs=None):
            if (self.now, step) == (epoch, batch):
                raise Stopped

    real = training.run_callbacks
    monkeypatch.setattr(training, "run_callbacks", lambda *a: [Stop(), *real(*a)])


@pytest.fixture(scope="module")
def whole(faces, new_vae, tmp_path_factory):
    """A run that nothing stopped."""
    run = tmp_path_factory.mktemp("whole") / "run"
    return SimpleNamespace(run=run, history=train(new_vae(1, sigma=None), faces, run, **OPTIONS))


@pytest.fixture(scope="module")
def stopped(faces, new_vae, tmp_path_factory):
    """The same run, broken off in the middle of its last epoch."""
    run = tmp_path_factory.mktemp("stopped") / "run"
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Stopped):
        stopping(patch, 3, 1)
        train(new_vae(1, sigma=None), faces, run, **OPTIONS)
    return run


def going_on(stopped, faces, new_vae, run) -> pd.DataFrame:
    shutil.copytree(stopped, run, dirs_exist_ok=True)
    # Another start: what matters must come from the checkpoint and the seed of the settings.
    return train(new_vae(9, sigma=None), faces, run, **OPTIONS)


def check_same(history: pd.DataFrame, whole: pd.DataFrame) -> None:
    assert history.index.tolist() == [1, 2, 3, 4]
    columns = [name for name in whole if name != "seconds"]
    np.testing.assert_allclose(history[columns], whole[columns], rtol=1e-3)
    assert (np.diff(history["seconds"]) > 0).all()


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


def damage(path, kind: str) -> None:
    whole = path.read_bytes()
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    path.write_bytes({"half": whole[:middle], "empty": b"", "bit": flipped}[kind])


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


@pytest.mark.parametrize("kind", ["half", "bit", "empty"])
def test_every_damage_is_seen(stopped, new_vae, tmp_path, capsys, kind):
    shutil.copytree(stopped, tmp_path, dirs_exist_ok=True)
    damage(tmp_path / "checkpoints" / "epoch_003.keras", kind)
    vae = new_vae(sigma=None)
    vae.compile(Muon(warmup_cosine(12)))
    assert len(training.resume(vae, tmp_path)) == 2
    assert int(vae.optimizer.iterations) == 6
    assert "epoch_003.keras is damaged" in capsys.readouterr().out


def test_without_a_whole_checkpoint_nothing_is_loaded(stopped, new_vae, tmp_path, capsys):
    shutil.copytree(stopped, tmp_path, dirs_exist_ok=True)
    for path in training.checkpoints(tmp_path):
        damage(path, "empty")
    vae = new_vae()
    before = vae.get_weights()
    assert training.resume(vae, tmp_path).empty
    assert len(capsys.readouterr().out.splitlines()) == 2
    for a, b in zip(before, vae.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_checkpoint_of_another_model_is_one_sentence(stopped, new_vae, one_sentence):
    vae = new_vae(latent_dim=7)
    vae.compile(Muon(warmup_cosine(12)))
    with pytest.raises(ValueError) as error:
        training.resume(vae, stopped)
    one_sentence(error.value, "epoch_003.keras", "another model")


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


def going_on_until_fit(run, faces, new_vae, monkeypatch) -> None:
    """What `train` does before it trains; raises Stopped then."""

    def fit(*_, **__):
        raise Stopped

    monkeypatch.setattr(VAE, "fit", fit)
    train(new_vae(9, sigma=None), faces, run, **OPTIONS)


def test_a_run_goes_on_after_its_faces_were_moved(
    stopped, faces, folder, new_vae, tmp_path, monkeypatch, capsys, one_sentence
):
    run = shutil.copytree(stopped, tmp_path / "run")
    moved = shutil.copytree(folder, tmp_path / "moved", copy_function=shutil.copyfile)
    with pytest.raises(Stopped):
        going_on_until_fit(run, read_faces(moved), new_vae, monkeypatch)
    assert f"{run} goes on after epoch 3." in capsys.readouterr().out
    with (moved / "img_align_celeba" / "000001.jpg").open("ab") as file:
        file.write(b"more")
    with pytest.raises(ValueError) as error:
        going_on_until_fit(run, read_faces(moved), new_vae, monkeypatch)
    one_sentence(error.value, run, "fingerprint", "choose another folder")


def test_a_run_of_an_older_version_knows_its_faces_by_their_folder(
    stopped, faces, folder, new_vae, tmp_path, monkeypatch, one_sentence
):
    run = shutil.copytree(stopped, tmp_path / "run")
    settings = json.loads((run / "settings.json").read_text())
    del settings["fingerprint"]
    (run / "settings.json").write_text(json.dumps({**settings, "faces": "/elsewhere"}))
    with pytest.raises(ValueError) as error:
        going_on_until_fit(run, faces, new_vae, monkeypatch)
    one_sentence(error.value, run, f"faces /elsewhere (now {folder})")
    (run / "settings.json").write_text(json.dumps(settings))
    with pytest.raises(Stopped):
        going_on_until_fit(run, faces, new_vae, monkeypatch)


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


def test_tensorflows_error_about_a_full_disk_is_the_same_sentence(
    faces, new_vae, tmp_path, monkeypatch, one_sentence
):
    def full(self, epoch, logs=None):
        raise tf.errors.ResourceExhaustedError(None, None, f"a.v2; {os.strerror(errno.ENOSPC)}")

    monkeypatch.setattr(HeldOutFaces, "on_epoch_end", full)
    with pytest.raises(DiskFull) as error:
        train(new_vae(1), faces, tmp_path, **OPTIONS)
    one_sentence(error.value, tmp_path / "logs", "no epoch was done yet", "make room")


def test_tensorflows_error_about_memory_is_none_about_the_disk(
    faces, new_vae, tmp_path, monkeypatch
):
    def full(self, epoch, logs=None):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    monkeypatch.setattr(HeldOutFaces, "on_epoch_end", full)
    with pytest.raises(tf.errors.ResourceExhaustedError):
        train(new_vae(1), faces, tmp_path, **OPTIONS)


# Files damaged by hand

DAMAGES = {
    "empty": lambda content: b"",
    "half": lambda content: content[: len(content) // 2],
    "zeros": lambda content: bytes(len(content)),
    "random": lambda content: np.random.default_rng(0).bytes(1000),
    "list": lambda content: b"[1, 2]",
    "object": lambda content: b"{}",
    "number": lambda content: b"1",
    "brackets": lambda content: b"[" * 10**5,
    "other columns": lambda content: b"epoch,a\n1,1\n2,2\n3,3\n",
    "text": lambda content: b"epoch,loss,val_loss,seconds\n1,a,b,c\n2,a,b,c\n3,a,b,c\n",
    "a row less": lambda content: content[: content.rfind(b"\n", 0, -1) + 1],
}


@pytest.mark.parametrize("damage", [*DAMAGES, "missing", "folder"])
@pytest.mark.parametrize("name", ["settings.json", "history.csv"])
def test_a_damaged_table_or_setting_is_one_sentence(
    stopped, faces, new_vae, tmp_path, monkeypatch, name, damage, one_sentence
):
    run = shutil.copytree(stopped, tmp_path / "run")
    path = run / name
    content = path.read_bytes()
    path.unlink()
    if damage == "folder":
        path.mkdir()
    elif damage != "missing":
        path.write_bytes(DAMAGES[damage](content))
    before = sorted(run.rglob("*"))
    if (name, damage) == ("settings.json", "missing"):  # what the sentence advises
        with pytest.raises(Stopped):
            going_on_until_fit(run, faces, new_vae, monkeypatch)
        return
    with pytest.raises(ValueError) as error:
        going_on_until_fit(run, faces, new_vae, monkeypatch)
    named = run if (name, damage) == ("settings.json", "object") else path
    one_sentence(error.value, named, "another folder")
    assert sorted(run.rglob("*")) == before


@pytest.mark.parametrize("damage", ["empty", "half", "zeros", "random", "missing", "other zip"])
def test_a_damaged_best_checkpoint_is_one_sentence(
    whole, faces, new_vae, tmp_path, damage, one_sentence
):
    run = shutil.copytree(whole.run, tmp_path / "run")
    (run / "vae.keras").unlink()
    settings = json.loads((run / "settings.json").read_text())
    (run / "settings.json").write_text(json.dumps({**settings, "patience": 9}))
    path = run / "checkpoint.keras"
    damage_checkpoint(path, damage)
    with pytest.raises(ValueError) as error:
        train(new_vae(sigma=None), faces, run, **OPTIONS, patience=9)
    one_sentence(error.value, path, "another folder")
    assert not (run / "vae.keras").exists()


@pytest.mark.parametrize("damage", ["empty", "half", "zeros", "random", "missing", "other zip"])
def test_damaged_checkpoints_are_one_sentence_or_left_out(
    stopped, faces, new_vae, tmp_path, monkeypatch, damage, one_sentence, capsys
):
    run = shutil.copytree(stopped, tmp_path / "run")
    (run / "checkpoints" / "epoch_003 copy.keras").write_bytes(b"")  # of a file browser
    path = run / "checkpoints" / "epoch_003.keras"
    damage_checkpoint(path, damage)
    with pytest.raises((Stopped, ValueError)) as error:
        going_on_until_fit(run, faces, new_vae, monkeypatch)
    if damage == "other zip":
        one_sentence(error.value, path, "another model", "another folder")
    else:
        assert isinstance(error.value, Stopped)
        assert f"{run} goes on after epoch 2." in capsys.readouterr().out


def damage_checkpoint(path, damage: str) -> None:
    content = path.read_bytes()
    path.unlink()
    if damage == "other zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("hello.txt", "hello")
    elif damage != "missing":
        path.write_bytes(DAMAGES[damage](content))


@pytest.mark.parametrize(
    ("sigma", "changes"),
    [
        (None, {"epochs": 5}),
        (None, {"batch_size": 16, "seed": 1}),
        (None, {"minutes": 2.0}),
        (0.1, {}),
    ],
)
def test_other_settings_are_one_sentence_that_names_them(
    stopped, faces, new_vae, sigma, changes, one_sentence
):
    before = sorted(stopped.rglob("*"))
    with pytest.raises(ValueError) as error:
        train(new_vae(sigma=sigma), faces, stopped, **{**OPTIONS, **changes})
    started = json.loads((stopped / "settings.json").read_text())
    now = changes or {"sigma": sigma}
    one_sentence(error.value, stopped, *(f"{k} {started[k]} (now {v})" for k, v in now.items()))
    assert sorted(stopped.rglob("*")) == before


def test_the_best_checkpoint_remembers_the_epochs_before(vae, faces, tmp_path):
    done = pd.DataFrame({"val_loss": [5.0, 3.0, 4.0]}, index=[1, 2, 3])
    callbacks = [run_callbacks(vae, faces, tmp_path, table)[1] for table in (done, None)]
    assert [callback.best for callback in callbacks] == [3.0, None]


# Stopping early, and in time


@pytest.mark.parametrize("done", range(6))
def test_early_stopping_counts_the_epochs_before_a_resume(done):
    losses = [5.0, 3.0, 4.0, 3.5, 3.0, 2.0]  # with a patience of 3, the fifth is the last
    stopper = ResumedEarlyStopping(3, pd.DataFrame({"val_loss": losses[:done]}))
    stopper.set_model(SimpleNamespace(stop_training=False, optimizer=None))
    stopper.on_train_begin()
    last = done
    while not stopper.model.stop_training:
        stopper.on_epoch_end(last, {"val_loss": losses[last]})
        last += 1
    assert last == max(5, done)


def test_a_run_is_over_after_its_epochs_its_patience_or_its_time():
    history = pd.DataFrame({"val_loss": [5.0, 3.0, 4.0], "seconds": [20.0, 40.0, 61.0]})
    assert not is_over(history, 4, None, None)
    assert is_over(history, 3, None, None)
    assert not is_over(history, 4, 2, None)
    assert is_over(history, 4, 1, None)
    assert is_over(history, None, None, 1.0)
    assert not is_over(history, None, None, 1.1)
    assert not is_over(history[:0], 4, 1, 1.0)


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


class FakeTraining:
    """Steps of 1 second, epochs of 4 steps, and 2.5 seconds for what comes after an epoch."""

    def __init__(self, used: float = 0.0):
        self.time = used
        self.stop_training = False
        self.optimizer = SimpleNamespace(learning_rate=None)
        self.rates = []

    def run(self, budget: TimeBudget) -> int:
        budget.set_model(self)
        budget.set_params({"epochs": 10**6})
        budget.on_train_begin()
        epoch = 0
        while not self.stop_training:
            for batch in range(4):
                budget.on_train_batch_begin(batch)
                self.rates.append(self.optimizer.learning_rate)
                self.time += 1
                budget.on_train_batch_end(batch)
                if self.stop_training:
                    break
            self.time += 2.5
            budget.on_epoch_end(epoch)
            epoch += 1
        return epoch


def test_a_time_budget_stops_in_time_and_leaves_time_for_the_validation():
    fake = FakeTraining()
    epochs = fake.run(TimeBudget(60, 1e-3, lambda: fake.time))
    assert epochs == 9
    assert fake.time == 9 * 6.5


def test_over_a_time_budget_the_learning_rate_is_that_of_the_steps():
    fake, times = FakeTraining(), []
    budget = TimeBudget(60, 1e-3, lambda: times.append(fake.time) or fake.time)
    fake.run(budget)
    rates = np.array(fake.rates)
    assert rates[0] == pytest.approx(1e-5)
    assert rates.max() == pytest.approx(1e-3, rel=0.02)
    assert rates[-1] < 0.03 * rates.max()
    peak = rates.argmax()
    assert (np.diff(rates[: peak + 1]) > 0).all()
    assert (np.diff(rates[peak:]) < 0).all()
    schedule = warmup_cosine(60, 1e-3)
    expected = {float(schedule(step)) for step in np.arange(0, 60, 0.5)}
    assert all(min(abs(rate - e) for e in expected) < 1e-5 for rate in rates[8:])


def test_time_that_was_used_before_counts():
    fake = FakeTraining(used=50.0)
    assert fake.run(TimeBudget(60, 1e-3, lambda: fake.time)) == 2
    assert fake.rates[0] == pytest.approx(float(warmup_cosine(60, 1e-3)(50)), rel=1e-3)


def test_a_run_with_a_time_budget(faces, new_vae, tmp_path, monkeypatch):
    """On a clock that only the steps move: 10 seconds each, 6 to a minute."""

    class Clock(keras.callbacks.Callback):
        seconds = 0.0

        def on_train_batch_end(self, batch, logs=None):
            self.seconds += 10

    clock, real = Clock(), training.run_callbacks
    monkeypatch.setattr(training, "stopwatch", lambda used: lambda: clock.seconds)
    monkeypatch.setattr(training, "FiniteLoss", lambda run: clock)  # the first of the callbacks
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
    assert not training.checkpoints(tmp_path)
    assert not (tmp_path / "vae.keras").exists()


def test_after_a_loss_that_exploded_the_advice_can_be_followed(faces, new_vae, tmp_path):
    options = {"epochs": 1, "steps_per_epoch": 6, "batch_size": 8}
    with pytest.raises(FloatingPointError, match="try a smaller learning rate, or a larger"):
        train(new_vae(sigma=None), faces, tmp_path, **options, learning_rate=1e30)
    train(new_vae(sigma=0.5), faces, tmp_path, **options, learning_rate=1e-3)
    settings = json.loads((tmp_path / "settings.json").read_text())
    assert (settings["learning_rate"], settings["sigma"]) == (1e-3, 0.5)
    assert (tmp_path / "vae.keras").exists()


@pytest.mark.parametrize(
    ("part", "value"), [("reconstruction", math.nan), ("kl", math.inf), ("kl", math.nan)]
)
def test_it_says_which_part_and_names_the_last_good_checkpoint(tmp_path, part, value, one_sentence):
    good = tmp_path / "checkpoints" / "epoch_002.keras"
    good.parent.mkdir()
    good.touch()
    callback = FiniteLoss(tmp_path)
    optimizer = SimpleNamespace(learning_rate=0.002, iterations=157)
    callback.set_model(SimpleNamespace(optimizer=optimizer))
    callback.on_epoch_begin(2)
    logs = {"loss": 3.0, "reconstruction": 1.0, "kl": 2.0}
    callback.on_train_batch_end(0, logs)
    with pytest.raises(FloatingPointError) as error:
        callback.on_train_batch_end(16, {**logs, part: value, "loss": value})
    one_sentence(error.value, "epoch 3", "batch 17", "step 157", f"its {part},", "0.002", good)
    validation = {f"val_{name}": logs[name] for name in logs}
    callback.on_epoch_end(2, {**logs, **validation})
    with pytest.raises(FloatingPointError) as error:
        callback.on_epoch_end(2, {**logs, **validation, f"val_{part}": value, "val_loss": value})
    one_sentence(error.value, "validation", f"its {part},")


# Loading


@pytest.fixture(scope="module")
def saved(vae, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "vae.keras"
    vae.save(path)
    return path


@pytest.mark.parametrize("kind", [str, lambda path: path], ids=["str", "Path"])
def test_a_model_is_loaded_by_its_path(saved, vae, kind):
    loaded = load_model(kind(saved), image_size=32)
    assert isinstance(loaded, VAE)
    for a, b in zip(loaded.get_weights(), vae.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_mine_is_the_newest_finished_run(saved, tmp_path, monkeypatch):
    run = tmp_path / "2026-01-31_12-00-00"
    run.mkdir()
    shutil.copy(saved, run / "vae.keras")
    monkeypatch.setattr(training, "newest_run", lambda faces: newest_run(tmp_path, faces))
    assert load_model("mine").latent_dim == 4


def test_pretrained_is_the_model_of_the_course(saved, monkeypatch):
    monkeypatch.setattr(training, "PRETRAINED", saved)
    assert load_model().latent_dim == 4
    assert load_model("pretrained").latent_dim == 4


def test_without_the_repository_the_pretrained_model_is_said_to_come_with_it(
    tmp_path, monkeypatch, one_sentence
):
    monkeypatch.setattr(training, "PRETRAINED", tmp_path / "vae.keras")
    with pytest.raises(FileNotFoundError) as error:
        load_model("pretrained")
    one_sentence(error.value, tmp_path / "vae.keras", "repository", "copy", "vaelib train")


@pytest.mark.slow
def test_models_and_runs_are_in_the_repository_or_with_the_users_data(python, monkeypatch):
    monkeypatch.setenv("LATENT_FACES_DATA", "/my/data")
    code = """
from pathlib import Path
from groundwork import places
if {}:
    places.ROOT = Path("/no/repository")
from vaelib import training
print(training.PRETRAINED, training.RUNS)
"""
    root = training.PRETRAINED.parents[2]
    inside, outside = (python("-c", code.format(is_outside)).stdout for is_outside in (0, 1))
    assert inside.split() == [str(root / "data/pretrained/vae.keras"), str(root / "runs")]
    assert outside.split() == ["/my/data/pretrained/vae.keras", "/my/data/runs"]


def test_a_missing_model_is_one_sentence(tmp_path, one_sentence):
    with pytest.raises(FileNotFoundError) as error:
        load_model(tmp_path / "nothing.keras")
    one_sentence(error.value, tmp_path / "nothing.keras", "pretrained", "mine")


@pytest.mark.parametrize("content", ["garbage", "half", "empty"])
def test_a_file_that_is_no_model_is_one_sentence(saved, tmp_path, content, one_sentence):
    path, whole = tmp_path / "bad.keras", saved.read_bytes()
    path.write_bytes(
        {"garbage": b"hello" * 99, "half": whole[: len(whole) // 2], "empty": b""}[content]
    )
    with pytest.raises(ValueError) as error:
        load_model(path)
    one_sentence(error.value, path, "not a whole .keras model")


@pytest.mark.parametrize("name", ["model.txt", "model.h5", "folder"])
def test_a_path_of_another_kind_is_one_sentence(tmp_path, name, one_sentence):
    path = tmp_path / name
    path.mkdir() if name == "folder" else path.write_bytes(b"hello")
    with pytest.raises(ValueError) as error:
        load_model(path)
    one_sentence(error.value, path)


def test_another_keras_model_is_one_sentence(tmp_path, one_sentence):
    inputs = keras.Input((2,))
    keras.Model(inputs, keras.layers.Dense(1)(inputs)).save(tmp_path / "other.keras")
    with pytest.raises(ValueError) as error:
        load_model(tmp_path / "other.keras")
    one_sentence(error.value, tmp_path / "other.keras", "Functional", "VAE", "another file")


def test_a_model_that_would_run_code_is_refused_in_one_sentence(tmp_path, one_sentence):
    inputs = keras.Input((2,))
    outputs = keras.layers.Lambda(lambda x: x + 1)(inputs)
    keras.Model(inputs, outputs).save(tmp_path / "unsafe.keras")
    with pytest.raises(ValueError) as error:
        load_model(tmp_path / "unsafe.keras")
    one_sentence(error.value, tmp_path / "unsafe.keras")


def test_a_model_for_faces_of_another_size_is_one_sentence(saved, one_sentence):
    with pytest.raises(ValueError) as error:
        load_model(saved, image_size=64)
    one_sentence(error.value, saved, "32", "64", "image_size=32")


def test_the_run_of_a_stopped_training_is_not_finished(faces, new_vae, tmp_path, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    vae = new_vae()
    monkeypatch.setattr(VAE, "fit", stop)
    with pytest.raises(KeyboardInterrupt):
        train(vae, faces, tmp_path / "runs" / "one", epochs=1, steps_per_epoch=1)
    with pytest.raises(FileNotFoundError):
        newest_run(tmp_path / "runs")
