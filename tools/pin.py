"""Renew constraints.txt with the newest release of every package in pyproject.toml.

    pip install uv
    python tools/pin.py

Run `make test` afterwards: the file lists versions with which the tests pass.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEAD = """\
# The tested versions of everything that the project installs, on every platform it supports.
# `pip install -c constraints.txt -e ".[cpu]"` installs them. pyproject.toml says what each is for.
# Made by tools/pin.py; to renew: pip install uv && python tools/pin.py && make test
# NVIDIA's libraries (extra `gpu`) are not pinned: TensorFlow itself says which ones it works with.
"""
COMPILE = [  # for every platform, and every Python from the oldest on
    *("uv", "pip", "compile", "pyproject.toml", "--quiet"),
    *("--all-extras", "--universal", "--python-version", "3.11"),
    *("--fork-strategy", "fewest"),  # the same version for every Python, so the same results
    *("--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"),
]


def main() -> None:
    """Write constraints.txt."""
    try:
        pins = subprocess.run(
            [*COMPILE, "--upgrade"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
        )
    except FileNotFoundError:
        sys.exit("tools/pin.py needs uv, which finds the versions: pip install uv")
    except subprocess.CalledProcessError:
        sys.exit("uv found no set of versions (it says why above); constraints.txt is unchanged.")
    lines = [line for line in pins.stdout.splitlines() if not line.startswith("nvidia-")]
    (ROOT / "constraints.txt").write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")
    print(f"constraints.txt: {len(lines)} versions")


if __name__ == "__main__":
    main()
