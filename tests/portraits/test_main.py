"""The command line of the portraits."""

import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

import portraits
from groundwork.commands import run
from portraits import write_dataset
from portraits.__main__ import app
from tests.portraits.folders import contents

# ------------------------------------------------------------------ places


def test_by_default_it_draws_where_faces_are_looked_for(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("LATENT_FACES_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    options = ["--count", "3", "--size", "16", "--jobs", "1"]
    assert CliRunner().invoke(app, options).exit_code == 0
    assert (tmp_path / "data" / "portraits" / "manifest.json").exists()
    before = contents(tmp_path)
    assert write_dataset(count=3, size=16) == tmp_path / "data" / "portraits"
    assert contents(tmp_path) == before
    said = CliRunner().invoke(app, options).stdout
    assert said == f"{os.path.join('data', 'portraits')} is complete: 3 portraits\n"
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    said = CliRunner().invoke(app, options).stdout
    assert said == f"{tmp_path / 'data' / 'portraits'} is complete: 3 portraits\n"


def test_by_default_paired_sets_go_beside_the_portraits(tmp_path, monkeypatch):
    monkeypatch.setenv("LATENT_FACES_DATA", str(tmp_path / "data"))
    options = ["--counterfactuals", "Smiling", "--count", "1", "--size", "16", "--jobs", "1"]
    assert CliRunner().invoke(app, options).exit_code == 0
    assert (tmp_path / "data" / "counterfactuals" / "Smiling" / "with").is_dir()


# ------------------------------------------------------------------ the command line


def test_command_line(tmp_path):
    """As a learner runs it, in a process of its own."""
    root = os.path.dirname(os.path.dirname(portraits.__file__))
    arguments = ("--out", "new/portraits", "--count", 20, "--size", 16, "--jobs", 1)
    result = subprocess.run(
        [sys.executable, "-m", "portraits", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": root},
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout == f"{os.path.join('new', 'portraits')} is complete: 20 portraits\n"
    assert result.stderr == ""


@pytest.mark.parametrize(
    "arguments",
    [
        "--size 8",
        f"--size {'9' * 5000}",
        f"--count {'9' * 20}",
        f"--jobs {'9' * 20}",
        "--jobs 0",
        f"--seed {'9' * 20}",
        "--out=",
        "--out /dev/null",
        "--size large",
        "--size 64x8",
        "--size ٦٤",
        "--count 0",
        "--jobs many",
        f"--out {__file__}",
        "--seed -3",
        "Smiling",
        "--counterfactuals",
        "--counterfactuals Smilling",
        "--counterfactuals Smiling Attractive",
        "--counterfactuals Bald+Bangs",
        "--counterfactuals Smiling --count 0",
        "--counterfactuals Smiling --size 5000",
    ],
)
def test_command_line_refuses_in_one_sentence(tmp_path, monkeypatch, capsys, arguments):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["portraits", *arguments.split()])
    with pytest.raises(SystemExit) as end:
        run(app, "portraits")
    printed = capsys.readouterr()
    assert (end.value.code, printed.out) == (2, "")
    assert printed.err.startswith("portraits: ") and printed.err.endswith((".\n", "?\n"))
    assert len(printed.err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_command_line_is_interrupted_without_a_traceback(tmp_path, monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("portraits.__main__.write_dataset", interrupt)
    result = CliRunner().invoke(app, ["--out", str(tmp_path)])
    assert result.exit_code == 130
    assert "again to go on" in result.stderr
