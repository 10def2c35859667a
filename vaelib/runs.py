"""The folder of a training run: its settings, checkpoints, history and finished model."""

import hashlib
import json
import math
import os
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from groundwork import places
from groundwork.files import NO_ROOM, DiskFull, disk_full, remove_leftovers, write_whole
from vaelib.archives import OlderModel, TooLarge, load_archive
from vaelib.data.faces import IMAGES, Faces
from vaelib.model import VAE

PRETRAINED = {
    "pretrained": places.course_folder() / "pretrained" / "vae.keras",
    "pretrained-128": places.course_folder() / "pretrained" / "vae-128.keras",
}
"""The models that come with the course, by name: for faces of 64 and of 128 pixels."""

RUNS = places.runs_folder()


def check_settings(run: Path, settings: dict) -> None:
    """Write settings.json; if the run has epochs already, check that their settings were the same.

    The faces must be the same; their folder may have moved.

    Raises:
        ValueError: the run was started with other settings (it names them), or settings.json is
            damaged.
    """
    path = run / "settings.json"
    if path.exists() and checkpoints(run):
        started = {"precision": "float32"} | _read_settings(path)  # older runs knew no other
        if "fingerprint" not in started:  # a run of an older version, which noted the folder alone
            started["fingerprint"] = settings["fingerprint"]
        elif started["fingerprint"] == settings["fingerprint"]:
            started["faces"] = settings["faces"]
        changed = [
            f"{name} {started.get(name)} (now {value})"
            for name, value in settings.items()
            if started.get(name) != value
        ]
        if changed:
            raise ValueError(
                f"{run} was started with {', '.join(changed)}: give the same, or choose another "
                "folder."
            )
    write_whole(path, json.dumps(settings, indent=1))


def _read_settings(path: Path) -> dict:
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError, OSError):  # no JSON, no text, a million brackets, no file
        settings = None
    if not isinstance(settings, dict) or "steps_per_epoch" not in settings:
        raise ValueError(
            f"{path} is damaged or cannot be read: delete it, if this is the command that started "
            "the run, or choose another folder."
        )
    return settings


def resume(vae: VAE, run: Path) -> pd.DataFrame:
    """Load the newest whole checkpoint of `run` into `vae`, optimizer included.

    A damaged checkpoint is named, and the one before it is loaded.

    Args:
        vae: the model, compiled.
        run: the folder; hold its lock. Without a checkpoint the model stays as it is.

    Returns:
        The history up to that checkpoint: one row for each epoch that is done.

    Raises:
        ValueError: the checkpoint is of another model, or its epochs are not in history.csv.
    """
    # Else Keras loads nothing into it, and begins the data of new and resumed runs differently.
    vae.optimizer.build(vae.trainable_variables)
    for folder in (run, run / "checkpoints", run / "images"):
        remove_leftovers(folder)
    for path in reversed(checkpoints(run)):
        if not _is_whole(path):
            print(f"{path} is damaged: what came before it is used.", flush=True)
            continue
        history = _read_history(run / "history.csv", _epoch(path))
        try:
            vae.load_weights(path)
        except Exception as error:  # Keras has many for a file that does not fit
            raise ValueError(f"{path} is of another model: choose another folder.") from error
        print(f"{run} goes on after epoch {len(history)}.", flush=True)
        return history
    return pd.DataFrame(index=pd.Index([], dtype="int64", name="epoch"))


def _read_history(path: Path, epochs: int) -> pd.DataFrame:
    try:
        history = pd.read_csv(path, index_col="epoch", encoding="utf-8").loc[:epochs]
        numbers = history[["loss", "val_loss", "seconds", *history]].to_numpy("float64")
        is_whole = history.index.tolist() == [*range(1, epochs + 1)] and np.isfinite(numbers).all()
    except Exception:  # pandas, too, has many for a damaged table
        is_whole = False
    if not is_whole:
        raise ValueError(
            f"{path} does not hold the numbers of epochs 1 to {epochs}: put the right one back, "
            "or choose another folder."
        )
    return history


def load_best(vae: VAE, run: Path) -> None:
    """Load the weights after the best epoch of `run`, from checkpoint.keras, into `vae`.

    Raises:
        ValueError: the file is missing or damaged.
    """
    path = run / "checkpoint.keras"
    try:
        vae.load_weights(path)
    except Exception as error:
        raise ValueError(
            f"{path}, the model after its best epoch, is missing or damaged: choose another folder."
        ) from error


def is_over(
    history: pd.DataFrame, epochs: int | None, patience: int | None, minutes: float | None
) -> bool:
    """Whether a run with this history needs no further epoch."""
    if history.empty:
        return False
    without_gain = len(history) - 1 - int(history["val_loss"].to_numpy().argmin())
    return (
        len(history) >= (epochs or math.inf)
        or without_gain >= (patience or math.inf)
        or history["seconds"].iloc[-1] >= 60 * (minutes or math.inf)
    )


def checkpoints(run: Path) -> list[Path]:
    """The full checkpoints of a run, oldest first."""
    found = run.glob("checkpoints/epoch_*.keras")
    return sorted((path for path in found if re.fullmatch(r"epoch_\d+", path.stem)), key=_epoch)


def _epoch(path: Path) -> int:
    return int(path.stem.removeprefix("epoch_"))


