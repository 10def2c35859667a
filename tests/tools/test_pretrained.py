"""A model that is written smaller is still that model."""

import keras
import numpy as np
import pandas as pd
import pytest

from portraits.dataset.write import write_dataset
from tools import pretrained
from tools.pretrained import rounded, shrink
from vaelib import VAE, build_decoder, build_encoder, classifier, load_images, read_faces
from vaelib.classifier import FaceFeatures, given_classifier
from vaelib.latent import attribute_vectors, regressed_vectors
from vaelib.runs import PRETRAINED, load_model
from vaelib.vectors import load_vectors, vectors_path


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


def test_a_classifier_is_written_small_and_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(classifier, "course_folder", lambda: tmp_path)
    (tmp_path / "pretrained").mkdir()
    faces = read_faces(write_dataset(tmp_path / "faces", 60, 32, 0, jobs=1))
    before = FaceFeatures(faces, 16)
    path = pretrained.make_classifier(faces, 16)
    trained = next((faces.folder / ".cache").glob("classifier-*"))
    assert path == given_classifier(faces, 16) and path.stat().st_size < trained.stat().st_size / 2
    trained.unlink()  # so it would have to be trained again
    monkeypatch.setattr(classifier, "train_classifier", None)
    images = np.random.default_rng(0).random((50, 16, 16, 3), "float32")
    assert FaceFeatures(faces, 16).distance(images) == pytest.approx(before.distance(images), 1e-2)


def test_a_run_without_a_model_leaves_the_old_one(tmp_path):
    (tmp_path / "small.keras").write_text("old")
    with pytest.raises(FileNotFoundError):
        shrink(tmp_path / "vae.keras", tmp_path / "small.keras", 9)
    assert (tmp_path / "small.keras").read_text() == "old"


def test_vectors_are_written_as_they_are_computed(tmp_path, monkeypatch):
    class Encoder:
        image_size = 16

        def encode(self, images):
            return np.asarray(images).mean(axis=(1, 2))

    folder = tmp_path / "faces"
    monkeypatch.setattr(pretrained, "PEOPLE", 500)
    write_dataset(folder, 40, 32, 7)
    faces = read_faces(folder)
    model = tmp_path / "vae-128.keras"
    monkeypatch.setitem(PRETRAINED, "pretrained-128", model)
    vectors_path(model).write_bytes(pretrained.vectors(Encoder(), faces))
    images = load_images(faces, faces.file_names("train"), 16)
    labels = faces.attributes.loc[faces.file_names("train")]
    for regressed, compute in ((False, attribute_vectors), (True, regressed_vectors)):
        read = load_vectors("pretrained-128", regressed)
        computed = compute(Encoder().encode(images), labels)
        pd.testing.assert_frame_equal(read, computed, rtol=1e-3, atol=1e-4)
    whole = vectors_path(model).read_bytes()
    for part in (0, len(whole) // 4, len(whole) * 3 // 4, len(whole) - 40):
        vectors_path(model).write_bytes(whole[:part])
        with pytest.raises(ValueError, match=r"vectors-128.csv is damaged: take it"):
            load_vectors("pretrained-128")
    vectors_path(model).unlink()
    with pytest.raises(FileNotFoundError, match="the vectors come with the course's repository"):
        load_vectors("pretrained-128")
    for name in ("pretrained", "mine", "pretrained-256"):
        with pytest.raises(ValueError, match="No vectors come with the model"):
            load_vectors(name)


def test_a_run_whose_faces_are_gone_replaces_nothing(tmp_path, monkeypatch):
    """Else the new model would stand beside the vectors of the old one."""
    keras.utils.set_random_seed(0)
    (tmp_path / "run").mkdir()
    VAE(build_encoder(32, 4), build_decoder(32, 4)).save(tmp_path / "run" / "vae.keras")
    (tmp_path / "run" / "history.csv").write_text("epoch\n")
    model = tmp_path / "pretrained" / "vae-128.keras"
    model.parent.mkdir()
    model.write_text("old")
    monkeypatch.setitem(PRETRAINED, "pretrained-128", model)
    monkeypatch.setattr(pretrained, "data_folder", lambda: tmp_path / "data")
    command = ["pretrained.py", "--size", "128", "--run", str(tmp_path / "run")]
    monkeypatch.setattr("sys.argv", command)
    with pytest.raises(SystemExit, match="many-128"):
        pretrained.main()
    assert model.read_text() == "old" and list(model.parent.iterdir()) == [model]
