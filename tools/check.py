"""Run every check of the project and print how long each took: `make test` calls this.

python tools/check.py                  all of them
python tools/check.py lint types       these; the names stand in PARTS
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools import debian  # noqa: E402
from tools.browser import find_browser  # noqa: E402
from tools.installed import complaint  # noqa: E402
from tools.npm import find_npm  # noqa: E402

IN_PARALLEL = ["-n", "logical", "--maxprocesses", "4"]  # each process loads TensorFlow
# Two files at a time: cells follow each other, and some tests of a file share what they made.
BY_FILE = ["-n", "2", "--dist", "loadfile"]
LONGEST_FIRST = [*BY_FILE, "--no-loadscope-reorder"]  # in the order of conftest.py
MODULE = [sys.executable, "-m"]
PYTEST = [*MODULE, "pytest"]
# The tests of what runs with each of Keras' backends.
JAX_TESTS = [
    f"tests/vaelib/test_{name}.py"
    for name in (
        *("latent", "latent_model", "metrics", "model", "optimizer"),
        *("parallel", "prior", "processes", "scales", "training"),
    )
]
# Lines that numba compiles, and those that a test runs in another program, count as not run.
COVERAGE = ["--cov", "--cov-report=term"]
PARTS = {
    "format": [*MODULE, "ruff", "format", "--check", "."],
    "lint": [*MODULE, "ruff", "check", "."],
    "imports": ["lint-imports", "--no-cache", "--no-logo"],  # it can't be started with -m
    "types": [*MODULE, "mypy"],
    "javascript": ["oxlint", "--deny-warnings", "vaelib/widgets", "web/live"],
    "portraits": [*MODULE, "portraits"],
    "unit tests": [
        *PYTEST,
        "tests",
        "-m",
        "not slow and not after_notebooks",
        *IN_PARALLEL,
        *COVERAGE,
    ],
    "JAX tests": ["env", "KERAS_BACKEND=jax", *PYTEST, *JAX_TESTS, "-m", "not slow", *IN_PARALLEL],
    "notebooks": [*PYTEST, "--nbval", "notebooks", *BY_FILE],
    "slow tests": [
        *PYTEST,
        "tests",
        "-m",
        "(slow or after_notebooks) and not browser",
        *LONGEST_FIRST,
    ],
    "site": [sys.executable, "tools/site.py"],
    "browser tests": [*PYTEST, "tests/browser", *BY_FILE],
}
# What needs a program that Python does not bring: how to find it, and what is said without it.
NEEDED = {
    "site": (find_npm, "The site was left out: there is no npm; Node.js brings it."),
    "browser tests": (
        find_browser,
        "The browser tests were left out: there is no Chrome or Chromium; "
        "`make browser` installs one.",
    ),
}


def main() -> None:
    """Run the named parts, or all, even after one failed; end with status 1 if any did."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    names = parser.parse_args().parts or list(PARTS)
    if unknown := [name for name in names if name not in PARTS]:
        parser.error(f"there is no part {unknown[0]!r}; the parts are: {', '.join(PARTS)}.")
    if wrong := complaint():
        sys.exit(wrong)
    # Programs such as `tensorboard` come from this Python's folder; output is not buffered.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    os.environ["PYTHONUNBUFFERED"] = "1"
    parts = {name: PARTS[name] for name in names}
    if os.environ.get("CI") == "true":  # what is missing is installed, where that is allowed
        for find, packages in ((find_browser, ["chromium"]), (find_npm, ["nodejs", "npm"])):
            if not find():
                debian.install(*packages)
    left_out = [name for name, (find, _) in NEEDED.items() if name in parts and not find()]
    for name in left_out:
        del parts[name]
    results = run_parts(parts)
    print(table(results), flush=True)
    for name in left_out:
        print(f"\n{NEEDED[name][1]}")
    if not all(passed for _, passed, _ in results):
        sys.exit(1)


def run_parts(parts: dict[str, list[str]]) -> list[tuple[str, bool, float]]:
    """Run commands one after the other.

    Args:
        parts: the command of each part by its name.

    Returns:
        For each part its name, whether it passed, and the seconds it took.
    """
    results = []
    for name, command in parts.items():
        shown = " ".join(command).replace(sys.executable, "python")
        print(f"\n== {name}: {shown}", flush=True)
        start = time.monotonic()
        status = subprocess.call(command, cwd=ROOT)
        results.append((name, status == 0, time.monotonic() - start))
    return results


def table(results: list[tuple[str, bool, float]]) -> str:
    """Format the results, one line per part; the last line has the sum of the seconds."""
    rows = [(name, f"{s:.0f} s", "passed" if ok else "FAILED") for name, ok, s in results]
    rows.append(("together", f"{sum(s for *_, s in results):.0f} s", ""))
    width = max(len(name) for name, *_ in rows)
    lines = [f"{name:{width}} {took:>7}  {state}".rstrip() for name, took, state in rows]
    return "\n".join(["", *lines])


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nInterrupted.")
