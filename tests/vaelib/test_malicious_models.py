"""A stranger's model file runs no code and opens no other file: it is refused in a sentence."""

import io
import json
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from vaelib.runs import load_model


@pytest.fixture(scope="module")
def saved(new_vae, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "vae.keras"
    new_vae().save(path)
    return path


def rewritten(source, target, config=None, weights=None, more=()):
    """A copy of a model with another config, other weights, or more members."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for member in old.namelist():
            content = old.read(member)
            if member == "config.json" and config is not None:
                content = json.dumps(config).encode()
            if member == "model.weights.h5" and weights is not None:
                content = weights
            new.writestr(member, content)
        for name, content in more:
            new.writestr(name, content)
    return target


def layer(module: str, class_name: str, config: dict, registered: str | None = None) -> dict:
    """What Keras writes of one object."""
    return {
        "module": module,
        "class_name": class_name,
        "config": config,
        "registered_name": registered,
    }


def model_of(part: dict) -> dict:
    """The config of a model of one layer."""
    start = layer("keras.layers", "InputLayer", {"batch_shape": [None, 1], "name": "x"})
    return layer("keras", "Sequential", {"name": "s", "trainable": True, "layers": [start, part]})


def evil_configs(marker, secret) -> dict[str, dict]:
    """Configs that would write `marker` or read `secret`."""
    touch = f"open({str(marker)!r}, 'w')"
    code = {"class_name": "__lambda__", "config": {"value": "AAAA", "defaults": None}}
    lookup = {"name": "l", "vocabulary": str(secret), "num_oov_indices": 1, "output_mode": "int"}
    return {
        "lambda": model_of(layer("keras.layers", "Lambda", {"name": "l", "function": code})),
        "eval": layer("builtins", "eval", {"source": touch}),
        "exec by value": model_of(layer("builtins", "exec", {"value": touch})),
        "system": layer("os", "system", {"command": f"touch {marker}"}),
        "process": layer("subprocess", "Popen", {"args": ["touch", str(marker)]}),
        "method of numpy": layer("numpy", "load", {"file": str(secret), "allow_pickle": True}),
        "function of keras": layer(
            "keras.utils", "get_file", {"fname": str(marker), "origin": f"file://{secret}"}
        ),
        "vocabulary": model_of(layer("keras.layers", "StringLookup", lookup)),
        "saved model": model_of(
            layer("keras.layers", "TFSMLayer", {"name": "t", "filepath": str(secret.parent)})
        ),
        "model in a model": model_of(
            layer("keras.src.saving.saving_lib", "load_model", {"filepath": str(secret)})
        ),
    }


KINDS = list(evil_configs("marker", Path("secret")))


@pytest.mark.parametrize("kind", KINDS)
def test_a_config_runs_nothing(saved, tmp_path, kind, one_sentence):
    marker, secret = tmp_path / "marker", tmp_path / "secret" / "words.txt"
    secret.parent.mkdir()
    secret.write_text("hush\n", encoding="utf-8")
    path = rewritten(saved, tmp_path / "evil.keras", evil_configs(marker, secret)[kind])
    with pytest.raises(ValueError) as error:
        load_model(path)
    assert not marker.exists()
    assert "hush" not in str(error.value)
    one_sentence(error.value, path)


def test_weights_cannot_stand_in_another_file(saved, tmp_path, one_sentence):
    """HDF5 can link to arrays in any file that the reader may open."""
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["vars/0"] = np.float32(7)
    with zipfile.ZipFile(saved) as archive:
        buffer = io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(buffer, "r+") as file:
        names = [name for name in file if name != "vars"]
        assert names
        del file["vars"]
        file["vars"] = h5py.ExternalLink(str(tmp_path / "secret.h5"), "/vars")
    path = rewritten(saved, tmp_path / "evil.keras", weights=buffer.getvalue())
    with pytest.raises(ValueError) as error:
        load_model(path)
    one_sentence(error.value, path)


@pytest.mark.parametrize("name", ["../outside.txt", "/tmp/outside.txt", "assets/../../outside.txt"])
def test_nothing_is_unpacked_beside_the_file(saved, tmp_path, name):
    inside = tmp_path / "inside"
    inside.mkdir()
    path = rewritten(saved, inside / "evil.keras", more=[(name, "x")])
    before = sorted(tmp_path.rglob("*"))
    loaded = load_model(path)  # the member is left where it is
    assert isinstance(loaded, keras.Model)
    assert sorted(tmp_path.rglob("*")) == before
