"""A model that is written smaller is still that model."""

import keras
import numpy as np
import pytest

from tools.pretrained import rounded, shrink
from vaelib import VAE, build_decoder, build_encoder
from vaelib.runs import load_model


def test_rounding_keeps_nine_binary_digits():
    weights = np.random.default_rng(0).normal(size=1000).astype("float32")
    error = np.abs(rounded(weights, 9) / weights - 1)
    assert 0 < error.max() < 2**-9
    assert (rounded(weights, 9).view("uint32") & 0x7FFF == 0).all()
    np.testing.assert_array_equal(rounded(np.array([0, 1, -0.5], "float32"), 9), [0, 1, -0.5])
    np.testing.assert_array_equal(rounded(np.arange(3, dtype="uint32"), 9), [0, 1, 2])


def test_a_smaller_file_decodes_to_the_same_faces(tmp_path):
    keras.utils.set_random_seed(0)
    vae = VAE(build_encoder(32, 4), build_decoder(32, 4))
    vae.save(tmp_path / "vae.keras")
    before, after = shrink(tmp_path / "vae.keras", tmp_path / "small.keras", 9)
    assert after == (tmp_path / "small.keras").stat().st_size < 0.7 * before
    assert {path.name for path in tmp_path.iterdir()} == {"vae.keras", "small.keras"}
    z = np.random.default_rng(0).normal(size=(5, 4))
    again = load_model(tmp_path / "small.keras")
    np.testing.assert_allclose(again.decode(z), vae.decode(z), atol=3 / 255)


def test_a_run_without_a_model_leaves_the_old_one(tmp_path):
    (tmp_path / "small.keras").write_text("old")
    with pytest.raises(FileNotFoundError):
        shrink(tmp_path / "vae.keras", tmp_path / "small.keras", 9)
    assert (tmp_path / "small.keras").read_text() == "old"
