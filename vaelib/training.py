"""What happens around `fit`: runs that can be resumed, callbacks, the learning-rate schedule."""

import hashlib
import json
import math
import os
import re
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from keras.callbacks import Callback, EarlyStopping, LambdaCallback, ModelCheckpoint, TensorBoard
from PIL import Image
from tensorboard.plugins import projector
from tqdm.keras import TqdmCallback

from groundwork import places
from groundwork.files import (
    NO_ROOM,
    DiskFull,
    disk_full,
    full_disk_explained,
    remove_leftovers,
    write_whole,
    written_whole,
)
from groundwork.locks import locked
from groundwork.progress import on_terminal
from vaelib.archives import TooLarge, load_archive
from vaelib.data import IMAGES, Faces, load_images, make_dataset
from vaelib.model import VAE
from vaelib.optimizer import Muon

REPOSITORY = places.repository()
PRETRAINED = (REPOSITORY / "data" if REPOSITORY else places.data_folder()) / "pretrained/vae.keras"
RUNS = places.runs_folder()
VALIDATED = 5000  # held-out faces that are looked at after each epoch, at most
BATCH_SIZE = 64
LEARNING_RATE = 9e-3  # at its peak, see `vaelib.optimizer.Muon`


def train(
    vae: VAE,
    faces: Faces,
    run: Path,
    epochs: int = 8,
    steps_per_epoch: int = 70,
    batch_size: int = BATCH_SIZE,
    learning_rate: float = LEARNING_RATE,
    patience: int | None = None,
    minutes: float | None = None,
    flip: bool = True,
    seed: int = 0,
) -> pd.DataFrame:
    """Compile and fit `vae` on the training split, validate on "val", and finish the run.

    It is what notebook 03 does step by step. Stopped at any moment, the same call goes on after
    the last whole epoch and comes to the same end: what epoch k sees and draws depends on the seed
    and on k alone.

    Args:
        vae: a new model; that of an earlier call with the same arguments, if `run` is resumed.
        faces: the folder.
        run: receives the files that `run_callbacks`, `KeepEpochs` and `finish_run` write, and
            settings.json, what the run was started with.
        epochs: of `steps_per_epoch` batches each.
        learning_rate: at its peak, see `warmup_cosine`.
        patience: stop after as many epochs without a smaller val_loss, and finish with the model
            of the best epoch; None never stops early.
        minutes: train for this time instead of `epochs`, see `TimeBudget`. Earlier parts of a
            resumed run count; `finish_run` comes on top.
        flip: mirror half of the training faces, others each epoch: twice as many, for nothing.
        seed: of the order of the faces and of all draws.

    Returns:
        The history: one row an epoch, columns loss, reconstruction, kl (nats a face), their val_
        counterparts, and `seconds` of training since the start of the run.

    Raises:
        FileExistsError: `run` holds a finished model already.
        ValueError: `run` was started with other settings (it names them), or a file of it is
            damaged, or the learning rate is not above zero.
        groundwork.locks.Locked: another training writes to `run`.
        groundwork.files.DiskFull: there is no room (it says which epoch is safe).
        FloatingPointError: the loss is not finite, see `FiniteLoss`.
    """
    run = Path(run)
    check_learning_rate(learning_rate)
    if (run / "vae.keras").exists():
        raise FileExistsError(f"{run} holds a finished run: choose another folder.")
    epochs = epochs if minutes is None else None
    settings = {
        "faces": str(faces.folder.resolve()),
        "fingerprint": fingerprint(faces),
        "training_faces": len(faces.names("train")),
        "image_size": vae.image_size,
        "latent_dim": vae.latent_dim,
        "parameters": vae.count_params(),
        "sigma": None if vae.estimates_sigma else vae.sigma,
        "detail": vae.detail,
        "epochs": epochs,
        "steps_per_epoch": steps_per_epoch,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "patience": patience,
        "minutes": minutes,
        "flip": flip,
        "seed": seed,
    }
    for folder in (run, run / "checkpoints", run / "images", run / "logs"):
        _make_folder(folder)
    busy = f"Another training writes to {run}: wait for its end, or choose another folder."
    with locked(run / ".lock", refused=busy):
        return _train_alone(vae, faces, run, settings)


