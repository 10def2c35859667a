"""People drawn again with an attribute: fake people of three colours, and portraits."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import vaelib
from portraits import DRAWING_VERSION, Person, PortraitsError, write_dataset
from portraits.dataset.manifest import Manifest, write_manifest
from tests.colours import SIZE, images_of_labels
from vaelib.counterfactuals import (
    as_jpg,
    draw_counterfactuals,
    find_cases,
    find_manifest,
    read_dials,
    redraw,
)
from vaelib.data.faces import read_faces
from vaelib.data.images import load_image
from vaelib.data.pixels import load_images

COLOURS = ["Smiling", "Male", "Young"]  # red, green, blue


class FakePerson:
    """A person of three colours; those who are young can't smile."""

    def __init__(self, has):
        self.has = has

    @classmethod
    def sample(cls, seed, index):
        values = np.random.default_rng([seed, index]).integers(0, 2, 3).astype(bool)
        return cls(dict(zip(COLOURS, values.tolist())))

    def attributes(self):
        return {**self.has, "Bald": False, "Eyeglasses": False}

    def with_attribute(self, name, on):
        if name == "Smiling" and self.has["Young"]:
            raise PortraitsError("Smiling can't be switched on this person.")
        return FakePerson({**self.has, name: on})

    def with_attributes(self, wanted):
        return FakePerson({**self.has, **wanted})

    def render(self, size):
        width, height = size
        color = [191 if self.has[name] else 64 for name in COLOURS]
        return np.full((height, width, 3), color, "uint8")


MANIFEST = Manifest(DRAWING_VERSION, seed=3, width=32, height=24, count=12)


@pytest.fixture
def fake_faces(tmp_path, draw_folder, monkeypatch):
    """A folder with a manifest, images and labels of fake people."""
    monkeypatch.setattr("portraits.dataset.manifest.Person", FakePerson)
    folder = draw_folder(tmp_path / "faces", 12, size=(SIZE, SIZE))
    for i in range(12):
        picture = as_jpg(FakePerson.sample(3, i).render((32, 24)), SIZE)
        Image.fromarray(picture).save(folder / "img_align_celeba" / f"{i + 1:06}.jpg", quality=95)
    write_manifest(folder / "manifest.json", MANIFEST)
    faces = vaelib.read_faces(folder)
    for i, name in enumerate(faces.attributes.index):
        faces.attributes.loc[name, COLOURS] = list(FakePerson.sample(3, i).has.values())
    return faces


def test_cases_are_the_people_who_lack_it_drawn_with_it(fake_faces):
    names = fake_faces.file_names()
    cases = find_cases(fake_faces, names, COLOURS, SIZE, jobs=1)
    assert list(cases) == COLOURS
    for attribute, case in cases.items():
        lack = [name for name in names if not fake_faces.attributes.loc[name, attribute]]
        if attribute == "Smiling":
            young = [name for name in lack if fake_faces.attributes.loc[name, "Young"]]
            assert case.refused == len(young) > 0
            lack = [name for name in lack if name not in young]
        assert list(case.before.index) == list(case.after.index) == lack
        assert list(case.after.columns) == list(fake_faces.attributes.columns)
        assert case.attribute == attribute and case.after[attribute].all()
        assert not case.before[attribute].any()
        others = [name for name in COLOURS if name != attribute]
        pd.testing.assert_frame_equal(case.before[others], case.after[others], check_dtype=False)
        assert case.counterfactuals.shape == case.images.shape == (len(lack), SIZE, SIZE, 3)
        expected = images_of_labels(case.after[COLOURS].to_numpy())
        np.testing.assert_allclose(case.counterfactuals, expected, atol=0.02)
        np.testing.assert_array_equal(case.images, vaelib.load_images(fake_faces, lack, SIZE))


def test_cases_without_the_truth_want_the_labels_that_there_are(faces):
    names = faces.file_names("train")
    cases = find_cases(faces, names, ["Smiling", "Male"], SIZE)
    smiling = cases["Smiling"]
    assert smiling.counterfactuals is None and smiling.refused == 0
    assert list(smiling.before.index) == [n for n in faces.find("train", Smiling=False)]
    expected = smiling.before.assign(Smiling=True)
    pd.testing.assert_frame_equal(smiling.after, expected)


def test_an_attribute_that_all_have_or_that_nobody_can_get_has_no_cases(fake_faces):
    names = fake_faces.find(None, Male=True)
    assert list(find_cases(fake_faces, names, ["Male", "Young"], SIZE, jobs=1)) == ["Young"]
    young = fake_faces.find(None, Young=True, Smiling=False)
    assert find_cases(fake_faces, young, ["Smiling"], SIZE, jobs=1) == {}


def test_a_picture_of_somebody_else_is_an_error(fake_faces, one_sentence):
    """Another version may have drawn a part of the folder."""
    path = fake_faces.folder / "img_align_celeba" / "000005.jpg"
    Image.fromarray(np.full((SIZE, SIZE, 3), 128, "uint8")).save(path)
    with pytest.raises(ValueError) as error:
        find_cases(fake_faces, fake_faces.file_names(), COLOURS, SIZE, jobs=1)
    one_sentence(error.value, "000005.jpg", fake_faces.folder, "python -m portraits")


