"""The models that come with the course are small, and reconstruct portraits new to them."""

import numpy as np
import pytest

import vaelib
from vaelib import classifier
from vaelib.classifier import FaceFeatures
from vaelib.counterfactuals import redraw
from vaelib.metrics import rmse
from vaelib.runs import PRETRAINED
from vaelib.vectors import load_vectors


@pytest.mark.parametrize(("name", "size"), [("pretrained", 64), ("pretrained-128", 128)])
def test_is_small_and_has_no_optimizer(name, size):
    assert PRETRAINED[name].stat().st_size <= 14e6
    vae = vaelib.load_model(name)
    assert not vae.compiled
    assert (vae.image_size, vae.latent_dim) == (size, 384)


def test_the_vectors_of_the_larger_model_add_what_they_say():
    """In its own latent space: blond hair is brighter than black hair."""
    vae, vectors = vaelib.load_model("pretrained-128"), load_vectors("pretrained-128")
    assert list(vectors.index) == list(load_vectors("pretrained-128", regressed=True).index)
    average = np.zeros((1, vae.latent_dim), "float32")
    blond, black = (
        vae.decode(vaelib.edit(average, {name: 1.5}, vectors=vectors))[0, 10:30, 40:88].mean()
        for name in ("Blond_Hair", "Black_Hair")
    )
    assert blond > black + 0.1


@pytest.mark.after_notebooks
def test_the_larger_model_reconstructs_test_portraits():
    vae, faces = vaelib.load_model("pretrained-128"), vaelib.read_faces("portraits")
    people = [redraw(faces, name, {}, 128, drawn=128) for name in faces.file_names("test")[:100]]
    assert rmse(np.stack(people), vae.reconstruct(np.stack(people), sharpen=False)) <= 11


@pytest.mark.after_notebooks
def test_the_classifier_of_fc_is_that_of_the_portraits(monkeypatch):
    monkeypatch.setattr(classifier, "train_classifier", None)  # nothing is trained
    faces = vaelib.read_faces("portraits")
    measure = FaceFeatures(faces)
    names = faces.file_names("test")
    images = vaelib.load_images(faces, names, 64)
    guesses = measure.logits(images) > 0
    assert (guesses == faces.attributes.loc[names, measure.attributes]).to_numpy().mean() > 0.95
    assert 1 < measure.distance(images) < 6


@pytest.mark.after_notebooks
def test_reconstructs_test_portraits():
    vae = vaelib.load_model("pretrained")
    faces = vaelib.read_faces("portraits")
    images = vaelib.load_images(faces, faces.file_names("test"), vae.image_size)
    assert len(images) == 1000
    assert rmse(images, vae.reconstruct(images)) <= 18
