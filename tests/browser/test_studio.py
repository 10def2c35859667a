"""The studio in notebook 5: dragged with the mouse, stepped with the keys, judged by its pixels."""

import io
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = ROOT / "build" / "screenshots"


@pytest.fixture(scope="module")
def notebook(open_notebook):
    return open_notebook("05_attributes.ipynb")


@pytest.fixture(scope="module")
def whole_studio(notebook):
    """The studio as the notebook leaves it."""
    studio = notebook.page.locator(".faces.studio")
    studio.scroll_into_view_if_needed()
    return studio


@pytest.fixture
def studio(whole_studio, settled):
    """The studio, all sliders at 0."""
    whole_studio.get_by_role("button", name="Reset", exact=True).click()
    settled(whole_studio)
    return whole_studio


@pytest.fixture(scope="session")
def settled(at_rest):
    """Waits until the edited face has not changed for a moment; gives its pixels."""
    return partial(at_rest, selector="img[data-face=edited]")


def slider(studio, attribute: str):
    return studio.locator(f"input[data-attribute={attribute}]")


def drag(studio, attribute: str, start: float, end: float, steps: int = 20, drop: bool = True):
    """Take the handle and move it; 0 is the left end of the slider, 1 its right end."""
    box = slider(studio, attribute).bounding_box()
    inside = box["width"] - 16  # the handle's middle does not reach the ends
    y = box["y"] + box["height"] / 2
    mouse = studio.page.mouse
    mouse.move(box["x"] + 8 + start * inside, y)
    mouse.down()
    mouse.move(box["x"] + 8 + end * inside, y, steps=steps)
    if drop:
        mouse.up()


