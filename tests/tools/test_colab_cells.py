"""The first cell of the notebooks: it makes Google Colab ready, and does nothing elsewhere."""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.notebooks.lists import ALL, NOTEBOOKS
from tools import colab_cells
from tools.colab_cells import CELL, TAG, is_colab, repository, stale, with_cell

ROOT = NOTEBOOKS.parent
# google.colab as far as it is used here; `google` itself is a folder of protobuf's.
COLAB = """\
import sys
from types import ModuleType, SimpleNamespace

sys.modules["google.colab"] = ModuleType("google.colab")
sys.modules["google.colab"].output = SimpleNamespace(
    enable_custom_widget_manager=lambda: print("Third-party widgets are shown.")
)
"""
AFTER = """\
import latent_faces_probe, vaelib
from pathlib import Path

print("vaelib of", Path(vaelib.__file__).parents[1])
"""


@pytest.fixture
def notebook():
    """A notebook that was run."""
    one, two = new_code_cell("1 + 1", id="a"), new_code_cell("print()", id="b")
    one.outputs = [new_output("execute_result", {"text/plain": "2"}, execution_count=1)]
    one.execution_count, two.execution_count = 1, 2
    return new_notebook(cells=[new_markdown_cell("# Title", id="t"), one, two])


def test_every_notebook_has_the_cell_with_the_address_of_the_project():
    assert list(stale(NOTEBOOKS, repository())) == []
    for path in [*ALL, *(NOTEBOOKS / "task").glob("task*.ipynb")]:
        cells = nbformat.read(path, as_version=4).cells
        assert [i for i, cell in enumerate(cells) if is_colab(cell)] == [1], path.name


def test_the_cell_counts_as_the_first_that_was_run(notebook):
    changed = with_cell(notebook, "https://a.org/b")
    assert [cell.source for cell in changed.cells][1:2] == [CELL.format(address="https://a.org/b")]
    assert [cell.get("execution_count") for cell in changed.cells] == [None, 1, 2, 3]
    assert changed.cells[2].outputs[0].execution_count == 2
    assert len(notebook.cells) == 3
    nbformat.validate(changed)


def test_a_second_time_only_the_address_changes(notebook):
    once = with_cell(notebook, "")
    assert with_cell(once, "") == once
    twice = with_cell(once, "https://a.org/b")
    assert twice.cells[1].source == once.cells[1].source.replace('""', '"https://a.org/b"')
    assert twice.cells[2:] == once.cells[2:]


def test_a_notebook_that_was_not_run_stays_so(notebook):
    for cell in notebook.cells[1:]:
        cell.execution_count, cell.outputs = None, []
    cells = with_cell(notebook, "").cells
    assert not any(cell.get("execution_count") for cell in cells)


@pytest.mark.parametrize(
    ("address", "found"),
    [("", ""), ("https://a.org/b/", "https://a.org/b"), ("http://a.org", None), ("$(x)", None)],
)
def test_the_address_stands_in_pyproject(tmp_path, address, found):
    file = tmp_path / "pyproject.toml"
    file.write_text(f'[tool.latent-faces]\nrepository = "{address}"\n')
    if found is None:
        with pytest.raises(ValueError, match="give an address"):
            repository(file)
    else:
        assert repository(file) == found


def test_the_command_writes_and_then_finds_nothing(tmp_path, monkeypatch, capsys, notebook):
    monkeypatch.setattr(colab_cells, "ROOT", tmp_path)
    monkeypatch.setattr("sys.argv", ["colab_cells.py"])
    (tmp_path / "notebooks").mkdir()
    nbformat.write(notebook, tmp_path / "notebooks" / "01_a.ipynb")
    colab_cells.main()
    assert capsys.readouterr().out == "notebooks/01_a.ipynb is written.\n"
    monkeypatch.setattr("sys.argv", ["colab_cells.py", "--check"])
    colab_cells.main()
    assert "up to date" in capsys.readouterr().out
    (tmp_path / "notebooks" / "01_a.ipynb").write_text("{}")
    with pytest.raises(SystemExit, match=r"01_a.ipynb is no notebook"):
        colab_cells.main()


