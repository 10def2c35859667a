"""Prepare the project for pytest: the notebooks need the portraits and this Python's programs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent
READ_ONCE = "from vaelib.data import load_pixels, read_faces; load_pixels(read_faces('portraits'))"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests that use what a notebook leaves behind after the notebooks."""
    items.sort(key=lambda item: item.get_closest_marker("after_notebooks") is not None)


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
    with session.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        for arguments in (["-m", "portraits"], ["-c", READ_ONCE]):
            if subprocess.call([sys.executable, *arguments], cwd=ROOT) != 0:
                pytest.exit("The portraits are not ready; it says why above.", returncode=1)
