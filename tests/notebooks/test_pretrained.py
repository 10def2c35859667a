"""The model that comes with the course is small, and reconstructs portraits it has never seen."""

import pytest

import vaelib
from vaelib.metrics import rmse
from vaelib.runs import PRETRAINED


def test_is_small_and_has_no_optimizer():
    assert PRETRAINED["pretrained"].stat().st_size <= 14e6
    assert not vaelib.load_model("pretrained").compiled


@pytest.mark.after_notebooks
def test_reconstructs_test_portraits():
    vae = vaelib.load_model("pretrained")
    faces = vaelib.read_faces("portraits")
    images = vaelib.load_images(faces, faces.file_names("test"), vae.image_size)
    assert len(images) == 1000
    assert rmse(images, vae.reconstruct(images)) <= 18
