"""Write the first cell of each notebook, which makes Google Colab ready and does nothing elsewhere.

    python tools/colab_cells.py            writes the cells
    python tools/colab_cells.py --check    says which notebooks have another one

The cells hold the address of the repository, which stands in pyproject.toml, [tool.latent-faces].
"""

import argparse
import sys
import tomllib
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from groundwork.commands import sentence  # noqa: E402
from groundwork.files import write_whole  # noqa: E402

TAG = "colab"
ID = "colab"
NOTEBOOKS = ("[0-9]*.ipynb", "explorers.ipynb", "*/[0-9]*.ipynb", "task/task*.ipynb")
CELL = """\
import sys

COURSE = "{address}"  # where the course is: https://...
if "google.colab" in sys.modules:  # elsewhere, this cell does nothing
    assert COURSE, "Write the address of the course's repository between the quotes above."
    !test -d latent-faces || git clone --quiet --depth 1 {{COURSE}} latent-faces
    sys.path.insert(0, "latent-faces")
    from tools.colab import prepare

    prepare()"""


def main() -> None:
    """Write the cells, or compare them; end with status 1 if one differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, say what differs")
    options = parser.parse_args()
    try:
        wrong = stale(ROOT / "notebooks", repository())
        for path, text in {} if options.check else wrong.items():
            write_whole(path, text)
    except (OSError, ValueError) as error:
        sys.exit(sentence(error))
    what = "has another cell: run python tools/colab_cells.py" if options.check else "is written"
    for path in wrong:
        print(f"{path.relative_to(ROOT).as_posix()} {what}.")
    if not wrong:
        print("The first cells of all notebooks are up to date.")
    if wrong and options.check:
        sys.exit(1)


def repository(file: Path = ROOT / "pyproject.toml") -> str:
    """The address of the repository on the web, as pyproject.toml says; "" if it has none yet.

    Raises:
        ValueError: it is no address (one sentence).
    """
    address = tomllib.loads(file.read_text("utf-8"))["tool"]["latent-faces"]["repository"]
    if address and (not address.startswith("https://") or set(address) & set('"\\{}$ \n')):
        raise ValueError(
            f"The repository in {file.name} is {address}: give an address, https://..."
        )
    return address.rstrip("/")


def stale(notebooks: Path, address: str) -> dict[Path, str]:
    """The notebooks whose first cell is another one, and what their files should be.

    Args:
        notebooks: the folder of the course's notebooks.
        address: of the repository, for the cells.

    Raises:
        OSError: a notebook can't be read.
        ValueError: a file is no notebook (one sentence).
    """
    wrong = {}
    for path in sorted(path for form in NOTEBOOKS for path in notebooks.glob(form)):
        try:
            notebook = nbformat.read(path, as_version=4)
        except OSError:
            raise
        except Exception as error:  # nbformat has many for what is no notebook
            raise ValueError(f"{path.name} is no notebook: restore it.") from error
        text = nbformat.writes(with_cell(notebook, address)) + "\n"
        if path.read_text("utf-8") != text:
            wrong[path] = text
    return wrong


def with_cell(notebook: NotebookNode, address: str) -> NotebookNode:
    """A notebook with the cell below its title, counted as the first of its cells of code.

    Args:
        notebook: with or without the cell; it is not changed.
        address: of the repository; "" if it has none.
    """
    title, *others = [cell for cell in notebook.cells if not is_colab(cell)]
    cell = new_code_cell(CELL.format(address=address), id=ID)
    cell.metadata = NotebookNode(jupyter={"source_hidden": True}, tags=[TAG])
    cells = nbformat.from_dict([title, cell, *others])
    code = [cell for cell in cells if cell.cell_type == "code"]
    if any(cell.execution_count for cell in code[1:]):
        for count, one in enumerate(code, 1):
            one.execution_count = count
            for output in one.outputs:
                if "execution_count" in output:
                    output.execution_count = count
    return NotebookNode({**notebook, "cells": cells})


def is_colab(cell: NotebookNode) -> bool:
    """Whether a cell is that for Colab."""
    return TAG in cell.metadata.get("tags", [])


if __name__ == "__main__":
    main()
