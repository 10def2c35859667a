"""Tests of vaelib/export.py: the files are whole, and their faces are those of Keras."""

import hashlib
import json
import sys

import numpy as np
import onnxruntime
import pandas as pd
import pytest
from PIL import Image

import vaelib
from tests.vaelib.test_graph import random_vae
from vaelib import export as exports

PICTURES = 14
LATENTS = 5
VECTORS = pd.DataFrame(np.eye(2, LATENTS, dtype="float32"), index=["Smiling", "Bald"])


@pytest.fixture(scope="module")
def people():
    images = np.random.default_rng(0).uniform(0, 1, (PICTURES, 32, 32, 3)).astype("float32")
    return exports.People(images, [f"{i:06}.jpg" for i in range(PICTURES)])


@pytest.fixture(scope="module")
def exported(people, tmp_path_factory):
    """A model, and the folder of its export."""
    vae, out = random_vae(), tmp_path_factory.mktemp("export") / "model"
    exports.export(vae, out, people, VECTORS, bits=16)
    return vae, out


def test_the_index_has_the_size_and_the_checksum_of_each_file(exported):
    _, out = exported
    index = json.loads((out / "index.json").read_text("utf-8"))
    assert sorted([*index["files"], "index.json"]) == sorted(path.name for path in out.iterdir())
    for name, entry in index["files"].items():
        data = (out / name).read_bytes()
        assert entry["bytes"] == len(data)
        assert entry["sha256"] == hashlib.sha256(data).hexdigest()
        if "shape" in entry:
            assert np.dtype(entry["type"]).itemsize * np.prod(entry["shape"]) == len(data)
    assert (index["image_size"], index["latent_dim"], index["bits"]) == (32, LATENTS, 16)
    assert index["attributes"] == ["Smiling", "Bald"]


def test_latents_vectors_and_faces_are_those_of_the_people(exported, people):
    vae, out = exported
    z_mean, z_log_var = vae.posterior(people.images)
    for name, true in {"z_mean": z_mean, "z_log_var": z_log_var, "vectors": VECTORS}.items():
        stored = np.frombuffer((out / f"{name}.bin").read_bytes(), "<f4")
        assert (stored.reshape(-1, LATENTS) == np.asarray(true, "float32")).all()
    sheet = np.asarray(Image.open(out / "faces.png"))
    assert (sheet[32:64, 32:64] == np.round(255 * people.images[11])).all()  # second row, second
    first = np.asarray(Image.open(out / "first.png"))
    assert (first[:, 32:64] == np.round(255 * people.images[1])).all()


def test_the_graphs_in_the_folder_run(exported, people):
    vae, out = exported
    run = onnxruntime.InferenceSession(out / "encoder.onnx").run
    z_mean, _ = run(None, {"images": people.images})
    assert np.abs(z_mean - vae.encode(people.images)).max() < 0.02
    run = onnxruntime.InferenceSession(out / "decoder.onnx").run
    assert 255 * np.abs(run(None, {"z": z_mean})[0] - vae.decode(z_mean)).max() < 1


def test_a_second_export_replaces_the_first_and_nothing_else(exported, people, tmp_path):
    _, out = exported
    exports.check_room_for(out)
    exports.check_room_for(tmp_path / "new")
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="holds other files: choose a new folder"):
        exports.check_room_for(tmp_path)
    with pytest.raises(ValueError, match="is a file"):
        exports.check_room_for(tmp_path / "notes.txt")


def test_without_the_package_onnx_a_sentence_says_how_to_get_it(people, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.delitem(sys.modules, "vaelib.graph", raising=False)
    monkeypatch.delattr(vaelib, "graph", raising=False)
    with pytest.raises(ImportError, match="pip install"):
        exports.export(random_vae(), tmp_path / "out", people, VECTORS)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pretrained", "pretrained-128"])
@pytest.mark.parametrize("bits, most", [(32, 0.01), (16, 1.0), (8, 2.0)])
def test_a_hundred_faces_of_the_course_s_models(name, bits, most):
    """The largest error of a value, in grey levels, before rounding."""
    from vaelib.graph import decoder_graph

    vae = vaelib.load_model(name)
    latents = vae.sample_latents(100, seed=3)
    graph = decoder_graph(vae, bits).SerializeToString()
    (faces,) = onnxruntime.InferenceSession(graph).run(None, {"z": latents})
    assert 255 * np.abs(faces - vae.decode(latents)).max() < most
