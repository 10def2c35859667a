"""Tests of tools/course.py on notebooks of a few cells."""

import os
import time

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import course


@pytest.fixture
def root(tmp_path):
    (tmp_path / "notebooks" / "solutions").mkdir(parents=True)
    (tmp_path / "vaelib").mkdir()
    return tmp_path


def write(path, *sources):
    """A notebook of a title and these code cells, an hour old."""
    cells = [new_markdown_cell("# Title"), *map(new_code_cell, sources)]
    nbformat.write(new_notebook(cells=cells), path)
    an_hour_ago = time.time() - 3600
    os.utime(path, (an_hour_ago, an_hour_ago))
    return path


def test_executes_once_and_again_only_after_a_change(root, capsys):
    notebook = write(root / "notebooks" / "01_a.ipynb", "import os", "os.getcwd()[-9:]")
    before = notebook.read_bytes()
    assert course.run_course(root)
    assert "01_a.ipynb" in capsys.readouterr().out
    copy = nbformat.read(root / "build" / "notebooks" / "01_a.ipynb", as_version=4)
    assert copy.cells[2].outputs[0].data["text/plain"] == "'notebooks'"
    assert notebook.read_bytes() == before

    assert course.run_course(root)
    assert "up to date" in capsys.readouterr().out
    module = root / "vaelib" / "model.py"
    module.write_text("")
    os.utime(module, (time.time() + 5, time.time() + 5))
    assert course.run_course(root)
    assert "up to date" not in capsys.readouterr().out


def test_goes_on_after_a_failure_and_says_where_it_was(root, capsys):
    write(root / "notebooks" / "01_bad.ipynb", "x = 1", "1 / 0")
    write(root / "notebooks" / "solutions" / "01_good.ipynb", "2 + 2")
    assert not course.run_course(root)
    lines = capsys.readouterr().out
    assert "ZeroDivisionError" in lines
    assert "\x1b" not in lines
    assert "1 of 2 notebooks failed" in lines
    build = root / "build" / "notebooks"
    assert (build / "solutions" / "01_good.ipynb").exists()
    assert (build / "01_bad.failed.ipynb").exists()
    assert not (build / "01_bad.ipynb").exists()


def test_what_failed_last_is_not_up_to_date(root, capsys):
    write(root / "notebooks" / "01_a.ipynb", "import os", "1 / int(os.environ.get('BY', 1))")
    assert course.run_course(root)
    os.environ["BY"] = "0"
    try:
        assert not course.run_course(root, force=True)
    finally:
        del os.environ["BY"]
    capsys.readouterr()
    assert course.run_course(root)
    assert "up to date" not in capsys.readouterr().out
    assert course.run_course(root)
    assert "up to date" in capsys.readouterr().out


def test_other_labels_make_a_copy_stale(root, capsys):
    write(root / "notebooks" / "01_a.ipynb", "1 + 1")
    table = root / "list_attr_celeba.txt"
    table.touch()
    os.utime(table, (0, 0))
    assert course.run_course(root, tables=[table])
    assert course.run_course(root, tables=[table])
    assert "up to date" in capsys.readouterr().out
    os.utime(table, (time.time() + 5, time.time() + 5))
    assert course.run_course(root, tables=[table])
    assert "up to date" not in capsys.readouterr().out


def test_a_copy_is_whole_or_not_there(root, monkeypatch):
    """Half of one would be taken for up to date."""
    notebook = write(root / "notebooks" / "01_a.ipynb", "1 + 1")
    before = notebook.read_bytes()

    def killed(*names):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        course.run_course(root, write=True)
    assert not list((root / "build").rglob("*.ipynb"))
    assert notebook.read_bytes() == before


def test_write_saves_the_outputs_and_is_then_up_to_date(root, capsys):
    notebook = write(
        root / "notebooks" / "01_a.ipynb", "import sys", "print('log', file=sys.stderr)\n3"
    )
    ids = [cell.id for cell in nbformat.read(notebook, as_version=4).cells]
    assert course.run_course(root, write=True)
    saved = nbformat.read(notebook, as_version=4)
    assert [cell.id for cell in saved.cells] == ids
    assert [output.output_type for output in saved.cells[2].outputs] == ["execute_result"]
    assert saved.metadata.language_info == course.LANGUAGE
    assert course.run_course(root)
    assert "up to date" in capsys.readouterr().out