# ------------------------------------------------------------------ the cell, executed


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Teacher", "-c", "user.email=teacher@example.org"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A repository with what the cell needs of the course; one package more is asked for."""
    folder = tmp_path_factory.mktemp("course")
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("groundwork", "portraits", "vaelib", "tools"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    (folder / "data").mkdir()
    shutil.copy(ROOT / "data" / "README.md", folder / "data")
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    more = 'dependencies = [\n    "latent-faces-probe>=2",\n'
    assert "dependencies = [\n" in project
    project = project.replace("dependencies = [\n", more, 1)
    (folder / "pyproject.toml").write_text(project, "utf-8")
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "The course")
    return folder


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    """A Python that has the packages of this one, but not the course; and a folder of wheels."""
    folder = tmp_path_factory.mktemp("machine")
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    python = folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    place = subprocess.run([python, "-c", ask], check=True, capture_output=True, text=True)
    # A path in this file adds a folder, and none of the paths that it holds, such as ours.
    packages = Path(place.stdout.strip()) / "colab.pth"
    packages.write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    for version in ("1.0", "2.0"):
        name = f"latent_faces_probe-{version}"
        info = f"{name}.dist-info"
        (folder / "wheels").mkdir(exist_ok=True)
        with zipfile.ZipFile(folder / "wheels" / f"{name}-py3-none-any.whl", "w") as wheel:
            wheel.writestr("latent_faces_probe.py", "")
            about = f"Metadata-Version: 2.1\nName: latent-faces-probe\nVersion: {version}\n"
            wheel.writestr(f"{info}/METADATA", about)
            tag = "Wheel-Version: 1.0\nGenerator: us\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            wheel.writestr(f"{info}/WHEEL", tag)
            wheel.writestr(f"{info}/RECORD", "")
    return python, folder / "wheels"


def execute(code: str, folder: Path, machine) -> str:
    """Run code in IPython, as a notebook does, and return all that appears."""
    python, wheels = machine
    script = folder / "cells.ipy"
    script.write_text(code, "utf-8")
    environment = {
        **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        **{"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "IPYTHONDIR": str(folder)},
        # The portraits are drawn already, so they are only checked here.
        "LATENT_FACES_DATA": str(ROOT / "data"),
    }
    command = [python, "-m", "IPython", "--no-banner", "--colors=NoColor", "cells.ipy"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    return done.stdout + done.stderr


@pytest.mark.slow
def test_in_colab_it_fetches_the_course_and_what_is_missing(course, machine, tmp_path):
    cell = CELL.format(address=course.as_uri())
    shown = execute(COLAB + cell + "\n" + AFTER, tmp_path, machine)
    assert "Installing latent-faces-probe>=2\n" in shown
    assert f"vaelib of {tmp_path / 'latent-faces'}" in shown
    assert "is complete: 20000 portraits" in shown
    assert "Third-party widgets are shown." in shown
    assert "Error" not in shown
    again = execute(COLAB + cell + "\n" + AFTER, tmp_path, machine)
    assert "Installing" not in again and f"vaelib of {tmp_path / 'latent-faces'}" in again


@pytest.mark.slow
def test_without_an_address_it_says_what_to_do(machine, tmp_path):
    shown = execute(COLAB + CELL.format(address=""), tmp_path, machine)
    assert "AssertionError: Write the address of the course's repository" in shown
    assert not (tmp_path / "latent-faces").exists()


@pytest.mark.slow
def test_elsewhere_it_does_nothing(course, machine, tmp_path):
    shown = execute(CELL.format(address=course.as_uri()) + "\nprint('on')", tmp_path, machine)
    assert shown.split() == ["on"]
    assert not (tmp_path / "latent-faces").exists()


def test_the_tag_is_known_to_all_who_leave_the_cell_out(notebook):
    assert [is_colab(cell) for cell in with_cell(notebook, "").cells] == [False, True, False, False]
    assert with_cell(notebook, "").cells[1].metadata["tags"] == [TAG]
