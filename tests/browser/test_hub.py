"""A JupyterHub with the settings of hub/: two users log in, work, and are kept apart."""

import json
import os
from pathlib import Path

import nbformat
import numpy as np
import pytest

from tools import browser, hub

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = ROOT / "build" / "screenshots"
SHORT = "03_short.ipynb"
RUNNING = 1800  # seconds that a notebook may take where others compute, too

# Runs code in a new kernel of the page's user; gives what it prints.
RUN = """async code => {
  const kernel = await window.jupyterapp.serviceManager.kernels.startNew({name: 'python3'});
  let printed = '';
  const future = kernel.requestExecute({code});
  future.onIOPub = message => { printed += message.content.text ?? ''; };
  await future.done;
  await kernel.shutdown();
  return printed;
}"""

# Tries to read, to list or to write each of some paths; prints what the system says.
TRY = """\
import json, os

def outcome(way, path):
    try:
        if way == "read":
            return "done" if open(path, "rb").read(1) else "empty"
        if way == "list":
            return "done" if os.listdir(path) else "empty"
        open(path, "ab" if way == "change" else "xb").close()
        if way == "make":
            os.remove(path)
        return "done"
    except OSError as error:
        return type(error).__name__

print(json.dumps([outcome(*attempt) for attempt in ATTEMPTS]))
"""


@pytest.fixture(scope="module")
def running(a_browser):
    """A hub, and a browser with a page for each user."""
    if why := hub.missing():
        pytest.skip(f"{why[0].upper()}{why[1:]}.")
    with (
        hub.hub() as started,
        browser.browser_page(viewport={"width": 1280, "height": 1000}) as page,
    ):
        yield started, page
    assert started.processes() == []


@pytest.fixture(scope="module")
def anna(running):
    """The first user, who has run notebook 5."""
    started, page = running
    notebook = started.enter(page, "anna", "05_attributes.ipynb")
    notebook.run_all(RUNNING)
    return notebook


@pytest.fixture(scope="module")
def ben(running, anna):
    """The page of the second user, in a browser that knows nothing of the first."""
    started, page = running
    other = page.context.browser.new_context(viewport={"width": 1280, "height": 1000}).new_page()
    started.enter(other, "ben", "01_faces.ipynb")
    yield other
    other.context.close()


def test_a_user_drags_a_slider_of_notebook_5_and_the_face_changes(running, anna, at_rest):
    started, page = running
    assert page.url.startswith(f"{started.url}user/anna/")
    studio = page.locator(".faces.studio")
    studio.scroll_into_view_if_needed()
    before = at_rest(studio, "img[data-face=edited]")
    box = studio.locator("input[data-attribute=Eyeglasses]").bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, y)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.95 * box["width"], y, steps=10)
    page.mouse.up()
    after = at_rest(studio, "img[data-face=edited]", unlike=before)
    page.screenshot(path=SCREENSHOTS / "hub_studio.png")
    assert np.abs(after - before).mean() > 2


def test_the_decoded_faces_are_one_file_that_all_users_share(running, anna):
    """Mapped into memory, so that its pages are there once, however many users read them."""
    started, _ = running
    maps = [Path(f"/proc/{process.pid}/maps") for process in started.processes("anna")]
    if not maps[0].exists():
        pytest.skip("only Linux tells what a process has mapped")
    cache = str((ROOT / "data" / "portraits" / ".cache").resolve())
    lines = [line for path in maps for line in path.read_text().splitlines() if cache in line]
    assert lines
    assert all(line.split()[1] == "r--s" for line in lines)  # nobody's own copy