def test_a_folder_of_switched_people_has_their_counterfactuals(monkeypatch):
    monkeypatch.setattr("portraits.dataset.manifest.Person", FakePerson)
    manifest = replace(MANIFEST, switched="+Male -Young")
    _, drawn = draw_counterfactuals(manifest, "000005.jpg", ["Smiling"], SIZE)
    labels, picture = drawn["Smiling"]
    assert [labels[name] for name in COLOURS] == [True, True, False]
    assert picture.shape == (SIZE, SIZE, 3)


def test_the_same_person_is_drawn_as_in_the_file(tmp_path):
    """The picture and labels of the folder's second person, with an attribute that it has."""
    write_dataset(tmp_path / "set", count=2, size=32, seed=3, jobs=1)
    manifest = find_manifest(tmp_path / "set")
    assert manifest == Manifest(DRAWING_VERSION, 3, 32, 32, 2)
    person = Person.sample(3, 1)
    has = [name for name, on in person.attributes().items() if on]
    unchanged, drawn = draw_counterfactuals(manifest, "000002.jpg", has[:1], 32)
    labels, picture = drawn[has[0]]
    assert labels == person.attributes()
    from_file = load_image(tmp_path / "set" / "img_align_celeba" / "000002.jpg", 32)
    np.testing.assert_array_equal(picture, from_file)
    np.testing.assert_array_equal(unchanged, from_file)
    np.testing.assert_array_equal(as_jpg(person.render(32), 32), from_file)


@pytest.mark.parametrize("content", [None, "", "[]", '{"seed": 1}'])
def test_a_folder_of_other_faces_has_no_manifest(tmp_path, content):
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    assert find_manifest(tmp_path) is None


def test_portraits_of_another_version_are_an_error(tmp_path, one_sentence):
    write_manifest(tmp_path / "manifest.json", replace(MANIFEST, version=DRAWING_VERSION - 1))
    with pytest.raises(ValueError) as error:
        find_manifest(tmp_path)
    one_sentence(error.value, tmp_path, DRAWING_VERSION - 1, "python -m portraits")


# One person drawn again


def test_a_person_is_drawn_again_with_what_was_switched(tmp_path):
    write_dataset(tmp_path / "set", count=3, seed=3, size=64)
    faces = read_faces(tmp_path / "set")
    as_is = redraw(faces, "000002.jpg", {})
    larger = redraw(faces, "000002.jpg", {}, 128, drawn=128)
    assert larger.shape == (128, 128, 3)
    halved = larger.reshape(64, 2, 64, 2, 3).mean(axis=(1, 3))
    assert 0 < np.abs(255 * (halved - as_is)).mean() < 5  # the same person
    enlarged = redraw(faces, "000002.jpg", {}, 128)
    assert np.abs(np.diff(larger, axis=1)).mean() > 1.2 * np.abs(np.diff(enlarged, axis=1)).mean()
    kept = load_images(faces, ["000002.jpg"])[0]
    assert np.abs(255 * (as_is - kept)).mean() < 2
    smiling = bool(faces.attributes.loc["000002.jpg", "Smiling"])
    other = redraw(faces, "000002.jpg", {"Smiling": not smiling})
    assert 0.1 < np.abs(255 * (other - as_is)).mean() < 20
    assert other.shape == (64, 64, 3) and other.dtype == np.float32


def test_who_cannot_be_drawn_is_none(tmp_path):
    write_dataset(tmp_path / "set", count=3, seed=3, size=64)
    faces = read_faces(tmp_path / "set")
    assert redraw(faces, "000001.jpg", {"Bald": True, "Bangs": True}) is None
    (tmp_path / "set" / "manifest.json").unlink()  # as a folder of photographs
    assert redraw(faces, "000001.jpg", {}) is None
    assert read_dials(faces, ["000001.jpg"], ["skin"]) is None


def test_dials_are_read_and_turned(tmp_path):
    write_dataset(tmp_path / "set", count=3, seed=3, size=64)
    faces = read_faces(tmp_path / "set")
    person = Person.sample(3, 1)
    dials = read_dials(faces, ["000002.jpg"], ["skin", "age"])
    assert dials.loc["000002.jpg"].tolist() == [person.build.melanin, person.build.age]
    wanted = person.with_attribute("Male", True).with_dial("skin", 0.9).with_dial("age", 0.8)
    drawn = redraw(faces, "000002.jpg", {"Male": True}, 64, {"skin": 0.9, "age": 0.8})
    np.testing.assert_array_equal(drawn, as_jpg(wanted.render(64), 64).astype("float32") / 255)
    with pytest.raises(ValueError, match="skin goes from 0"):
        redraw(faces, "000002.jpg", {}, 64, {"skin": 2})
