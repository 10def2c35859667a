"""The README's minutes are those that the notebooks take, as tools/minutes.py counts them."""

import re

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools.minutes import (
    README,
    WORDS,
    estimates,
    hours,
    practice,
    reading,
    rounded,
    with_minutes,
)


def test_words_cells_figures_and_what_is_asked_are_counted():
    text = new_markdown_cell("[word](page.md#a-b) " * WORDS)
    figure = new_code_cell("show()", outputs=[new_output("display_data", {"image/png": ""})])
    assert reading(new_notebook(cells=[text])) == 1
    assert reading(new_notebook(cells=[text, figure])) == 3
    assert reading(new_notebook(cells=[text, new_code_cell("print(1)")])) == 2
    asked = new_markdown_cell("> **Predict.**\n\n**Question 1.**\n\n<details>\n\n</details>")
    assert reading(new_notebook(cells=[text, asked])) == pytest.approx(3 + 3 / WORDS)


def test_only_what_solves_an_exercise_counts_as_its_lines():
    before = [new_markdown_cell("# Solutions"), new_code_cell("import os\nimport sys")]
    first = [new_markdown_cell("## 1. One"), new_code_cell("a = 1\n\nb = 2")]
    second = [new_markdown_cell("## 2. Two"), new_code_cell("print(a)\nprint(b)")]
    assert practice(new_notebook(cells=before + first)) == 9
    assert practice(new_notebook(cells=before + first + second)) == 18


@pytest.mark.parametrize(("minutes", "stated"), [(1, 5), (12.4, 10), (12.6, 15), (61, 60)])
def test_minutes_are_stated_in_steps_of_five(minutes, stated):
    assert rounded(minutes) == stated


def test_the_table_of_the_readme_agrees():
    """Within ten minutes, so that a new sentence does not ask for a new table."""
    page = README.read_text("utf-8")
    row = r"^\| \[.*?\]\(notebooks/(\w+)\.ipynb\) \|.*\| (\d+) \| (\d+) \| \d+ \|$"
    stated = {name: (int(a), int(b)) for name, a, b in re.findall(row, page, flags=re.M)}
    counted = estimates()
    assert stated.keys() == counted.keys()
    for name, pair in stated.items():
        assert pair == pytest.approx(counted[name], abs=10), "python tools/minutes.py --write"
    assert hours(stated) in page


def test_writing_changes_the_minutes_alone():
    page = README.read_text("utf-8")
    other = with_minutes(page, dict.fromkeys(estimates(), (7, 8)))
    assert with_minutes(other, dict.fromkeys(estimates(), (7, 8))) == other
    lines = [pair for pair in zip(page.splitlines(), other.splitlines()) if pair[0] != pair[1]]
    assert len(lines) == len(estimates()) + 1 and len(page.splitlines()) == len(other.splitlines())
    assert all(
        "| 7 | 8 |" in new or "1 hours to read and run, and 1 for" in new for _, new in lines
    )


def test_what_is_no_notebook_is_one_sentence(tmp_path):
    (tmp_path / "01_a.ipynb").write_text("")
    with pytest.raises(ValueError, match=r"01_a.ipynb is no notebook: restore it."):
        estimates(tmp_path)
    page = README.read_text("utf-8").replace("01_faces.ipynb)", "09_none.ipynb)")
    with pytest.raises(ValueError, match="table names 09_none"):
        with_minutes(page, estimates())
