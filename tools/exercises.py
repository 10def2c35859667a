"""Write the notebooks of exercises: those of the solutions, without the answers.

python tools/exercises.py            writes notebooks/exercises/
python tools/exercises.py --check    says which of them are not what this command writes

In notebooks/solutions/, each cell of an answer has the tag `solution`. All cells without it stay,
without their outputs. In the place of the cells of one answer stands an empty cell for code or for
text, or one of each, where the answer has code and the exercise asks a question, too.
"""

import argparse
import sys
from itertools import groupby
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from groundwork.commands import sentence  # noqa: E402
from groundwork.files import write_whole  # noqa: E402

TAG = "solution"
FOR_CODE = "# your answer"
FOR_TEXT = "*Your answer:*"


def main() -> None:
    """Write the exercises, or compare them; end with status 1 if they differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, say what differs")
    options = parser.parse_args()
    try:
        wanted = exercises_of_all(ROOT / "notebooks")
        wrong = differences(ROOT / "notebooks", wanted)
        for path in [] if options.check else wrong.keys() & wanted.keys():
            path.parent.mkdir(exist_ok=True)
            write_whole(path, wanted[path])
            wrong[path] = "is written"
    except (OSError, ValueError) as error:
        sys.exit(sentence(error))
    for path, what in sorted(wrong.items()):
        print(f"{path.relative_to(ROOT).as_posix()} {what}.")
    if not wrong:
        print(f"All {len(wanted)} notebooks of exercises are up to date.")
    if set(wrong.values()) - {"is written"}:
        sys.exit(1)


def exercises_of_all(notebooks: Path) -> dict[Path, str]:
    """Make the notebook of exercises for each notebook of solutions.

    Args:
        notebooks: the folder with solutions/ and exercises/.

    Returns:
        The text of each file, by the path where it belongs.

    Raises:
        OSError: a notebook can't be read.
        ValueError: a notebook of solutions lacks its form; the message says what to change.
    """
    texts = {}
    for path in sorted((notebooks / "solutions").glob("[0-9]*.ipynb")):
        name = path.stem.removesuffix("_solutions")
        try:
            solutions = nbformat.read(path, as_version=4)
            cells = [cell.id for cell in solutions.cells]
        except OSError:
            raise
        except Exception as error:  # nbformat has many for what is no notebook
            raise ValueError(f"{path.name} is no notebook: restore it.") from error
        if len({*cells}) != len(cells):
            raise ValueError(f"{path.name} has two cells with one id: restore it.")
        try:
            notebook = exercises_of(solutions, name)
        except ValueError as error:
            raise ValueError(f"{path.name}: {error}") from error
        target = notebooks / "exercises" / f"{name}_exercises.ipynb"
        texts[target] = nbformat.writes(notebook) + "\n"
    if not texts:
        raise ValueError(f"There is no notebook in {notebooks / 'solutions'}.")
    return texts


def exercises_of(solutions: NotebookNode, name: str) -> NotebookNode:
    """Make a notebook of exercises; the given notebook is not changed.

    Args:
        solutions: its first cell is its title, "# 1. Faces and labels: solutions".
        name: of the notebook that teaches what is asked, such as "01_faces".

    Raises:
        ValueError: there is no such title, or no answer.
    """
    title, end, _ = "".join(c.source for c in solutions.cells[:1]).partition(": solutions")
    if not title.startswith("# ") or not end or "\n" in title:
        raise ValueError('the first cell must begin with a title, "# ...: solutions".')
    first, *others = solutions.cells
    if not any(map(is_answer, others)):
        raise ValueError(f"no cell has the tag {TAG}: give it to the cells of the answers.")
    source = (
        f"{title}: exercises\n\nThe exercises of [{name}.ipynb](../{name}.ipynb). Write your "
        f"answers into the empty cells; [{name}_solutions.ipynb](../solutions/"
        f"{name}_solutions.ipynb) has them solved."
    )
    cells = [new_markdown_cell(source, id=first.id)]
    for answered, run in groupby(others, is_answer):
        part = list(run)
        cells += room_for(part, cells[-1].source) if answered else map(without_outputs, part)
    return new_notebook(cells=cells, metadata=solutions.metadata)


def is_answer(cell: NotebookNode) -> bool:
    """Whether a cell belongs to an answer."""
    return TAG in cell.metadata.get("tags", [])


def room_for(answer: list[NotebookNode], exercise: str) -> list[NotebookNode]:
    """Make the cells that stand in the place of the cells of an answer, with ids of theirs.

    Args:
        answer: its cells.
        exercise: the text above them.
    """
    code, text = ([c.id for c in answer if c.cell_type == kind] for kind in ("code", "markdown"))
    cells = [new_code_cell(FOR_CODE, id=code[0])] if code else []
    if text and ("?" in exercise or not code):
        cells.append(new_markdown_cell(FOR_TEXT, id=text[0]))
    return cells


def without_outputs(cell: NotebookNode) -> NotebookNode:
    """Copy a cell as if it had never been run."""
    if cell.cell_type == "code":
        return new_code_cell(cell.source, id=cell.id, metadata=cell.metadata)
    return new_markdown_cell(cell.source, id=cell.id, metadata=cell.metadata)


def differences(notebooks: Path, wanted: dict[Path, str]) -> dict[Path, str]:
    """Compare the files of exercises/ with what they should be.

    Args:
        notebooks: the folder with exercises/.
        wanted: of `exercises_of_all`.

    Returns:
        What is wrong with a file, by its path: it is missing, differs, or has no solutions.
    """
    wrong = {}
    for path, text in wanted.items():
        if not path.exists():
            wrong[path] = "is missing: run python tools/exercises.py"
        elif path.read_bytes().replace(b"\r\n", b"\n") != text.encode():  # git may write \r\n
            wrong[path] = "differs from its solutions: run python tools/exercises.py"
    found = sorted((notebooks / "exercises").glob("*.ipynb"))
    return wrong | {path: "has no solutions: delete it" for path in found if path not in wanted}


if __name__ == "__main__":
    main()
