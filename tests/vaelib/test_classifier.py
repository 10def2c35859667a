"""The classifier, and what is kept of it beside the faces."""

import contextlib
import errno
import io
import os
from dataclasses import replace
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from PIL import Image

import vaelib
import vaelib.classifier as classifier_module
from groundwork.files import ASIDE
from vaelib.classifier import (
    FAULT_WEIGHT,
    PLACES,
    SCALE,
    FaceFeatures,
    build_classifier,
    classify,
    given_classifier,
    train_classifier,
)
from vaelib.data.faults import FAULTS
from vaelib.data.pipeline import random_shift

COLOURS = ["Smiling", "Male", "Young"]


@pytest.mark.parametrize("size", [16, 64])
def test_classifier_gives_logits(size):
    model = build_classifier(5, size)
    pictures = np.random.default_rng(0).integers(0, 256, (2, size, size, 3)).astype("uint8")
    logits = classify(model, pictures)
    assert logits.shape == (2, 5)
    assert model.get_layer(PLACES).output.shape == (None, size // 16, size // 16, 256)
    assert model.count_params() < 2e6
    again = classify(model, pictures.astype("float32") / 255)
    np.testing.assert_allclose(logits, again, atol=1e-6)


def test_classifier_refuses_a_size_that_does_not_halve(one_sentence):
    with pytest.raises(ValueError) as error:
        build_classifier(5, 40)
    one_sentence(error.value, "multiple of 16", 40)


def test_shifts_are_small_and_each_image_has_its_own():
    size = 16
    ramp = np.arange(size, dtype="float32")
    images = np.broadcast_to((100 * ramp[:, None] + ramp)[None, ..., None], (200, size, size, 3))
    centre = size // 2
    moved = random_shift(images, 2).numpy()
    assert moved.shape == images.shape
    rows, columns = np.divmod(moved[:, centre, centre, 0], 100)
    for values in (rows, columns):
        assert set(values) == {centre + d for d in (-2, -1, 0, 1, 2)}
    assert (moved[:, centre, centre + 1] - moved[:, centre, centre] == 1).all()  # not flipped


def train(faces):
    return train_classifier(faces, COLOURS, steps=30, image_size=16, batch_size=8)


@pytest.fixture(scope="module")
def classifier(faces):
    """A trained classifier, and what was printed meanwhile, not on a terminal."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        model = train(faces)
    return SimpleNamespace(model=model, printed=printed.getvalue())


def test_trained_classifier_sees_colours(faces, classifier):
    held_out = faces.file_names("val") + faces.file_names("test")
    logits = classify(classifier.model, vaelib.load_images(faces, held_out, 16))
    right = (logits > 0) == faces.attributes.loc[held_out, COLOURS].to_numpy()
    assert right.mean() > 0.9


def test_training_prints_one_plain_line(classifier):
    lines = [line for line in classifier.printed.splitlines() if "Training" in line]
    assert lines == ["Training a classifier of 3 attributes: 30 steps."]


def test_training_repeats_with_its_seed(faces, classifier):
    for first, second in zip(classifier.model.get_weights(), train(faces).get_weights()):
        np.testing.assert_allclose(first, second, atol=1e-4)


def test_unknown_attribute_of_a_classifier(faces):
    with pytest.raises(KeyError, match="Beauty"):
        train_classifier(faces, ["Beauty"], 1)


def kept(faces, suffix):
    (path,) = (faces.folder / ".cache").glob(f"*.{suffix}")
    return path


def test_a_second_time_nothing_is_trained(small_faces, trainings):
    first = FaceFeatures(small_faces, 16)
    second = FaceFeatures(small_faces, 16)
    assert trainings == [["Smiling", "Male", "Young", "Eyeglasses"]]  # nobody is bald
    assert first.attributes == second.attributes == trainings[0]
    pictures = vaelib.load_images(small_faces, image_size=16)
    np.testing.assert_allclose(first.logits(pictures), second.logits(pictures), atol=1e-5)
    assert first.distance(pictures) == pytest.approx(second.distance(pictures), rel=1e-4)
    assert not list((small_faces.folder / ".cache").glob(f"{ASIDE}*"))


def test_training_faces_are_at_no_distance(small_faces, trainings):
    measure = FaceFeatures(small_faces, 16)
    pictures = vaelib.load_images(small_faces, small_faces.file_names("train"), 16)
    scale = SCALE * np.trace(measure.reference[1])
    assert measure.distance(pictures) < 1e-3 * scale
    assert measure.distance(1 - pictures) > 0.1 * scale


def test_features_are_probabilities_of_attributes_and_faults(small_faces, trainings):
    measure = FaceFeatures(small_faces, 16)
    pictures = vaelib.load_images(small_faces, image_size=16)
    features = measure.features(pictures)
    count = len(measure.attributes)
    assert features.shape == (30, count + len(FAULTS))
    attributes, faults = features[:, :count], features[:, count:] / FAULT_WEIGHT
    logits = classify(measure.classifier, pictures)
    np.testing.assert_allclose(measure.logits(pictures), logits[:, :count])
    for probabilities, expected in ((attributes, logits[:, :count]), (faults, logits[:, count:])):
        np.testing.assert_allclose(np.log(probabilities / (1 - probabilities)), expected, atol=1e-4)
    whole = np.round(pictures * 255).astype("uint8")
    np.testing.assert_allclose(measure.features(whole), features, atol=1e-2)


def test_a_classifier_that_learns_faults_sees_noise(tmp_path, draw_folder):
    folder = draw_folder(tmp_path / "plain", 90, size=(32, 32), partition=[0] * 80 + [1, 2] * 5)
    for i, path in enumerate(sorted((folder / "img_align_celeba").iterdir())):
        Image.new("RGB", (32, 32), (100, 60 + 10 * (i % 10), 150)).save(path)
    faces = vaelib.read_faces(folder)
    model = train_classifier(faces, COLOURS, 100, image_size=32, batch_size=40, faults=True)
    pictures = vaelib.load_images(faces, faces.file_names("test"), 32)
    noise = np.random.default_rng(0).normal(0, 16 / 255, pictures.shape).astype("float32")
    column = len(COLOURS) + FAULTS.index("noisy")
    clean, noisy = classify(model, pictures), classify(model, pictures + noise)
    assert clean.shape == (len(pictures), len(COLOURS) + len(FAULTS))
    assert noisy[:, column].mean() > clean[:, column].mean() + 1


def test_further_images_are_learned_from(faces):
    """All further images are black, and none of the folder's is: only they tell what black is."""
    images, labels = np.zeros((10, 16, 16, 3), "uint8"), np.tile([True, False, True], (10, 1))
    model = train_classifier(faces, COLOURS, 60, image_size=16, batch_size=8, more=(images, labels))
    (logits,) = classify(model, images[:1])
    np.testing.assert_array_equal(logits > 0, labels[0])


def test_a_full_disk_loses_no_training(small_faces, trainings, capsys, monkeypatch):
    def full(path, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    measure = FaceFeatures(small_faces, 16)
    assert measure.distance(np.zeros((20, 16, 16, 3))) > 0
    assert "The next time, it is computed again." in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"no archive", bytes(5000), None])
