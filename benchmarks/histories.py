"""Compare the histories of one training in 1, 2 and 4 processes, epoch by epoch."""

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Literal

import pandas as pd
from typer import Option, Typer

from benchmarks.contenders import PORTRAITS
from benchmarks.processes import whole_numbers
from vaelib.__main__ import main
from vaelib.model import IMAGE_SIZES

ROOT = Path(__file__).resolve().parents[1]
COMPARED = ("loss", "val_loss")
REORDERED = "1 in halves"  # one process whose sums are made in two parts
TARGETS = {1: 1e-3, 4: 1e-2}  # epoch: largest relative difference
VIRTUAL = "--xla_force_host_platform_device_count=2"

app = Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def measure(
    faces: Annotated[Path, Option(help="A folder in CelebA's layout.")] = PORTRAITS,
    counts: Annotated[str, Option(help="Numbers of processes.")] = "2,4",
    epochs: Annotated[int, Option(min=1, max=1000)] = 8,
    steps_per_epoch: Annotated[int, Option(min=1, max=100_000)] = 70,
    image_size: Annotated[Literal[IMAGE_SIZES], Option(help="In pixels.")] = 64,
) -> None:
    """Train the default recipe with each number of processes; the last line is JSON.

    All differences are relative to one process. The row "1 in halves" is one process with two
    virtual devices: it adds up the same numbers in another order, and is the measure of what
    rounding does.
    """
    names = ["1", REORDERED, *map(str, whole_numbers(counts, "--counts"))]
    options = ["--epochs", str(epochs), "--steps-per-epoch", str(steps_per_epoch)]
    options += ["--faces", str(faces), "--image-size", str(image_size)]
    with TemporaryDirectory() as folder:
        found = {
            name: history(name, options, Path(folder) / f"run{i}") for i, name in enumerate(names)
        }
    table = differences(found)
    print(table.map("{:.1e}".format).to_string())
    print(json.dumps(last_line(table)))


def history(name: str, options: list[str], run: Path) -> pd.DataFrame:
    """Train with a number of processes, and read what it wrote."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    environment.pop("KERAS_BACKEND", None)  # the command chooses
    words = ["launch", "-n", name, "train"]
    if name in ("1", REORDERED):
        words = ["train", "--processes", "1"]
    if name == REORDERED:
        environment["XLA_FLAGS"] = VIRTUAL
    command = [sys.executable, "-m", "vaelib", *words, *options, "--out", str(run)]
    print(f"\n== {name}: {' '.join(words)}", flush=True)
    if subprocess.call(command, env=environment):
        raise ChildProcessError(f"The training with {name} processes failed: see above.")
    return pd.read_csv(run / "history.csv", index_col="epoch")


def differences(found: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Relative differences to the history "1": a row per epoch, a column per other history.

    Of the compared losses, the one that differs more counts.
    """
    one = found["1"][[*COMPARED]]
    others = {name: other[[*COMPARED]] for name, other in found.items() if name != "1"}
    return pd.DataFrame(
        {name: ((other - one).abs() / one.abs()).max(axis=1) for name, other in others.items()}
    )


def last_line(table: pd.DataFrame) -> dict:
    """The largest difference in the epochs that have a target, of all numbers of processes."""
    counted = table.drop(columns=REORDERED)
    return {
        f"epoch_{epoch}": {
            "difference": float(f"{counted.loc[epoch].max():.2g}"),
            "in_halves": float(f"{table.loc[epoch, REORDERED]:.2g}"),
            "target": target,
        }
        for epoch, target in TARGETS.items()
        if epoch in table.index
    }


if __name__ == "__main__":
    main(app)
