"""What vaelib offers by name, and which of its modules know TensorFlow, the portraits and others.

The direction of imports is held by `lint-imports`, see pyproject.toml.
"""

import ast
import sys
from pathlib import Path

import vaelib

PACKAGE = Path(vaelib.__file__).parent
MODULES = {path.relative_to(PACKAGE).as_posix(): path for path in PACKAGE.rglob("*.py")}


def imports(path: Path) -> set[str]:
    """Names of the packages that a file imports, wherever in the file it does so."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            found.add(node.module.split(".")[0])
    return found


def importers(package: str) -> set[str]:
    return {name for name, path in MODULES.items() if package in imports(path)}


def test_every_public_name_is_there():
    for name in vaelib.__all__:
        assert getattr(vaelib, name).__doc__, name
    assert sorted(vaelib.__all__) == sorted(set(vaelib.__all__))


def test_only_data_and_tensorboard_know_tensorflow():
    """`start` leaves the GPU to JAX; all else goes through Keras, on whatever backend."""
    outside = {name for name in importers("tensorflow") if not name.startswith("data/")}
    assert outside == {"tensorboard.py"}


def test_only_the_counterfactuals_know_the_portraits():
    assert importers("portraits") == {"counterfactuals.py"}


def test_the_model_needs_nothing_but_keras():
    assert imports(MODULES["model.py"]) - set(sys.stdlib_module_names) == {"keras", "vaelib"}


def test_the_model_can_be_read_at_one_sitting():
    assert len(MODULES["model.py"].read_text(encoding="utf-8").splitlines()) <= 200
