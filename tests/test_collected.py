"""No file of Python is left out: neither tests by pytest, nor any by the linter."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def lines(*command: str) -> set[str]:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines())


@pytest.fixture(scope="module")
def tracked() -> set[str]:
    """All files of Python that belong to the project."""
    return {path for path in lines("git", "ls-files") if path.endswith(".py")}


@pytest.mark.slow
def test_every_test_is_collected(tracked):
    every = (
        "-qq",
        "--collect-only",
        "-m",
        "slow or not slow",
        "-o",
        "addopts=--import-mode=importlib",
    )
    shown = lines(sys.executable, "-m", "pytest", "tests", *every)
    collected = {line.partition(":")[0] for line in shown if line.startswith("tests/")}
    assert {path for path in tracked if Path(path).name.startswith("test_")} == collected


def test_every_file_is_linted(tracked):
    shown = lines(sys.executable, "-m", "ruff", "check", "--show-files", ".")
    assert tracked <= {Path(path).relative_to(ROOT).as_posix() for path in shown}
