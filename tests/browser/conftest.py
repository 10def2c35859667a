"""JupyterLab and a browser for the tests; without a browser they are skipped."""

import io
import os
import shutil
from pathlib import Path

import nbformat
import numpy as np
import pytest
from PIL import Image

from tools import browser

ROOT = Path(__file__).resolve().parents[2]
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "gw0")  # each has files of its own
FOLDER = ROOT / "build" / "browser" / WORKER
SCREENSHOTS = ROOT / "build" / "screenshots"
MARKS = (pytest.mark.browser, pytest.mark.after_notebooks)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder: they need a browser, and files that the notebooks write."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            for mark in MARKS:
                item.add_marker(mark)


@pytest.fixture(scope="session")
def a_browser():
    """A browser; if there is none, it is installed with CI=true, else the tests are skipped."""
    if not browser.find_browser():
        if os.environ.get("CI") != "true":
            pytest.skip("there is no Chrome or Chromium: `make browser` installs one")
        browser.install()
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)


@pytest.fixture(scope="session")
def server(a_browser):
    """JupyterLab, for all tests."""
    with browser.jupyter(FOLDER / "server.log") as server:
        yield server


@pytest.fixture(scope="module")
def open_notebook(server):
    """Open a copy of a notebook of the course, run all its cells, and return it.

    At the end of a module's tests, neither the page nor the kernel may have reported errors.
    """
    start = server.log.stat().st_size
    opened = []
    with browser.browser_page(viewport={"width": 1280, "height": 1000}) as page:

        def open_(name: str, change=None, run: bool = True) -> browser.Notebook:
            notebook = browser.Notebook(page, server, copied(name, change))
            opened.append(notebook)
            if run:
                notebook.run_all()
            return notebook

        yield open_
        complaints = [problem for notebook in opened for problem in notebook.problems]
        said = server.log.read_bytes()[start:].decode()  # before anything is closed
    server.close_kernels()
    assert not complaints
    assert "Traceback" not in said, said[-2000:]


def copied(name: str, change=None) -> str:
    """A copy of a notebook without outputs, its path from the root; `change` may edit its cells."""
    notebook = nbformat.read(ROOT / "notebooks" / name, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    if change:
        notebook.cells = change(notebook.cells)
    folder = FOLDER / "notebooks"
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, folder / name)
    return (folder / name).relative_to(ROOT).as_posix()


@pytest.fixture(scope="session")
def pixels():
    """Takes a picture of something on the page: float (h, w, 3) in [0, 255]."""

    def take(locator) -> np.ndarray:
        picture = Image.open(io.BytesIO(locator.screenshot()))
        return np.asarray(picture.convert("RGB")).astype(float)

    return take


@pytest.fixture(scope="session")
def at_rest(pixels):
    """Waits until a picture in a widget has not changed for a moment; gives its pixels."""

    def wait(widget, selector: str) -> np.ndarray:
        before = None
        for _ in range(50):
            now = pixels(widget.locator(selector))
            if before is not None and (now == before).all():
                return now
            before = now
            widget.page.wait_for_timeout(150)
        raise TimeoutError(f"{selector} does not come to rest")

    return wait


@pytest.fixture(scope="session")
def theme():
    """Gives JupyterLab's page the theme "Light" or "Dark"."""

    def choose(page, name: str) -> None:
        page.evaluate(
            "() => window.jupyterapp.commands.execute("
            f"'apputils:change-theme', {{theme: 'JupyterLab {name}'}})"
        )
        light = str(name == "Light").lower()
        page.wait_for_selector(f"body[data-jp-theme-light={light}]", state="attached")
        page.wait_for_timeout(500)

    return choose


@pytest.fixture(scope="session", autouse=True)
def new_screenshots():
    """Remove the screenshots of earlier runs, once."""
    if WORKER == "gw0":
        shutil.rmtree(SCREENSHOTS, ignore_errors=True)
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
