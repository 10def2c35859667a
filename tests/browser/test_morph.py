"""The morph in notebook 6: dragged, stepped, played, and stopped."""

from pathlib import Path

import numpy as np
import pytest

SCREENSHOTS = Path(__file__).resolve().parents[2] / "build" / "screenshots"


@pytest.fixture(scope="module")
def notebook(open_notebook):
    return open_notebook("06_morphing.ipynb")


@pytest.fixture(scope="module")
def morph(notebook):
    morph = notebook.page.locator(".faces.morph")
    morph.scroll_into_view_if_needed()
    return morph


@pytest.fixture
def slider(morph):
    slider = morph.locator("input[type=range]")
    slider.fill("0")
    return slider


def face(morph):
    return morph.locator("img.face:visible")


def test_one_face_is_shown_at_a_time(morph, slider):
    assert face(morph).count() == 1
    assert slider.get_attribute("max") == "40"
    morph.screenshot(path=SCREENSHOTS / "06_morph.png")


def test_dragging_goes_from_one_face_to_the_other_and_back(morph, slider, pixels):
    first = pixels(face(morph))
    box = slider.bounding_box()
    mouse = morph.page.mouse
    y = box["y"] + box["height"] / 2
    seen = []
    mouse.move(box["x"] + 8, y)
    mouse.down()
    for part in (0.25, 0.5, 0.75, 1.0):
        mouse.move(box["x"] + 8 + part * (box["width"] - 16), y, steps=5)
        seen.append(pixels(face(morph)))
    mouse.up()
    assert slider.input_value() == "40"
    for before, after in zip([first, *seen], seen):
        assert np.abs(before - after).mean() > 3  # each quarter is another face
    slider.press("Home")
    assert np.abs(pixels(face(morph)) - first).mean() < 1


def test_the_arrow_keys_step(morph, slider):
    slider.press("ArrowRight")
    slider.press("ArrowRight")
    assert slider.input_value() == "2"
    assert slider.get_attribute("aria-valuetext") == "5 percent"


def place(morph) -> int:
    return int(morph.locator("input[type=range]").input_value())


def test_it_plays_there_and_back_and_pauses(morph, slider):
    morph.get_by_role("button", name="Play").click()
    morph.page.wait_for_function(
        "() => +document.querySelector('.morph input[type=range]').value === 40"
    )
    places = []
    for _ in range(10):
        morph.page.wait_for_timeout(60)
        places.append(place(morph))
    assert places == sorted(places, reverse=True) and places[-1] < 40  # it goes back
    morph.get_by_role("button", name="Pause").click()
    stopped = place(morph)
    morph.page.wait_for_timeout(300)
    assert place(morph) == stopped


def test_without_there_and_back_it_begins_again(morph, slider):
    morph.get_by_label("there and back").uncheck()
    slider.fill("38")
    morph.get_by_role("button", name="Play").click()
    morph.page.wait_for_function(
        "() => +document.querySelector('.morph input[type=range]').value < 10"
    )
    morph.get_by_role("button", name="Pause").click()
    morph.get_by_label("there and back").check()


def test_a_morph_that_plays_stops_when_its_cell_runs_again(morph, slider, notebook):
    """No timer is left behind: the old slider does not move any more."""
    morph.get_by_role("button", name="Play").click()
    notebook.run_again(slider)
    old = "() => window.kept.value"
    before = notebook.page.evaluate(old)
    notebook.page.wait_for_timeout(400)
    assert notebook.page.evaluate(old) == before
