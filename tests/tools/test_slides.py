"""The slides: their figures come from the notebooks, and one file holds everything."""

import base64
import re

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output, writes

from tools import npm, slides
from tools.slides import FIGURE, LOOK, SLIDES, presentation, reveal, slides_of

FILES = {"reveal.css": "p {}", "reveal.js": "a = '</script>'"}


@pytest.fixture
def page(tmp_path):
    """A page of slides beside a notebook and a picture."""
    picture = new_output("display_data", {"image/png": "QUJD\n"})
    cells = [new_code_cell("1", id="a", outputs=[picture]), new_code_cell("2", id="b")]
    (tmp_path / "n.ipynb").write_text(writes(new_notebook(cells=cells)))
    (tmp_path / "p.png").write_bytes(b"XYZ")

    def write(text):
        (tmp_path / "slides.md").write_text(text, encoding="utf-8")
        return tmp_path / "slides.md"

    return write


def test_figures_of_notebooks_and_files_are_put_in(page):
    text = (
        "Preface\n\n---\n\n# A\n\n[Figure: One](n.ipynb#a)\n\n---\n\n## B\n\n[Figure: Two](p.png)\n"
    )
    first, second = slides_of(page(text))
    assert first == "# A\n\n![One](data:image/png;base64,QUJD)"
    assert second == f"## B\n\n![Two](data:image/png;base64,{base64.b64encode(b'XYZ').decode()})"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# No slides", "has no slides"),
        ("---\n[Figure: x](n.ipynb#c)\n", "No cell c of n.ipynb has a picture"),
        ("---\n[Figure: x](n.ipynb#b)\n", "No cell b of n.ipynb has a picture"),
        ("---\n[Figure: x](m.png)\n", "a figure of m.png: there is no such file"),
        ("---\n[Figure: x](slides.md)\n", "slides.md is no .png"),
        ("---\n[Figure: x](p.png#a)\n", "p.png is no notebook"),
    ],
)
def test_what_is_wrong_is_one_sentence(page, text, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        slides_of(page(text))


def test_the_page_holds_the_slides_and_all_files():
    made = presentation(["# A & B\n\n1 < 2", "## </textarea>"], FILES)
    assert "<title>A &amp; B</title>" in made and "1 &lt; 2" in made and "p {}" in made
    assert made.count("<section") == made.count("</textarea>") == 2
    assert made.count("</script>") == 2  # reveal.js, and the line that starts it
    assert (LOOK / "slides.css").read_text("utf-8") in made


def test_the_slides_of_the_course_have_their_figures_and_fill_half_an_hour():
    made = slides_of(SLIDES)
    asked = FIGURE.findall(SLIDES.read_text("utf-8"))
    pictures = [line for slide in made for line in slide.splitlines() if line.startswith("![")]
    assert len(pictures) == len(asked) >= 10 and all("](data:image/" in line for line in pictures)
    minutes = [re.findall(r"^Note: (\d+) minutes?\. ", slide, flags=re.M) for slide in made]
    assert sum(int(*each) for each in minutes) == 30


def test_reveal_is_pinned_and_the_lock_names_no_host(tmp_path, monkeypatch):
    monkeypatch.setattr(npm, "find_npm", lambda: None)
    with pytest.raises(OSError, match="npm is needed"):
        reveal(tmp_path / "npm")
    lock = (LOOK / "package-lock.json").read_text("utf-8")
    assert "integrity" in lock and "resolved" not in lock


def test_the_command_ends_with_one_sentence(monkeypatch, page):
    monkeypatch.setattr(slides, "SLIDES", page("nothing"))
    monkeypatch.setattr("sys.argv", ["slides.py"])
    with pytest.raises(SystemExit, match="has no slides"):
        slides.main()
