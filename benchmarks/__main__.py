"""Run the benchmarks, one after the other: `make bench` calls this.

All but `benchmarks.device`, which is for a GPU.
"""

import subprocess
import sys

NAMES = (
    "portraits",
    "labels",
    "pretrained",
    "throughput",
    "processes",
    "histories",
    "input",
    "time_to_quality",
    "distance",
    "judges",
    "edit_choices",
    "edits",
    "rate_distortion",
    "groups",
    "overfitting",
    "broken_runs",
    "sliders",
    "live",
    "hub",
    "shards",
)


def main() -> None:
    """Run all; stop at the first that fails, with its exit status."""
    for name in NAMES:
        print(f"\n== {name}", flush=True)
        status = subprocess.call([sys.executable, "-m", f"benchmarks.{name}"])
        if status:
            sys.exit(status)


if __name__ == "__main__":
    main()
