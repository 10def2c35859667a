"""The pages for teachers: their minutes, their numbers, their links, and the lines to type."""

import ast
import builtins
import re

import nbformat
import pytest

from tests.notebooks.lists import NOTEBOOKS
from tests.notebooks.test_lesson import NUMBER, anchors, links, numbers, printed
from tests.teaching.pages import TEACHING, minutes_tables
from tools.colab_cells import is_colab
from tools.minutes import README, by_part, estimates

ROOT = TEACHING.parents[1]
NAMES = list(estimates())
PAGES = sorted(TEACHING.glob("*.md"))
PARTS = [
    *("Minutes", "Type live, show", "What people get wrong", "To discuss"),
    *("When time runs out", "About the data"),
]


def text_of(name: str) -> str:
    return (TEACHING / f"{name}.md").read_text("utf-8")


def part_of(name: str, title: str) -> str:
    return text_of(name).split(f"\n## {title}\n")[1].split("\n## ")[0]


@pytest.mark.parametrize("name", NAMES)
def test_each_notebook_has_a_page_with_every_part(name):
    assert re.findall(r"^## (.*)$", text_of(name), flags=re.M) == PARTS
    questions = re.findall(r"^(\d)\. ", part_of(name, "To discuss"), flags=re.M)
    assert questions == ["1", "2", "3"]
    assert part_of(name, "What people get wrong").count("\n|") >= 2 + 3  # three rows at least


@pytest.mark.parametrize("name", NAMES)
def test_the_columns_of_minutes_add_up(name):
    for _, *rows, last in minutes_tables(name):
        assert last[0] == "**together**"
        for column in (1, 2):
            stated = int(last[column].strip("*"))
            assert stated == sum(int(row[column]) for row in rows)
        assert all(row[3] for row in rows)
        skipped = [row for row in rows if row[2] == "0"]
        assert all(re.search(r"home|After|early|end of the day", row[3]) for row in skipped)


@pytest.mark.parametrize("name", NAMES)
def test_every_section_and_exercise_is_listed_in_order(name):
    listed = [part for t in minutes_tables(name) for row in t[1:-1] for part in row[0].split(" + ")]
    assert listed == list(by_part(name))


@pytest.mark.parametrize("name", NAMES)
def test_minutes_alone_are_those_of_the_estimate(name):
    """Within three minutes, so that a new sentence does not ask for a new table."""
    counted = by_part(name)
    for table in minutes_tables(name):
        for row in table[1:-1]:
            expected = sum(counted[part] for part in row[0].split(" + "))
            assert int(row[1]) == pytest.approx(expected, abs=3), "python tools/minutes.py --write"


@pytest.mark.parametrize("name", NAMES)
def test_their_sums_are_those_of_the_readme(name):
    row = rf"\]\(notebooks/{name}\.ipynb\) \|.*\| (\d+) \| (\d+) \| \d+ \|$"
    (stated,) = re.findall(row, README.read_text("utf-8"), flags=re.M)
    assert list(stated) == [table[-1][1].strip("*") for table in minutes_tables(name)]


def outputs_of(*paths) -> str:
    """All that notebooks have printed."""
    cells = [c for path in paths for c in nbformat.read(path, as_version=4).cells]
    return "\n".join(printed(cell) for cell in cells if cell.cell_type == "code")


def bold(text: str) -> list[str]:
    rows = [line for line in text.splitlines() if not line.startswith("| **together**")]
    return re.findall(rf"\*\*({NUMBER})\*\*", "\n".join(rows))


@pytest.mark.parametrize("name", NAMES)
def test_numbers_in_bold_are_printed_by_the_notebook(name):
    solutions = NOTEBOOKS / "solutions" / f"{name}_solutions.ipynb"
    known = numbers(outputs_of(NOTEBOOKS / f"{name}.ipynb", solutions))
    stated = bold(text_of(name))
    assert stated and [number for number in stated if not numbers(number) <= known] == []


@pytest.mark.parametrize("page", ["90_minutes", "slides"])
def test_numbers_in_bold_are_printed_by_some_notebook(page):
    known = numbers(outputs_of(*(NOTEBOOKS / f"{name}.ipynb" for name in NAMES)))
    stated = bold(text_of(page))
    assert stated and [number for number in stated if not numbers(number) <= known] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_each_link_leads_somewhere(path):
    for link in links(path):
        if link.startswith("https://"):
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), link
        assert not anchor or target.suffix == ".ipynb" or anchor in anchors(target), link


@pytest.mark.parametrize("name", NAMES)
def test_what_is_typed_live_uses_names_that_the_notebook_has(name):
    code = [
        cell.source
        for cell in nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4).cells
        if cell.cell_type == "code" and not re.search("^%", cell.source, flags=re.M)
        if not is_colab(cell)
    ]
    known = set(dir(builtins))
    for cell in code:
        for node in ast.walk(ast.parse(cell)):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                known.add(node.id)
            elif isinstance(node, ast.FunctionDef | ast.ClassDef):
                known.add(node.name)
            elif isinstance(node, ast.alias):
                known.add((node.asname or node.name).partition(".")[0])
    typed = part_of(name, "Type live, show")
    blocks = re.findall(r"(?:^ {4}.*\n)+", typed, flags=re.M)
    assert blocks
    for block in blocks:
        tree = ast.parse("\n".join(line[4:] for line in block.splitlines()))
        own = {
            n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        }
        used = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
        assert used - own <= known, used - own - known
