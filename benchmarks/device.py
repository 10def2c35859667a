"""Measure one device, such as a GPU: how fast the default model trains, and the default recipe."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import pandas as pd
from typer import Option, Typer

from benchmarks.contenders import PORTRAITS
from benchmarks.processes import whole_numbers
from vaelib.__main__ import main
from vaelib.model import IMAGE_SIZES

PRECISIONS = ("float32", "bfloat16")

app = Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def measure(
    faces: Annotated[Path, Option(help="A folder in CelebA's layout.")] = PORTRAITS,
    image_size: Annotated[Literal[IMAGE_SIZES], Option(help="In pixels.")] = 64,
    batch_sizes: Annotated[str, Option(help="Faces of a step.")] = "64",
    precisions: Annotated[str, Option(help="float32, bfloat16, or both.")] = ",".join(PRECISIONS),
    backend: Annotated[Literal["jax", "tensorflow"], Option(help="Of Keras.")] = "jax",
    seconds: Annotated[
        float, Option(min=0.0, max=600.0, help="Of each of three turns of each number.")
    ] = 4.0,
    jit: Annotated[
        bool, Option("--jit", help="On TensorFlow, with XLA; JAX always has it.")
    ] = False,
    recipe: Annotated[
        bool, Option(help="Train the default recipe from start to end, in each precision.")
    ] = True,
    out: Annotated[Path, Option(help="Folder for the runs of the recipe, a new one.")] = Path(
        "build/benchmarks/device"
    ),
) -> None:
    """Train on one device, the GPU if there is one; the last line is JSON.

    The limit is a large product of matrices in the same precision. On a GPU, try larger batches,
    too: --batch-sizes 64,512,2048.
    """
    names = chosen(precisions)
    whole_numbers(batch_sizes, "--batch-sizes")
    if recipe and (taken := [out / name for name in names if (out / name).exists()]):
        raise FileExistsError(f"{taken[0]} is there already: delete it, or choose another --out.")
    environment = {**os.environ, "KERAS_BACKEND": backend}
    options = {
        "faces": faces,
        "image-size": image_size,
        "batch-sizes": batch_sizes,
        "precisions": ",".join(names),
        "seconds": seconds,
    }
    rates = []
    print(HEADING, flush=True)
    for found in lines_of("benchmarks.one_device", options, ["--jit"] * jit, environment):
        rates.append({**found, "share_of_limit": share_of_limit(found)})
        print(as_row(rates[-1]), flush=True)
    runs = {}
    for name in names if recipe else []:
        runs[name] = train(faces, image_size, name, out / name, environment)
        print(as_sentence(name, runs[name]), flush=True)
    print(json.dumps({"rates": rates, "recipe": runs}))


def chosen(precisions: str) -> list[str]:
    """Read --precisions."""
    names = precisions.split(",")
    if not names or any(name not in PRECISIONS for name in names) or len(set(names)) < len(names):
        raise ValueError(f"--precisions is {precisions}: give float32, bfloat16, or both (a,b).")
    return names


def lines_of(
    module: str, options: dict, flags: list[str], environment: dict[str, str]
) -> Iterator[dict]:
    """Start a module as a program, and yield what it prints, a JSON line at a time."""
    command = [sys.executable, "-m", module, *flags]
    command += [f"--{name}={value}" for name, value in options.items()]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as program:
        for line in program.stdout:
            if line.startswith("{"):
                yield json.loads(line)
            else:  # such as how far reading the faces is
                print(line, end="", file=sys.stderr)
    if program.returncode:
        raise ChildProcessError("The measurement ended with an error: see above.")


def share_of_limit(found: dict) -> float:
    """Multiply-adds per second of the training from memory, over the device's limit."""
    return round(found["from_memory"] * found["multiply_adds"] / found["limit"], 4)


HEADING = (
    f"{'batch':>6} {'precision':>9} {'first steps':>11} {'from memory':>12} {'from folder':>12} "
    f"{'reading':>10} {'of the limit':>13}   (images per second)"
)


def as_row(found: dict) -> str:
    """A row of the table below HEADING."""
    return (
        f"{found['batch_size']:>6} {found['precision']:>9} {found['first_steps']:9.1f} s "
        f"{found['from_memory']:12,.0f} {found['from_folder']:12,.0f} {found['reading']:10,.0f} "
        f"{found['share_of_limit']:13.1%}"
    )


def train(faces: Path, image_size: int, precision: str, out: Path, environment: dict) -> dict:
    """Run `vaelib train` with its defaults, and return its times and its last validation."""
    out.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "vaelib", "train", f"--faces={faces}", f"--out={out}"]
    command += [f"--image-size={image_size}", f"--precision={precision}"]
    start = time.monotonic()
    subprocess.run(command, env=environment, check=True)
    whole = time.monotonic() - start
    history = pd.read_csv(out / "history.csv", index_col="epoch")
    return {
        "program": round(whole, 1),
        "seconds": [round(second, 2) for second in history["seconds"]],
        "loss": [round(loss, 1) for loss in history["loss"]],
        "val_loss": [round(loss, 1) for loss in history["val_loss"]],
    }


def as_sentence(precision: str, run: dict) -> str:
    """What the recipe took."""
    first, last = run["seconds"][0], run["seconds"][-1]
    return (
        f"The default recipe in {precision}: {run['program']:.0f} s from start to end; training "
        f"{last:.1f} s, of which the first epoch {first:.1f} s, with compiling; validation loss "
        f"{run['val_loss'][-1]:.1f} nats per face."
    )


if __name__ == "__main__":
    main(app)
