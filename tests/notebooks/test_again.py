"""Cells run twice, and out of order, as a learner runs them."""

import builtins
import dis
from pathlib import Path
from types import CodeType

import pytest
from IPython.core.inputtransformer2 import TransformerManager

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
ALL = sorted(path.relative_to(NOTEBOOKS).as_posix() for path in NOTEBOOKS.rglob("0*.ipynb"))
PREDEFINED = {*dir(builtins), "__name__", "display", "get_ipython"}


def names_of(code: CodeType) -> tuple[set[str], set[str], set[str]]:
    """The names that a cell expects to be there, those that it binds, and those that it imports."""
    expects, binds, imports = set(), set(), set()
    before = ""
    for step in dis.get_instructions(code):
        read = set()
        if step.opname in ("LOAD_NAME", "LOAD_GLOBAL"):
            read = {step.argval}
        elif isinstance(step.argval, CodeType):  # a function, a class, or a comprehension
            read = names_of(step.argval)[0]
        elif step.opname == "STORE_NAME":
            (imports if before.startswith("IMPORT") else binds).add(step.argval)
        expects |= read - binds - imports - PREDEFINED
        before = step.opname
    return expects, binds, imports


@pytest.mark.parametrize("name", ALL)
def test_what_cells_share_is_made_by_one_of_them(code_of, name):
    """Else a cell that is run again finds something else under the name than the first time."""
    transform = TransformerManager().transform_cell
    cells = [names_of(compile(transform(cell), name, "exec")) for cell in code_of(name)]
    for expects, *_ in cells:
        for shared in expects:
            makers = sum(shared in binds for _, binds, _ in cells)
            imported = any(shared in imports for *_, imports in cells)
            assert makers + imported == 1, f"{makers} cells make {shared}"
    for expects, binds, _ in cells:
        assert not expects & binds, "a cell changes what it was given"


@pytest.mark.slow
@pytest.mark.after_notebooks
@pytest.mark.parametrize(
    "name",
    [
        "01_faces.ipynb",
        "02_model.ipynb",
        "04_latent_space.ipynb",
        "05_attributes.ipynb",
        "06_morphing.ipynb",
    ],
)
def test_every_cell_runs_twice_and_out_of_order(code_of, run_cells, name):
    """Those that train are in test_sizes.py, cut short."""
    cells = code_of(name)
    run_cells([cell for cell in cells for _ in range(2)] + cells[::-1])
