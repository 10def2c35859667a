"""Tests of tools/site_links.py: where the links of a page lead."""

import pytest

from tools.site_links import Site

FILES = ("docs/glossary.md", "docs/face.png", "notebooks/01_faces.ipynb", "data/list.txt")
REPOSITORY = "https://github.com/somebody/latent-faces"
EXERCISES, SOLUTIONS = "notebooks/exercises/01.ipynb", "notebooks/solutions/01.ipynb"


@pytest.fixture
def root(tmp_path):
    for name in (*FILES, EXERCISES, SOLUTIONS, "README.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        cells = '{"cells": [{"id": "cell-15"}, {"id": "plane-08"}]}'
        (tmp_path / name).write_text(cells if name.endswith(".ipynb") else "", "utf-8")
    return tmp_path


@pytest.fixture
def site(root):
    return Site(root, pages())


def pages() -> dict[str, str]:
    own = {name: name for name in ("docs/glossary.md", "notebooks/01_faces.ipynb", SOLUTIONS)}
    return {**own, EXERCISES: SOLUTIONS, "README.md": "start.md"}


@pytest.mark.parametrize(
    "file, link, wanted",
    [
        ("notebooks/01_faces.ipynb", "../docs/glossary.md#nat", "../docs/glossary.md#nat"),
        ("notebooks/01_faces.ipynb", "exercises/01.ipynb", "solutions/01.ipynb"),
        ("docs/glossary.md", "../notebooks/01_faces.ipynb", "../notebooks/01_faces.ipynb"),
        ("docs/glossary.md", "../README.md", "../start.md"),
        ("docs/glossary.md", "#nat", "#nat"),
        ("docs/glossary.md", "glossary.md#nat", "#nat"),
        ("docs/glossary.md", "https://arxiv.org/abs/1312.6114", "https://arxiv.org/abs/1312.6114"),
        ("README.md", "docs/glossary.md", "docs/glossary.md"),
        ("docs/glossary.md", "../notebooks/01_faces.ipynb#cell-15", "../notebooks/01_faces.ipynb"),
        ("docs/glossary.md", "../notebooks/01_faces.ipynb#plane-08", "../notebooks/01_faces.ipynb"),
        ("docs/glossary.md", "../notebooks/01_faces.ipynb#a", "../notebooks/01_faces.ipynb#a"),
    ],
)
def test_a_file_that_has_a_page_becomes_the_page(site, file, link, wanted):
    assert site.text(f"See [this]({link}).", file) == f"See [this]({wanted})."


def test_other_files_are_links_to_the_repository_or_words(root, site):
    text = "See [the **list**](../data/list.txt) and [the folder](../data)."
    assert site.text(text, "docs/glossary.md") == "See the **list** and the folder."
    hosted = Site(root, pages(), REPOSITORY + "/")
    assert hosted.text(text, "docs/glossary.md") == (
        f"See [the **list**]({REPOSITORY}/blob/main/data/list.txt) "
        f"and [the folder]({REPOSITORY}/tree/main/data)."
    )


def test_solutions_do_not_link_to_themselves_as_exercises(root, site):
    text = "Try [them](../exercises/01.ipynb) first."
    assert site.text(text, SOLUTIONS) == "Try them first."
    hosted = Site(root, pages(), REPOSITORY).text(text, SOLUTIONS)
    assert hosted == f"Try [them]({REPOSITORY}/blob/main/{EXERCISES}) first."


def test_code_is_left_alone(site):
    text = "`[a](no.md)` and\n\n```python\n[b](no.md)\n```\n\nand ``[`c`](no.md)``"
    assert site.text(text, "docs/glossary.md") == text


def test_pictures_are_noted(site):
    text = '![a face](../docs/face.png "a title") [![small](../docs/face.png)](01_faces.ipynb)'
    assert site.text(text, "notebooks/01_faces.ipynb") == (
        '![a face](../docs/face.webp "a title") ![small](../docs/face.webp)'
    )
    assert site.pictures == {"docs/face.png"}
    assert site.text("![a face](docs/face.png)", "README.md") == "![a face](docs/face.webp)"


@pytest.mark.parametrize("link", ["no.md", "../../elsewhere.md", "../no/list.txt"])
def test_a_link_to_nothing_is_named(site, link):
    with pytest.raises(
        ValueError, match=f"glossary.md links to {link}, which does not exist".replace(".", r"\.")
    ):
        site.text(f"[this]({link})", "docs/glossary.md")


def test_a_picture_of_another_host_is_named(site):
    with pytest.raises(ValueError, match="from another host"):
        site.text("![badge](https://example.org/badge.svg)", "README.md")
