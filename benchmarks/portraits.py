"""Measures how fast portraits are drawn, beside the prototype where it is at hand."""

import io
import json
import os
import subprocess
import sys
import time
import types
from pathlib import Path
from statistics import median
from typing import Annotated

import typer
from tqdm import tqdm

from groundwork import commands
from groundwork.progress import on_terminal

SIZES = ("64", "128", "178x218")
PROTOTYPE_SIZES = {"64": 64, "128": 128, "178x218": 197}
"""The prototype draws squares only: 197 x 197 has as many pixels as 178 x 218."""

PROTOTYPE = Path("../shared/portraits-prototype")
_SHARE = {"64": 1.0, "128": 0.3, "178x218": 0.15}  # of the count: larger pictures take longer
_SEED = 0

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def measure(
    count: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="Pictures of 64 pixels a turn.")
    ] = 200,
    turns: Annotated[
        int, typer.Option(min=1, max=1000, help="The median of so many is taken.")
    ] = 3,
    prototype: Annotated[Path, typer.Option(help="The prototype's folder.")] = PROTOTYPE,
) -> None:
    """Draw, label and compress people of three sizes; the last line is one JSON object.

    Each contender runs in one process with one thread, in turns, and its CPU time is taken:
    others at work on the machine disturb that less than the time on the clock.
    """
    contenders = ["ours"]
    if (prototype / "facegen.py").is_file():
        contenders.append("prototype")
    else:
        print(f"No prototype in {prototype}: ours is measured alone.")
    rates = {(who, size): [] for size in SIZES for who in contenders}
    rounds = [key for _ in range(turns) for key in rates]
    for who, size in tqdm(rounds, "portraits", disable=not on_terminal(), leave=False):
        number = max(1, round(count * _SHARE[size]))
        rates[who, size].append(_in_a_process(who, size, number, prototype))
    result = summary({key: median(turn) for key, turn in rates.items()})
    print(as_text(result))
    print(json.dumps(result))


def summary(rates: dict[tuple[str, str], float]) -> dict:
    """What the last line says, from pictures a second and core by contender and size."""
    ours = {size: round(rates["ours", size], 1) for size in SIZES}
    theirs = {s: round(rates["prototype", s], 1) for s in SIZES if ("prototype", s) in rates}
    ratios = {s: round(rates["ours", s] / rates["prototype", s], 2) for s in theirs}
    return {
        "ratio_to_prototype": ratios.get("64"),
        "images_per_second": ours,
        "prototype_images_per_second": theirs or None,
        "ratios": ratios or None,
    }


def as_text(result: dict) -> str:
    """The result as a table, in pictures a second on one core."""
    lines = [f"{'size':>8} {'ours':>8} {'prototype':>10} {'ratio':>6}"]
    for size in SIZES:
        theirs = (result["prototype_images_per_second"] or {}).get(size, "-")
        ratio = (result["ratios"] or {}).get(size, "-")
        lines.append(f"{size:>8} {result['images_per_second'][size]:>8} {theirs:>10} {ratio:>6}")
    if result["ratios"]:
        lines.append("(pictures a second; for 178x218 the prototype draws 197 x 197)")
    return "\n".join(lines)


def _in_a_process(who: str, size: str, count: int, prototype: Path) -> float:
    """Pictures a second of CPU time, of one contender in a process of its own."""
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    environment = {**os.environ, **dict.fromkeys(threads, "1"), "RAST": "np"}
    command = [sys.executable, "-m", "benchmarks.portraits", "--run", who, size, str(count)]
    run = subprocess.run(
        [*command, str(prototype.resolve())], capture_output=True, text=True, env=environment
    )
    if run.returncode:
        raise RuntimeError(f"{who} failed at size {size}:\n{run.stderr}")
    return float(run.stdout.split()[-1])


def _run(who: str, size: str, count: int, folder: str) -> float:
    """Draw, label and compress; pictures a second of CPU time."""
    work = _draw_ours if who == "ours" else _draw_prototype
    work(size, min(count, 20), folder)  # reads the head, compiles, warms up
    start = time.process_time()
    work(size, count, folder)
    return count / (time.process_time() - start)


def _draw_ours(size: str, count: int, folder: str) -> None:
    from PIL import Image

    from portraits import Person
    from portraits.labels import label
    from portraits.render import render_and_survey

    width, _, height = size.partition("x")
    for index in range(count):
        person = Person.sample(_SEED, index)
        picture, seen = render_and_survey(person, (int(width), int(height or width)))
        label(person, seen)
        Image.fromarray(picture).save(io.BytesIO(), "JPEG", quality=95)


def _draw_prototype(size: str, count: int, folder: str) -> None:
    """As its own `write_dataset` does: 50 people at a time."""
    sys.path.insert(0, folder)
    _provide_gaussian_filter()
    import facegen
    from PIL import Image

    for start in range(0, count, 50):
        people = range(start, min(count, start + 50))
        pictures, parameters = facegen.make(_SEED, people, PROTOTYPE_SIZES[size], 1.5)
        for picture, values in zip(pictures, parameters, strict=True):
            facegen.attributes(values)
            Image.fromarray(picture).save(io.BytesIO(), "JPEG", quality=95)


def _provide_gaussian_filter() -> None:
    """The prototype blurs with scipy, which this project does without: lend it our own blur."""
    try:
        import scipy.ndimage  # noqa: F401
    except ModuleNotFoundError:
        from portraits.film import _blur

        ndimage = types.ModuleType("scipy.ndimage")
        ndimage.gaussian_filter = lambda image, sigma: _blur(image, sigma[0])
        sys.modules.update({"scipy": types.ModuleType("scipy"), "scipy.ndimage": ndimage})


if __name__ == "__main__":
    if sys.argv[1:2] == ["--run"]:
        print(_run(sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5]))
    else:
        commands.run(app, prog_name="python -m benchmarks.portraits")
