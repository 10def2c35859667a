"""Tests of tools/live_models.py: the faces that are decoded beforehand."""

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import vaelib
from tools.live_models import SLIDERS, STRENGTHS, ahead_files
from vaelib.latent import edit

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made():
    """A model, two faces that it invents, vectors, and the files of the second face."""
    vae = vaelib.load_model("pretrained")
    images = vae.decode(vae.sample_latents(2, seed=0))
    random = np.random.default_rng(0)
    vectors = pd.DataFrame(random.normal(0, 0.5, (len(SLIDERS), vae.latent_dim)), index=SLIDERS)
    return vae, vae.encode(images)[1], vectors, *ahead_files(vae, images, [1], vectors)


def face(files, name: str, place: int, size: int) -> np.ndarray:
    """A face of a picture, in grey levels."""
    sheet = np.asarray(Image.open(io.BytesIO(files[f"ahead_1_{name}.webp"]))).astype(float)
    row, column = divmod(place, sheet.shape[1] // size)
    return sheet[row * size : (row + 1) * size, column * size : (column + 1) * size]


def test_each_slider_has_a_picture_and_the_beginning_has_one(made):
    *_, files, about = made
    assert sorted(files) == sorted(f"ahead_1_{name}.webp" for name in ["start", *SLIDERS])
    assert about["ahead"]["rows"] == [1]
    assert about["ahead"]["start"] == STRENGTHS


@pytest.mark.parametrize("name", ["Smiling", "Young"])
@pytest.mark.parametrize("place", [0, 13, 40])
def test_a_place_holds_the_face_of_its_strength(made, name, place):
    """Where one slider is moved, and the others are where they begin."""
    vae, z, vectors, files, about = made
    strength = about["ahead"]["low"] + place * about["ahead"]["step"]
    others = [{**STRENGTHS, name: s} for s in (strength, strength + 1)]
    truth, other = 255 * vae.decode(np.stack([edit(z, v, vectors=vectors) for v in others]))
    found = face(files, name, place, vae.image_size)
    assert np.abs(found - truth).mean() < 0.5 * np.abs(found - other).mean()
    assert place < about["ahead"]["count"]


def test_the_beginning_is_the_reconstruction_and_the_first_edit(made):
    vae, z, vectors, files, _ = made
    truth = 255 * vae.decode(np.stack([z, edit(z, STRENGTHS, vectors=vectors)]))
    for place in (0, 1):
        error = np.abs(face(files, "start", place, vae.image_size) - truth[place]).mean()
        assert error < 0.5 * np.abs(truth[0] - truth[1]).mean()
