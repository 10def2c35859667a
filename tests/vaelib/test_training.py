"""Runs: what is written, what it shows, and what is refused."""

import io
import math
import os
import shutil

import keras
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins import projector

from vaelib import training
from vaelib.model import VAE
from vaelib.training import (
    HeldOutFaces,
    ImageGenerator,
    finish_run,
    image_grid,
    load_model,
    new_run,
    newest_run,
    train,
    warmup_cosine,
    write_projector,
)


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
    assert list(table.index) == faces.names()[:count]
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
        "history.csv",
        "images/epoch_001.png",
        "images/epoch_002.png",
    } <= names
    assert not any(path.name.startswith(".") for path in trained.run.rglob("*"))
    assert all(
        name in ("vae.keras", "checkpoint.keras", "history.csv")
        or name.startswith(("logs/", "images/"))
        for name in names
    )


def test_the_history_has_a_row_an_epoch(trained):
    names = [f"{p}{n}" for p in ("", "val_") for n in ("loss", "reconstruction", "kl")]
    assert sorted(trained.history.columns) == sorted(names)
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


def test_finishing_a_run_leaves_the_model_ready_to_train_on(new_vae, images, tmp_path):
    vae = new_vae()
    vae.compile(run_eagerly=True)
    history = vae.fit(images[:4], batch_size=4, verbose=0)
    table = finish_run(vae, tmp_path, history)
    assert table.shape == (1, 3)
    vae.fit(images[:4], batch_size=4, verbose=0)
    assert int(vae.optimizer.iterations) == 2


def test_broken_images_are_found_before_any_training(draw_folder, new_vae, tmp_path, monkeypatch):
    from vaelib import read_faces

    faces = read_faces(draw_folder(tmp_path / "faces", 6))
    (faces.folder / "img_align_celeba" / "000003.jpg").write_bytes(b"no image")
    vae = new_vae()
    monkeypatch.setattr(VAE, "fit", lambda *_, **__: pytest.fail("it trains"))
    with pytest.raises(ValueError, match=r"000003\.jpg"):
        train(vae, faces, tmp_path / "run")


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
    monkeypatch.setattr(training, "newest_run", lambda: newest_run(tmp_path))
    assert load_model("mine").latent_dim == 4


def test_pretrained_is_the_model_of_the_course(saved, monkeypatch):
    monkeypatch.setattr(training, "PRETRAINED", saved)
    assert load_model().latent_dim == 4
    assert load_model("pretrained").latent_dim == 4


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
