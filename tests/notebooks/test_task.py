"""The wrap-up task: a notebook with room for a learner's work, and its solution."""

import json
import re
from statistics import median

import nbformat
import pytest

from benchmarks.broken_runs import programs
from tests.notebooks.lists import NOTEBOOKS
from tests.notebooks.test_figures import figures_made, pictures
from tests.notebooks.test_lesson import anchors, links, numbers_without_output, prose, unlinked
from tests.notebooks.test_notebooks import code_cells, lines_of_code, tags
from tools.colab_cells import is_colab
from tools.exercises import is_answer
from vaelib.task import RUNS

TASK, SOLUTION = (NOTEBOOKS / "task" / f"{name}.ipynb" for name in ("task", "task_solution"))
BOTH = pytest.mark.parametrize("path", [TASK, SOLUTION], ids=lambda path: path.stem)
LEFT_TO_DO = "# Your code"


def cells_of(path):
    return nbformat.read(path, as_version=4).cells


@BOTH
def test_goals_first_and_a_recap_at_the_end(path):
    first, *_, last = cells_of(path)
    assert "In this notebook, we" in first.source and "**Before you start.**" in first.source
    assert last.source.startswith("## Recap\n")


@BOTH
def test_cells_are_short(path):
    lengths = [lines_of_code(cell) for cell in code_cells(path)]
    assert max(lengths) <= 25 and median(lengths) <= 5


@BOTH
def test_text_stands_before_and_after_each_figure(path):
    cells = cells_of(path)
    for before, cell, after in zip(cells, cells[1:], cells[2:]):
        if cell.cell_type == "code" and figures_made(cell.source):
            assert before.cell_type == after.cell_type == "markdown"


@BOTH
def test_is_small_and_knows_no_machine(path):
    text = path.read_text("utf-8")
    assert len(text) < 1_500_000
    assert not re.search(r"""["' =(:]/(root|home|work|tmp|Users)/""", text)


@BOTH
def test_links_lead_somewhere_and_terms_are_linked(path):
    assert unlinked(prose(path)) == []
    for link in links(path):
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve()
        assert target.exists() and (not anchor or anchor in anchors(target)), link


def test_the_task_has_room_and_no_outputs():
    cells = code_cells(TASK)
    assert sum(cell.source == LEFT_TO_DO for cell in cells) == len(RUNS)
    assert not any(cell.outputs or cell.execution_count for cell in cells)
    assert not any(tags(cell) for cell in cells_of(TASK) if not is_colab(cell))


def test_the_solution_is_the_task_with_its_answers():
    """Whatever is no answer is the same in both, but for the title."""
    task = [cell.source for cell in cells_of(TASK)]
    solved = [cell.source for cell in cells_of(SOLUTION) if not is_answer(cell)]
    solved[0] = solved[0].replace(": solution\n", "\n", 1)
    assert [source for source in task if source in solved] == solved
    changed = [source for source in task if source not in solved]
    assert sum(source == LEFT_TO_DO for source in changed) == len(RUNS)
    assert len(changed) == 2 * len(RUNS) + 1  # the room, a cell with a fault each, the answers


def test_the_solution_was_run_without_error_or_noise():
    counts = [cell.execution_count for cell in cells_of(SOLUTION) if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))
    cells = code_cells(SOLUTION)
    kinds = [o.output_type for c in cells for o in c.outputs if o.get("name") != "stdout"]
    assert "error" not in kinds and "stream" not in kinds
    assert numbers_without_output(cells_of(SOLUTION)) == []
    assert all(pictures(cell) >= figures_made(cell.source) for cell in cells)
    trained = [cell.source for cell in cells if "nbval-ignore-output" in tags(cell)]
    assert trained == [f"model_{r} = train(Run{r.upper()}, batches_{r})" for r in RUNS]


@pytest.mark.slow
@pytest.mark.after_notebooks
def test_each_program_of_the_task_has_a_fault_and_none_of_the_solution():
    import vaelib
    from vaelib.task import SIZE, report

    faces = vaelib.read_faces("portraits")
    new = vaelib.load_images(faces, faces.file_names("test")[:32], SIZE)
    for path, right in {TASK: False, SOLUTION: True}.items():
        found = json.loads(report(programs(path), new))
        assert [found[run]["code"] == "" for run in RUNS] == [right] * len(RUNS), found
