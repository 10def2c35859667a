"""The slides in a browser: one file, no request, and everything within the picture."""

import pytest

from tools import browser
from tools.npm import find_npm
from tools.slides import ROOT, SLIDES, presentation, reveal, slides_of

SIZE = {"width": 1280, "height": 720}
SMALLEST = 30  # pixels of 720 that text has at least, to be read in the last row
EDGES = """() => {
  const parts = [...Reveal.getCurrentSlide().children].filter((e) => e.tagName != "ASIDE");
  const boxes = parts.map((e) => e.getBoundingClientRect());
  const sizes = parts.map((e) => parseFloat(getComputedStyle(e).fontSize));
  return {
    top: Math.min(...boxes.map((b) => b.top)), bottom: Math.max(...boxes.map((b) => b.bottom)),
    left: Math.min(...boxes.map((b) => b.left)), right: Math.max(...boxes.map((b) => b.right)),
    apart: boxes.every((b, i) => !i || b.top >= boxes[i - 1].bottom - 1),
    loaded: [...document.images].every((i) => i.complete && i.naturalWidth > 0),
    scale: Reveal.getScale(), smallest: Math.min(...sizes),
  };
}"""


@pytest.fixture(scope="module")
def slides(a_browser, tmp_path_factory):
    """The file of the slides; without npm it can't be made."""
    if not find_npm():
        pytest.skip("there is no npm; Node.js brings it")
    files = reveal(ROOT / "build" / "npm-slides")
    path = tmp_path_factory.mktemp("slides") / "slides.html"
    path.write_text(presentation(slides_of(SLIDES), files), encoding="utf-8")
    return path


def test_no_slide_is_cut_or_too_small_and_nothing_is_fetched(slides):
    asked, errors = [], []
    with browser.browser_page(viewport=SIZE) as page:
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(slides.as_uri())
        page.wait_for_function("window.Reveal && Reveal.isReady()")
        count = page.evaluate("Reveal.getTotalSlides()")
        assert count == len(slides_of(SLIDES))
        for i in range(count):
            page.evaluate(f"Reveal.slide({i})")
            found = page.evaluate(EDGES)
            assert found["loaded"] and found["apart"], i
            assert found["top"] >= 0 and found["bottom"] <= SIZE["height"], i
            assert found["left"] >= 0 and found["right"] <= SIZE["width"], i
            assert found["smallest"] * found["scale"] >= SMALLEST, i
    assert [url for url in asked if not url.startswith("data:")] == [slides.as_uri()]
    assert errors == []
