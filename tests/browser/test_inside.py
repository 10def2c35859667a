"""The inside of the pretrained model: dragged, stepped by keys, judged by its pixels."""

import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from nbformat.v4 import new_code_cell

SCREENSHOTS = Path(__file__).resolve().parents[2] / "build" / "screenshots"
CELLS = [
    """
import vaelib
from vaelib.widgets import Inside

faces = vaelib.read_faces("portraits")
images = vaelib.load_images(faces, faces.file_names("test")[:60])
vae = vaelib.load_model("pretrained")
""",
    "inside = Inside(vae, images)\ninside",
]


@pytest.fixture(scope="module")
def notebook(open_notebook):
    """The widget on its own, in a notebook of two cells."""
    return open_notebook("02_model.ipynb", lambda _: [new_code_cell(cell) for cell in CELLS])


@pytest.fixture(scope="module")
def whole_inside(notebook):
    inside = notebook.page.locator(".faces.inside")
    inside.scroll_into_view_if_needed()
    return inside


@pytest.fixture
def inside(whole_inside, settled):
    """The widget with the mean of its first face, nothing being set by hand."""
    reset = whole_inside.get_by_role("button", name="Reset", exact=True)
    if reset.is_enabled():
        reset.click()
    whole_inside.get_by_label("mean", exact=True).check()
    whole_inside.get_by_label("sorted by KL of").select_option("this face")
    whole_inside.get_by_label("Which latents are shown").select_option("0")
    whole_inside.locator(".thumbnail").first.click()
    settled(whole_inside)
    return whole_inside


@pytest.fixture(scope="session")
def settled(at_rest):
    """Waits until the decoded face has not changed for a moment; gives its pixels."""
    return partial(at_rest, selector="img[data-face=decoded]")


def latents(inside) -> list[str]:
    """The numbers of the latents on the page, from the top."""
    return inside.locator(".latent:not(.head) label").all_inner_texts()


def marks(inside) -> list[float]:
    """The places of z on the page."""
    sliders = inside.locator("input[type=range]")
    return [float(value) for value in sliders.evaluate_all("all => all.map(one => one.value)")]


def column(inside, place: int) -> list[float]:
    """A column of numbers beside the bars: 0 is deviations, 1 is z, 2 is KL divergences."""
    texts = inside.locator(f".latent:not(.head) .number >> nth={place}").count()
    assert texts == 1
    rows = inside.locator(".latent:not(.head)").all()
    return [float(row.locator(".number").nth(place).inner_text().replace("−", "-")) for row in rows]


def said(inside, part: str) -> str:
    """The sentence about one latent, once it has this part."""
    sentence = inside.locator("p").last
    inside.page.wait_for_function(
        "([node, part]) => node.textContent.includes(part)", arg=[sentence.element_handle(), part]
    )
    return sentence.inner_text()


def difference(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).mean())


def test_it_stands_there_with_all_its_parts(inside):
    assert inside.locator(".thumbnail").count() == 12
    assert inside.locator("input[type=range]").count() == 12
    assert inside.locator("img.face").count() == 2
    face, panel, decoded = (
        inside.locator(part).bounding_box() for part in (".original", ".panel", ".decoded")
    )
    assert face["x"] + face["width"] < panel["x"]
    assert panel["x"] + panel["width"] < decoded["x"]
    kl = column(inside, 2)
    assert kl == sorted(kl, reverse=True) and kl[0] > 1
    assert all(0 < deviation < 1 for deviation in column(inside, 0))
    inside.screenshot(path=SCREENSHOTS / "02_inside.png")


def test_every_bar_ends_at_its_mean(inside):
    """The mean decodes, so the mark of z stands at the end of the bar, inside the deviation."""
    for row in inside.locator(".latent:not(.head)").all():
        scale, bar, cloud = (
            row.locator(part).bounding_box() for part in (".scale", ".mean", ".deviation")
        )
        z = float(row.locator(".number").nth(1).inner_text().replace("−", "-"))
        limit = float(row.locator("input").get_attribute("max"))
        place = scale["x"] + scale["width"] * (z + limit) / (2 * limit)
        end = bar["x"] + (bar["width"] if z > 0 else 0)
        assert abs(end - place) < 2
        assert cloud["x"] - 2 < place < cloud["x"] + cloud["width"] + 2


