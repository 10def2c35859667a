"""The page with the studio alone: its link, its size, and where it can't run."""

from pathlib import Path

import pytest
from PIL import Image

SCREENSHOTS = Path(__file__).resolve().parents[2] / "build" / "screenshots"
START = 60_000  # milliseconds until a widget is live, on a busy machine


@pytest.fixture(scope="module")
def alone(a_browser, live_address):
    """The page, opened by a link; the tests use it one after the other."""
    problems = []
    page = a_browser.new_page(viewport={"width": 1280, "height": 1000})
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{live_address}/studio.html#face=12&Smiling=1.2")
    page.locator("[data-live='128']").wait_for(timeout=START)
    yield page
    page.close()
    assert problems == []


def test_the_link_holds_the_face_and_the_sliders(alone, new_page, drag):
    page = alone
    smile = page.locator("input[data-attribute=Smiling]")
    assert float(smile.input_value()) == pytest.approx(1.2)
    assert float(page.locator("input[data-attribute=Blond_Hair]").input_value()) == 0
    drag(page.locator("input[data-attribute=Blond_Hair]"), 0.5, 0.75)
    blond = page.locator("input[data-attribute=Blond_Hair]").input_value()
    page.wait_for_function("() => location.hash.includes('Blond_Hair')")
    assert page.evaluate("location.hash") == f"#face=12&Smiling=1.2&Blond_Hair={float(blond):g}"
    page.get_by_role("button", name="Copy the link to this face").click()
    page.get_by_text("Copied.").wait_for()
    link = page.evaluate("navigator.clipboard.readText()")
    other = new_page()
    other.goto(link)
    other.locator("[data-live]").wait_for(timeout=START)
    shown = other.locator("input[data-attribute=Blond_Hair]")
    assert shown.input_value() == blond


def test_a_changed_link_changes_the_face(alone):
    alone.evaluate("location.hash = '#face=3&Young=-1'")
    alone.wait_for_function(
        "() => document.querySelectorAll('.thumbnail')[3].getAttribute('aria-pressed') === 'true'"
    )
    assert float(alone.locator("input[data-attribute=Young]").input_value()) == -1


def test_the_edit_is_saved_as_a_png_file_and_copied_as_python(alone, tmp_path):
    page = alone
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as PNG").click()
    download.value.save_as(tmp_path / "edit.png")
    image = Image.open(tmp_path / "edit.png")
    assert image.format == "PNG" and image.size == (128, 128)
    page.get_by_role("button", name="Copy", exact=True).click()
    page.get_by_text("Copied.").first.wait_for()
    assert page.evaluate("navigator.clipboard.readText()").startswith("edit(z, {")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_fits_into_a_phone_and_a_screen(new_visit, width, theme):
    visit = new_visit(viewport={"width": width, "height": 900}, color_scheme=theme)
    visit.open("studio.html", "studio")
    page = visit.page
    page.screenshot(path=SCREENSHOTS / f"live_studio_{width}_{theme}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


# Where it can't run


def test_without_webassembly_the_picture_and_a_sentence_stay(live_address, new_page):
    page = new_page()
    page.add_init_script("delete globalThis.WebAssembly")
    page.goto(f"{live_address}/studio.html")
    page.get_by_text("This widget can't run in this browser").wait_for()
    assert page.locator(".latent-faces img").is_visible()


def test_without_scripts_the_picture_and_a_sentence_stay(live_address, new_page):
    page = new_page(java_script_enabled=False)
    page.goto(f"{live_address}/studio.html")
    note = page.locator(".latent-faces .live-note")
    assert "This is a picture of the studio" in note.inner_text()
    assert note.bounding_box()["height"] > 0  # `is_visible` takes frames, which may not come here
    assert page.locator(".latent-faces img").evaluate("node => node.naturalWidth") > 0


@pytest.mark.parametrize("link", ["", "#face=3"])
def test_a_missing_file_leaves_the_picture_and_a_sentence(live_address, new_page, link):
    """Or brings them back, where faces that came with the page were shown for a while."""
    page = new_page()
    page.route("**/decoder.onnx.gz", lambda route: route.abort())
    page.goto(f"{live_address}/studio.html{link}")
    page.get_by_text("This widget can't run").wait_for(timeout=START)
    assert page.locator(".latent-faces > img").is_visible()
    assert page.locator("[data-live]").count() == 0