def _is_whole(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None  # compares every checksum
    except Exception:  # a damaged zip file fails in many ways
        return False


def identity_of(faces: Faces) -> str:
    """A hash of the names, labels, splits and file sizes of faces: 16 letters and digits.

    It stays the same when their folder is moved, renamed or copied.
    """
    images = str(faces.folder / IMAGES)
    sizes = [os.stat(f"{images}/{file}").st_size for file in faces.files.to_list()]
    rows = zip(faces.file_names(), faces.splits.to_list(), sizes)
    digest = hashlib.sha256(
        "\n".join(f"{name} {split} {size}" for name, split, size in rows).encode()
    )
    digest.update(" ".join(faces.attributes.columns).encode())
    digest.update(faces.attributes.to_numpy().tobytes())
    return digest.hexdigest()[:16]


def make_folder(path: Path) -> None:
    """Make a folder, unless it exists; an OSError names it and says what to do."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(
            f"{path} cannot be made a folder ({error.strerror}): choose another one."
        ) from error


@contextmanager
def safe_epoch_named(run: Path) -> Iterator[None]:
    """Name the last safe epoch in an error about a full disk.

    Raises:
        groundwork.files.DiskFull: one sentence.
    """
    try:
        yield
    except OSError as error:
        reasons = [os.strerror(number) for number in NO_ROOM]
        if not isinstance(error, DiskFull) and not any(reason in str(error) for reason in reasons):
            raise
        kept = checkpoints(run)[-1:]
        safe = f"epoch {_epoch(kept[0])} is safe in {kept[0]}" if kept else "no epoch was done yet"
        raise disk_full(getattr(error, "path", None) or run / "logs", safe) from error


def new_run(runs: Path = RUNS) -> Path:
    """Make a folder for a training run, named by the time: runs/2026-01-31_12-00-00."""
    stamp = datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    for suffix in ["", *(f"_{i}" for i in range(2, 100))]:
        run = Path(runs) / f"{stamp}{suffix}"
        try:
            run.mkdir(parents=True)
        except FileExistsError:
            continue
        return run
    raise FileExistsError(f"{runs} holds a hundred runs of this second: wait one.")


def without_optimizer(vae: VAE) -> VAE:
    """A copy of the model without the optimizer: its file is a third as large."""
    copy = VAE.from_config(vae.get_config())
    copy.set_weights(vae.get_weights())
    return copy


def load_model(
    name: str | Path = "pretrained", image_size: int | None = None, faces: Faces | None = None
) -> VAE:
    """Load a trained model.

    Args:
        name: "pretrained" or "pretrained-128" (for faces of 64 and 128 pixels; they come with the
            course), "mine" (the newest finished run under runs/), or the path of a .keras file.
        image_size: in pixels, if the model must be for faces of that size.
        faces: what "mine" must have been trained on; None takes the newest run of all.

    Raises:
        FileNotFoundError: there is no such model (it says how to make one).
        PermissionError: the file may not be read.
        ValueError: the file is no model of ours, or a model for faces of another size, or it
            would fill the memory (see `vaelib.archives`).
    """
    path = newest_run(faces=faces) / "vae.keras" if name == "mine" else Path(name)
    path = PRETRAINED.get(str(name), path)
    if name in PRETRAINED and not path.exists():
        raise FileNotFoundError(
            f"There is no {path}: the pretrained model comes with the course's repository, not "
            f"with an installed package; copy data/pretrained/{path.name} of the repository to "
            "there, or train a model with `python -m vaelib train`."
        )
    if not path.exists():
        raise FileNotFoundError(
            f'There is no model {path}: name a .keras file, or use "pretrained", '
            '"pretrained-128" or "mine".'
        )
    if path.suffix != ".keras" or not path.is_file():
        raise ValueError(
            f"{path} is no .keras file: name one, such as vae.keras in a run's folder."
        )
    try:
        vae = load_archive(path)
    except PermissionError as error:
        raise PermissionError(
            f"{path} may not be read: change the file's permissions, or name another model."
        ) from error
    except (TooLarge, OlderModel):
        raise
    except Exception as error:
        reason = re.split(r"\.\s", str(error))[0]  # Keras goes on for a page
        raise ValueError(
            f"{path} is not a whole .keras model: train it again ({reason})."
        ) from error
    if not isinstance(vae, VAE):
        raise ValueError(
            f"{path} holds a {type(vae).__name__}, not a vaelib VAE: name another file."
        )
    if image_size not in (None, vae.image_size):
        raise ValueError(
            f"{path} is a model for faces of {vae.image_size} pixels, not {image_size}: "
            f"load the faces with image_size={vae.image_size}, or name another model."
        )
    return vae


def newest_run(runs: Path = RUNS, faces: Faces | None = None) -> Path:
    """The folder of the run that finished last; with `faces`, of those that trained on them.

    Raises:
        FileNotFoundError: no such run has finished yet.
    """
    finished = sorted(Path(runs).glob("*/vae.keras"), key=lambda path: path.stat().st_mtime_ns)
    if faces is not None and finished:
        # Older versions noted where the faces were.
        marks = [identity_of(faces).encode(), os.fsencode(faces.folder.resolve())]
        finished = [path for path in finished if _mark(path.parent) in marks]
    if not finished:
        on = f" on {faces.folder}" if faces else ""
        other = 'set MODEL = "pretrained"' if faces is None else "name a model"
        raise FileNotFoundError(
            f"No finished run{on} in {runs}: run notebook 03 to the end, or {other}."
        )
    return finished[-1].parent


def _mark(run: Path) -> bytes | None:
    try:
        return (run / "faces.txt").read_bytes()
    except OSError:
        return None
