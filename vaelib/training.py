"""What happens around `fit`: runs that can be resumed, callbacks, the learning-rate schedule."""

import math
import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from keras.callbacks import LambdaCallback
from tqdm.keras import TqdmCallback

from groundwork.files import write_whole
from groundwork.locks import locked
from groundwork.progress import on_terminal
from vaelib.callbacks import (
    FiniteLoss,
    HowLong,
    KeepEpochs,
    ResumedEarlyStopping,
    TimeBudget,
    _print_epoch,
    run_callbacks,
    stopwatch,
)
from vaelib.data.faces import Faces
from vaelib.data.pipeline import make_dataset
from vaelib.data.pixels import load_images
from vaelib.model import VAE
from vaelib.optimizer import Muon
from vaelib.runs import (
    _full_disk_explained,
    _load_best,
    _make_folder,
    check_settings,
    fingerprint,
    is_over,
    resume,
    without_optimizer,
)
from vaelib.schedule import LEARNING_RATE, check_learning_rate, warmup_cosine

VALIDATED = 5000  # held-out faces that are looked at after each epoch, at most
BATCH_SIZE = 64


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
        "training_faces": len(faces.file_names("train")),
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


# ------------------------------------------------------------------ resuming a run


def reseed(vae: VAE, seed: int, epoch: int) -> None:
    """Let the draws of an epoch depend on the seed and on the epoch alone."""
    for i, layer in enumerate([*vae.encoder.layers, *vae.decoder.layers]):
        if hasattr(layer, "seed_generator"):
            state = np.random.default_rng([seed, epoch, i]).integers(2**31, size=2)
            layer.seed_generator.state.assign(state.astype("uint32"))


# ------------------------------------------------------------------ the learning rate


# ------------------------------------------------------------------ callbacks


# ------------------------------------------------------------------ pictures and the projector


# ------------------------------------------------------------------ runs and models


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
    vae.fit_sharpness(load_images(faces, faces.file_names("train")[:2000], vae.image_size))
