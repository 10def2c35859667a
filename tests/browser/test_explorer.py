"""The explorer in notebook 4: pointed at, clicked, moved by keys."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

SCREENSHOTS = Path(__file__).resolve().parents[2] / "build" / "screenshots"


@pytest.fixture(scope="module")
def explorer(open_notebook):
    explorer = open_notebook("04_latent_space.ipynb").page.locator(".faces.explorer")
    explorer.scroll_into_view_if_needed()
    return explorer


@pytest.fixture
def map_(explorer):
    return explorer.locator("canvas")


@pytest.fixture
def decoded(explorer, at_rest):
    """Pixels of the decoded face, once they have stopped changing."""
    return partial(at_rest, explorer, "img[data-face=decoded]")


def difference(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).mean())


def test_clicking_decodes_the_place(explorer, map_, decoded):
    map_.click(position={"x": 40, "y": 220})
    left = decoded()
    map_.click(position={"x": 400, "y": 220})
    assert difference(left, decoded()) > 10
    map_.click(position={"x": 40, "y": 220})
    assert difference(left, decoded()) == 0
    explorer.screenshot(path=SCREENSHOTS / "04_explorer.png")


def test_dragging_over_the_map_changes_the_face(explorer, map_, decoded):
    map_.click(position={"x": 220, "y": 400})
    before = decoded()
    box = map_.bounding_box()
    mouse = explorer.page.mouse
    mouse.move(box["x"] + 220, box["y"] + 400)
    mouse.down()
    mouse.move(box["x"] + 220, box["y"] + 40, steps=20)
    assert difference(before, decoded()) > 5
    mouse.up()


def test_pointing_shows_the_face_and_its_name(explorer, map_, pixels):
    """A line across the map passes many faces; each shows its image and its file's name."""
    near = explorer.locator("img").first
    box = map_.bounding_box()
    shown = {}
    for x in range(60, 400, 20):
        explorer.page.mouse.move(box["x"] + x, box["y"] + 220)
        caption = explorer.locator("figcaption").first.inner_text()
        if caption.endswith(".jpg"):
            explorer.page.wait_for_timeout(50)
            shown[caption] = pixels(near)
    assert len(shown) > 5
    one, other, *_ = shown.values()
    assert difference(one, other) > 10


def test_the_arrow_keys_move_the_cross(explorer, map_, decoded):
    map_.click(position={"x": 220, "y": 220})
    before = decoded()
    for _ in range(8):
        map_.press("ArrowRight")
    assert difference(before, decoded()) > 1
    for _ in range(8):
        map_.press("ArrowLeft")
    assert difference(before, decoded()) < 1


@pytest.fixture
def drawn(explorer, at_rest):
    """Pixels of the map, once they have stopped changing."""
    return partial(at_rest, explorer, "canvas")


def test_another_attribute_gives_other_colours(explorer, drawn):
    explorer.get_by_label("colour").select_option("Male")
    explorer.page.mouse.move(0, 0)
    before = drawn()
    explorer.get_by_label("colour").select_option("Young")
    assert difference(before, drawn()) > 0.5
    assert "not Young" in explorer.inner_text()


def test_other_axes_place_the_faces_anew(explorer, drawn):
    before = drawn()
    explorer.get_by_label("across").select_option("the second most")
    assert difference(before, drawn()) > 1
    explorer.get_by_label("across").select_option("the most variance")