def test_normalise_removes_widget_views_and_timings():
    views = {course.WIDGET_VIEW: {"model_id": "1f"}, "text/plain": "IntSlider(value=0)"}
    cell = new_code_cell("slider", outputs=[new_output("display_data", views)])
    cell.metadata.execution = {"shell.execute_reply": "now"}
    notebook = new_notebook(cells=[cell], metadata={"widgets": {"state": {}}})
    course.normalise(notebook)
    assert cell.outputs[0].data == {"text/plain": "IntSlider(value=0)"}
    assert "execution" not in cell.metadata
    assert "widgets" not in notebook.metadata


def test_normalise_keeps_only_pictures_where_nothing_is_compared():
    outputs = [
        new_output("stream", text="run of 12:00"),
        new_output("display_data", {"text/plain": "0epoch [00:00, ?epoch/s]"}),
        new_output("display_data", {"image/gif": "R0lGODdh", "text/plain": "<Image>"}),
    ]
    compared, tagged = new_code_cell("a", outputs=outputs), new_code_cell("b", outputs=outputs)
    tagged.metadata.tags = ["nbval-ignore-output"]
    course.normalise(new_notebook(cells=[compared, tagged]))
    assert compared.outputs == outputs
    assert tagged.outputs == outputs[2:]


def test_names_choose_notebooks(root):
    for folder in ("exercises", "task"):
        (root / "notebooks" / folder).mkdir()
    names = ["01_a.ipynb", "02_b.ipynb", "solutions/02_b.ipynb", "task/task_solution.ipynb"]
    others = ["draft.ipynb", "explorers.ipynb", "exercises/02_b.ipynb", "task/task.ipynb"]
    for name in names + others:
        write(root / "notebooks" / name)
    names = [p.relative_to(root).as_posix() for p in course.find_notebooks(root / "notebooks")]
    assert names[:2] == ["notebooks/01_a.ipynb", "notebooks/02_b.ipynb"]
    assert names[2:4] == ["notebooks/explorers.ipynb", "notebooks/solutions/02_b.ipynb"]
    assert names[4:] == ["notebooks/task/task_solution.ipynb"]
    assert len(course.find_notebooks(root / "notebooks", ("02",))) == 2
    with pytest.raises(SystemExit, match="begins with 09"):
        course.run_course(root, ["09"])


def test_a_long_traceback_is_cut_in_the_middle():
    text = course.shorten("\n".join(f"\x1b[31mline {i}\x1b[0m" for i in range(100)))
    assert text.startswith("line 0\n")
    assert text.endswith("line 99")
    assert len(text.splitlines()) == 26


def test_other_faces_have_a_folder_of_their_own(root):
    write(root / "notebooks" / "01_a.ipynb", "1 + 1")
    assert course.run_course(root, faces="celeba")
    assert (root / "build" / "notebooks-celeba" / "01_a.ipynb").exists()
    assert not (root / "build" / "notebooks").exists()


def test_faces_in_folders_of_the_same_name_are_told_apart(root, monkeypatch, capsys):
    """Each command gets its own pictures: none is told that those of the other are up to date."""
    write(root / "notebooks" / "01_a.ipynb", "import os", "os.environ['FACES']")
    monkeypatch.setattr(course, "ROOT", root)
    monkeypatch.setattr(course, "complaint", lambda: "")
    monkeypatch.setattr(course.subprocess, "call", lambda command, cwd: 0)
    monkeypatch.setattr("sys.argv", ["course.py"])
    for folder in ("a", "b"):
        (root / folder / "faces").mkdir(parents=True)
        for again in (False, True):
            monkeypatch.setenv("FACES", str(root / folder / "faces"))
            course.main()
            assert ("up to date" in capsys.readouterr().out) == again
    copies = sorted((root / "build").glob("*/01_a.ipynb"))
    assert len(copies) == 2
    shown = {
        nbformat.read(copy, as_version=4).cells[2].outputs[0].data["text/plain"] for copy in copies
    }
    assert shown == {repr(str(root / folder / "faces")) for folder in ("a", "b")}


def test_pictures_of_other_faces_never_get_into_the_notebooks(tmp_path, monkeypatch):
    """CelebA must not be passed on."""
    monkeypatch.setattr(course, "settle_faces", lambda: ("celeba", tmp_path))
    monkeypatch.setattr(course, "complaint", lambda: "")
    monkeypatch.setattr("sys.argv", ["course.py", "--write"])
    with pytest.raises(SystemExit) as end:
        course.main()
    assert "portraits only" in str(end.value)
