"""Runs every check of the project and says how long each took: `make test` calls this."""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools.browser import find_browser  # noqa: E402
from tools.installed import complaint  # noqa: E402

IN_PARALLEL = ["-n", "logical", "--maxprocesses", "4"]  # each process has a TensorFlow of its own
PARTS = {
    "format": ["ruff", "format", "--check", "."],
    "lint": ["ruff", "check", "."],
    "portraits": ["portraits"],
    "unit tests": ["pytest", "tests", "-m", "not slow and not after_notebooks", *IN_PARALLEL],
    "notebooks": ["pytest", "--nbval", "notebooks"],
    "slow tests": ["pytest", "tests", "-m", "(slow or after_notebooks) and not browser"],
    "browser tests": ["pytest", "tests/browser"],
}
LEFT_OUT = (
    "The browser tests were left out, for want of Chrome or Chromium: `make browser` installs one."
)


def main() -> None:
    """Run all parts, even after one failed; end with status 1 if any did."""
    if wrong := complaint():
        sys.exit(wrong)
    # `tensorboard` and the like are this Python's own; each line is seen as it is written.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    os.environ["PYTHONUNBUFFERED"] = "1"
    parts = {name: [sys.executable, "-m", *part] for name, part in PARTS.items()}
    # In continuous integration, a missing browser is installed, or fails the tests.
    leave_out = not find_browser() and os.environ.get("CI") != "true"
    if leave_out:
        del parts["browser tests"]
    results = run_parts(parts)
    print(table(results), flush=True)
    if leave_out:
        print(f"\n{LEFT_OUT}")
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
        print(f"\n== {name}: {' '.join(['python', *command[1:]])}", flush=True)
        start = time.monotonic()
        status = subprocess.call(command, cwd=ROOT)
        results.append((name, status == 0, time.monotonic() - start))
    return results


def table(results: list[tuple[str, bool, float]]) -> str:
    """The results as lines of text, the sum of the seconds last."""
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
