"""Tests of tools/lab.py: a learner's copies are made once and never overwritten."""

import argparse

import pytest

from tools import lab


@pytest.fixture
def folders(tmp_path):
    originals = tmp_path / "notebooks"
    (originals / "solutions").mkdir(parents=True)
    (originals / "01_first.ipynb").write_text("first")
    (originals / "02_second.ipynb").write_text("second")
    (originals / "solutions" / "01_answers.ipynb").write_text("answers")
    (originals / ".ipynb_checkpoints").mkdir()
    (originals / ".ipynb_checkpoints" / "01_first.ipynb").write_text("old")
    return originals, tmp_path / "work"


def test_copies_what_is_there_with_subfolders(folders):
    originals, work = folders
    assert lab.copy_new(originals, work) == ""
    assert (work / "01_first.ipynb").read_text() == "first"
    assert (work / "solutions" / "01_answers.ipynb").read_text() == "answers"
    assert not (work / ".ipynb_checkpoints").exists()


def test_never_overwrites_an_edited_copy(folders):
    originals, work = folders
    lab.copy_new(originals, work)
    (work / "01_first.ipynb").write_text("mine")
    (originals / "03_third.ipynb").write_text("third")
    assert lab.copy_new(originals, work) == ""
    assert (work / "01_first.ipynb").read_text() == "mine"
    assert (work / "03_third.ipynb").read_text() == "third"


def test_names_a_newer_original_until_it_is_taken(folders):
    originals, work = folders
    lab.copy_new(originals, work)
    (originals / "01_first.ipynb").write_text("first, corrected")
    for _ in range(2):
        report = lab.copy_new(originals, work)
        assert "01_first.ipynb" in report
        assert "02_second.ipynb" not in report
        assert (work / "01_first.ipynb").read_text() == "first"
    (work / "01_first.ipynb").rename(work / "my_first.ipynb")
    assert lab.copy_new(originals, work) == ""
    assert (work / "01_first.ipynb").read_text() == "first, corrected"
    assert (work / "my_first.ipynb").read_text() == "first"


def test_a_file_the_learner_made_is_left_alone(folders):
    originals, work = folders
    work.mkdir()
    (work / "02_second.ipynb").write_text("my own")
    assert "02_second.ipynb" in lab.copy_new(originals, work)
    assert (work / "02_second.ipynb").read_text() == "my own"


def test_the_first_notebook_is_the_lowest_number(folders, monkeypatch):
    originals, _ = folders
    monkeypatch.setattr(lab, "ROOT", originals.parent)
    assert lab.first_notebook(originals) == "notebooks/01_first.ipynb"
    with pytest.raises(SystemExit, match="no numbered notebook"):
        lab.first_notebook(originals / ".ipynb_checkpoints" / "nothing")


@pytest.mark.parametrize("text", ["", "eight", "80", "65536", "-1", "8888.0"])
def test_a_wrong_port_gets_a_sentence(text):
    with pytest.raises(argparse.ArgumentTypeError, match="from 1024 to 65535"):
        lab.port(text)


def test_an_incomplete_environment_gets_a_sentence():
    complete = {"jupyterlab", "latent-faces", "tensorflow-cpu"}
    assert lab.missing(complete) == ""
    assert "make lab" in lab.missing(complete - {"jupyterlab"})
    assert "overwrite each other" in lab.missing(complete | {"tensorflow"})


def test_other_faces_are_not_opened_in_the_originals(monkeypatch):
    """Their pictures would be saved in what is passed on."""
    monkeypatch.setattr(lab, "settle_faces", lambda: "celeba")
    monkeypatch.setattr(lab, "missing", lambda packages: "")
    monkeypatch.setattr("sys.argv", ["lab.py", "--notebooks", "notebooks"])
    with pytest.raises(SystemExit) as end:
        lab.main()
    assert "may not be passed on" in str(end.value)
