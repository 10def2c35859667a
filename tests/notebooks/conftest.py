"""Runs notebooks whose cells were changed, in a kernel of their own."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

from tools.colab_cells import is_colab

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


@pytest.fixture(scope="session")
def code_of() -> Callable[[str], list[str]]:
    """Gives the code cells of a notebook by its name, as text, without that for Google Colab."""

    def read(name: str) -> list[str]:
        notebook = nbformat.read(NOTEBOOKS / name, as_version=4)
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        return [cell.source for cell in code if not is_colab(cell)]

    return read


@pytest.fixture(scope="session")
def run_cells() -> Callable[..., NotebookNode]:
    """Runs cells of code one after the other in a new kernel; the first that fails raises."""

    def run(cells: list[str], folder: Path = NOTEBOOKS, **environment: str) -> NotebookNode:
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
        client = NotebookClient(
            notebook,
            timeout=600,
            kernel_name="python3",
            store_widget_state=False,
            resources={"metadata": {"path": str(folder)}},
        )
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        return client.execute(env={**os.environ, "PATH": path, **environment})

    return run
