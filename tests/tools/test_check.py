"""Tests of tools/check.py: every part runs, and the table tells the truth."""

import sys

from tools import check


def test_runs_every_part_even_after_a_failure(capfd):
    parts = {
        "first": [sys.executable, "-c", "print('one')"],
        "second": [sys.executable, "-c", "raise SystemExit(5)"],
        "third": [sys.executable, "-c", "print('three')"],
    }
    results = check.run_parts(parts)
    assert [(name, passed) for name, passed, _ in results] == [
        ("first", True),
        ("second", False),
        ("third", True),
    ]
    assert "three" in capfd.readouterr().out


def test_table():
    lines = check.table([("lint", True, 1.4), ("unit tests", False, 100.2)]).strip().splitlines()
    assert lines == [
        "lint           1 s  passed",
        "unit tests   100 s  FAILED",
        "together     102 s",
    ]