def test_each_draw_moves_z_and_the_mean_brings_it_back(inside, settled):
    mean, face = marks(inside), settled(inside)
    draws, faces = [], []
    for _ in range(3):
        inside.get_by_role("button", name="Draw epsilon").click()
        faces.append(settled(inside))
        draws.append(marks(inside))
    assert inside.get_by_label("draw", exact=True).is_checked()
    assert len({tuple(draw) for draw in [mean, *draws]}) == 4
    deviations = np.abs(np.array(draws) - mean) / column(inside, 0)
    assert 0.3 < deviations.mean() < 1.5 and deviations.max() < 5  # |epsilon| has the mean 0.8
    assert all(difference(face, drawn) > 0.2 for drawn in faces)
    assert "mean + deviation × epsilon" in said(inside, "epsilon")
    inside.get_by_label("mean", exact=True).check()
    assert (settled(inside) == face).all()
    assert marks(inside) == mean


def test_the_arrow_keys_set_a_latent_and_delete_lets_it_go(inside, settled):
    before, places = settled(inside), marks(inside)
    slider = inside.locator("input[type=range]").nth(2)
    slider.focus()
    step = "ArrowLeft" if places[2] > 0 else "ArrowRight"
    for _ in range(10):
        inside.page.keyboard.press(step)
    assert abs(marks(inside)[2] - places[2]) == pytest.approx(1, abs=0.02)
    for _ in range(2):
        inside.page.keyboard.press("PageDown" if places[2] > 0 else "PageUp")
    assert abs(marks(inside)[2] - places[2]) == pytest.approx(3, abs=0.02)
    assert difference(before, settled(inside, unlike=before)) > 1
    assert marks(inside)[:2] + marks(inside)[3:] == places[:2] + places[3:]
    sentence = said(inside, "is set by hand")
    assert re.search(r"is \d\d\.\d deviations (above|below) the mean of this face", sentence)
    assert "fewer than 1 in a billion for this face" in sentence
    assert "1 set by hand" in inside.locator(".decoded").inner_text()
    assert ", set by hand" in slider.get_attribute("aria-valuetext")
    inside.screenshot(path=SCREENSHOTS / "02_inside_by_hand.png")
    inside.page.keyboard.press("Delete")
    assert (settled(inside) == before).all()
    assert marks(inside) == places


def test_the_face_changes_while_one_drags(inside, settled):
    before = settled(inside)
    box = inside.locator("input[type=range]").first.bounding_box()
    mouse, y = inside.page.mouse, box["y"] + box["height"] / 2
    limit = float(inside.locator("input[type=range]").first.get_attribute("max"))
    z = marks(inside)[0]
    mouse.move(box["x"] + 7 + (box["width"] - 14) * (z + limit) / (2 * limit), y)
    mouse.down()
    end = 7 if z > 0 else box["width"] - 7
    mouse.move(box["x"] + end, y, steps=20)
    dragged = settled(inside)
    assert difference(before, dragged) > 2
    mouse.up()
    assert marks(inside)[0] == pytest.approx(-limit if z > 0 else limit, abs=0.1)
    undo = inside.get_by_role("button", name=f"Latent {latents(inside)[0]}: undo what was set")
    undo.click()
    assert (settled(inside) == before).all()
    assert undo.is_hidden()


def test_another_face_has_other_latents(inside, settled, pixels):
    original = inside.locator("img[data-face=original]")
    before, face, decoded = latents(inside), pixels(original), settled(inside)
    facts = inside.locator("p").first.inner_text()
    inside.locator(".thumbnail").nth(4).click()
    assert difference(decoded, settled(inside)) > 10
    assert difference(face, pixels(original)) > 10
    assert difference(pixels(original), settled(inside)) < 10  # the decoded face is like it
    assert latents(inside) != before
    assert inside.locator("p").first.inner_text() != facts


def test_sorted_by_all_faces_the_latents_stay_and_their_bars_move(inside, settled):
    inside.get_by_label("sorted by KL of").select_option("all faces")
    settled(inside)
    before, places = latents(inside), marks(inside)
    inside.locator(".thumbnail").nth(4).click()
    settled(inside)
    assert latents(inside) == before
    assert np.abs(np.subtract(marks(inside), places)).mean() > 0.3


