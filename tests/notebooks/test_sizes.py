"""Notebooks 3 to 8 and their solutions with models of other sizes, few faces and few steps.

They are run in a copy of the project, so that the models trained here are nobody's newest. What a
cell asserts is computed and not asserted: a model of eight steps knows nothing.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.notebooks.lists import EXPLORERS

ROOT = Path(__file__).resolve().parents[2]
COPIED = ["groundwork", "portraits", "vaelib", "data/pretrained", "data/README.md"]
COPIED += ["data/rate_distortion.csv", "data/groups", "data/overfitting", "notebooks"]
COPIED += ["pyproject.toml"]
NAMES = ["03_training", "04_latent_space", "05_attributes", "06_morphing"]
NAMES += ["07_what_it_knows", "08_whom_it_fails", EXPLORERS.stem]

# A training at a rate of zero changes no weight, while its losses still move.
TRAININGS_TRAIN = """
import keras, numpy

def fit(self, *arguments, unchecked=keras.Model.fit, **options):
    before = [numpy.array(weight) for weight in self.trainable_variables]
    history = unchecked(self, *arguments, **options)
    for weight, old in zip(self.trainable_variables, before):
        assert not numpy.array_equal(weight, old), f"{weight.path} was not trained"
    return history

keras.Model.fit = fit
"""


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Path:
    """A copy of the project with 800 portraits."""
    root = tmp_path_factory.mktemp("course")
    without = shutil.ignore_patterns("__pycache__")  # another program may be writing there
    for name in COPIED:
        (root / name).parent.mkdir(exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, root / name, ignore=without)
        else:
            shutil.copy(ROOT / name, root / name)
    draw = [sys.executable, "-m", "portraits", "--count", "800", "--out", "data/portraits"]
    subprocess.run(draw, cwd=root, check=True)
    return root


def shortened(cell: str, size: int) -> str:
    """A cell with a model of another size and of its own, few steps, and without assertions."""
    for usual, other in {
        "SIZE = 64 ": f"SIZE = {size} ",
        "(8, 60)": "(4, 2)",
        "STEPS = 300": "STEPS = 2",
        "STEPS = 400": "STEPS = 2",
        'MODEL = "pretrained"': 'MODEL = "mine"',
    }.items():
        cell = cell.replace(usual, other)
    return re.sub(r"^(\s*)assert ", r"\1", cell, flags=re.MULTILINE)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.after_notebooks
@pytest.mark.parametrize("size", [32, 128])
def test_all_run_with_a_model_of_another_size(course, code_of, run_cells, size):
    """What trains runs twice, and trains each time."""
    cells = [TRAININGS_TRAIN]
    for name in NAMES:
        code = code_of(f"{name}.ipynb")
        if name != EXPLORERS.stem and size == 32:  # one other size does for what learners write
            code += code_of(f"solutions/{name}_solutions.ipynb")
        for cell in code:
            if "%tensorboard" not in cell:  # test_tensorboard.py runs it
                cells += [shortened(cell, size)] * (2 if ".fit(" in cell else 1)
    cells += [f"assert vae.image_size == {size}"]
    run_cells(cells, course / "notebooks", PYTHONPATH=str(course), FACES="portraits")
