"""Tests of tools/site_pages.py and tools/site_modules.py: which pages there are, and of what."""

import pytest

from tools import site_modules, site_pages

ROOT = site_pages.ROOT


def test_the_readme_still_has_the_table_of_notebooks_and_the_parts_that_pages_take():
    readme = (ROOT / "README.md").read_text("utf-8")
    notebooks = sorted((ROOT / "notebooks").glob("0*.ipynb"))
    cards = site_pages.cards(readme)
    assert [cards.count(f"(notebooks/{path.name})") for path in notebooks] == [1] * len(notebooks)
    start = (ROOT / "web" / "start.md").read_text("utf-8")
    marks = [
        line.split('"')[1] for line in start.splitlines() if line.startswith((":start", ":end"))
    ]
    assert len(marks) == 8
    assert [readme.count(f"\n{mark}\n") for mark in marks] == [1] * len(marks)


def test_without_its_table_the_readme_is_named():
    with pytest.raises(ValueError, match=r"README\.md has no table of notebooks"):
        site_pages.cards("# Latent Faces\n")


def test_every_notebook_and_every_page_of_docs_has_a_page():
    pages = site_pages.pages_of(ROOT)
    for path in [*(ROOT / "docs").glob("*.md"), *(ROOT / "notebooks").rglob("[!.]*.ipynb")]:
        if ".ipynb_checkpoints" not in path.parts:
            assert path.relative_to(ROOT).as_posix() in pages, path
    solutions = pages["notebooks/exercises/01_faces_exercises.ipynb"]
    assert solutions == "notebooks/solutions/01_faces_solutions.ipynb"


def test_a_list_without_pages_is_left_out():
    text = "a\n\n```{toctree}\n:hidden:\n:glob:\n\ndocs/x\nhub/*\n```\n\nb\n"
    assert site_pages.without_empty_lists(text, ["docs/y.md"]) == "a\n\n\nb\n"
    for file in ("docs/x.md", "hub/README.md"):
        assert site_pages.without_empty_lists(text, [file]) == text


def test_a_folder_of_sources_keeps_what_is_right_and_loses_the_rest(tmp_path):
    (tmp_path / "old").mkdir()
    for name in ("same.md", "other.md", "old/gone.md"):
        (tmp_path / name).write_bytes(b"text")
    before = (tmp_path / "same.md").stat().st_mtime_ns
    site_pages.settle(tmp_path, {"same.md": b"text", "other.md": b"new", "a/new.md": b"new"})
    assert (tmp_path / "same.md").stat().st_mtime_ns == before
    contents = {p.name: p.read_bytes() for p in tmp_path.rglob("*.md")}
    assert contents == {"same.md": b"text", "other.md": b"new", "new.md": b"new"}


def test_the_reference_has_every_public_module_once():
    pages = site_modules.module_pages(ROOT)
    modules = [
        line.split()[-1]
        for text in pages.values()
        for line in text.splitlines()
        if line.startswith(".. automodule::")
    ]
    assert len(modules) == len(set(modules))
    for package in site_modules.PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            if site_modules.has_public(path) and not path.stem.startswith("_"):
                name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
                assert name in modules


def test_a_package_says_what_it_hands_on():
    handed = site_modules.handed_on(ROOT, "vaelib")
    assert ("vaelib.latent", "edit") in handed
    assert ("vaelib.start", "start_keras") not in handed
