"""The page on marking says what the program does."""

import re

import pandas as pd

from tests.teaching.pages import TEACHING, tables
from vaelib import task
from vaelib.marking import BY_READING, CAUSES, POINTS, SHOWS
from vaelib.task import RUNS

PAGE = (TEACHING / "marking.md").read_text("utf-8")
MINUTES, SCHEME, LIMITS, _ = tables(PAGE)


def test_the_hour_is_an_hour():
    *rows, last = MINUTES[1:]
    assert sum(int(row[1]) for row in rows) == 60 and last[1] == "**60**"


def test_the_points_are_those_of_the_program():
    stated = {part: int(points) for part, points, *_ in SCHEME[1:]}
    assert stated == {**POINTS, "why": 2}
    assert [row[0] for row in SCHEME[1:] if row[3] == "by reading"] == [*BY_READING]
    by_program = len(RUNS) * sum(POINTS.values())
    assert f"{by_program} points by the program, six by hand, {by_program + 6} in all" in PAGE
    assert len(RUNS) * sum(POINTS[part] for part in BY_READING) == 9 and "nine points" in PAGE


def test_the_causes_and_numbers_are_those_of_the_program():
    for run, cause, numbers, _ in LIMITS[1:]:
        assert cause == f"`{CAUSES[run]}`"
        assert set(re.findall(r"`(\w+)`", numbers)) == SHOWS[run]


def test_the_limits_are_those_of_the_program():
    limits = f"at least {task.LEAST_KL} nats per face, its clouds have a mean deviation of at most "
    limits += f"{task.LARGEST_DEVIATION}, new faces are off by at most {task.LARGEST_ERROR} grey"
    assert limits in PAGE and f"within {round(100 * (task.LARGEST_RATIO - 1))} %" in PAGE
    assert f"at least {task.LEAST_PRICE} times" in LIMITS[1][3]
    assert f"at least {task.LEAST_FACES:,} different faces" in LIMITS[3][3]


def test_the_numbers_of_the_good_run_are_those_measured():
    path = task.course_folder() / "task" / "numbers.csv"
    good = pd.read_csv(path, index_col="run").loc["good"]
    errors = {round(good[f"error_{kind}"]) for kind in ("trained_on", "new", "draws")}
    assert errors == {14}
    stated = f"{good['kl']:.0f} nats, a deviation of {good['deviation']:.2f}, and errors of 14 grey"
    assert stated in PAGE
