"""The live widgets, without a kernel: they follow the mouse, and say and draw what Python does."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tools.live import NAMES

SCREENSHOTS = Path(__file__).resolve().parents[2] / "build" / "screenshots"


def test_a_slider_of_the_studio_changes_the_edit_and_reset_brings_it_back(
    widget, at_rest, drag, changed
):
    studio = widget("studio")
    studio.get_by_role("button", name="Reset", exact=True).click()
    before = at_rest(studio, "img[data-face=edited]")
    same = at_rest(studio, "img[data-face=reconstruction]")
    drag(studio.locator("input[data-attribute=Eyeglasses]"), 0.5, 0.95)
    assert changed(before, at_rest(studio, "img[data-face=edited]", unlike=before)) > 1.5
    assert changed(same, at_rest(studio, "img[data-face=reconstruction]")) == 0
    assert '"Eyeglasses": 1.' in studio.locator("code").inner_text()
    studio.get_by_role("button", name="Undo", exact=True).click()
    assert changed(before, at_rest(studio, "img[data-face=edited]")) == 0


def test_another_face_is_chosen_and_others_are_shuffled_in(widget, at_rest, changed):
    studio = widget("studio")
    before = at_rest(studio, "img[data-face=original]")
    studio.locator(".thumbnail").nth(3).click()
    studio.locator(".thumbnail[aria-pressed=true]").wait_for()
    chosen = at_rest(studio, "img[data-face=original]")
    assert changed(before, chosen) > 8
    studio.get_by_role("button", name="Shuffle", exact=True).click()
    assert changed(chosen, at_rest(studio, "img[data-face=original]", unlike=chosen)) > 8


def test_an_attribute_can_be_added_and_taken_away(widget):
    studio = widget("studio")
    studio.get_by_label("Add an attribute").select_option("Wearing_Hat")
    slider = studio.locator("input[data-attribute=Wearing_Hat]")
    slider.wait_for()
    studio.get_by_role("button", name="Take Wearing_Hat away").click()
    slider.wait_for(state="detached")


def test_the_morph_moves_from_face_to_face(widget, pixels, drag, changed):
    morph = widget("morph")
    faces = []
    for end in (0.0, 0.5, 1.0):
        drag(morph.locator("input[type=range]"), 0.5, end)
        faces.append(pixels(morph.locator("img:visible")))
    assert changed(faces[0], faces[1]) > 3
    assert changed(faces[1], faces[2]) > 3


def test_a_click_on_the_map_decodes_a_place(widget, at_rest, changed):
    explorer = widget("explorer")
    before = at_rest(explorer, "img[data-face=decoded]")
    explorer.locator("canvas").click(position={"x": 80, "y": 120})
    assert changed(before, at_rest(explorer, "img[data-face=decoded]", unlike=before)) > 3
    explorer.locator("select").first.select_option("Eyeglasses")
    explorer.locator("canvas").click(position={"x": 400, "y": 220})
    at_rest(explorer, "img[data-face=decoded]")
    explorer.locator("canvas").hover(position={"x": 220, "y": 220})


def test_a_latent_set_by_hand_changes_the_decoded_face(widget, at_rest, changed):
    inside = widget("inside")
    inside.get_by_label("mean", exact=True).check()
    before = at_rest(inside, "img[data-face=decoded]")
    slider = inside.locator("input[data-latent]").first
    slider.fill("4")
    assert changed(before, at_rest(inside, "img[data-face=decoded]", unlike=before)) > 1
    assert "is set by hand: z = 4.00" in inside.inner_text()
    inside.get_by_role("button", name="Reset", exact=True).click()
    assert changed(before, at_rest(inside, "img[data-face=decoded]")) == 0


DECODE = """async ([size, latents]) => {
  const { Archive } = await import(`${location.origin}/live/archive.js`);
  const { Engine } = await import(`${location.origin}/live/engine.js`);
  const engine = window.testEngine ??= new Engine();
  const archive = await Archive.open(`${location.origin}/live/models/${size}/`);
  const pictures = [];
  for (const latent of latents) {
    const { png } = await engine.decode(archive, Float32Array.from(latent));
    pictures.push(Array.from(png));
  }
  return pictures;
}"""


@pytest.mark.parametrize("size, name", [(64, "pretrained"), (128, "pretrained-128")])
def test_a_hundred_faces_equal_the_kernels_within_two_grey_levels(visit, size, name):
    import vaelib

    vae = vaelib.load_model(name)
    latents = vae.sample_latents(100, seed=3)
    truth = np.round(255 * vae.decode(latents))
    files = visit.page.evaluate(DECODE, [size, latents.tolist()])
    faces = np.stack([np.asarray(Image.open(io.BytesIO(bytes(file)))) for file in files])
    error = np.abs(faces[..., :3].astype(float) - truth)
    print(f"{size} pixels: at most {error.max():.0f} grey levels, mean {error.mean():.3f}")
    assert error.max() <= 2


def test_the_inside_says_what_the_notebook_says(visit, widget, at_rest):
    import vaelib
    from vaelib.widgets import Inside

    vae = vaelib.load_model("pretrained")
    faces = vaelib.read_faces("portraits")
    images = vaelib.load_images(faces, faces.file_names("test")[:100], 64)
    truth = Inside(vae, images)
    truth.source = "mean"
    node = widget("inside")
    node.get_by_label("mean", exact=True).check()
    at_rest(node, "img[data-face=decoded]")
    for order in ("this face", "all faces"):
        truth.sort_by = order
        node.get_by_label("sorted by").select_option(order)
        node.get_by_text(truth.facts).wait_for()
        node.get_by_text(truth.about).wait_for()
    truth.value = {truth.order[0]: 4.0}
    node.locator("input[data-latent]").first.fill("4")
    node.get_by_text(truth.about).wait_for()
    error = f"error {truth.error:.1f} grey levels"
    assert error.split(".")[0] in node.inner_text()


@pytest.mark.parametrize("name", NAMES)
def test_each_widget_fits_into_a_phone(new_visit, live_page, name):
    visit = new_visit(viewport={"width": 360, "height": 900})
    visit.open(live_page(name), name)
    visit.page.screenshot(path=SCREENSHOTS / f"live_{name}_360.png", full_page=True)
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 360
