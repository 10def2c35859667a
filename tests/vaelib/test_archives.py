"""Files that declare more than they hold: refused before the memory is taken."""

import io
import json
import zipfile

import h5py
import keras
import numpy as np
import pytest

from vaelib import archives
from vaelib.archives import TooLarge, load_archive


@pytest.fixture(scope="module")
def saved(new_vae, tmp_path_factory):
    """A compiled model, so that the file holds an optimizer too."""
    vae = new_vae()
    vae.compile()
    path = tmp_path_factory.mktemp("saved") / "vae.keras"
    vae.save(path)
    return path


def changed(path, folder, member: str, content: bytes):
    """A copy of a .keras file with another content of one member, deflated."""
    copy = folder / "changed.keras"
    with (
        zipfile.ZipFile(path) as source,
        zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            target.writestr(name, content if name == member else source.read(name))
    return copy


def weights_with(path, **options) -> bytes:
    """The weights of a file, with one more array."""
    with zipfile.ZipFile(path) as archive:
        buffer = io.BytesIO(archive.read(archives.WEIGHTS))
    with h5py.File(buffer, "r+") as file:
        file.create_dataset("more", **options)
    return buffer.getvalue()


@pytest.fixture
def no_keras(monkeypatch):
    """Fails if Keras is asked to load anything."""
    monkeypatch.setattr(keras.saving, "load_model", lambda path: pytest.fail("Keras loads it"))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_whole_file_is_loaded_packed_or_not(saved, tmp_path, method):
    copy = tmp_path / "copy.keras"
    with zipfile.ZipFile(saved) as source, zipfile.ZipFile(copy, "w", method) as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
    loaded, expected = load_archive(copy), keras.saving.load_model(saved)
    for a, b in zip(loaded.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_zeros_packed_small_are_refused(saved, tmp_path, no_keras, one_sentence):
    path = changed(saved, tmp_path, archives.WEIGHTS, bytes(150_000_000))
    assert path.stat().st_size < 1_000_000
    with pytest.raises(TooLarge) as error:
        load_archive(path)
    one_sentence(error.value, path, "0.2 GB", "at most 0.1 GB")


@pytest.mark.parametrize("compression", ["gzip", None], ids=["packed", "never written"])
def test_an_array_larger_than_the_file_is_refused(
    saved, tmp_path, no_keras, compression, one_sentence
):
    options = {"shape": (10**9,), "dtype": "float32", "chunks": (10**6,)}
    content = weights_with(saved, **options, compression=compression)
    path = changed(saved, tmp_path, archives.WEIGHTS, content)
    with pytest.raises(TooLarge) as error:
        load_archive(path)
    one_sentence(error.value, path, "4.0 GB")


@pytest.mark.parametrize("units", [10**5, 10**12])
def test_layers_with_more_weights_than_the_file_are_refused(saved, tmp_path, units, one_sentence):
    with zipfile.ZipFile(saved) as archive:
        config = archive.read("config.json").decode()
    number = json.dumps({"units": 8})[1:-1]
    assert config.count(number) == 1  # the decoder's first layer
    config = config.replace(number, f'"units": {units}')
    path = changed(saved, tmp_path, "config.json", config.encode())
    with pytest.raises(TooLarge) as error:
        load_archive(path)
    one_sentence(error.value, path, "its layers")


def test_afterwards_layers_may_be_as_large_as_ever(saved, tmp_path):
    for path in (saved, changed(saved, tmp_path, "config.json", b"{}")):
        try:
            load_archive(path)
        except Exception as error:
            assert path != saved, error
        layer = keras.layers.Dense(1000)
        layer.build((None, 1000))
        assert layer.count_params() == 1_001_000
