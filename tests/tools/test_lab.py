"""Tests of tools/lab.py: a learner's copies are made once and never overwritten."""

import argparse
import os
import re
import signal
import subprocess
import sys

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


def test_a_damaged_record_is_made_again(folders):
    originals, work = folders
    lab.copy_new(originals, work)
    whole = (work / lab.RECORD).read_text()
    for damaged in ("", whole[:20], "[]"):
        (work / lab.RECORD).write_text(damaged)
        assert lab.copy_new(originals, work) == ""
        assert (work / lab.RECORD).read_text() == whole


def test_a_copy_is_whole_or_not_there(folders, monkeypatch):
    """Half of one would never be replaced: it could be a learner's work."""
    originals, work = folders

    def killed(*names):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(os, "replace", killed)
        lab.copy_new(originals, work)
    assert not list(work.rglob("*.ipynb"))
    assert lab.copy_new(originals, work) == ""
    assert (work / "01_first.ipynb").read_text() == "first"


def test_nothing_is_written_where_nothing_is_new(folders, monkeypatch):
    """So a course folder may be read-only."""
    originals, work = folders
    lab.copy_new(originals, work)
    monkeypatch.setattr(lab, "write_whole", lambda path, content: pytest.fail(f"writes {path}"))
    assert lab.copy_new(originals, work) == ""


def test_the_first_notebook_is_the_lowest_number(folders):
    originals, _ = folders
    assert lab.first_notebook(originals) == originals / "01_first.ipynb"
    with pytest.raises(SystemExit, match="no numbered notebook"):
        lab.first_notebook(originals / ".ipynb_checkpoints" / "nothing")


def test_all_folders_of_the_originals_are_originals():
    assert lab.is_original(lab.ORIGINALS)
    assert lab.is_original(lab.ORIGINALS / "solutions")
    assert lab.is_original(lab.ROOT / "tools" / ".." / "notebooks" / "new")
    assert not lab.is_original(lab.ROOT / "work")
    assert not lab.is_original(lab.ROOT)


@pytest.mark.parametrize("text", ["", "eight", "80", "65536", "-1", "8888.0"])
def test_a_wrong_port_gets_a_sentence(text):
    with pytest.raises(argparse.ArgumentTypeError, match="from 1024 to 65535"):
        lab.port(text)


def test_a_python_without_the_course_gets_a_sentence():
    command = [sys.executable, "-I", "-S", lab.ROOT / "tools" / "lab.py"]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("The course is not installed for ")
    assert len(done.stderr.splitlines()) == 1


@pytest.fixture
def ready(monkeypatch):
    """Nothing is drawn, and JupyterLab does not start: what it would be told is noted."""
    started = []
    monkeypatch.setattr(lab, "complaint", lambda: "")
    monkeypatch.setattr(lab, "settle_faces", lambda: ("portraits", lab.ROOT / "data"))
    monkeypatch.setattr(lab.subprocess, "call", lambda command, cwd: 0)
    monkeypatch.setattr(lab, "start_jupyterlab", lambda *arguments: started.append(arguments))
    return started


@pytest.mark.parametrize("folder", ["notebooks", "notebooks/solutions"])
def test_other_faces_are_not_opened_in_the_originals(ready, monkeypatch, folder):
    """Their pictures would be saved in what is passed on."""
    monkeypatch.setattr(lab, "settle_faces", lambda: ("celeba", lab.ROOT / "data" / "celeba"))
    monkeypatch.setattr("sys.argv", ["lab.py", "--notebooks", folder])
    with pytest.raises(SystemExit) as end:
        lab.main()
    assert "may not be passed on" in str(end.value)
    assert not ready


def test_a_folder_anywhere_can_hold_the_copies(ready, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["lab.py", "--notebooks", "~/my copies"])
    lab.main()
    mine = tmp_path / "my copies"
    assert ready == [(mine / "01_faces.ipynb", mine, 8888, [])]
    assert (mine / "exercises" / "01_faces_exercises.ipynb").is_file()
    assert (mine / "solutions" / "01_faces_solutions.ipynb").is_file()


def test_a_folder_that_cannot_be_written_gets_a_sentence(ready, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setattr("sys.argv", ["lab.py", "--notebooks", str(tmp_path / "file")])
    with pytest.raises(SystemExit) as end:
        lab.main()
    assert str(tmp_path / "file") in str(end.value)
    assert "--notebooks FOLDER." in str(end.value)
    assert not ready


@pytest.mark.parametrize(
    "ip, encrypted, open_to_all, is_root, said",
    [
        ("localhost", False, False, False, []),
        ("0.0.0.0", True, False, False, []),
        ("0.0.0.0", False, False, False, ["over plain HTTP"]),
        ("", False, False, True, ["over plain HTTP", "You are root"]),
        ("127.0.0.1", False, True, False, ["no token: everybody on this computer"]),
        ("10.0.0.1", True, True, False, ["no token: everybody who reaches it on the network"]),
    ],
)
def test_risks_are_said(ip, encrypted, open_to_all, is_root, said):
    sentences = lab.risks(ip, encrypted, open_to_all, is_root)
    assert len(sentences) == len(said)
    assert all(words in sentence for words, sentence in zip(said, sentences, strict=True))


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="there is no SIGINT to stop it with")
@pytest.mark.parametrize(
    "options, address, said",
    [
        ([], r"http://localhost:\d+/lab/tree/01_a.ipynb\?token=[0-9a-f]{48}", []),
        (["--IdentityProvider.token="], r"http://localhost:\d+/lab/tree/01_a.ipynb", ["no token"]),
        (["--IdentityProvider.token", "abc"], r"http://.*/lab/tree/01_a.ipynb\?token=abc", []),
        (["--ip=127.0.0.1", "--ServerApp.root_dir=/"], r"http://127.0.0.1:\d+/.*token=.*", []),
    ],
)
def test_options_for_jupyterlab_go_before_ours(tmp_path, options, address, said):
    (tmp_path / "01_a.ipynb").write_text('{"cells": [], "metadata": {}, "nbformat": 4}')
    start = (
        "import sys; from pathlib import Path; from tools import lab; folder = Path(sys.argv[1]);"
        "lab.start_jupyterlab(folder / '01_a.ipynb', folder, 8888, sys.argv[2:])"
    )
    command = [sys.executable, "-c", start, tmp_path, *options, "--no-browser"]
    process = subprocess.Popen(
        command, cwd=lab.ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    lines = []
    for line in process.stdout:
        lines.append(line.strip())
        if "stops JupyterLab" in line:
            process.send_signal(signal.SIGTERM)
    process.wait(30)
    assert any(re.fullmatch(address, line) for line in lines), "\n".join(lines)
    risks = [line for line in lines if line.startswith("JupyterLab asks for")]
    assert len(risks) == len(said)
    assert all(words in line for words, line in zip(said, risks, strict=True))


@pytest.mark.slow
def test_the_rest_of_a_broken_installation_is_named(tmp_path):
    (tmp_path / "-umpy-1.0.dist-info").mkdir()
    (tmp_path / "numpy-1.0.dist-info").mkdir()  # has a name, and does no harm
    start = (
        "import sys; from pathlib import Path; from tools import lab; folder = Path(sys.argv[1]);"
        "lab.start_jupyterlab(folder / '01_a.ipynb', folder, 8888, [])"
    )
    done = subprocess.run(
        [sys.executable, "-c", start, tmp_path],
        cwd=lab.ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert f"because of {tmp_path / '-umpy-1.0.dist-info'}," in done.stderr
    assert "Traceback" not in done.stderr
