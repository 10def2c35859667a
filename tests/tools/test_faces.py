"""Tests of tools/faces.py: FACES is checked, and good for notebooks in any folder."""

import pytest

from tools.faces import settle_faces


def test_without_a_setting_it_is_the_portraits(tmp_path):
    environment = {}
    assert settle_faces(environment, tmp_path) == ("portraits", tmp_path / "portraits")
    assert environment == {"FACES": "portraits"}


def test_celeba_goes_by_its_name(tmp_path):
    (tmp_path / "celeba").mkdir()
    environment = {"FACES": "celeba"}
    assert settle_faces(environment, tmp_path) == ("celeba", tmp_path / "celeba")
    assert environment == {"FACES": "celeba"}


def test_a_folder_becomes_a_whole_path(tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path)
    environment = {"FACES": "mine"}
    name, folder = settle_faces(environment, tmp_path)
    assert name.startswith("mine-")
    assert folder == tmp_path / "mine"
    assert environment == {"FACES": str(tmp_path / "mine")}
    assert settle_faces({"FACES": str(tmp_path / "mine")}, tmp_path) == (name, folder)


@pytest.mark.parametrize("last", ["faces", "portraits", "celeba"])
def test_folders_whose_last_part_is_the_same_have_different_names(tmp_path, last):
    folders = [tmp_path / "a" / last, tmp_path / "b" / last]
    names = set()
    for folder in folders:
        folder.mkdir(parents=True)
        names.add(settle_faces({"FACES": str(folder)}, tmp_path)[0])
    assert len(names) == 2
    assert not names & {"portraits", "celeba"}


def test_the_faces_are_where_the_course_keeps_them(tmp_path, monkeypatch):
    (tmp_path / "celeba").mkdir()
    monkeypatch.setenv("LATENT_FACES_DATA", str(tmp_path))
    assert settle_faces({"FACES": "celeba"}) == ("celeba", tmp_path / "celeba")


@pytest.mark.parametrize("name, advice", [("celeba", "vaelib celeba"), ("nowhere", "layout")])
def test_faces_that_are_not_there_are_one_sentence(tmp_path, name, advice):
    with pytest.raises(SystemExit) as end:
        settle_faces({"FACES": name}, tmp_path)
    assert name in str(end.value) and advice in str(end.value)
    assert str(end.value).endswith(".")
