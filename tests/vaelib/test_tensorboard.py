"""TensorBoard's files: what they hold."""

import errno
import os

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from PIL import Image
from tensorboard.plugins import projector

from groundwork.files import DiskFull
from tests.vaelib.event_files import event_images, events, scalars, with_model
from tests.vaelib.stopping import OPTIONS
from vaelib import tensorboard
from vaelib.callbacks import HeldOutFaces, ImageGenerator
from vaelib.pictures import image_grid
from vaelib.schedule import warmup_cosine
from vaelib.tensorboard import PROXY, use_proxy, write_projector
from vaelib.training import train

# Pictures and histograms


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


# The logs of a training


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


# Behind a hub's proxy


@pytest.mark.parametrize(
    "installed, environment, expected",
    [
        (True, {"JUPYTERHUB_SERVICE_PREFIX": "/lab/user/anna/"}, "/lab/user/anna/proxy/%PORT%/"),
        (True, {"JUPYTERHUB_SERVICE_PREFIX": "/user/a", PROXY: "/mine/%PORT%/"}, "/mine/%PORT%/"),
        (False, {"JUPYTERHUB_SERVICE_PREFIX": "/lab/user/anna/"}, None),
        (True, {}, None),  # on one's own machine
    ],
)
def test_on_a_hub_the_page_is_shown_through_its_proxy(
    monkeypatch, installed, environment, expected
):
    monkeypatch.setattr(tensorboard, "find_spec", lambda name: installed or None)
    use_proxy(environment)
    assert environment.get(PROXY) == expected
