"""The exercises: one notebook for each of the course, made from its solutions, without answers.

nbval runs them from top to bottom, as it runs all notebooks; test_again.py holds that their cells
use nothing that an answer would have made.
"""

import re

import nbformat
import pytest

from tests.notebooks.lists import COURSE, EXERCISES, NOTEBOOKS, SOLUTIONS
from tools.exercises import FOR_CODE, FOR_TEXT, differences, exercises_of_all, is_answer

PAIRS = list(zip(SOLUTIONS, EXERCISES))


def cells_of(path):
    return nbformat.read(path, as_version=4).cells


def name(path):
    return path.name


def parts(source: str) -> list[str]:
    """The sentences of a text, or the lines of code; short ones may stand anywhere."""
    found = re.split(r"(?<=[.:?!)]) |\n", source)
    return [part.strip() for part in found if len(part.strip()) > 25]


def test_each_notebook_has_exercises_and_solutions():
    for kind, paths in {"exercises": EXERCISES, "solutions": SOLUTIONS}.items():
        assert [path.stem for path in paths] == [f"{path.stem}_{kind}" for path in COURSE]


def test_the_exercises_are_those_of_the_solutions():
    wrong = differences(NOTEBOOKS, exercises_of_all(NOTEBOOKS))
    assert not wrong, "run python tools/exercises.py"


@pytest.mark.parametrize("path", SOLUTIONS, ids=name)
def test_each_exercise_asks_something_and_has_an_answer(path):
    cells = cells_of(path)
    starts = [i for i, cell in enumerate(cells) if re.match(r"## \d\. ", cell.source)]
    numbers = [int(cells[i].source[3]) for i in starts]
    assert numbers == [*range(1, len(starts) + 1)] and len(starts) in (2, 3)
    assert not any(is_answer(cell) for cell in cells[: starts[0]])
    for start, end in zip(starts, [*starts[1:], len(cells)]):
        first, *others = cells[start:end]
        assert not is_answer(first) and len(first.source.split("\n\n", 1)[1]) > 40
        assert any(map(is_answer, others)) and is_answer(others[-1])


@pytest.mark.parametrize(("solutions", "exercises"), PAIRS, ids=name)
def test_no_part_of_an_answer_is_left(solutions, exercises):
    page = "\n".join(cell.source for cell in cells_of(exercises))
    page = re.sub(r"`[^`\n]+`", "", page)  # a hint may name a function
    answers = [cell for cell in cells_of(solutions) if is_answer(cell)]
    assert sum(len(parts(cell.source)) for cell in answers) > 10
    assert [part for cell in answers for part in parts(cell.source) if part in page] == []


@pytest.mark.parametrize("path", EXERCISES, ids=name)
def test_there_is_room_for_answers_and_no_output(path):
    cells = cells_of(path)
    assert sum(cell.source in (FOR_CODE, FOR_TEXT) for cell in cells) >= 3
    code = [cell for cell in cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)


@pytest.mark.parametrize("path", SOLUTIONS, ids=name)
def test_cells_that_stay_print_nothing(path):
    """Else nbval would miss their outputs in the exercises."""
    code = [cell for cell in cells_of(path) if cell.cell_type == "code"]
    assert not any(cell.outputs for cell in code if not is_answer(cell))
