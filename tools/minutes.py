"""Estimate how long a learner takes for each notebook, and for its exercises.

    python tools/minutes.py             # prints them
    python tools/minutes.py --sections  # and those of each section and each exercise
    python tools/minutes.py --write     # and puts them into the README and docs/teaching/

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
from tools.colab_cells import is_colab  # noqa: E402

README = ROOT / "README.md"
NOTEBOOKS = ROOT / "notebooks"
TEACHING = ROOT / "docs" / "teaching"
WORDS = 100  # read in a minute: technical text, for many in a second language
CELL = FIGURE = PREDICTION = QUESTION = 1.0  # minutes for each
EXERCISE = 8.0  # minutes to understand an exercise and to think, before writing
SOLUTION_LINE = 0.5  # minutes to write and to mend a line like one of the solution
START = "Start"  # what is before the first heading
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
    return sum(of_exercises(solutions).values())


def of_exercises(solutions: nbformat.NotebookNode) -> dict[str, float]:
    """Minutes for each exercise, by its title, such as "1. Title"."""
    found = {}
    for title, part in parts(solutions).items():
        if re.match(r"\d+\. ", title):
            lines = "\n".join(cell.source for cell in code(part)).splitlines()
            found[title] = EXERCISE + SOLUTION_LINE * sum(bool(line.strip()) for line in lines)
    return found


def parts(notebook: nbformat.NotebookNode) -> dict[str, nbformat.NotebookNode]:
    """Split a notebook at its headings of the second level; what is before them is START."""
    title, cells = START, {START: []}
    for cell in notebook.cells:
        texts = [cell.source]
        if cell.cell_type == "markdown":
            texts = re.split(r"^(?=## )", cell.source, flags=re.MULTILINE)
        for text in texts:
            if cell.cell_type == "markdown" and text.startswith("## "):
                title = text.splitlines()[0].removeprefix("## ")
            cells.setdefault(title, []).append(nbformat.NotebookNode({**cell, "source": text}))
    return {title: nbformat.NotebookNode(cells=some) for title, some in cells.items() if some}


def in_whole_minutes(minutes: dict[str, float], total: int) -> dict[str, int]:
    """Round the minutes of parts so that they add up to a total; no part has none."""
    whole = {name: max(1, round(value)) for name, value in minutes.items()}
    while missing := total - sum(whole.values()):
        step = 1 if missing > 0 else -1
        free = [name for name in whole if whole[name] + step >= 1]
        farthest = max(free, key=lambda name: step * (minutes[name] - whole[name]))
        whole[farthest] += step
    return whole


def by_part(name: str, folder: Path = NOTEBOOKS) -> dict[str, int]:
    """Minutes of a notebook's sections, and of its exercises ("1. Title"), by their titles.

    The former add up to the first estimate of the notebook, the latter to the second.
    """
    notebook = read(folder / f"{name}.ipynb")
    solved = read(folder / "solutions" / f"{name}_solutions.ipynb")
    sections = {title: reading(part) for title, part in parts(notebook).items()}
    reads = in_whole_minutes(sections, rounded(reading(notebook)))
    return reads | in_whole_minutes(of_exercises(solved), rounded(practice(solved)))


def markdown(notebook: nbformat.NotebookNode) -> str:
    """The text of a notebook."""
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def code(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """The code cells of a notebook that a learner reads: without that for Colab."""
    return [c for c in notebook.cells if c.cell_type == "code" and not is_colab(c)]


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


def with_parts(page: str, minutes: dict[str, int]) -> str:
    """A page of docs/teaching/ with the minutes of sections and exercises in its tables.

    A row begins "| section | minutes |"; several sections in a row are joined by " + ". The row
    "**together**" closes a table.
    """
    lines, total = page.splitlines(keepends=True), 0
    for i, line in enumerate(lines):
        if not (match := re.match(r"\| (.+?) \| (\**)\d+\2 \|", line)):
            continue
        name, bold = match.groups()
        if name == "**together**":
            count, total = total, 0
        elif unknown := [part for part in name.split(" + ") if part not in minutes]:
            raise ValueError(f"A table names {unknown[0]!r}: there is no such section or exercise.")
        else:
            count = sum(minutes[part] for part in name.split(" + "))
            total += count
        lines[i] = f"| {name} | {bold}{count}{bold} |{line[match.end() :]}"
    return "".join(lines)


def main() -> None:
    """Print a line per notebook and the sums; write them where they are stated, if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sections", action="store_true", help="print those of sections, too")
    parser.add_argument("--write", action="store_true", help="put them into the README and pages")
    options = parser.parse_args()
    try:
        show(options.sections, options.write)
    except (OSError, ValueError) as error:
        sys.exit(sentence(error))


def show(sections: bool, write: bool) -> None:
    """Print the estimates, those of sections if wanted, and write them if wanted."""
    found = estimates()
    print(f"{'minutes to':24} {'read and run':>12} {'do the exercises':>17}")
    for name, (minutes, practised) in found.items():
        print(f"{name:24} {minutes:12} {practised:17}")
        for title, share in by_part(name).items() if sections else ():
            print(f"{share:9}  {title}")
    print(hours(found))
    if write:
        write_whole(README, with_minutes(README.read_text(encoding="utf-8"), found))
        for name in found:
            page = TEACHING / f"{name}.md"
            write_whole(page, with_parts(page.read_text(encoding="utf-8"), by_part(name)))


if __name__ == "__main__":
    main()
