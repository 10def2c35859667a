"""Callbacks: what happens after each step and each epoch of a training."""

import math
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from keras.callbacks import Callback, EarlyStopping, ModelCheckpoint, TensorBoard
from PIL import Image

from groundwork.files import write_whole, written_whole
from vaelib.data.faces import Faces
from vaelib.data.pixels import load_images
from vaelib.model import VAE
from vaelib.pictures import image_grid
from vaelib.runs import checkpoints
from vaelib.schedule import warmup_cosine
from vaelib.tensorboard import Summaries, utf8_path


def print_epoch(epoch: int, logs: dict) -> None:
    """Print the numbers of an epoch in one line, where no progress bar can be shown."""
    numbers = ", ".join(f"{name} {value:.1f}" for name, value in logs.items())
    print(f"epoch {epoch + 1}: {numbers}", flush=True)


def stopwatch(seconds: float = 0.0) -> Callable[[], float]:
    """A function that returns `seconds` now, and later as many more as have passed."""
    start = time.monotonic() - seconds
    return lambda: time.monotonic() - start


def run_callbacks(
    vae: VAE, faces: Faces, run: Path, done: pd.DataFrame | None = None
) -> list[Callback]:
    """The callbacks of every training run: TensorBoard's files, pictures, and the best model.

    `done` is the history so far of a resumed run.

    Files:
        checkpoint.keras: the model after its best epoch so far (by val_loss).
        images/epoch_001.png ...: the same latents decoded after each epoch.
        logs/: for TensorBoard.
    """
    held_out = load_images(faces, faces.file_names("val")[:512], vae.image_size)
    best = done["val_loss"].min() if done is not None and len(done) else None
    return [
        TensorBoard(utf8_path(run / "logs"), write_graph=False),
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
    """Print how long the training will take on this machine, from its first steps.

    Args:
        measured: the number of timed steps; ten steps before them, which compile, are not timed.
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
    keeps the values that `decode` gives; contrast is not stretched.

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
        self.summaries = Summaries(log_dir) if log_dir else None

    def on_epoch_end(self, epoch, logs=None):
        grid = image_grid(self.model.decode(self.latents), self.columns)
        if self.folder:
            self.folder.mkdir(parents=True, exist_ok=True)
            with written_whole(self.folder / f"epoch_{epoch + 1:03}.png") as aside:
                Image.fromarray(grid).save(aside)
        if self.summaries:
            self.summaries.image("generated faces", grid, epoch)


class HeldOutFaces(Callback):
    """After each epoch, write for TensorBoard how the model reconstructs and encodes new faces.

    The files hold the first faces above their reconstructions, and histograms of the latents of
    all faces: posterior means, and standard deviations.

    Args:
        images: float array (n, h, w, 3) in [0, 1], held-out faces.
        log_dir: for TensorBoard.
        columns: faces in the picture.
    """

    def __init__(self, images: np.ndarray, log_dir: Path, columns: int = 8):
        super().__init__()
        self.images = images
        self.columns = columns
        self.summaries = Summaries(log_dir)

    def on_epoch_end(self, epoch, logs=None):
        z_mean, z_log_var = self.model.posterior(self.images)
        shown = self.images[: self.columns]
        pairs = np.concatenate([shown, self.model.decode(z_mean[: self.columns])])
        grid = image_grid(pairs, len(shown))
        self.summaries.image("held-out faces over reconstructions", grid, epoch)
        self.summaries.histogram("z_mean", z_mean, epoch)
        self.summaries.histogram("z standard deviation", np.exp(0.5 * z_log_var), epoch)


# Keras' BackupAndRestore and CSVLogger write in place, so a killed program leaves half a file or a
# row too many; and they keep no history with a checkpoint and name no damaged file.
class KeepEpochs(Callback):
    """After each epoch, write all that is needed to continue from here.

    Files:
        history.csv: one row per epoch.
        checkpoints/epoch_003.keras: model and optimizer, of the last two epochs: one damaged file
            costs one epoch.

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
    """Keras' early stopping on val_loss, which also counts the epochs before a resume."""

    def __init__(self, patience: int, done: pd.DataFrame):
        super().__init__(monitor="val_loss", mode="min", patience=patience)
        self.done = done

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        for epoch in range(len(self.done)):
            self.on_epoch_end(epoch, {"val_loss": self.done["val_loss"].iloc[epoch]})


class TimeBudget(Callback):
    """Let the learning rate follow `warmup_cosine` over time, and stop when the time is used up.

    Validation, pictures and checkpoint after the last step count too: as long as they took after
    the epoch before. This callback must stand after those whose time it measures.

    Args:
        seconds: the budget.
        peak: learning rate at its peak.
        clock: the seconds used so far.
    """

    def __init__(self, seconds: float, peak: float, clock: Callable[[], float]):
        super().__init__()
        self.seconds = seconds
        self.schedule = warmup_cosine(1000, peak)
        self.peak = peak
        self.rate = math.inf  # none is set yet
        self.clock = clock
        self.last_step = 0.0
        self.closing = 0.0

    def on_train_begin(self, logs=None):
        self.params["epochs"] = None  # nobody knows how many; the progress bar shows no total

    def on_train_batch_begin(self, batch, logs=None):
        part = min(1.0, self.clock() / self.seconds)
        rate = float(self.schedule(1000 * part))
        # JAX copies the whole model whenever a callback touches it: not for less than 1%.
        if abs(rate - self.rate) >= 0.01 * self.peak:
            self.rate = self.model.optimizer.learning_rate = rate

    def on_train_batch_end(self, batch, logs=None):
        self.last_step = self.clock()
        self._stop_in_time(self.last_step)

    def on_epoch_end(self, epoch, logs=None):
        self.closing = self.clock() - self.last_step
        self._stop_in_time(self.clock())

    def _stop_in_time(self, now: float) -> None:
        if now + self.closing >= self.seconds:
            self.model.stop_training = True


# Keras' TerminateOnNaN says neither which part of the loss it is nor what to try, and does not
# look at the validation.
class FiniteLoss(Callback):
    """Stop a training whose loss is not finite.

    Args:
        run: the folder of the run, to name the last good checkpoint.
        peak: the learning rate to name; None names that of now, which may have fallen.

    Raises:
        FloatingPointError: one sentence that says where, which part, and what to try.
    """

    def __init__(self, run: Path, peak: float | None = None):
        super().__init__()
        self.run, self.peak = run, peak

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
        rate = self.peak or float(keras.ops.convert_to_numpy(optimizer.learning_rate))
        kept = [str(path) for path in checkpoints(self.run)[-1:]]
        raise FloatingPointError(
            f"The loss is not finite in epoch {self.epoch}, {where} (step "
            f"{int(optimizer.iterations)}), because of its {' and its '.join(guilty) or 'sum'}, "
            f"at a learning rate of {rate:.2g}: try a smaller learning rate, a larger sigma, or no "
            "sigma at all (it is then estimated), and look at the images; the last good "
            f"checkpoint is {kept[0] if kept else 'none, it is the first epoch'}."
        )
