"""Prepare the project for pytest: the notebooks need the portraits and this Python's programs."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hub.prepare import SIZES

ROOT = Path(__file__).resolve().parent
READY = pytest.StashKey[bool]()
READ_ONCE = f"""
from vaelib.data import load_pixels, read_faces
for size in {SIZES}:
    load_pixels(read_faces("portraits"), size)
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest tests first, but what uses what a notebook leaves behind after notebooks."""
    notebooks = any(item.path.suffix == ".ipynb" for item in items)

    def place(item: pytest.Item) -> tuple[bool, bool]:
        after = notebooks and item.get_closest_marker("after_notebooks") is not None
        return after, item.get_closest_marker("long") is None

    items.sort(key=place)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Draw the portraits, and read them once, if a notebook is about to run.

    A hook, since the cells of a notebook that nbval runs take no fixtures. Reading shows a
    progress bar the first time only, so it must not happen inside a cell that is compared.
    """
    uses_faces = any(
        item.path.suffix == ".ipynb" or item.get_closest_marker("after_notebooks")
        for item in session.items
    )
    if not uses_faces or session.config.option.collectonly:
        return
    # `tensorboard` and `!pip` in a cell are this Python's own.
    os.environ["FACES"] = "portraits"  # the stored outputs are theirs
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    if "PYTEST_XDIST_WORKER" not in os.environ:
        prepare(session.config)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: Any, ids: list[str]) -> None:
    """Do it once, before the tests are handed out, where several workers run them.

    Here, the tests are known by their names alone.
    """
    wanted = node.config.option.markexpr
    files = {name.partition("::")[0] for name in ids}
    notebooks = any(file.endswith(".ipynb") for file in files)
    tests = any(file.startswith(("tests/notebooks/", "tests/browser/")) for file in files)
    if notebooks or (tests and "not after_notebooks" not in wanted):
        prepare(node.config)


def prepare(config: pytest.Config) -> None:
    """Draw the portraits and read them; end the tests if that fails."""
    if config.stash.get(READY, False):
        return
    config.stash[READY] = True
    with config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        for arguments in (["-m", "portraits"], ["-c", READ_ONCE]):
            if subprocess.call([sys.executable, *arguments], cwd=ROOT) != 0:
                pytest.exit("The portraits are not ready; it says why above.", returncode=1)
