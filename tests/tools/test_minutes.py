"""The README's minutes are those that the notebooks take, as tools/minutes.py counts them."""

import re

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools.colab_cells import with_cell
from tools.minutes import (
    README,
    START,
    WORDS,
    by_part,
    estimates,
    hours,
    in_whole_minutes,
    parts,
    practice,
    reading,
    rounded,
    with_minutes,
    with_parts,
)


def test_words_cells_figures_and_what_is_asked_are_counted():
    text = new_markdown_cell("[word](page.md#a-b) " * WORDS)
    figure = new_code_cell("show()", outputs=[new_output("display_data", {"image/png": ""})])
    assert reading(new_notebook(cells=[text])) == 1
    assert reading(new_notebook(cells=[text, figure])) == 3
    assert reading(new_notebook(cells=[text, new_code_cell("print(1)")])) == 2
    for_colab = with_cell(new_notebook(cells=[text, new_code_cell("print(1)")]), "")
    assert len(for_colab.cells) == 3 and reading(for_colab) == 2
    asked = new_markdown_cell("> **Predict.**\n\n**Question 1.**\n\n<details>\n\n</details>")
    assert reading(new_notebook(cells=[text, asked])) == pytest.approx(3 + 3 / WORDS)


def test_only_what_solves_an_exercise_counts_as_its_lines():
    before = [new_markdown_cell("# Solutions"), new_code_cell("import os\nimport sys")]
    first = [new_markdown_cell("## 1. One"), new_code_cell("a = 1\n\nb = 2")]
    second = [new_markdown_cell("## 2. Two"), new_code_cell("print(a)\nprint(b)")]
    assert practice(new_notebook(cells=before + first)) == 9
    assert practice(new_notebook(cells=before + first + second)) == 18


def test_a_notebook_is_split_at_its_headings():
    cells = [new_markdown_cell("# T\n\nstart"), new_code_cell("## no heading")]
    cells += [new_markdown_cell("middle\n\n## A\n\na\n\n### Not\n\n## B"), new_code_cell("b")]
    split = parts(new_notebook(cells=cells))
    assert list(split) == [START, "A", "B"]
    assert [len(part.cells) for part in split.values()] == [3, 1, 2]
    assert split["A"].cells[0].source.endswith("### Not\n\n")


def test_whole_minutes_add_up_and_none_is_zero():
    assert in_whole_minutes({"a": 2.4, "b": 2.4, "c": 0.2}, 5) == {"a": 2, "b": 2, "c": 1}
    assert in_whole_minutes({"a": 2.4, "b": 2.45, "c": 0.2}, 6) == {"a": 2, "b": 3, "c": 1}
    assert in_whole_minutes({"a": 2.6, "b": 0.9}, 2) == {"a": 1, "b": 1}


@pytest.mark.parametrize("name", estimates())
def test_parts_add_up_to_the_estimates(name):
    shares = by_part(name)
    exercises = {title: share for title, share in shares.items() if title[0].isdigit()}
    assert sum(exercises.values()) == estimates()[name][1]
    assert sum(shares.values()) == sum(estimates()[name])


def test_a_page_gets_the_minutes_of_its_parts():
    table = "| section | alone | class |\n| --- | --- | --- |\n| A | 1 | 9 |\n| B + C | 1 | 9 |\n"
    page = f"Text 1.\n\n{table}| **together** | **1** | **18** |\n\n| x | y |\n"
    written = with_parts(page, {"A": 2, "B": 3, "C": 4})
    assert "| A | 2 | 9 |\n| B + C | 7 | 9 |\n| **together** | **9** | **18** |" in written
    assert with_parts(written, {"A": 1, "B": 0, "C": 1}).count("| 1 |") == 2
    with pytest.raises(ValueError, match="'D'"):
        with_parts("| A + D | 1 | 2 |", {"A": 1})


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
