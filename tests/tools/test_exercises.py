"""Tests of tools/exercises.py on notebooks of a few cells."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import exercises

ANSWER = {"tags": ["solution"]}


def solutions():
    printed = [new_output("stream", text="6")]
    return new_notebook(
        cells=[
            new_markdown_cell("# 1. Sums: solutions\n\nOnly here.", id="title"),
            new_code_cell("import math", id="setup", execution_count=1, outputs=printed),
            new_markdown_cell("## 1. Three numbers\n\nAdd 1, 2 and 3.", id="one"),
            new_markdown_cell("We add them.", id="text", metadata=ANSWER),
            new_code_cell("1 + 2 + 3", id="code", metadata=ANSWER, outputs=printed),
            new_markdown_cell("Add 4. Is the order important?", id="two"),
            new_code_cell("6 + 4", id="sum", metadata=ANSWER, outputs=printed),
            new_markdown_cell("No.", id="no", metadata=ANSWER),
            new_markdown_cell("Why?", id="why"),
            new_markdown_cell("Because.", id="because", metadata=ANSWER),
            new_code_cell("%load_ext x", id="tag", metadata={"tags": ["nbval-ignore-output"]}),
        ],
        metadata={"language_info": {"name": "python"}},
    )


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A project with one notebook of solutions."""
    (tmp_path / "notebooks" / "solutions").mkdir(parents=True)
    nbformat.write(solutions(), tmp_path / "notebooks" / "solutions" / "01_sums_solutions.ipynb")
    monkeypatch.setattr(exercises, "ROOT", tmp_path)
    return tmp_path


def run(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["exercises.py", *arguments])
    exercises.main()


def test_empty_cells_stand_for_each_answer():
    cells = exercises.exercises_of(solutions(), "01_sums").cells
    ids = ["title", "setup", "one", "code", "two", "sum", "no", "why", "because", "tag"]
    assert [cell.id for cell in cells] == ids
    title, setup, _, code, _, both, text_too, _, text, tag = cells
    assert title.source.startswith("# 1. Sums: exercises\n\nThe exercises of [01_sums.ipynb](../")
    assert "(../solutions/01_sums_solutions.ipynb)" in title.source
    assert "Only here" not in title.source
    assert (code.cell_type, code.source) == ("code", "# your answer")
    assert (text.cell_type, text.source) == ("markdown", "*Your answer:*")
    assert (both.source, text_too.source) == (code.source, text.source)
    assert (setup.source, setup.outputs, setup.execution_count) == ("import math", [], None)
    assert tag.metadata.tags == ["nbval-ignore-output"]


def test_the_solutions_are_not_changed():
    before, given = solutions(), solutions()
    made = exercises.exercises_of(given, "01_sums")
    assert given == before
    assert made.metadata == before.metadata
    nbformat.validate(made)


@pytest.mark.parametrize("title", ["# 1. Sums", "1. Sums: solutions", "# 1.\n: solutions"])
def test_a_title_of_another_form_is_refused(title):
    notebook = solutions()
    notebook.cells[0].source = title
    with pytest.raises(ValueError, match="must begin with a title"):
        exercises.exercises_of(notebook, "01_sums")


def test_solutions_without_an_answer_are_refused():
    notebook = solutions()
    notebook.cells = [cell for cell in notebook.cells if not exercises.is_answer(cell)]
    with pytest.raises(ValueError, match="no cell has the tag solution"):
        exercises.exercises_of(notebook, "01_sums")


def test_writes_what_is_missing_and_then_nothing(root, monkeypatch, capsys):
    made = root / "notebooks" / "exercises" / "01_sums_exercises.ipynb"
    with pytest.raises(SystemExit) as end:
        run(monkeypatch, "--check")
    assert end.value.code == 1 and not made.exists()
    assert "01_sums_exercises.ipynb is missing: run" in capsys.readouterr().out
    run(monkeypatch)
    assert "01_sums_exercises.ipynb is written" in capsys.readouterr().out
    before = made.stat().st_mtime_ns
    for arguments in ([], ["--check"]):
        run(monkeypatch, *arguments)
        assert "All 1 notebooks of exercises are up to date" in capsys.readouterr().out
    assert made.stat().st_mtime_ns == before


def test_what_was_edited_by_hand_differs_and_is_written_again(root, monkeypatch, capsys):
    run(monkeypatch)
    made = root / "notebooks" / "exercises" / "01_sums_exercises.ipynb"
    before = made.read_text("utf-8")
    made.write_text(before.replace("Why?", "Why not?"), "utf-8")
    capsys.readouterr()
    with pytest.raises(SystemExit):
        run(monkeypatch, "--check")
    assert "differs from its solutions" in capsys.readouterr().out
    made.write_bytes(b"\xff\xfe")
    run(monkeypatch)
    assert made.read_text("utf-8") == before
    made.write_bytes(before.encode().replace(b"\n", b"\r\n"))  # as git checks it out on Windows
    run(monkeypatch, "--check")


def test_a_notebook_without_solutions_is_named_and_never_deleted(root, monkeypatch, capsys):
    run(monkeypatch)
    stray = root / "notebooks" / "exercises" / "mine.ipynb"
    stray.write_text("{}")
    with pytest.raises(SystemExit) as end:
        run(monkeypatch)
    assert end.value.code == 1 and stray.exists()
    assert "mine.ipynb has no solutions: delete it" in capsys.readouterr().out


NO_IDS = '{"cells": [{"cell_type": "raw", "metadata": {}, "source": ""}], "metadata": {}, '
NO_IDS += '"nbformat": 4, "nbformat_minor": 4}'


@pytest.mark.parametrize(
    "content", ["", "no JSON", "[]", "{}", '{"cells": 5}', "[" * 100_000, NO_IDS]
)
def test_a_broken_notebook_is_one_sentence(root, monkeypatch, content):
    (root / "notebooks" / "solutions" / "02_b_solutions.ipynb").write_text(content)
    with pytest.raises(SystemExit, match=r"02_b_solutions\.ipynb"):
        run(monkeypatch)


def test_a_folder_without_solutions_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(exercises, "ROOT", tmp_path)
    with pytest.raises(SystemExit, match="There is no notebook in"):
        run(monkeypatch)
