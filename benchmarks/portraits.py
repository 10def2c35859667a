"""Measure how fast portraits are drawn."""

import io
import json
import os
import subprocess
import sys
import time
from statistics import median
from typing import Annotated

import typer
from tqdm import tqdm

from groundwork import commands
from groundwork.progress import on_terminal

SIZES = ("64", "128", "178x218")

_SHARE = {"64": 1.0, "128": 0.3, "178x218": 0.15}  # of the count: larger pictures take longer
_SEED = 0

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def measure(
    count: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="Pictures of 64 pixels per turn.")
    ] = 200,
    turns: Annotated[int, typer.Option(min=1, max=1000, help="The result is their median.")] = 3,
) -> None:
    """Draw, label and compress people at three sizes; the last line is one JSON object.

    Each turn runs in one process with one thread and measures its CPU time: other programs on
    the machine disturb that less than the time on the clock.
    """
    rates = {size: [] for size in SIZES}
    rounds = [size for _ in range(turns) for size in SIZES]
    for size in tqdm(rounds, "portraits", disable=not on_terminal(), leave=False):
        rates[size].append(_in_a_process(size, max(1, round(count * _SHARE[size]))))
    result = summary(rates)
    print(as_text(result))
    print(json.dumps(result))


def summary(rates: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    """Build the last line from the pictures per second and core of each turn, by size."""
    return {"images_per_second": {size: round(median(turns), 1) for size, turns in rates.items()}}


def as_text(result: dict[str, dict[str, float]]) -> str:
    """Format the result as a table."""
    rates = result["images_per_second"].items()
    lines = [f"{size:>8} {rate:>28}" for size, rate in rates]
    return "\n".join([f"{'size':>8} {'pictures per second and core':>28}", *lines])


def _in_a_process(size: str, count: int) -> float:
    """Measure pictures per second of CPU time in a new process."""
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.portraits", "--run", size, str(count)],
        capture_output=True,
        text=True,
        env={**os.environ, **dict.fromkeys(threads, "1")},
    )
    if run.returncode:
        raise RuntimeError(f"Drawing failed at size {size}:\n{run.stderr}")
    return float(run.stdout.split()[-1])


def _run(size: str, count: int) -> float:
    """Draw, label and compress; return the pictures per second of CPU time."""
    _draw(size, min(count, 20))  # reads the head, compiles, warms up
    start = time.process_time()
    _draw(size, count)
    return count / (time.process_time() - start)


def _draw(size: str, count: int) -> None:
    from PIL import Image

    from portraits import Person
    from portraits.labelling.labels import label
    from portraits.labelling.survey import render_and_survey

    width, _, height = size.partition("x")
    for index in range(count):
        person = Person.sample(_SEED, index)
        picture, seen = render_and_survey(person, (int(width), int(height or width)))
        label(person, seen)
        Image.fromarray(picture).save(io.BytesIO(), "JPEG", quality=95)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--run"]:
        print(_run(sys.argv[2], int(sys.argv[3])))
    else:
        commands.run(app, prog_name="python -m benchmarks.portraits")
