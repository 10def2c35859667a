"""Tests of tools/faces.py: FACES is checked, and good for notebooks in any folder."""

import pytest

from tools.faces import settle_faces


def test_without_a_setting_it_is_the_portraits(tmp_path):
    environment = {}
    assert settle_faces(environment, tmp_path) == "portraits"
    assert environment == {"FACES": "portraits"}


def test_celeba_goes_by_its_name(tmp_path):
    (tmp_path / "data" / "celeba").mkdir(parents=True)
    environment = {"FACES": "celeba"}
    assert settle_faces(environment, tmp_path) == "celeba"
    assert environment == {"FACES": "celeba"}


def test_a_folder_becomes_a_whole_path(tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path)
    environment = {"FACES": "mine"}
    assert settle_faces(environment, tmp_path) == "mine"
    assert environment == {"FACES": str(tmp_path / "mine")}


@pytest.mark.parametrize("name, advice", [("celeba", "vaelib celeba"), ("nowhere", "layout")])
def test_faces_that_are_not_there_are_one_sentence(tmp_path, name, advice):
    with pytest.raises(SystemExit) as end:
        settle_faces({"FACES": name}, tmp_path)
    assert name in str(end.value) and advice in str(end.value)
    assert str(end.value).endswith(".")
