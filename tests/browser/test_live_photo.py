"""One's own photo in a live page: encoded there, sent nowhere, refused in the notebook's words."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

FACE = Path(__file__).resolve().parents[2] / "data/portraits/img_align_celeba/019503.jpg"
START = 60_000  # milliseconds until a photo is encoded the first time, on a busy machine


def upload(studio, name: str, data: bytes) -> None:
    files = {"name": name, "mimeType": "application/octet-stream", "buffer": data}
    studio.locator("input[type=file]").set_input_files(files)


def wait_for_message(studio, part: str) -> str:
    text = studio.locator(".message")
    studio.page.wait_for_function(
        "([node, part]) => node.textContent.includes(part)", arg=[text.element_handle(), part]
    )
    return text.inner_text()


def png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def test_a_photo_is_encoded_in_the_page_and_sent_nowhere(visit, widget, at_rest, changed):
    studio = widget("studio")
    before = at_rest(studio, "img[data-face=original]")
    sent = []
    visit.page.on("request", lambda request: sent.append((request.method, request.post_data)))
    count = len(visit.requests)
    upload(studio, "me.jpg", FACE.read_bytes())
    visit.page.wait_for_function(
        "() => !document.querySelector('.studio [aria-pressed=true]')", timeout=START
    )
    photo = at_rest(studio, "img[data-face=original]")
    assert changed(before, photo) > 5
    asked = visit.requests[count:]
    assert all(
        url.endswith("encoder.onnx.gz") for url in asked
    )  # a part of the page, the first time
    assert all(method == "GET" and data is None for method, data in sent)
    count = len(visit.requests)
    upload(studio, "again.jpg", FACE.read_bytes())
    assert changed(photo, at_rest(studio, "img[data-face=original]")) == 0
    assert visit.requests[count:] == []


def test_an_encoder_that_does_not_come_is_said_and_asked_for_again(new_visit):
    visit = new_visit()
    visit.open("studio.html", "studio")
    page, studio = visit.page, visit.page.locator(".faces.studio")
    page.route("**/encoder.onnx.gz", lambda route: route.abort())
    upload(studio, "me.jpg", FACE.read_bytes())
    wait_for_message(studio, "The encoder could not be fetched: choose the photo again.")
    page.unroute("**/encoder.onnx.gz")
    upload(studio, "me.jpg", FACE.read_bytes())
    page.wait_for_function(
        "() => !document.querySelector('.studio [aria-pressed=true]')", timeout=START
    )


def test_a_photo_is_the_face_that_the_notebook_makes_of_it(visit):
    from vaelib.data.photo import read_photo

    large = Image.open(FACE).resize((900, 700), Image.Resampling.BICUBIC)
    truth = read_photo(png(large), "me", 64)
    found = visit.page.evaluate(
        """async bytes => {
          const { readPhoto } = await import(`${location.origin}/live/photo.js`);
          const file = new Blob([new Uint8Array(bytes)]);
          return Array.from(await readPhoto(file, "me", 64, {}));
        }""",
        list(png(large)),
    )
    error = 255 * np.abs(np.reshape(found, truth.shape) - truth)
    assert error.mean() < 2.5


def huge() -> bytes:
    """A PNG file of 200 million pixels, in some hundred kilobytes."""
    return png(Image.new("1", (20_000, 10_000)))


@pytest.mark.parametrize(
    "name, data",
    [
        ("notes.txt", lambda: b"no picture at all"),
        ("half.png", lambda: png(Image.effect_noise((300, 300), 100))[:20_000]),
        ("huge.png", huge),
    ],
)
def test_what_is_no_photo_is_refused_in_the_notebooks_words(widget, at_rest, name, data, changed):
    from vaelib.data.photo import read_photo

    studio = widget("studio")
    studio.locator(".thumbnail").first.click()
    before = at_rest(studio, "img[data-face=original]")
    with pytest.raises(ValueError) as refusal:
        read_photo(data(), name)
    upload(studio, name, data())
    assert wait_for_message(studio, name) == str(refusal.value)
    assert changed(before, at_rest(studio, "img[data-face=original]")) == 0


def test_a_photo_without_a_face_is_shown_with_a_warning(widget):
    studio = widget("studio")
    upload(studio, "sand.png", png(Image.effect_noise((300, 300), 100)))
    assert "sand.png is unlike the faces" in wait_for_message(studio, "unlike")
    studio.locator(".thumbnail").first.click()