def test_all_latents_can_be_seen(inside, settled):
    forth = inside.get_by_role("button", name="Latents with a smaller KL divergence")
    seen, last = [], np.inf
    while True:
        kl = column(inside, 2)
        assert kl[0] <= last
        seen, last = seen + latents(inside), kl[-1]
        if forth.is_disabled():
            break
        first = latents(inside)[0]
        forth.click()
        inside.page.wait_for_function(
            "first => document.querySelector('.latent:not(.head) label').textContent !== first",
            arg=first,
        )
    assert sorted(map(int, seen)) == list(range(384))
    pages = inside.get_by_label("Which latents are shown")
    assert pages.locator("option:checked").inner_text() == "373 to 384 of 384"
    inside.get_by_role("button", name="Latents with a larger KL divergence").click()
    assert pages.input_value() == "360"


def test_every_control_has_a_name_and_is_reached_by_the_keyboard(inside):
    nameless = inside.evaluate(
        "root => [...root.querySelectorAll('button, select, input')].filter(node => "
        "!(node.getAttribute('aria-label') || node.textContent.trim() || node.labels?.length))"
        ".map(node => node.outerHTML)"
    )
    assert nameless == []
    inside.locator(".thumbnail").first.focus()
    reached = []
    for _ in range(40):
        inside.page.keyboard.press("Tab")
        reached.append(
            inside.evaluate(
                "() => { const node = document.activeElement, style = getComputedStyle(node);"
                "return [node.type, node.dataset.latent ?? '', style.outlineStyle,"
                "parseFloat(style.outlineWidth)]; }"
            )
        )
        if reached[-1][1] == latents(inside)[-1]:
            break
    kinds = [kind for kind, *_ in reached]
    assert {"button", "radio", "select-one", "range"} <= set(kinds)
    assert [latent for _, latent, *_ in reached if latent] == latents(inside)
    assert all(style == "solid" and width >= 2 for *_, style, width in reached)


def test_it_can_be_read_in_the_dark(inside, settled, notebook, theme, pixels):
    page = notebook.page
    theme(page, "Dark")
    settled(inside)
    inside.screenshot(path=SCREENSHOTS / "02_inside_dark.png")
    for part in (".latent label", "p", ".keys"):
        picture = pixels(inside.locator(part).last)
        assert np.median(picture) < 60  # the paper
        assert picture.max() > 140  # the ink
    theme(page, "Light")


def test_it_fits_a_narrow_page(inside, settled, notebook):
    page = notebook.page
    page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
    page.set_viewport_size({"width": 360, "height": 1600})
    try:
        before = settled(inside)
        box = inside.bounding_box()
        assert box["width"] < 330
        wider = inside.evaluate(
            "root => [...root.querySelectorAll('*')].filter(node => node.getClientRects().length &&"
            "node.getBoundingClientRect().right > root.getBoundingClientRect().right + 1)"
            ".map(node => node.outerHTML)"
        )
        assert wider == []
        face, decoded, panel = (
            inside.locator(part).bounding_box() for part in (".original", ".decoded", ".panel")
        )
        assert face["x"] + face["width"] <= decoded["x"]  # side by side, above the bars
        assert panel["y"] >= face["y"] + face["height"]
        track = inside.locator(".latent:not(.head) .track").first.bounding_box()
        assert track["width"] >= 80
        slider = inside.locator("input[type=range]").first
        slider.press("Home" if marks(inside)[0] > 0 else "End")
        assert difference(before, settled(inside, unlike=before)) > 2
        inside.screenshot(path=SCREENSHOTS / "02_inside_narrow.png")
    finally:
        page.set_viewport_size({"width": 1280, "height": 1000})
        page.evaluate("() => window.jupyterapp.shell.expandLeft()")


def test_it_asks_nobody_but_its_own_server(inside, settled, notebook):
    asked = []
    notebook.page.on("request", lambda request: asked.append(request.url))
    inside.get_by_role("button", name="Draw epsilon").click()
    inside.get_by_role("button", name="Shuffle").click()
    settled(inside)
    here = notebook.page.url.split("/lab")[0]
    assert [url for url in asked if not url.startswith((here, "data:"))] == []


def test_running_its_cell_again_leaves_one_and_no_listener(inside, notebook, settled):
    page = notebook.page
    notebook.run_again(inside)
    new = page.locator(".faces.inside")
    new.wait_for()
    assert new.count() == 1
    before = settled(new)
    # What is left of the old one hears nothing any more.
    page.evaluate(
        "() => { const input = window.kept.querySelector('input[type=range]');"
        "input.value = 2; input.dispatchEvent(new Event('input')); }"
    )
    assert (settled(new) == before).all()
