"""A browser, JupyterLab and the live pages for the tests; without a browser they are skipped."""

import functools
import http.server
import io
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import numpy as np
import pytest
from PIL import Image

from tests.browser.answers import wait_for_answers
from tools import browser
from tools.live import NAMES, build_live, place
from tools.npm import find_npm

ROOT = Path(__file__).resolve().parents[2]
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "gw0")  # each has files of its own
FOLDER = ROOT / "build" / "browser" / WORKER
SCREENSHOTS = ROOT / "build" / "screenshots"
LIVE = FOLDER / "live-site"
START = 60_000  # milliseconds until a widget is live, on a busy machine
MARKS = (pytest.mark.browser, pytest.mark.after_notebooks)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder: they need a browser, and files that the notebooks write."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            for mark in MARKS:
                item.add_marker(mark)


@pytest.fixture(scope="session")
def a_browser():
    """One browser for all tests.

    If there is none, it is installed with CI=true, else the tests are skipped.
    """
    if not browser.find_browser():
        if os.environ.get("CI") != "true":
            pytest.skip("there is no Chrome or Chromium: `make browser` installs one")
        browser.install()
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with browser.open_browser() as found:
        yield found


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
    """Waits until a picture in a widget has not changed for a moment; gives its pixels.

    Before each look it waits until the kernel, or the model in a live page, has answered, unless
    `answered` is False: on a busy machine, that may take longer than a moment. With `unlike`, the
    pixels before an action, it waits until they have changed, too.
    """

    def wait(
        widget, selector: str, unlike: np.ndarray | None = None, answered: bool = True
    ) -> np.ndarray:
        before = None
        for _ in range(50 if unlike is None else 200):
            if answered:
                wait_for_answers(widget.page)
            now = pixels(widget.locator(selector))
            moved = unlike is None or now.shape != unlike.shape or (now != unlike).any()
            if moved and before is not None and (now == before).all():
                return now
            before = now
            widget.page.wait_for_timeout(150)
        raise TimeoutError(f"{selector} does not come to rest")

    return wait


@pytest.fixture(scope="session")
def changed():
    """How much two pictures differ: the mean of absolute differences, in grey levels."""
    return lambda before, after: float(np.abs(before - after).mean())


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


# ------------------------------------------------------------------ pages without a kernel


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves a folder, and prints nothing."""

    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def serve():
    """Serves a folder as `python -m http.server` does, and gives its address."""

    @contextmanager
    def serve_(folder: Path) -> Iterator[str]:
        handler = functools.partial(Quiet, directory=folder)
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{server.server_port}"
            server.shutdown()

    return serve_


@pytest.fixture(scope="session")
def live_address(a_browser, serve):
    """Where the live pages are served: studio.html, and those that `live_page` writes."""
    if not find_npm():
        pytest.skip("there is no npm, so there are no live pages: Node.js brings it")
    build_live(LIVE)
    with serve(LIVE) as address:
        yield address


@pytest.fixture(scope="session")
def live_page(live_address):
    """Writes a page with widgets, and gives its name."""

    def write(*widgets: str) -> str:
        picture = '<img src="live/still-studio.jpg" alt="The studio">'
        name = f"page_{'_'.join(widgets)}.html"  # studio.html is there already
        places = "".join(place(widget, picture) for widget in widgets)
        (LIVE / name).write_text(PAGE.format(places), "utf-8")
        return name

    return write


PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Widgets</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="live/live.css">
<script type="module" src="live/live.js"></script></head><body>
{}</body></html>"""


class Visit:
    """A page whose requests and complaints are noted; other hosts are blocked."""

    def __init__(self, page, address: str):
        self.page, self.address = page, address
        self.requests, self.problems = [], []
        page.on("request", self._note)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda m: self.problems.append(m.text) if m.type == "error" else None)
        page.on("requestfailed", lambda request: self.problems.append(request.url))
        page.route(lambda url: not url.startswith(address), lambda route: route.abort())

    def _note(self, request):
        if not request.url.startswith(("data:", "blob:")):
            self.requests.append(request.url)

    def open(self, name: str, *widgets: str):
        """Go to a page, and wait until these widgets, and their decoders, are there."""
        self.page.goto(f"{self.address}/{name}")
        for widget in widgets:
            whole = f"[data-widget={widget}][data-live]:not([data-live=''])"
            self.page.locator(whole).wait_for(timeout=START)


@pytest.fixture
def new_page(a_browser):
    """Opens pages with the options of Playwright's `new_page`; they are closed after the test."""
    pages = []

    def open_(**options):
        pages.append(a_browser.new_page(**options))
        return pages[-1]

    yield open_
    for page in pages:
        page.close()


@pytest.fixture(scope="session")
def hold():
    """Holds back what a page asks for; calling what it gives lets it in, once it was asked for."""

    def hold_(page, pattern):
        held, released = [], []
        page.route(pattern, lambda route: route.continue_() if released else held.append(route))

        def let_in() -> None:
            for _ in range(1200):
                if held:
                    break
                page.wait_for_timeout(50)
            assert held, f"Nothing like {pattern} was asked for."
            released.append(True)
            for route in held:
                route.continue_()

        return let_in

    return hold_


@pytest.fixture
def new_visit(live_address, new_page):
    """Opens live pages, and notes what they ask for."""
    return lambda **options: Visit(new_page(**options), live_address)


@pytest.fixture(scope="session")
def visit(a_browser, live_address, live_page):
    """A visit of a page with all widgets, once all are live."""
    with browser.browser_page(viewport={"width": 1280, "height": 1000}) as page:
        visit = Visit(page, live_address)
        visit.open(live_page(*NAMES), *NAMES)
        yield visit
    assert visit.problems == []
    assert [url for url in visit.requests if not url.startswith(live_address)] == []


@pytest.fixture
def widget(visit):
    """Finds a widget in the page with all."""

    def find(name: str):
        node = visit.page.locator(f".faces.{name}")
        node.scroll_into_view_if_needed()
        return node

    return find


@pytest.fixture(scope="session")
def drag():
    """Takes the handle of a slider and moves it; 0 is its left end, 1 its right end."""

    def drag_(slider, start: float, end: float) -> None:
        box = slider.bounding_box()
        left, width, y = box["x"] + 8, box["width"] - 16, box["y"] + box["height"] / 2
        mouse = slider.page.mouse
        mouse.move(left + start * width, y)
        mouse.down()
        mouse.move(left + end * width, y, steps=10)
        mouse.up()

    return drag_
