"""All other notebooks in the page: their cells run, their widgets and TensorBoard work."""

from functools import partial
from pathlib import Path

import nbformat
import numpy as np
import pytest

from tests.browser.conftest import copied
from tools import browser
from vaelib.runs import newest_run

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = ROOT / "build" / "screenshots"


def test_the_dials_of_notebook_1_draw_while_one_drags(open_notebook, at_rest):
    page = open_notebook("01_faces.ipynb").page
    slider = page.locator(".widget-hslider", has_text="turn").first
    slider.scroll_into_view_if_needed()
    face = partial(at_rest, page.locator("body"), "img.widget-image >> nth=0")
    before = face()
    page.screenshot(path=SCREENSHOTS / "01_dials.png")
    handle = slider.locator(".noUi-handle")
    box = handle.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 70, box["y"] + box["height"] / 2, steps=10)
    dragged = face(unlike=before)
    page.mouse.up()
    assert np.abs(dragged - before).mean() > 2
    handle.focus()
    page.keyboard.press("ArrowLeft")
    assert np.abs(face(unlike=dragged) - dragged).mean() > 0


@pytest.mark.parametrize(
    "name", ["02_model.ipynb", "07_what_it_knows.ipynb", "08_whom_it_fails.ipynb"]
)
def test_it_runs_to_the_end(open_notebook, name):
    page = open_notebook(name).page
    assert page.locator(".jp-OutputArea img").count() > 1


def without_training(cells: list) -> list:
    """Notebook 3 with its newest run in the place of a new one: imports, and TensorBoard."""
    imports = [cell for cell in cells if cell.source.startswith("import ")]
    board = [cell for cell in cells if "%tensorboard" in cell.source]
    assert len(board) == 1
    run = nbformat.v4.new_code_cell("run = vaelib.runs.newest_run()")
    return [*imports, run, *board]


@pytest.fixture
def logs():
    """Notebook 3 leaves a finished run; the tests do not train another."""
    try:
        return newest_run() / "logs"
    except FileNotFoundError:
        pytest.skip("there is no run yet: notebook 3 makes one")


def test_tensorboard_shows_scalars_and_images_inside_notebook_3(logs, open_notebook):
    notebook = open_notebook("03_training.ipynb", without_training)
    page = notebook.page
    frame = page.frame_locator("iframe[id^=tensorboard-frame]")
    try:
        frame.get_by_text("epoch_loss").first.wait_for(timeout=60_000)
        page.screenshot(path=SCREENSHOTS / "03_tensorboard_scalars.png")
        frame.get_by_role("tab", name="Images").or_(frame.get_by_text("Images")).first.click()
        picture = frame.locator("img[src*='images/individualImage'], img[src^='blob:']").first
        picture.wait_for(timeout=30_000)
        assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
        page.screenshot(path=SCREENSHOTS / "03_tensorboard_images.png")
    finally:
        page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
            ".requestExecute({code: 'from tensorboard import manager; import os, signal;'"
            "+ '[os.kill(i.pid, signal.SIGTERM) for i in manager.get_all()]'}).done"
        )


def test_the_studio_works_in_notebook_7_as_well(open_notebook, tmp_path, at_rest):
    """The same page in Jupyter Notebook, the simpler of the two programs."""
    page = open_notebook("05_attributes.ipynb", run=False).page.context.browser.new_page(
        viewport={"width": 1280, "height": 1000}
    )
    with browser.jupyter(tmp_path / "server.log", "notebook") as server:
        notebook = browser.Notebook(page, server, copied("05_attributes.ipynb"))
        notebook.run_all()
        studio = page.locator(".faces.studio")
        studio.scroll_into_view_if_needed()
        face = partial(at_rest, studio, "img[data-face=edited]")
        before = face()
        studio.locator("input[data-attribute=Eyeglasses]").fill("2")
        assert np.abs(face(unlike=before) - before).mean() > 2
        studio.screenshot(path=SCREENSHOTS / "05_studio_in_notebook_7.png")
        # Notebook 7.6 itself complains that a setting has no schema, with or without widgets.
        assert not [problem for problem in notebook.problems if "'schema'" not in problem]
        page.close()
