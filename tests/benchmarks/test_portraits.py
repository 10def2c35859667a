"""The drawing benchmark: its arithmetic, and a tiny run of the real thing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.portraits import as_text, summary

ROOT = Path(__file__).resolve().parents[2]


def test_summary_with_and_without_the_prototype():
    ours = {("ours", "64"): 90.0, ("ours", "128"): 30.0, ("ours", "178x218"): 12.0}
    alone = summary(ours)
    assert alone["ratio_to_prototype"] is None
    assert alone["images_per_second"] == {"64": 90.0, "128": 30.0, "178x218": 12.0}
    theirs = {("prototype", size): rate / 1.5 for (_, size), rate in ours.items()}
    assert summary({**ours, **theirs})["ratio_to_prototype"] == pytest.approx(1.5)


def test_the_table_has_a_line_a_size():
    rates = {("ours", size): 10.0 for size in ("64", "128", "178x218")}
    assert len(as_text(summary(rates)).splitlines()) == 4


@pytest.mark.slow
def test_the_command_ends_with_json(tmp_path):
    options = f"--count 2 --turns 1 --prototype {tmp_path}"
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.portraits", *options.split()],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    result = json.loads(run.stdout.splitlines()[-1])
    assert result["ratio_to_prototype"] is None
    assert set(result["images_per_second"]) == {"64", "128", "178x218"}
    assert all(rate > 0 for rate in result["images_per_second"].values())
