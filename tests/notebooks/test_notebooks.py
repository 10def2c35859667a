"""The notebooks as pages: their form, their stored outputs, and that comparing them means much."""

import re
import subprocess
import sys
from statistics import median

import nbformat
import pytest

from hub.prepare import SIZES
from tests.notebooks.lists import ALL, COURSE, EXECUTED, EXPLORERS, NOTEBOOKS, SOLUTIONS, TASK
from tools.colab_cells import is_colab
from tools.exercises import TAG

ROOT = NOTEBOOKS.parent

# Cells whose output differs from run to run, by their first line. All others are compared.
NOT_COMPARED = {
    "03_training.ipynb": [
        "run = new_run()",
        "vae = new_model()",
        "%load_ext tensorboard",
    ],
    "07_what_it_knows.ipynb": ["STEPS = 300"],
    "08_whom_it_fails.ipynb": ["keras.utils.set_random_seed(0)"],
    "06_morphing.ipynb": ['Image(gif, alt="One face turns into another and back")'],
}


def read(path):
    return nbformat.read(path, as_version=4)


def code_cells(path):
    """Those of the lesson: without that for Google Colab."""
    code = [cell for cell in read(path).cells if cell.cell_type == "code"]
    return [cell for cell in code if not is_colab(cell)]


def lines_of_code(cell):
    lines = [line.strip() for line in cell.source.splitlines()]
    return sum(bool(line) and not line.startswith("#") for line in lines)


def name(path):
    return path.name


@pytest.mark.parametrize("path", [*ALL, *TASK], ids=name)
def test_the_faces_are_read_before_cells_are_compared(path):
    """Else a slow machine shows a progress bar in a cell whose stored output has none."""
    code = "\n".join(cell.source for cell in code_cells(path))
    sizes = re.findall(r"^SIZE\b[A-Z_, ]*= *(\d+)", code, re.M)
    sizes += re.findall(r"\bimage_size=(\d+)", code)
    assert {int(size) for size in sizes} <= set(SIZES)


def text_of(path):
    return "\n\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")


def section(path, title):
    """The text below a heading of the second level, up to the next one."""
    return text_of(path).split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_there_are_eight():
    assert [path.name[:3] for path in COURSE] == [f"0{number}_" for number in range(1, 9)]


@pytest.mark.parametrize("path", [*COURSE, EXPLORERS], ids=name)
def test_goals_first(path):
    first = read(path).cells[0]
    assert first.cell_type == "markdown" and "In this notebook, we" in first.source


@pytest.mark.parametrize("path", COURSE, ids=name)
def test_the_exercises_are_named_and_stand_elsewhere(path):
    """So that they can't differ from those in the solutions."""
    text = section(path, "Exercises")
    for kind in ("exercises", "solutions"):
        file = f"{kind}/{path.stem}_{kind}.ipynb"
        assert f"[{file}]({file})" in text
    assert not re.search(r"^\d\. ", text, flags=re.M)


@pytest.mark.parametrize("path", ALL, ids=name)
def test_cells_are_short(path):
    lengths = [lines_of_code(cell) for cell in code_cells(path)]
    assert max(lengths) <= 25
    assert median(lengths) <= 5


@pytest.mark.parametrize("path", EXECUTED, ids=name)
def test_was_run_from_top_to_bottom_without_error_or_noise(path):
    cells = [cell for cell in read(path).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell.outputs]
    assert not any(output.output_type == "error" for output in outputs)
    assert not any(output.get("name") == "stderr" for output in outputs)
    assert not any("WARNING" in output.get("text", "") for output in outputs)


@pytest.mark.parametrize("path", ALL, ids=name)
def test_is_small_and_knows_no_machine(path):
    text = path.read_text()
    assert len(text) < 1_500_000
    assert not re.search(r"""["' =(:]/(root|home|work|tmp|Users)/""", text)
    assert "widgets" not in read(path).metadata


def tags(cell):
    return cell.metadata.get("tags", [])


@pytest.mark.parametrize("path", ALL, ids=name)
def test_only_the_listed_cells_are_not_compared(path):
    used = {tag for cell in read(path).cells for tag in tags(cell) if not is_colab(cell)}
    assert used <= {"nbval-ignore-output", *([TAG] if path in SOLUTIONS else [])}
    tagged = [cell for cell in code_cells(path) if "nbval-ignore-output" in tags(cell)]
    first_lines = [cell.source.splitlines()[0] for cell in tagged]
    assert first_lines == NOT_COMPARED.get(path.name, [])


USES_FACES = [path for path in ALL if not path.stem.startswith("02_model_")]


@pytest.mark.parametrize("path", USES_FACES, ids=name)
def test_one_line_at_the_top_changes_the_faces(path):
    first, *others = [cell.source for cell in code_cells(path)]
    lines = first.splitlines()
    assert lines[:2] == ["import os", ""]
    assert lines[2].startswith('FACES = os.environ.get("FACES", "portraits")')
    assert 'read_faces("' not in "\n".join(others)


@pytest.mark.parametrize("path", [*COURSE[3:], EXPLORERS, *SOLUTIONS[3:]], ids=name)
def test_one_line_at_the_top_changes_the_model(path):
    first, *others = [cell.source for cell in code_cells(path)]
    assert first.splitlines()[3:] == ['MODEL = "pretrained" if FACES == "portraits" else "mine"']
    assert "pretrained" not in "\n".join(others)


@pytest.mark.after_notebooks
@pytest.mark.parametrize("stored, result", [("mean 2.0", 0), ("mean 2.1", 1)])
def test_a_changed_number_fails(tmp_path, stored, result):
    """Notebook 2's first numbers pass as committed, and fail with another number in their place."""
    notebook = read(COURSE[1])
    needed = ["import keras\n", "class Sampling", "z_mean = np.full("]
    notebook.cells = [
        cell for cell in notebook.cells if any(cell.source.startswith(start) for start in needed)
    ]
    assert len(notebook.cells) == 3
    (output,) = notebook.cells[-1].outputs
    assert "mean 2.0" in output.text
    output.text = output.text.replace("mean 2.0", stored)
    nbformat.write(notebook, tmp_path / "changed.ipynb")
    command = [sys.executable, "-m", "pytest", "--nbval", "-c", ROOT / "pyproject.toml"]
    command += ["-p", "no:cacheprovider", f"--rootdir={ROOT}", tmp_path / "changed.ipynb"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == result, run.stdout


@pytest.mark.parametrize("path", ALL, ids=name)
def test_no_cell_hides_its_value_with_a_semicolon(path):
    """nbval runs cells without history, where IPython does not see the semicolon."""
    assert not any(cell.source.rstrip().endswith(";") for cell in code_cells(path))