def _train_alone(vae: VAE, faces: Faces, run: Path, settings: dict) -> pd.DataFrame:
    check_settings(run, settings)
    epochs, patience, minutes = (settings[name] for name in ("epochs", "patience", "minutes"))
    keras.utils.set_random_seed(settings["seed"])
    rate = settings["learning_rate"]
    vae.compile(
        Muon(rate if minutes else warmup_cosine(epochs * settings["steps_per_epoch"], rate))
    )
    history = resume(vae, run)
    if not is_over(history, epochs, patience, minutes):
        history = _fit(vae, faces, run, history, settings)
    if patience is not None:
        _load_best(vae, run)
    with _full_disk_explained(run):
        return finish_run(vae, faces, run, history)


def _fit(vae: VAE, faces: Faces, run: Path, done: pd.DataFrame, settings: dict) -> pd.DataFrame:
    steps, seed, minutes = (settings[name] for name in ("steps_per_epoch", "seed", "minutes"))
    pipeline = {"image_size": vae.image_size, "batch_size": settings["batch_size"], "seed": seed}
    skip = len(done) * steps  # what the epochs that are done have seen
    train_images = make_dataset(
        faces, "train", **pipeline, flip=settings["flip"], repeat=True, skip=skip
    )
    val_images = make_dataset(faces, "val", **pipeline)
    val_images = val_images.take(math.ceil(VALIDATED / settings["batch_size"]))
    clock = stopwatch(done["seconds"].iloc[-1] if len(done) else 0.0)
    keep = KeepEpochs(run, done, clock)
    with _full_disk_explained(run):
        callbacks = [
            LambdaCallback(on_epoch_begin=lambda epoch, logs: reseed(vae, seed, epoch)),
            FiniteLoss(run),
            *run_callbacks(vae, faces, run, done),
            *([HowLong()] if settings["epochs"] and not len(done) else []),
            keep,  # after the best model: an epoch counts as done when its checkpoint is there
            *([TimeBudget(60 * minutes, settings["learning_rate"], clock)] if minutes else []),
            *([ResumedEarlyStopping(settings["patience"], done)] if settings["patience"] else []),
            TqdmCallback() if on_terminal() else LambdaCallback(on_epoch_end=_print_epoch),
        ]
        vae.fit(
            train_images,
            initial_epoch=len(done),
            epochs=settings["epochs"] or sys.maxsize,
            steps_per_epoch=steps,
            validation_data=val_images,
            callbacks=callbacks,
            shuffle=False,  # the pipeline shuffles
            verbose=0,
        )
    return keep.history


def _print_epoch(epoch: int, logs: dict) -> None:
    numbers = ", ".join(f"{name} {value:.1f}" for name, value in logs.items())
    print(f"epoch {epoch + 1}: {numbers}", flush=True)


# ------------------------------------------------------------------ resuming a run


def check_settings(run: Path, settings: dict) -> None:
    """Write settings.json; if epochs are done, they must have had the same settings.

    The faces must be the same, wherever their folder lies now.

    Raises:
        ValueError: the run was started with other settings (it names them), or settings.json is
            damaged.
    """
    path = run / "settings.json"
    if path.exists() and checkpoints(run):
        started = _read_settings(path)
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
    if not isinstance(settings, dict):
        raise ValueError(
            f"{path} is damaged or cannot be read: delete it, if this is the command that started "
            "the run, or choose another folder."
        )
    return settings


def resume(vae: VAE, run: Path) -> pd.DataFrame:
    """Load the newest whole checkpoint of `run` into `vae`, optimizer included.

    A checkpoint that is damaged is named, and the one before it is taken.

    Args:
        vae: the model, compiled.
        run: the folder, whose lock you hold; without a checkpoint the model stays as it is.

    Returns:
        The history up to that checkpoint: one row for each epoch that is done.

    Raises:
        ValueError: the checkpoint is of another model, or its epochs are not in history.csv.
    """
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


def _load_best(vae: VAE, run: Path) -> None:
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


def reseed(vae: VAE, seed: int, epoch: int) -> None:
    """Let the draws of an epoch depend on the seed and on the epoch alone."""
    for i, layer in enumerate([*vae.encoder.layers, *vae.decoder.layers]):
        if hasattr(layer, "seed_generator"):
            state = np.random.default_rng([seed, epoch, i]).integers(2**31, size=2)
            layer.seed_generator.state.assign(state.astype("uint32"))


def stopwatch(seconds: float = 0.0) -> Callable[[], float]:
    """A clock that shows `seconds` now and runs."""
    start = time.monotonic() - seconds
    return lambda: time.monotonic() - start


def _epoch(path: Path) -> int:
    return int(path.stem.removeprefix("epoch_"))


