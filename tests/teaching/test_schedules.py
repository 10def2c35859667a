"""The schedules for teachers: they add up, and no block is over 90 minutes."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from tests.teaching.pages import TEACHING, class_minutes, tables
from tools.minutes import estimates

PAGE = (TEACHING / "README.md").read_text("utf-8")
BLOCK = 90  # minutes without a break, at most
TITLES = {"90 minutes": 90, "Half a day": 4 * 60, "The first day": 8 * 60, "The second day": 8 * 60}


def schedule(title: str) -> tuple[list[tuple[int, int, str]], int]:
    """Of a schedule: minute of the clock, minutes, and what, in each row; and the stated sum."""
    text = re.split(rf"^##+ {title}\n", PAGE, flags=re.M)[1].split("\n#")[0]
    (table,) = tables(text)
    *rows, last = table[1:]
    assert last[0] == "**together**"
    found = []
    for clock, minutes, what, _ in rows:
        hour, minute = clock.split(":")
        found.append((60 * int(hour) + int(minute), int(minutes or 0), what))
    return found, int(last[1].strip("*"))


@pytest.mark.parametrize("title", TITLES)
def test_each_row_begins_where_the_one_above_ends(title):
    rows, _ = schedule(title)
    assert rows[-1][1:] == (0, "end")
    for (start, minutes, what), (next_start, _, _) in pairwise(rows):
        assert minutes > 0 and start + minutes == next_start, what


@pytest.mark.parametrize(("title", "most"), TITLES.items())
def test_the_stated_sum_is_the_sum(title, most):
    rows, stated = schedule(title)
    assert sum(minutes for _, minutes, _ in rows) == stated <= most


def blocks(rows: list[tuple[int, int, str]]) -> list[int]:
    """Minutes between breaks."""
    found = [0]
    for _, minutes, what in rows:
        if what.startswith("break"):
            found.append(0)
        else:
            found[-1] += minutes
    return found


@pytest.mark.parametrize("title", TITLES)
def test_no_block_is_too_long(title):
    rows, _ = schedule(title)
    assert 0 < max(blocks(rows)) <= BLOCK


def test_a_long_block_is_seen():
    rows = [(0, 60, "a"), (60, 40, "b"), (100, 20, "break"), (120, 10, "c"), (130, 0, "end")]
    assert blocks(rows) == [100, 10]


def test_the_two_days_give_each_notebook_the_minutes_of_its_page():
    planned = dict.fromkeys(range(1, 9), 0)
    for title in ("The first day", "The second day"):
        for _, minutes, what in schedule(title)[0]:
            if match := re.match(r"Notebook (\d)\b", what):
                planned[int(match[1])] += minutes
    assert planned == {int(name[:2]): class_minutes(name) for name in estimates()}


def test_every_schedule_has_the_half_hour_of_the_slides():
    for title in ("90 minutes", "Half a day", "The first day"):
        opening = [minutes for _, minutes, what in schedule(title)[0] if "half hour" in what]
        assert opening == [30]


def test_the_script_of_the_90_minutes_follows_its_schedule():
    script = (TEACHING / "90_minutes.md").read_text("utf-8")
    headings = re.findall(r"^## (\d\d):(\d\d) .*\((\d+) minutes\)$", script, flags=re.M)
    found = [(60 * int(hour) + int(minute), int(minutes)) for hour, minute, minutes in headings]
    assert found == [row[:2] for row in schedule("90 minutes")[0][:-1]]


def test_all_pages_are_listed():
    pages = {path.name for path in Path(TEACHING).glob("*.md")} - {"README.md"}
    assert pages == {link for link in re.findall(r"\]\((\w+\.md)\)", PAGE)}
