"""An older model, converted, draws the same pictures."""

import io
import zipfile

import h5py
import keras
import numpy as np
import pytest

from tools.convert import MOVED, convert
from vaelib import VAE, build_decoder, build_encoder, load_model
from vaelib.archives import OlderModel

GAINS = [1.3, 1.2, 1.1]


def as_it_was(vae: VAE, path) -> None:
    """Write a model as older versions did, with the gains in the decoder."""
    vae.save(path)
    with zipfile.ZipFile(path) as archive:
        config, weights = archive.read("config.json"), archive.read("model.weights.h5")
    file = io.BytesIO(weights)
    with h5py.File(file, "r+") as new:
        values = {name: new[name][...] for name in MOVED}
        for name in MOVED:
            del new[name]
        for name, old in MOVED.items():
            new[old] = values[name]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", config)
        archive.writestr("model.weights.h5", file.getvalue())


def test_the_pictures_and_the_gaussian_are_the_same(tmp_path):
    keras.utils.set_random_seed(0)
    vae = VAE(build_encoder(32, 4), build_decoder(32, 4), sigma=0.15, detail=1.2)
    vae.sharpen.gains.assign(GAINS)
    rng = np.random.default_rng(0)
    vae.fit_latents(rng.random((30, 32, 32, 3)))
    as_it_was(vae, tmp_path / "old.keras")
    again = convert(tmp_path / "old.keras")
    z = rng.normal(size=(5, 4))
    np.testing.assert_allclose(again.decode(z), vae.decode(z), atol=1e-6)
    np.testing.assert_allclose(again.sample_latents(5), vae.sample_latents(5), atol=1e-6)
    assert (again.sigma, again.detail, again.estimates_sigma) == (0.15, 1.2, False)


def test_an_older_model_is_not_loaded_before_it_is_converted(tmp_path):
    old, new = tmp_path / "old.keras", tmp_path / "new.keras"
    as_it_was(VAE(build_encoder(32, 4), build_decoder(32, 4)), old)
    with pytest.raises(OlderModel) as error:
        load_model(old)
    assert str(error.value) == (
        f"{old} was saved by an older version: convert it with `python tools/convert.py OLD NEW` "
        "from the course's repository."
    )
    convert(old).save(new)
    assert load_model(new).latent_dim == 4


def test_a_model_of_today_is_refused(tmp_path):
    VAE(build_encoder(32, 4), build_decoder(32, 4)).save(tmp_path / "new.keras")
    with pytest.raises(ValueError, match=r"new\.keras is not an older model"):
        convert(tmp_path / "new.keras")
