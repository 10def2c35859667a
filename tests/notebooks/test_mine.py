"""Notebooks 4 to 6 with the reader's own model, as trained by notebook 3."""

import pytest

from vaelib.data.faces import read_faces
from vaelib.runs import newest_run


@pytest.fixture(scope="module")
def a_finished_run(code_of, run_cells):
    """The newest run of notebook 3; it is run here if it never was."""
    faces = read_faces("portraits")
    try:
        return newest_run(faces=faces)
    except FileNotFoundError:
        run_cells(code_of("03_training.ipynb"))
        return newest_run(faces=faces)


@pytest.mark.after_notebooks
@pytest.mark.parametrize(
    "name", ["04_latent_space.ipynb", "05_attributes.ipynb", "06_morphing.ipynb"]
)
def test_runs_with_the_model_of_notebook_3(a_finished_run, code_of, run_cells, name):
    assert (a_finished_run / "vae.keras").exists()
    first, *others = code_of(name)
    assert 'MODEL = "pretrained"' in first
    run_cells([f'{first}\nMODEL = "mine"', *others])
