"""What importing vaelib does, and who imports whom."""

import ast
import sys
from pathlib import Path

import pytest

import vaelib

PACKAGE = Path(vaelib.__file__).parent
ORDER = [
    "start",
    "archives",
    "resize",
    "images",
    "data",
    "celeba",
    "checks",
    "scales",
    "model",
    "optimizer",
    "training",
    "photo",
    "latent",
    "metrics",
    "edits",
    "plots",
    "widgets",
    "__main__",
]  # a module imports from those to its left
MODULES = sorted(path.stem for path in PACKAGE.glob("*.py") if path.stem != "__init__")


def imports(path: Path) -> set[str]:
    """Full names of what a file imports, wherever in the file it does so."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def ours(path: Path) -> set[str]:
    """Modules of vaelib that a file imports."""
    return {name.split(".")[1] for name in imports(path) if name.startswith("vaelib.")}


def test_every_public_name_is_there():
    for name in vaelib.__all__:
        assert getattr(vaelib, name).__doc__, name
    assert sorted(vaelib.__all__) == sorted(set(vaelib.__all__))


def test_every_module_has_its_place_in_the_order():
    assert set(MODULES) <= set(ORDER)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_from_those_above_it(module):
    above = set(ORDER[: ORDER.index(module)])
    assert ours(PACKAGE / f"{module}.py") <= above


@pytest.mark.parametrize("module", ["archives", "resize", "optimizer", "latent"])
def test_these_can_be_read_on_their_own(module):
    assert ours(PACKAGE / f"{module}.py") == set()


@pytest.mark.parametrize("module", [m for m in MODULES if m != "edits"])
def test_no_module_but_edits_knows_the_portraits(module):
    roots = {name.split(".")[0] for name in imports(PACKAGE / f"{module}.py")}
    assert "portraits" not in roots


def test_the_model_needs_keras_numpy_and_our_own_writing_of_files():
    roots = {name.split(".")[0] for name in imports(PACKAGE / "model.py")}
    assert roots - set(sys.stdlib_module_names) == {"keras", "numpy", "vaelib"}