def _is_whole(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None  # compares every checksum
    except Exception:  # a damaged zip file fails in many ways
        return False


def fingerprint(faces: Faces) -> str:
    """What faces are, in a few letters: their names, labels, splits, and the sizes of the files.

    It stays the same where their folder is moved, renamed or copied.
    """
    images = str(faces.folder / IMAGES)
    sizes = [os.stat(f"{images}/{file}").st_size for file in faces.files.to_list()]
    rows = zip(faces.names(), faces.splits.to_list(), sizes)
    digest = hashlib.sha256(
        "\n".join(f"{name} {split} {size}" for name, split, size in rows).encode()
    )
    digest.update(" ".join(faces.attributes.columns).encode())
    digest.update(faces.attributes.to_numpy().tobytes())
    return digest.hexdigest()[:16]


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(
            f"{path} cannot be made a folder ({error.strerror}): choose another one."
        ) from error


@contextmanager
def _full_disk_explained(run: Path) -> Iterator[None]:
    """Say which epoch is safe when the disk is full; TensorFlow has an error of its own for it."""
    try:
        yield
    except (OSError, tf.errors.OpError) as error:
        reasons = [os.strerror(number) for number in NO_ROOM]
        if not isinstance(error, DiskFull) and not any(reason in str(error) for reason in reasons):
            raise
        kept = checkpoints(run)[-1:]
        safe = f"epoch {_epoch(kept[0])} is safe in {kept[0]}" if kept else "no epoch was done yet"
        raise disk_full(getattr(error, "path", None) or run / "logs", safe) from error


# ------------------------------------------------------------------ the learning rate


def warmup_cosine(
    steps: int, peak: float = LEARNING_RATE
) -> keras.optimizers.schedules.CosineDecay:
    """Learning rate that climbs to `peak` over the first tenth of `steps` and falls to zero.

    Raises:
        ValueError: the peak is not above zero.
    """
    check_learning_rate(peak)
    warmup = max(1, steps // 10)
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=peak / 100,
        warmup_target=peak,
        warmup_steps=warmup,
        decay_steps=max(1, steps - warmup),
    )


def check_learning_rate(rate: float) -> None:
    """Raise a ValueError for a rate that is zero, below, or no finite number."""
    if not 0 < rate < math.inf:
        raise ValueError(
            f"The learning rate is {rate}: it must be a number above zero, such as {LEARNING_RATE}."
        )


# ------------------------------------------------------------------ callbacks


def run_callbacks(
    vae: VAE, faces: Faces, run: Path, done: pd.DataFrame | None = None
) -> list[Callback]:
    """The callbacks of every training run: what to watch, and what to keep.

    `done` is the history so far of a run that is resumed.

    Files:
        checkpoint.keras: the model after its best epoch so far (by val_loss).
        images/epoch_001.png ...: the same latents decoded after each epoch.
        logs/: for TensorBoard.
    """
    held_out = load_images(faces, faces.names("val")[:512], vae.image_size)
    best = done["val_loss"].min() if done is not None and len(done) else None
    return [
        TensorBoard(_for_tensorflow(run / "logs"), write_graph=False),
        ModelCheckpoint(
            run / "checkpoint.keras",
            monitor="val_loss",
            save_best_only=True,
            initial_value_threshold=best,
        ),
        ImageGenerator(run / "images", vae.latent_dim, log_dir=run / "logs" / "generated"),
        HeldOutFaces(held_out, log_dir=run / "logs" / "held_out"),
    ]


class HowLong(Callback):
    """Says how long the training will take on this machine, from its first steps.

    Args:
        measured: number of steps that are timed; the ten before them, which compile, are not.
    """

    def __init__(self, measured: int = 20):
        super().__init__()
        self.measured, self.step, self.start = measured, 0, 0.0

    def on_train_batch_end(self, batch, logs=None):
        self.step += 1
        if self.step == 10:
            self.start = time.monotonic()
        if self.step == 10 + self.measured:
            each = (time.monotonic() - self.start) / self.measured
            steps = self.params["epochs"] * self.params["steps"]
            left = "less than a minute" if each * steps < 60 else _minutes(each * steps)
            print(f"{steps:,} steps will take {left} on this machine.", flush=True)


def _minutes(seconds: float) -> str:
    count = round(seconds / 60)
    return f"about {count} minute{'s' if count > 1 else ''}"


class ImageGenerator(Callback):
    """After each epoch, decode the same latents and save the faces as one picture.

    The latents are drawn once, from N(0, I), so that the pictures can be compared. The picture
    keeps the decoder's values: nothing is stretched, image by image or otherwise.

    Args:
        folder: where epoch_001.png and so on go; None writes to TensorBoard alone.
        latent_dim: the length of z.
        count: number of faces.
        columns: faces in a row of the picture.
        seed: of the latents.
        log_dir: for TensorBoard; None leaves it out.
    """

    def __init__(
        self,
        folder: Path | None,
        latent_dim: int,
        count: int = 16,
        columns: int = 8,
        seed: int = 0,
        log_dir: Path | None = None,
    ):
        super().__init__()
        self.folder = None if folder is None else Path(folder)
        self.latents = np.random.default_rng(seed).standard_normal((count, latent_dim))
        self.columns = columns
        self.writer = _writer(log_dir) if log_dir else None

    def on_epoch_end(self, epoch, logs=None):
        grid = image_grid(self.model.decode(self.latents), self.columns)
        if self.folder:
            self.folder.mkdir(parents=True, exist_ok=True)
            with written_whole(self.folder / f"epoch_{epoch + 1:03}.png") as aside:
                Image.fromarray(grid).save(aside)
        if self.writer:
            with self.writer.as_default(step=epoch):
                tf.summary.image("generated faces", grid[None])
            self.writer.flush()


class HeldOutFaces(Callback):
    """After each epoch, show TensorBoard faces that the model does not train on.

    It writes the first faces over their reconstructions, and histograms of all their latents:
    the posterior means, and the standard deviations.

    Args:
        images: float array (n, h, w, 3) in [0, 1], held-out faces.
        log_dir: for TensorBoard.
        columns: faces in the picture.
    """

    def __init__(self, images: np.ndarray, log_dir: Path, columns: int = 8):
        super().__init__()
        self.images = images
        self.columns = columns
        self.writer = _writer(log_dir)

    def on_epoch_end(self, epoch, logs=None):
        z_mean, z_log_var, _ = self.model.encoder(self.images, training=False)
        shown = self.images[: self.columns]
        pairs = np.concatenate([shown, self.model.decode(z_mean[: self.columns])])
        with self.writer.as_default(step=epoch):
            tf.summary.image(
                "held-out faces over reconstructions", image_grid(pairs, len(shown))[None]
            )
            tf.summary.histogram("z_mean", z_mean)
            tf.summary.histogram("z standard deviation", keras.ops.exp(0.5 * z_log_var))
        self.writer.flush()


def _writer(log_dir: Path) -> tf.summary.SummaryWriter:
    return tf.summary.create_file_writer(_for_tensorflow(log_dir))


def _for_tensorflow(path: Path) -> str:
    # It takes names as UTF-8, also where the system's encoding is another (LC_ALL=C).
    return os.fsencode(path).decode("utf-8", "surrogateescape")


class KeepEpochs(Callback):
    """After each epoch, write what it takes to go on from here.

    Files:
        history.csv: one row an epoch.
        checkpoints/epoch_003.keras: model and optimizer; the last two epochs are kept, so that
            one damaged file costs one epoch.

    Args:
        run: the folder.
        done: the history so far.
        clock: the seconds of training so far.

    Attributes:
        history: that of all epochs.
    """

    def __init__(self, run: Path, done: pd.DataFrame, clock: Callable[[], float]):
        super().__init__()
        self.run = run
        self.history = done
        self.clock = clock

    def on_epoch_end(self, epoch, logs=None):
        rows = [*self.history.to_dict("records"), {**logs, "seconds": round(self.clock(), 3)}]
        self.history = pd.DataFrame(rows, index=pd.RangeIndex(1, epoch + 2, name="epoch"))
        write_whole(self.run / "history.csv", self.history.to_csv())
        path = self.run / "checkpoints" / f"epoch_{epoch + 1:03}.keras"
        path.parent.mkdir(exist_ok=True)
        self.model.save(path)
        for old in checkpoints(self.run)[:-2]:
            old.unlink()


class ResumedEarlyStopping(EarlyStopping):
    """Keras's early stopping on val_loss, which also counts the epochs before a resume."""

    def __init__(self, patience: int, done: pd.DataFrame):
        super().__init__(monitor="val_loss", mode="min", patience=patience)
        self.done = done

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        for epoch in range(len(self.done)):
            self.on_epoch_end(epoch, {"val_loss": self.done["val_loss"].iloc[epoch]})


class TimeBudget(Callback):
    """Follow `warmup_cosine` over time in the place of steps; stop when the time is used up.

    What comes after the last step of an epoch (validation, pictures, checkpoint) has its part of
    the budget: as long as it took the last time.

    Args:
        seconds: the budget.
        peak: learning rate at its peak.
        clock: the seconds used so far.

    It stands after the callbacks whose time it measures.
    """

    def __init__(self, seconds: float, peak: float, clock: Callable[[], float]):
        super().__init__()
        self.seconds = seconds
        self.schedule = warmup_cosine(1000, peak)
        self.clock = clock
        self.last_step = 0.0
        self.closing = 0.0

    def on_train_begin(self, logs=None):
        self.params["epochs"] = None  # nobody knows how many; the progress bar shows no total

    def on_train_batch_begin(self, batch, logs=None):
        part = min(1.0, self.clock() / self.seconds)
        self.model.optimizer.learning_rate = float(self.schedule(1000 * part))

    def on_train_batch_end(self, batch, logs=None):
        self.last_step = self.clock()
        self._stop_in_time(self.last_step)

    def on_epoch_end(self, epoch, logs=None):
        self.closing = self.clock() - self.last_step
        self._stop_in_time(self.clock())

    def _stop_in_time(self, now: float) -> None:
        if now + self.closing >= self.seconds:
            self.model.stop_training = True


class FiniteLoss(Callback):
    """Stop a training whose loss is no longer a number.

    Args:
        run: its folder, to name the last good checkpoint.

    Raises:
        FloatingPointError: one sentence that says where, which part, and what to try.
    """

    def __init__(self, run: Path):
        super().__init__()
        self.run = run

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch + 1

    def on_train_batch_end(self, batch, logs=None):
        self._check(logs, "", f"batch {batch + 1}")

    def on_epoch_end(self, epoch, logs=None):
        self._check(logs, "val_", "validation")

    def _check(self, logs: dict, prefix: str, where: str) -> None:
        if math.isfinite(logs.get(f"{prefix}loss", 0.0)):
            return
        parts = ("reconstruction", "kl")
        guilty = [part for part in parts if not math.isfinite(logs[f"{prefix}{part}"])]
        optimizer = self.model.optimizer
        rate = float(keras.ops.convert_to_numpy(optimizer.learning_rate))
        kept = [str(path) for path in checkpoints(self.run)[-1:]]
        raise FloatingPointError(
            f"The loss is not finite in epoch {self.epoch}, {where} (step "
            f"{int(optimizer.iterations)}), because of its {' and its '.join(guilty) or 'sum'}, "
            f"at a learning rate of {rate:.2g}: try a smaller learning rate, or a larger or "
            f"learned sigma, and look at the images; the last good checkpoint is "
            f"{kept[0] if kept else 'none, it is the first epoch'}."
        )


# ------------------------------------------------------------------ pictures and the projector


def write_projector(
    log_dir: Path, latents: np.ndarray, images: np.ndarray, attributes: pd.DataFrame
) -> None:
    """Files for TensorBoard's embedding projector: latents, face thumbnails, attribute labels.

    Args:
        log_dir: TensorBoard's folder.
        latents: (n, latent_dim), posterior means.
        images: (n, h, w, 3) in [0, 1], the same faces.
        attributes: boolean DataFrame (n, n_attributes), the same faces.

    Raises:
        ValueError: the three differ in length.
    """
    if not len(latents) == len(images) == len(attributes):
        raise ValueError(
            f"{len(latents)} latents, {len(images)} images and {len(attributes)} rows of "
            "attributes: the projector needs the same faces in all three."
        )
    log_dir = Path(log_dir)
    log_dir.mkdir(parents=True, exist_ok=True)
    columns = int(np.ceil(np.sqrt(len(images))))  # the projector expects a square of thumbnails
    blank = np.zeros((columns**2 - len(images), *images.shape[1:]))
    thumbnails = image_grid(np.concatenate([images, blank]), columns, gap=0)
    with full_disk_explained(log_dir):
        np.savetxt(log_dir / "latents.tsv", latents, fmt="%.5f", delimiter="\t")
        attributes.astype(int).to_csv(log_dir / "attributes.tsv", sep="\t", index_label="name")
        Image.fromarray(thumbnails).save(log_dir / "thumbnails.png")

    config = projector.ProjectorConfig()
    embedding = config.embeddings.add()
    embedding.tensor_name = "posterior means"
    embedding.tensor_path = "latents.tsv"
    embedding.metadata_path = "attributes.tsv"
    embedding.sprite.image_path = "thumbnails.png"
    embedding.sprite.single_image_dim.extend([images.shape[2], images.shape[1]])
    projector.visualize_embeddings(_for_tensorflow(log_dir), config)


def image_grid(images: np.ndarray, columns: int, gap: int = 2) -> np.ndarray:
    """Images side by side on white: (n, h, w, 3) in [0, 1] -> uint8 (rows * h, columns * w, 3).

    `gap` is the number of white pixels between images. Values are kept as they are: 0 is black
    and 1 is white, in every image.
    """
    count, height, width, channels = images.shape
    rows = -(-count // columns)
    shape = (rows * (height + gap) - gap, columns * (width + gap) - gap, channels)
    grid = np.full(shape, 255, "uint8")
    for i, image in enumerate(np.clip(images, 0, 1)):
        top, left = (i // columns) * (height + gap), (i % columns) * (width + gap)
        grid[top : top + height, left : left + width] = np.round(image * 255)
    return grid


# ------------------------------------------------------------------ runs and models


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


def finish_run(
    vae: VAE, faces: Faces, run: Path, history: pd.DataFrame | keras.callbacks.History
) -> pd.DataFrame:
    """Save the history as history.csv and the model as vae.keras: with it, the run is finished.

    Before, the model learns the Gaussian of up to 10,000 training faces, for `vae.sample`, and how
    much to sharpen what it decodes. faces.txt says which faces they were, see `fingerprint`.

    Args:
        vae: the trained model.
        faces: the folder it was trained on.
        run: the folder of the run.
        history: what `fit` returned, or a table of it.

    Returns:
        The history, one row an epoch.
    """
    if isinstance(history, keras.callbacks.History):
        epochs = pd.Index(history.epoch, name="epoch") + 1
        history = pd.DataFrame(history.history, index=epochs)
    fit_gaussian(vae, faces)
    fit_sharpness(vae, faces)
    try:
        write_whole(run / "history.csv", history.to_csv())
        write_whole(run / "faces.txt", fingerprint(faces))
    finally:  # last, since it says that the run is finished; and whatever became of the others
        without_optimizer(vae).save(run / "vae.keras")
    return history


def fit_gaussian(vae: VAE, faces: Faces) -> None:
    """`vae.fit_latents` on 10,000 training faces, or on all, if there are fewer."""
    batches = make_dataset(faces, "train", vae.image_size, batch_size=250, shuffle=False)
    vae.fit_latents(batches.take(40))


def fit_sharpness(vae: VAE, faces: Faces) -> None:
    """`vae.fit_sharpness` on 2,000 training faces, or on all, if there are fewer."""
    vae.fit_sharpness(load_images(faces, faces.names("train")[:2000], vae.image_size))


def without_optimizer(vae: VAE) -> VAE:
    """A copy of the model with its weights alone: a third of the file, all that decoding needs."""
    copy = VAE.from_config(vae.get_config())
    copy.set_weights(vae.get_weights())
    return copy


def load_model(
    name: str | Path = "pretrained", image_size: int | None = None, faces: Faces | None = None
) -> VAE:
    """Load a trained model.

    Args:
        name: "pretrained" (comes with the course), "mine" (the newest finished run under runs/),
            or the path of a .keras file.
        image_size: in pixels, if the model must be for faces of that size.
        faces: what "mine" must have been trained on; None takes the newest run of all.

    Raises:
        FileNotFoundError: there is no such model (it says how to make one).
        PermissionError: the file may not be read.
        ValueError: the file is no model of ours, or a model for faces of another size, or it
            would fill the memory (see `vaelib.archives`).
    """
    path = newest_run(faces=faces) / "vae.keras" if name == "mine" else Path(name)
    path = PRETRAINED if name == "pretrained" else path
    if name == "pretrained" and not path.exists():
        raise FileNotFoundError(
            f"There is no {path}: the pretrained model comes with the course's repository, not "
            "with an installed package; copy data/pretrained/vae.keras of the repository to "
            "there, or train a model with `python -m vaelib train`."
        )
    if not path.exists():
        raise FileNotFoundError(
            f'There is no model {path}: name a .keras file, or use "pretrained" or "mine".'
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
    except TooLarge:
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
        marks = [fingerprint(faces).encode(), os.fsencode(faces.folder.resolve())]
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
