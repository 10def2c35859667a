"""Reads the pages for teachers, for their tests."""

import re
from pathlib import Path

TEACHING = Path(__file__).resolve().parents[2] / "docs" / "teaching"


def tables(text: str) -> list[list[list[str]]]:
    """The tables of a page: rows of cells, the heading first, without the line below it."""
    found = []
    for block in re.findall(r"(?:^\|.*\|\n?)+", text, flags=re.M):
        heading, _, *rows = block.splitlines()
        found.append([[cell.strip() for cell in row[1:-1].split("|")] for row in [heading, *rows]])
    return found


def minutes_tables(name: str) -> list[list[list[str]]]:
    """The two tables of minutes of a notebook's page: sections, exercises."""
    page = (TEACHING / f"{name}.md").read_text("utf-8")
    found = [table for table in tables(page) if table[0][1:] == ["alone", "class", "how"]]
    assert [table[0][0] for table in found] == ["section", "exercise"]
    return found


def class_minutes(name: str) -> int:
    """The minutes that a notebook takes in the schedule of two days, as its page states them."""
    return sum(int(table[-1][2].strip("*")) for table in minutes_tables(name))
