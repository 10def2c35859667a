"""Estimate how long a learner takes for each notebook, and for its exercises.

    python tools/minutes.py           # prints them
    python tools/minutes.py --write   # and puts them into the README's table

Nothing is run; the notebooks are counted as they are.
"""

import argparse
import re
import sys
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from groundwork.commands import sentence  # noqa: E402
from groundwork.files import write_whole  # noqa: E402

README = ROOT / "README.md"
NOTEBOOKS = ROOT / "notebooks"
WORDS = 100  # read in a minute: technical text, for many in a second language
CELL = FIGURE = PREDICTION = QUESTION = 1.0  # minutes for each
EXERCISE = 8.0  # minutes to understand an exercise and to think, before writing
SOLUTION_LINE = 0.5  # minutes to write and to mend a line like one of the solution
STEP = 5  # minutes, to which an estimate is rounded


def reading(notebook: nbformat.NotebookNode) -> float:
    """Minutes to read a notebook, run it, and answer what it asks; without the exercises."""
    text = re.sub(r"\]\([^)]*\)|<[^>]+>", " ", markdown(notebook))  # links' targets aren't read
    words = len(re.findall(r"\w[\w'-]*", text))
    outputs = [output for cell in code(notebook) for output in cell.outputs]
    figures = sum(any(kind.startswith("image/") for kind in o.get("data", {})) for o in outputs)
    asked = PREDICTION * len(re.findall(r"\*\*Predict", text))
    asked += QUESTION * len(re.findall(r"\*\*Question \d", text))
    return words / WORDS + CELL * len(code(notebook)) + FIGURE * figures + asked


def practice(solutions: nbformat.NotebookNode) -> float:
    """Minutes for the exercises of a notebook, whose solutions are parts like "## 1. Title"."""
    exercises = re.findall(r"^## \d+\. ", markdown(solutions), flags=re.MULTILINE)
    starts = (i for i, cell in enumerate(solutions.cells) if "## 1. " in cell.source)
    cells = solutions.cells[next(starts, len(solutions.cells)) :]
    lines = "\n".join(cell.source for cell in cells if cell.cell_type == "code").splitlines()
    return EXERCISE * len(exercises) + SOLUTION_LINE * sum(bool(line.strip()) for line in lines)


def markdown(notebook: nbformat.NotebookNode) -> str:
    """The text of a notebook."""
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def code(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """The code cells of a notebook."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def rounded(minutes: float) -> int:
    """Minutes to a multiple of `STEP`, and never none."""
    return max(STEP, STEP * round(minutes / STEP))


def read(path: Path) -> nbformat.NotebookNode:
    """A notebook; a ValueError names a file that is none."""
    try:
        return nbformat.read(path, as_version=4)
    except OSError:
        raise
    except Exception as error:  # nbformat has many for what is no notebook
        raise ValueError(f"{path} is no notebook: restore it.") from error


def estimates(folder: Path = NOTEBOOKS) -> dict[str, tuple[int, int]]:
    """For each notebook of the course: minutes to read and run it, and for its exercises."""
    found = {}
    for path in sorted(folder.glob("0*.ipynb")):
        solved = folder / "solutions" / f"{path.stem}_solutions.ipynb"
        pair = [read(one) for one in (path, solved)]
        found[path.stem] = rounded(reading(pair[0])), rounded(practice(pair[1]))
    return found


def hours(found: dict[str, tuple[int, int]]) -> str:
    """The sums of the estimates, as the README states them."""
    reads, practised = (round(sum(column) / 60) for column in zip(*found.values(), strict=True))
    return f"{reads} hours to read and run, and {practised} for the exercises"


def with_minutes(page: str, found: dict[str, tuple[int, int]]) -> str:
    """The README with these estimates in its table and in the sentence below it."""

    def row(match: re.Match) -> str:
        if match["name"] not in found:
            raise ValueError(
                f"The README's table names {match['name']}: there is no such notebook."
            )
        minutes, practised = found[match["name"]]
        return f"{match['start']} {minutes} | {practised} |{match['end']}"

    columns = r"\]\(notebooks/(?P<name>\w+)\.ipynb\) \|.*?\|) \d+ \| \d+ \|(?P<end> \d+ \|)$"
    page = re.sub(rf"^(?P<start>\| \[.*?{columns}", row, page, flags=re.MULTILINE)
    return re.sub(hours({"": (0, 0)}).replace("0", r"\d+"), hours(found), page)


def main() -> None:
    """Print a line per notebook and the sums; write them into the README, if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="put them into the README's table")
    options = parser.parse_args()
    try:
        show(options.write)
    except (OSError, ValueError) as error:
        sys.exit(sentence(error))


def show(write: bool) -> None:
    """Print the estimates, and write them if wanted."""
    found = estimates()
    print(f"{'minutes to':24} {'read and run':>12} {'do the exercises':>17}")
    for name, (minutes, practised) in found.items():
        print(f"{name:24} {minutes:12} {practised:17}")
    print(hours(found))
    if write:
        write_whole(README, with_minutes(README.read_text(encoding="utf-8"), found))


if __name__ == "__main__":
    main()