def short_training() -> dict:
    """Notebook 3 with one epoch of two steps, up to TensorBoard, as a notebook's JSON."""
    notebook = nbformat.read(ROOT / "notebooks" / "03_training.ipynb", as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    last = next(i for i, cell in enumerate(cells) if "vae.fit(" in cell.source)
    boards = [cell for cell in cells if "%tensorboard" in cell.source]
    assert len(boards) == 1
    notebook.cells = [*cells[: last + 1], *boards]
    shorter = {"(8, 60) if": "(1, 2) if", ".take(8)": ".take(1)"}
    for old, new in shorter.items():
        assert sum(old in cell.source for cell in notebook.cells) == 1
        for cell in notebook.cells:
            cell.source = cell.source.replace(old, new)
    for cell in notebook.cells:
        cell.outputs, cell.execution_count = [], None
    return json.loads(nbformat.writes(notebook))


def test_tensorboard_of_notebook_3_is_shown_through_the_proxy(running, anna):
    started, page = running
    page.evaluate(
        "([path, content]) => window.jupyterapp.serviceManager.contents"
        ".save(path, {type: 'notebook', format: 'json', content})",
        [f"latent-faces/notebooks/{SHORT}", short_training()],
    )
    page.goto(f"{started.url}user/anna/lab/tree/latent-faces/notebooks/{SHORT}?reset")
    notebook = browser.Notebook.shown(page, hub.SECONDS)
    notebook.run_all(RUNNING)
    iframe = page.locator("iframe[id^=tensorboard-frame]")
    address = iframe.get_attribute("src")
    assert address.startswith(f"{started.url}user/anna/proxy/"), address
    frame = page.frame_locator("iframe[id^=tensorboard-frame]")
    frame.get_by_text("epoch_loss").first.wait_for(timeout=120_000)
    iframe.scroll_into_view_if_needed()
    page.screenshot(path=SCREENSHOTS / "hub_tensorboard.png")
    # The run lies where the file browser shows it.
    runs = page.request.get(f"{started.url}user/anna/api/contents/latent-faces/runs").json()
    assert len(runs["content"]) == 1


def test_the_hub_refuses_a_user_the_server_of_another(running, ben):
    started, _ = running
    mine = ben.request.get(f"{started.url}user/ben/api/contents/latent-faces/notebooks")
    assert mine.ok
    assert "05_attributes.ipynb" in {file["name"] for file in mine.json()["content"]}
    for path in ("api/contents", "api/contents/latent-faces/notebooks/05_attributes.ipynb", "lab"):
        assert ben.request.get(f"{started.url}user/anna/{path}").status == 403


def test_the_system_refuses_a_user_the_files_of_another_and_of_the_course(running, ben):
    started, _ = running
    if not started.real:
        pytest.skip("users of their own need root, and a Linux that allows namespaces of mounts")
    homes = hub.FOLDER / "homes"
    data = ROOT / "data" / "portraits"
    cache = next((data / ".cache").glob("64-*.npy"))
    notebook = "latent-faces/notebooks/05_attributes.ipynb"
    allowed = [
        ("read", homes / "ben" / notebook),
        ("change", homes / "ben" / notebook),
        ("read", data / "img_align_celeba" / "000001.jpg"),
        ("read", cache),
        ("read", ROOT / "vaelib" / "model.py"),
    ]
    refused = [
        ("list", homes / "anna"),
        ("read", homes / "anna" / notebook),
        ("change", homes / "anna" / notebook),
        ("make", homes / "anna" / "new.txt"),
        ("change", data / "img_align_celeba" / "000001.jpg"),
        ("make", data / "img_align_celeba" / "020001.jpg"),
        ("change", cache),
        ("make", data / ".cache" / "new.npy"),
        ("change", ROOT / "vaelib" / "model.py"),
        ("make", ROOT / "notebooks" / "new.ipynb"),
    ]
    attempts = [(way, os.fspath(path)) for way, path in (*allowed, *refused)]
    outcomes = json.loads(ben.evaluate(RUN, f"ATTEMPTS = {attempts!r}\n{TRY}"))
    assert dict(zip(attempts, outcomes)) == dict(
        zip(attempts, ["done"] * len(allowed) + ["PermissionError"] * len(refused))
    )
