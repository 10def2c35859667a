"""The drawing benchmark: its arithmetic, and a tiny run of the real thing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.portraits import SIZES, as_text, summary

ROOT = Path(__file__).resolve().parents[2]
RATES = {"64": [90.0, 10.0, 80.04], "128": [30.0], "178x218": [12.0, 14.0]}


def test_the_result_is_the_median_of_the_turns():
    assert summary(RATES) == {"images_per_second": {"64": 80.0, "128": 30.0, "178x218": 13.0}}


def test_the_table_has_a_line_per_size():
    _, *lines = as_text(summary(RATES)).splitlines()
    assert [line.split() for line in lines] == [
        ["64", "80.0"],
        ["128", "30.0"],
        ["178x218", "13.0"],
    ]


@pytest.mark.slow
def test_the_command_ends_with_json():
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.portraits", "--count", "2", "--turns", "1"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    rates = json.loads(run.stdout.splitlines()[-1])["images_per_second"]
    assert tuple(rates) == SIZES
    assert all(rate > 0 for rate in rates.values())