def changed(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """How much each pixel changed: (h, w)."""
    return np.abs(after - before).mean(axis=2)


def value(studio, attribute: str) -> float:
    return float(slider(studio, attribute).input_value())


def test_it_stands_there_with_all_its_parts(studio, pixels):
    assert studio.locator("figure:visible img.face").count() == 4  # the truth, too
    assert studio.locator(".thumbnail").count() == 12
    assert studio.locator("input[type=range]").count() == 6
    sizes = [
        studio.locator(f"img[data-face={name}]").bounding_box()["width"]
        for name in ("original", "reconstruction", "edited", "truth")
    ]
    assert sizes == [168] * 4
    studio.screenshot(path=SCREENSHOTS / "05_studio.png")


def test_dragging_changes_the_face_where_the_attribute_is_and_reset_brings_it_back(studio, settled):
    before = settled(studio)
    drag(studio, "Eyeglasses", 0.5, 0.95)
    assert value(studio, "Eyeglasses") > 1.6
    after = settled(studio)
    change = changed(before, after)
    height, width = change.shape
    eyes = change[int(0.35 * height) : int(0.6 * height), width // 4 : -width // 4]
    corners = change[: height // 5, : width // 5]
    assert eyes.mean() > 6
    assert eyes.mean() > 3 * corners.mean()
    studio.screenshot(path=SCREENSHOTS / "05_studio_glasses.png")
    studio.get_by_role("button", name="Reset", exact=True).click()
    assert (settled(studio) == before).all()
    assert value(studio, "Eyeglasses") == 0


def test_the_face_changes_while_one_drags(studio, pixels, settled):
    before = settled(studio)
    drag(studio, "Blond_Hair", 0.5, 0.9, drop=False)
    while_dragging = settled(studio)
    truth = studio.locator("img[data-face=truth]")
    assert changed(before, while_dragging).mean() > 3
    assert truth.evaluate("image => getComputedStyle(image).opacity") == "0.4"  # it waits
    dark = pixels(truth)
    studio.page.mouse.up()
    studio.page.wait_for_timeout(500)
    assert truth.evaluate("image => getComputedStyle(image).opacity") == "1"
    assert changed(dark, pixels(truth)).mean() > 1


def test_the_faces_of_a_held_slider_are_there_before_the_kernel_answers(studio, settled):
    """While the kernel is busy, a slider that was held for a second still changes the face."""
    before = settled(studio)
    input_ = slider(studio, "Eyeglasses")
    input_.focus()
    studio.page.wait_for_timeout(1500)
    studio.page.evaluate(
        "() => { window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
        ".requestExecute({code: 'import time; time.sleep(2)'}); }"
    )
    input_.fill("2")
    studio.page.wait_for_timeout(100)
    early = settled(studio, answered=False)  # in much less than two seconds
    assert changed(before, early).mean() > 2
    studio.page.wait_for_timeout(2500)
    assert changed(early, settled(studio)).max() < 3  # and the kernel says the same


def test_a_picture_is_looked_at_when_the_kernel_has_answered(studio, settled):
    """The tests' own patience: a kernel that is busy for long is waited for."""
    before = settled(studio)
    studio.page.evaluate(
        "() => { window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
        ".requestExecute({code: 'import time; time.sleep(3)'}); }"
    )
    slider(studio, "Blond_Hair").evaluate(  # not held, so that nothing is decoded ahead
        "input => { input.value = 2; input.dispatchEvent(new Event('change')); }"
    )
    assert changed(before, settled(studio)).mean() > 2


def test_the_original_and_the_reconstruction_stay(studio, pixels, settled):
    others = [studio.locator(f"img[data-face={name}]") for name in ("original", "reconstruction")]
    before = [pixels(other) for other in others]
    drag(studio, "Smiling", 0.5, 0.9)
    settled(studio)
    assert all((pixels(other) == was).all() for other, was in zip(others, before))


def test_the_arrow_keys_step(studio, settled):
    before = settled(studio)
    slider(studio, "Smiling").focus()
    for _ in range(20):
        studio.page.keyboard.press("ArrowRight")
    assert value(studio, "Smiling") == pytest.approx(1)
    assert changed(before, settled(studio, unlike=before)).mean() > 0.5
    for _ in range(20):
        studio.page.keyboard.press("ArrowLeft")
    assert value(studio, "Smiling") == 0
    assert (settled(studio) == before).all()


def test_every_control_has_a_name_and_is_reached_by_the_keyboard(studio):
    nameless = studio.evaluate(
        "root => [...root.querySelectorAll('button, select, input')].filter(node => "
        "!(node.getAttribute('aria-label') || node.textContent.trim() || node.labels?.length))"
        ".map(node => node.outerHTML)"
    )
    assert nameless == []
    assert studio.evaluate("root => root.querySelectorAll('[tabindex=\"-1\"]').length") == 0


def test_undo_goes_back_a_drag_at_a_time(studio, settled):
    undo = studio.get_by_role("button", name="Undo", exact=True)
    drag(studio, "Blond_Hair", 0.5, 0.8)
    one = settled(studio)
    drag(studio, "Eyeglasses", 0.5, 0.9)
    settled(studio)
    undo.click()
    assert (settled(studio) == one).all()
    assert value(studio, "Eyeglasses") == 0
    assert value(studio, "Blond_Hair") > 1


def test_after_a_fast_drag_the_last_position_is_shown(studio, settled):
    """Of 200 movements, some are skipped; the face of the last one is shown."""
    drag(studio, "Blond_Hair", 0.5, 0.02, steps=100, drop=False)
    drag(studio, "Blond_Hair", 0.02, 0.98, steps=100)
    last = settled(studio)
    slider(studio, "Blond_Hair").press("ArrowLeft")
    assert not (settled(studio) == last).all()
    slider(studio, "Blond_Hair").press("ArrowRight")
    assert (settled(studio) == last).all()


def test_another_face_is_chosen_and_others_are_shuffled_in(studio, settled, pixels):
    original = studio.locator("img[data-face=original]")
    before = pixels(original)
    studio.locator(".thumbnail").nth(3).click()
    settled(studio)
    chosen = pixels(original)
    assert changed(before, chosen).mean() > 10
    assert studio.locator(".thumbnail").nth(3).get_attribute("aria-pressed") == "true"
    gallery = pixels(studio.locator("[aria-label='Choose a face']"))
    studio.get_by_role("button", name="Shuffle", exact=True).click()
    settled(studio)
    assert changed(gallery, pixels(studio.locator("[aria-label='Choose a face']"))).mean() > 10
    assert changed(chosen, pixels(original)).mean() > 10


def test_any_attribute_can_be_added_and_taken_away(studio, settled):
    before = settled(studio)
    studio.get_by_label("Add an attribute").select_option("Wearing_Hat")
    slider(studio, "Wearing_Hat").wait_for()
    drag(studio, "Wearing_Hat", 0.5, 0.9)
    assert changed(before, settled(studio, unlike=before)).mean() > 2
    studio.get_by_role("button", name="Take Wearing_Hat away").click()
    slider(studio, "Wearing_Hat").wait_for(state="detached")  # and then, the face is as it was
    assert (settled(studio) == before).all()


def test_the_code_says_what_was_done(studio, settled):
    drag(studio, "Smiling", 0.5, 0.8)
    settled(studio)
    strength = value(studio, "Smiling")
    expected = f'edit(z, {{"Smiling": {strength:g}}}, vectors=vectors)'
    assert studio.locator("code").inner_text() == expected


def test_the_edit_is_saved_as_a_png_file(studio, settled, tmp_path):
    drag(studio, "Smiling", 0.5, 0.8)
    settled(studio)
    with studio.page.expect_download() as download:
        studio.get_by_role("button", name="Save as PNG").click()
    path = tmp_path / "edit.png"
    download.value.save_as(path)
    assert Image.open(path).size == (128, 128)


# One's own photo


def picture(size=(640, 480), mode="RGB", kind="PNG", **options) -> bytes:
    image = Image.radial_gradient("L").resize(size).convert(mode)
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@pytest.fixture
def upload(studio, tmp_path):
    """Chooses a file of this name; from the disk, since large ones would take long in a message."""

    def choose(name: str, data: bytes) -> None:
        (tmp_path / name).write_bytes(data)
        studio.locator("input[type=file]").set_input_files(tmp_path / name)

    return choose


def message(studio, part: str) -> str:
    text = studio.locator(".message")
    studio.page.wait_for_function(
        "([node, part]) => node.textContent.includes(part)", arg=[text.element_handle(), part]
    )
    return text.inner_text()


def test_a_photo_takes_the_place_of_the_face(studio, settled, pixels, upload):
    before = pixels(studio.locator("img[data-face=original]"))
    # A portrait of another size, in parts of a megabyte.
    face = Image.open(ROOT / "data/portraits/img_align_celeba/019503.jpg").resize((1200, 1200))
    file = io.BytesIO()
    face.save(file, "PNG", compress_level=0)
    assert len(file.getvalue()) > 4e6
    upload("me.png", file.getvalue())
    studio.page.wait_for_function("() => !document.querySelector('.studio [aria-pressed=true]')")
    settled(studio)
    assert changed(before, pixels(studio.locator("img[data-face=original]"))).mean() > 10
    assert studio.locator("img[data-face=truth]").is_hidden()  # nobody can draw this person again
    assert studio.locator(".message").inner_text() == ""
    drag(studio, "Eyeglasses", 0.5, 0.9)
    settled(studio)
    studio.screenshot(path=SCREENSHOTS / "05_studio_photo.png")
    studio.locator(".thumbnail").first.click()
    settled(studio)


@pytest.mark.parametrize("where", [".upload", "img[data-face=original]"])
def test_a_photo_may_be_dropped(studio, settled, pixels, where):
    before = pixels(studio.locator("img[data-face=original]"))
    face = (ROOT / "data/portraits/img_align_celeba/019503.jpg").read_bytes()
    dropped = studio.page.evaluate_handle(
        """bytes => {
          const data = new DataTransfer();
          data.items.add(new File([new Uint8Array(bytes)], 'me.jpg', {type: 'image/jpeg'}));
          return data;
        }""",
        list(face),
    )
    studio.locator(where).dispatch_event("drop", {"dataTransfer": dropped})
    studio.page.wait_for_function("() => !document.querySelector('.studio [aria-pressed=true]')")
    settled(studio)
    assert changed(before, pixels(studio.locator("img[data-face=original]"))).mean() > 10
    studio.locator(".thumbnail").first.click()
    settled(studio)


def huge() -> bytes:
    """A PNG file of 200 million pixels, in some hundred kilobytes."""
    file = io.BytesIO()
    Image.new("1", (20_000, 10_000)).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    "name, data, part",
    [
        ("notes.txt", lambda: b"no picture at all", "notes.txt can't be read as a picture"),
        ("half.png", lambda: picture()[:5000], "half.png can't be read"),
        ("huge.png", huge, "huge.png has"),
        ("film.png", lambda: b"\x89PNG" + bytes(51_000_000), "film.png has 51 MB"),
    ],
)
def test_what_is_no_photo_is_refused_and_the_face_stays(studio, settled, upload, name, data, part):
    before = settled(studio)
    upload(name, data())
    assert "choose a" in message(studio, part)
    assert (settled(studio) == before).all()
    drag(studio, "Smiling", 0.5, 0.8)  # the kernel is alive
    assert not (settled(studio) == before).all()


def test_a_photo_without_a_face_is_shown_with_a_warning(studio, settled, upload):
    file = io.BytesIO()
    Image.effect_noise((300, 300), 100).save(file, "PNG")
    upload("sand.png", file.getvalue())
    assert "sand.png is unlike the faces" in message(studio, "unlike")
    settled(studio)
    studio.locator(".thumbnail").first.click()
    settled(studio)
    assert studio.locator(".message").inner_text() == ""


# Themes, and the end


def test_it_can_be_read_in_the_dark(studio, settled, notebook, theme, pixels):
    page = notebook.page
    theme(page, "Dark")
    settled(studio)
    studio.screenshot(path=SCREENSHOTS / "05_studio_dark.png")
    label = studio.locator(".slider label").first
    picture = pixels(label)
    assert np.median(picture) < 60  # the paper
    assert picture.max() > 180  # the ink
    theme(page, "Light")


def test_running_its_cell_again_leaves_one_studio_and_no_listener(studio, notebook, settled):
    page = notebook.page
    notebook.run_again(studio)
    new = page.locator(".faces.studio")
    new.wait_for()
    assert new.count() == 1
    before = settled(new)
    # What is left of the old one hears nothing any more.
    page.evaluate(
        "() => { const input = window.kept.querySelector('input[type=range]');"
        "input.value = 2; input.dispatchEvent(new Event('input')); }"
    )
    assert (settled(new) == before).all()
