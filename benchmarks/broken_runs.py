"""Train the three broken runs of the wrap-up task, and a good one beside them, for data/task/.

The programs are taken from the cells of notebooks/task/task.ipynb, so the runs are those of the
code that learners see.
"""

import json
from pathlib import Path
from typing import Annotated, Any

import vaelib  # noqa: F401  # isort: skip  # before keras: TensorFlow starts without log lines
import keras
import nbformat
import numpy as np
import pandas as pd
from PIL import Image
from typer import Option, Typer

from groundwork.files import written_whole
from tools.colab_cells import is_colab
from vaelib.__main__ import main
from vaelib.data.faces import read_faces
from vaelib.data.pixels import load_images
from vaelib.metrics import kl_per_latent
from vaelib.model import VAE
from vaelib.pictures import image_grid
from vaelib.task import RUNS, SHOWN, SIZE, first_faces, measure

ROOT = Path(__file__).resolve().parents[1]
TASK = ROOT / "notebooks" / "task" / "task.ipynb"
OUT = ROOT / "data" / "task"
PROGRAM = ("import ", "def ", "class ", "SIZE")  # how the cells of the programs begin
NEW = 200  # validation faces that are measured
COLUMNS = ["loss", "reconstruction", "kl"]

app = Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def broken_runs(
    steps: Annotated[
        int | None,
        Option(min=1, max=1_000_000, help="Batches in each epoch, other than the task's."),
    ] = None,
    out: Annotated[Path, Option(help="The folder of the results.")] = OUT,
) -> None:
    """Train the runs of the task in about two minutes; the last line is JSON."""
    names = programs(TASK)
    names["STEPS"] = steps or names["STEPS"]
    out.mkdir(parents=True, exist_ok=True)
    faces = read_faces("portraits")
    new = load_images(faces, faces.file_names("val")[:NEW], SIZE)
    numbers, kl = {}, {}
    for run in RUNS:
        kind, batches = names[f"Run{run.upper()}"], names[f"batches_{run}"]
        vae = names["train"](kind, batches)
        trained_on = first_faces(batches())
        numbers[run] = measure(vae, trained_on, new)
        kl[run] = kl_per_latent(*vae.posterior(new)).round(5)
        write_run(out, run, history_of(vae), pictures(vae, trained_on, new))
    good = names["train"](VAE, names["batches_a"])
    numbers["good"] = measure(good, first_faces(names["batches_a"]()), new)
    for name, table in {"numbers": pd.DataFrame(numbers).T.rename_axis("run"), "kl": kl}.items():
        with written_whole(out / f"{name}.csv") as aside:
            pd.DataFrame(table).to_csv(aside, index=name == "numbers")
    print(pd.DataFrame(numbers).T.to_string())
    print(json.dumps(numbers))


def programs(path: Path) -> dict[str, Any]:
    """Run the cells of a task that define its programs, and give the names that they define.

    Raises:
        ValueError: they do not define all runs.
    """
    names: dict[str, Any] = {}
    for cell in nbformat.read(path, as_version=4).cells:
        is_program = cell.cell_type == "code" and cell.source.startswith(PROGRAM)
        if is_program and not is_colab(cell):
            exec(cell.source, names)
    wanted = ["train", "STEPS", *(f"Run{run.upper()}" for run in RUNS)]
    wanted += [f"batches_{run}" for run in RUNS]
    if missing := [name for name in wanted if name not in names]:
        raise ValueError(f"{path.name} does not define {', '.join(missing)}: restore it.")
    return names


def history_of(vae: keras.Model) -> pd.DataFrame:
    """The losses of the last training, one row per epoch."""
    history = pd.DataFrame(vae.history.history)
    history.index = pd.RangeIndex(1, len(history) + 1, name="epoch")
    return history[[*COLUMNS, *(f"val_{name}" for name in COLUMNS)]].round(2)


def pictures(vae: VAE, trained_on: np.ndarray, new: np.ndarray) -> np.ndarray:
    """The rows of `vaelib.task.ROWS`, one after the other: (6 * SHOWN, 32, 32, 3) in [0, 1]."""
    known, new = trained_on[:SHOWN], new[:SHOWN]
    z_mean, z_log_var = vae.posterior(new)
    draws = np.random.default_rng(0).standard_normal((2, *z_mean.shape))
    z = [vae.encode(known), z_mean, z_mean + np.exp(z_log_var / 2) * draws[0], draws[1]]
    decoded = [vae.decode(part, sharpen=False) for part in z]
    return np.concatenate([known, decoded[0], new, *decoded[1:]])


def write_run(out: Path, run: str, history: pd.DataFrame, rows: np.ndarray) -> None:
    """Write the history and the pictures of a run."""
    with written_whole(out / f"{run}.csv") as aside:
        history.to_csv(aside)
    with written_whole(out / f"{run}.png") as aside:
        Image.fromarray(image_grid(rows, SHOWN, gap=0)).save(aside, format="PNG")


if __name__ == "__main__":
    main(app)
