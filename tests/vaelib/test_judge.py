"""The judge of edits: trained once, and where people can be drawn again, on these, too."""

from dataclasses import replace

import numpy as np
import pytest

import vaelib
from vaelib import counterfactuals, judge
from vaelib.judge import Judge


@pytest.fixture
def mixed(monkeypatch):
    """What each training was given beside the folder; the judge stays as it began."""
    made = []

    def train_classifier(faces, attributes, steps, image_size, more=None):
        made.append(more)
        return vaelib.classifier.build_classifier(len(attributes), image_size)

    monkeypatch.setattr(judge, "train_classifier", train_classifier)
    return made


@pytest.fixture
def portraits(tmp_path):
    from portraits.dataset.write import write_dataset

    return vaelib.read_faces(write_dataset(tmp_path / "portraits", 20, jobs=1))


def test_photographs_are_not_drawn_again(small_faces, mixed):
    first, second = Judge(small_faces, 16), Judge(small_faces, 16)
    assert mixed == [None]  # the second time nothing is trained
    assert first.attributes == ["Smiling", "Male", "Young", "Eyeglasses"]  # nobody is bald
    pictures = vaelib.load_images(small_faces, image_size=16)
    logits = first.logits(pictures)
    assert logits.shape == (30, 4)
    np.testing.assert_allclose(logits, second.logits(pictures), atol=1e-5)


def test_training_people_are_drawn_with_what_they_lack(portraits, mixed, monkeypatch):
    monkeypatch.setattr(judge, "PERSONS", 6)
    monkeypatch.setattr(judge, "ATTRIBUTES", ("Wearing_Lipstick", "Wearing_Hat"))
    found = Judge(portraits, 32, jobs=1)
    ((images, labels),) = mixed
    names = portraits.file_names("train")[:6]
    before = portraits.attributes.loc[names]
    cases = counterfactuals.find_cases(portraits, names, judge.ATTRIBUTES, 32, jobs=1)
    assert len(images) == len(labels) == sum(len(case.images) for case in cases.values()) > 4
    assert images.dtype == np.uint8 and images.shape[1:] == (32, 32, 3)
    assert labels.shape == (len(images), len(found.attributes))
    count = len(cases["Wearing_Lipstick"].images)
    assert labels[:count, found.attributes.index("Wearing_Lipstick")].all()
    assert labels[count:, found.attributes.index("Wearing_Hat")].all()
    assert count == (~before["Wearing_Lipstick"]).sum() - cases["Wearing_Lipstick"].refused


def test_a_folder_where_all_are_alike(lonely_faces, mixed, one_sentence):
    alike = replace(lonely_faces, attributes=lonely_faces.attributes | True)
    with pytest.raises(ValueError) as error:
        Judge(alike, 16)
    one_sentence(error.value, lonely_faces.folder)
    assert not mixed


def test_an_attribute_without_labels_is_not_drawn(portraits, mixed, monkeypatch):
    monkeypatch.setattr(judge, "PERSONS", 6)
    monkeypatch.setattr(judge, "ATTRIBUTES", ("Wearing_Lipstick", "Wearing_Hat"))
    table = portraits.attributes.drop(columns="Wearing_Hat")
    Judge(replace(portraits, attributes=table), 32, jobs=1)
    ((images, _),) = mixed
    assert len(images) == (~table.loc[portraits.file_names("train")[:6], "Wearing_Lipstick"]).sum()
