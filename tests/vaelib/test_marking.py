"""Points for the wrap-up task: whole, half, empty and broken submissions."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from vaelib import marking
from vaelib.marking import (
    BY_READING,
    CAUSES,
    CHOICES,
    MARK,
    POINTS,
    SHOWS,
    answers_of,
    cause,
    found_by_running,
    mark,
    number,
    table,
)
from vaelib.task import RUNS, read_run

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "notebooks" / "task"
TASK, SOLUTION = FOLDER / "task.ipynb", FOLDER / "task_solution.ipynb"
FINE = {run: {"code": "", "trained": ""} for run in RUNS}


@pytest.fixture
def submitted(tmp_path):
    """Write a notebook with these cells of code, and give its path."""

    def write(*cells):
        path = tmp_path / "task.ipynb"
        made = [nbformat.v4.new_code_cell(cell) for cell in cells]
        nbformat.write(nbformat.v4.new_notebook(cells=made), path)
        return path

    return write


def solved() -> dict:
    return answers_of(nbformat.read(SOLUTION, as_version=4))


def test_the_solution_has_all_points_that_can_be_read():
    marks = mark(SOLUTION)
    assert marks.is_full and marks.faults == []
    assert sum(marks.points.values()) == len(RUNS) * sum(POINTS[part] for part in BY_READING) == 9
    assert all(len(why) > 40 for why in marks.why.values())


def test_the_task_as_it_is_handed_out_has_none(monkeypatch):
    absent = {run: {"code": "wrong.", "trained": "there is no model."} for run in RUNS}
    monkeypatch.setattr(marking, "found_by_running", lambda notebook: absent)
    for run in (False, True):
        marks = mark(TASK, run)
        assert sum(marks.points.values()) == 0 and not marks.is_full
        assert len(marks.faults) == len(RUNS) * (4 if run else 2)


@pytest.mark.parametrize("cells", [[], ["answers = {}"], ["answers = dict()"], ["answers = 7"]])
def test_an_empty_or_stub_submission_has_no_points(submitted, cells):
    marks = mark(submitted(*cells))
    assert sum(marks.points.values()) == 0 and not marks.is_full and marks.faults


def test_reading_runs_nothing(submitted, tmp_path, monkeypatch):
    monkeypatch.setattr(marking, "found_by_running", None)
    code = f"open({str(tmp_path / 'made')!r}, 'w')"
    marks = mark(submitted(code, f"answers = {{'a': {code}}}"))
    assert not (tmp_path / "made").exists()
    assert marks.faults == [
        "The answers: they are no plain text and numbers: write them as values."
    ]


def test_the_last_answers_count_and_cells_that_are_no_python_do_not_hide_them(submitted):
    text = repr(solved())
    assert mark(submitted("%time 1 +", "answers = {}", f"answers = {text}")).is_full
    broken = mark(submitted(f"answers = {text}", "answers = {"))
    assert "no Python" in broken.faults[0] and sum(broken.points.values()) == 0


def test_the_diagnosis_without_a_repair_has_a_half(submitted, monkeypatch):
    absent = {run: {"code": "wrong.", "trained": "no model."} for run in RUNS}
    monkeypatch.setattr(marking, "found_by_running", lambda notebook: absent)
    marks = mark(submitted(f"answers = {solved()!r}"), run=True)
    assert sum(marks.points.values()) == 9 and len(marks.faults) == 6


def test_two_runs_of_three_and_a_repair_without_a_diagnosis(submitted, monkeypatch):
    half = FINE | {"c": {"code": "40 batches hold only 256 different faces.", "trained": ""}}
    monkeypatch.setattr(marking, "found_by_running", lambda notebook: half)
    answers = solved() | {"b": {}, "c": {"cause": "few_faces"}}
    marks = mark(submitted(f"answers = {answers!r}"), run=True)
    assert marks.points["a", "cause"] == 2 and marks.points["b", "cause"] == 0
    assert marks.points["c", "cause"] == 2 and marks.points["c", "number"] == 0
    assert marks.points["b", "code"] == 3 and marks.points["c", "code"] == 0
    assert marks.faults[-1] == "Run c, code: 40 batches hold only 256 different faces."


@pytest.mark.parametrize("run", RUNS)
def test_each_run_has_one_right_cause(run):
    right = [choice for choice in CHOICES if not cause(run, {"cause": choice})]
    assert right == [CAUSES[run]]
    assert cause(run, {}) == "no cause is stated."
    assert "none of the causes" in cause(run, {"cause": list(CHOICES)})


@pytest.mark.parametrize("run", RUNS)
def test_a_number_must_show_the_fault_and_be_that_of_the_run(run):
    measured = read_run(run).numbers
    right = {n for n, v in measured.items() if not number(run, {"number": n, "value": v})}
    assert right == SHOWS[run]
    name = min(SHOWS[run])
    rounded = {"number": name, "value": measured[name] * 1.01}
    assert number(run, rounded) == ""
    for value in (None, "5", True, float("nan"), measured[name] + 5):
        assert number(run, {"number": name, "value": value})


@pytest.mark.parametrize("content", ["", "{}", "no notebook", '{"cells": [', "[]"])
def test_a_file_that_is_no_notebook_is_one_sentence(tmp_path, content):
    path = tmp_path / "task.ipynb"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"is no notebook, or only a part of one: ask for"):
        mark(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(OSError, match=r"none\.ipynb"):
        mark(tmp_path / "none.ipynb")


def test_the_table_has_a_line_per_run_and_a_sentence_per_fault(submitted):
    marks = mark(submitted("answers = {}"))
    lines = table(marks).splitlines()
    assert [line[:5] for line in lines[1:4]] == ["run a", "run b", "run c"]
    assert "together 0 of 9 points" in lines and all(fault in lines for fault in marks.faults)
    assert any("--run executes" in line for line in lines)


def test_the_choices_are_those_of_the_task():
    text = "\n".join(cell.source for cell in nbformat.read(TASK, as_version=4).cells)
    assert all(f"- `{choice}`:" in text for choice in CHOICES)


def test_what_a_kernel_reports_is_read_from_the_last_cell(submitted, monkeypatch, tmp_path):
    told = json.dumps(FINE)
    monkeypatch.setattr(marking, "LAST_CELL", f"print({MARK!r} + {told!r})")
    fooled = json.dumps({"a": "told by the learner"})
    path = submitted(f"print({MARK + fooled!r})", "1 / 0", "open('here', 'w').close()")
    assert found_by_running(nbformat.read(path, as_version=4)) == FINE
    assert not (tmp_path / "here").exists() and not Path("here").exists()


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["import os; os._exit(3)"], "ended its own kernel"),
        (["import vaelib"], "could not be looked at"),
    ],
)
def test_a_kernel_that_gives_no_report_is_one_sentence(submitted, monkeypatch, cells, message):
    monkeypatch.setattr(marking, "LAST_CELL", "1 / 0")
    with pytest.raises(ValueError, match=message):
        found_by_running(nbformat.read(submitted(*cells), as_version=4))


def check(*arguments) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "vaelib", "check", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


@pytest.mark.slow
@pytest.mark.after_notebooks
def test_the_command_marks_the_solution_in_full_and_the_task_with_nothing(tmp_path):
    done = check(SOLUTION, "--run")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "together 24 of 24 points" in done.stdout
    untouched = check(TASK, "--run")
    assert untouched.returncode == 1 and "together 0 of 24 points" in untouched.stdout
    shutil.copy(ROOT / "README.md", tmp_path / "task.ipynb")
    broken = check(tmp_path / "task.ipynb")
    assert broken.returncode == 2 and len(broken.stderr.splitlines()) == 1