def test_broken_files_are_replaced(small_faces, trainings, content, capsys):
    first = FaceFeatures(small_faces, 16)
    paths = [kept(small_faces, suffix) for suffix in ("npz", "keras")]
    for count, path in enumerate(paths, 1):
        path.write_bytes(path.read_bytes()[:300] if content is None else content)
        again = FaceFeatures(small_faces, 16)
        assert f"{path} is damaged" in capsys.readouterr().out
        assert len(trainings) == count
        assert again.reference[0].shape == first.reference[0].shape
    FaceFeatures(small_faces, 16)
    assert len(trainings) == 2


def test_a_classifier_that_comes_with_the_course_is_taken(
    small_faces, trainings, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(classifier_module, "course_folder", lambda: tmp_path)
    path = given_classifier(small_faces, 16)
    path.parent.mkdir()
    own = FaceFeatures(small_faces, 16).classifier
    keras.utils.set_random_seed(9)
    other = build_classifier(own.output_shape[1], 16)
    other.save(path)
    taken = FaceFeatures(small_faces, 16)
    assert len(trainings) == 1
    np.testing.assert_array_equal(taken.classifier.get_weights()[0], other.get_weights()[0])
    path.write_bytes(path.read_bytes()[:300])
    again = FaceFeatures(small_faces, 16).classifier  # the one that is kept
    assert f"{path} is damaged" in capsys.readouterr().out
    np.testing.assert_array_equal(again.get_weights()[0], own.get_weights()[0])


@pytest.mark.parametrize("size", [16, 32])
def test_a_classifier_of_other_questions_or_another_size_is_not_taken(
    small_faces, trainings, tmp_path, capsys, monkeypatch, size
):
    monkeypatch.setattr(classifier_module, "course_folder", lambda: tmp_path)
    path = given_classifier(small_faces, 16)
    path.parent.mkdir()
    build_classifier(4 + len(FAULTS) + (size == 16), size).save(path)
    measure = FaceFeatures(small_faces, 16)
    assert len(trainings) == 1
    assert f"{path} is no classifier of these faces" in capsys.readouterr().out
    assert measure.features(np.zeros((2, 16, 16, 3))).shape == (2, 4 + len(FAULTS))


def test_it_comes_for_these_labels_in_this_split_at_this_size(small_faces):
    attributes = small_faces.attributes.copy()
    attributes.loc[attributes.index[0], "Smiling"] ^= True
    splits = small_faces.splits.iloc[::-1].set_axis(small_faces.splits.index)
    others = [
        given_classifier(small_faces, 32),
        given_classifier(replace(small_faces, attributes=attributes), 16),
        given_classifier(replace(small_faces, splits=splits), 16),
    ]
    paths = {given_classifier(small_faces, 16), *others}
    assert len(paths) == 4
    touched = small_faces.folder / "img_align_celeba" / small_faces.files.iloc[0]
    os.utime(touched, (0, 0))  # dates differ from machine to machine
    assert given_classifier(small_faces, 16) in paths - set(others)


def test_a_folder_that_cannot_be_written_to_does_without(small_faces, trainings, monkeypatch):
    # For root every folder can be written to, so the answer is faked.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    for _ in range(2):
        assert FaceFeatures(small_faces, 16).reference[0].shape == (4 + len(FAULTS),)
    assert len(trainings) == 2
    assert not (small_faces.folder / ".cache").exists()


def test_other_labels_another_split_or_size_train_anew(small_faces, trainings):
    FaceFeatures(small_faces, 16)
    attributes = small_faces.attributes.copy()
    attributes.loc[attributes.index[0], "Smiling"] ^= True
    FaceFeatures(replace(small_faces, attributes=attributes), 16)
    splits = small_faces.splits.iloc[::-1].set_axis(small_faces.splits.index)
    FaceFeatures(replace(small_faces, splits=splits), 16)
    FaceFeatures(small_faces, 32)
    assert len(trainings) == 4


def test_faces_that_teach_a_classifier_nothing(lonely_faces, trainings, one_sentence):
    one = replace(lonely_faces, splits=lonely_faces.splits.replace("train", "val"))
    one.splits.iloc[0] = "train"
    alike = replace(lonely_faces, attributes=lonely_faces.attributes | True)
    for faces, part in [(one, "'train'"), (alike, "same attributes")]:
        with pytest.raises(ValueError) as error:
            FaceFeatures(faces, 16)
        one_sentence(error.value, part, faces.folder)
    assert trainings == []


def test_a_new_classifier_gets_a_new_reference(small_faces, trainings):
    first = FaceFeatures(small_faces, 16)
    kept(small_faces, "keras").write_bytes(b"")
    second = FaceFeatures(small_faces, 16)
    pictures = vaelib.load_images(small_faces, small_faces.file_names("train"), 16)
    assert len(trainings) == 2
    for measure in (first, second):
        scale = SCALE * np.trace(measure.reference[1])
        assert measure.distance(pictures) < 1e-3 * scale
