"""Notebooks 4 to 6 with the reader's own model, as trained by notebook 3."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from vaelib.data import read_faces
from vaelib.training import newest_run

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"


def execute(notebook, folder=NOTEBOOKS):
    client = NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        store_widget_state=False,
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute()


@pytest.fixture(scope="module")
def a_finished_run():
    """The newest run of notebook 3; it is run here if it never was."""
    faces = read_faces("portraits")
    try:
        return newest_run(faces=faces)
    except FileNotFoundError:
        execute(nbformat.read(NOTEBOOKS / "03_training.ipynb", as_version=4))
        return newest_run(faces=faces)


@pytest.mark.after_notebooks
@pytest.mark.parametrize(
    "name", ["04_latent_space.ipynb", "05_attributes.ipynb", "06_morphing.ipynb"]
)
def test_runs_with_the_model_of_notebook_3(a_finished_run, name):
    assert os.path.exists(a_finished_run / "vae.keras")
    notebook = nbformat.read(NOTEBOOKS / name, as_version=4)
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    assert 'MODEL = "pretrained"' in first.source
    first.source += '\nMODEL = "mine"'
    execute(notebook)
