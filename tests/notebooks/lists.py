"""Which notebooks there are, for the tests over all of them."""

from pathlib import Path

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
COURSE = sorted(NOTEBOOKS.glob("0*.ipynb"))
EXPLORERS = NOTEBOOKS / "explorers.ipynb"
SOLUTIONS = sorted((NOTEBOOKS / "solutions").glob("0*.ipynb"))
EXERCISES = sorted((NOTEBOOKS / "exercises").glob("0*.ipynb"))
EXECUTED = [*COURSE, EXPLORERS, *SOLUTIONS]  # those with outputs
TASK = sorted((NOTEBOOKS / "task").glob("task*.ipynb"))
ALL = [*EXECUTED, *EXERCISES]


def named(paths: list[Path]) -> list[str]:
    """The paths as the fixture `code_of` takes them, such as solutions/01_faces_solutions.ipynb."""
    return [path.relative_to(NOTEBOOKS).as_posix() for path in paths]
