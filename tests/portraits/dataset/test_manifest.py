"""The manifest: written, read again, and told from other files."""

import json
from dataclasses import replace

import pytest

from portraits import Person, PortraitsError
from portraits.dataset.manifest import (
    DamagedManifest,
    Manifest,
    read_manifest,
    spelled,
    write_manifest,
)

HELD = Manifest(2, 3, 178, 218, 500, "+Smiling -Eyeglasses")


def test_what_is_written_is_read(tmp_path):
    write_manifest(tmp_path / "manifest.json", HELD)
    assert read_manifest(tmp_path / "manifest.json") == HELD
    assert str(HELD) == "portraits of seed 3 and size 178x218 switched to +Smiling -Eyeglasses"


def test_version_1_gave_one_size_for_both_sides(tmp_path):
    old = {"format": "latent-faces portraits", "version": 1, "seed": 0, "size": 64, "count": 9}
    (tmp_path / "manifest.json").write_text(json.dumps(old))
    assert read_manifest(tmp_path / "manifest.json") == Manifest(1, 0, 64, 64, 9)


@pytest.mark.parametrize("content", ["", "{", "[" * 100_000, "\0\0"])
def test_what_is_no_json_is_damaged(tmp_path, content):
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(DamagedManifest, match="is not readable"):
        read_manifest(tmp_path / "manifest.json")


@pytest.mark.parametrize(
    "change", [{"format": "web app"}, {"seed": "0"}, {"switched": 1}, {"a": 1}]
)
def test_other_entries_are_something_else(tmp_path, change):
    write_manifest(tmp_path / "manifest.json", HELD)
    entries = json.loads((tmp_path / "manifest.json").read_text()) | change
    (tmp_path / "manifest.json").write_text(json.dumps(entries))
    with pytest.raises(PortraitsError, match="choose another folder") as error:
        read_manifest(tmp_path / "manifest.json")
    assert not isinstance(error.value, DamagedManifest)


def test_the_person_of_a_picture_has_what_all_were_given():
    plain = Person.sample(3, 4)
    assert replace(HELD, switched="").person(5) == plain
    switched = {"Smiling": True, "Eyeglasses": False}
    assert spelled(switched) == HELD.switched
    assert HELD.person(5) == plain.with_attributes(switched)
