"""Train the course's recipe: model, optimizer, data and callbacks of a run, and its end."""

import io
import math
import sys
from contextlib import ExitStack
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
    print_epoch,
    run_callbacks,
    stopwatch,
)
from vaelib.data.faces import Faces
from vaelib.data.pipeline import make_dataset
from vaelib.data.pixels import load_images, load_pixels
from vaelib.model import LATENT_DIM, VAE, build_decoder, build_encoder
from vaelib.optimizer import Muon
from vaelib.parallel import ByChief, check_parts, spread
from vaelib.processes import ALONE, Group
from vaelib.runs import (
    check_settings,
    identity_of,
    is_over,
    load_best,
    make_folder,
    resume,
    safe_epoch_named,
    without_optimizer,
)
from vaelib.schedule import LEARNING_RATE, check_learning_rate, warmup_cosine
from vaelib.tensorboard import full_disk_as_oserror

VALIDATED = 5000  # faces of "val" for the validation after each epoch, at most
BATCH_SIZE = 64
VERSIONS = {"keras": keras.version(), "backend": keras.backend.backend()}  # alike in all processes


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
    precision: str = "float32",
    group: Group = ALONE,
) -> pd.DataFrame:
    """Compile and fit `vae` on the training split, validate on "val", and finish the run.

    Notebook 03 does this step by step. After a stop at any moment, the same call continues after
    the last whole epoch and reaches the same result: the batches and draws of epoch k depend only
    on the seed and on k.

    Args:
        vae: a new model, see `new_vae`; to resume `run`, one that was built in the same way.
        faces: the folder.
        run: a folder for the files that `run_callbacks`, `KeepEpochs` and `finish_run` write, and
            for settings.json, the arguments of this call.
        epochs: of `steps_per_epoch` batches each.
        learning_rate: at its peak, see `warmup_cosine`.
        patience: stop after so many epochs without a smaller val_loss, and finish with the model
            of the best epoch; None never stops early.
        minutes: train for this time instead of `epochs`, see `TimeBudget`. Earlier parts of a
            resumed run count; `finish_run` is not included.
        flip: mirror half of the training faces, different ones in every epoch.
        seed: of the order of the faces and of all draws.
        precision: "float32" or "bfloat16", see `set_precision`; the finished model is float32.
        group: the processes that train together, see `joined`; each makes this call. They share
            each batch, and process 0 writes the files; `run` of the others is not used.

    Returns:
        The history: one row per epoch, columns loss, reconstruction, kl (nats per face), the same
        three with val_, and `seconds` of training since the start of the run.

    Raises:
        FileExistsError: `run` holds a finished model already.
        ValueError: `run` was started with other settings (the message names them), or a file of it
            is damaged, or the learning rate is not above zero; or the processes of `group` have
            different settings, or can't share a batch equally.
        groundwork.locks.Locked: another training writes to `run`.
        groundwork.files.DiskFull: there is no room (the message says which epoch is safe).
        FloatingPointError: the loss is not finite, see `FiniteLoss`.
    """
    run = Path(run)
    with group.together():
        check_learning_rate(learning_rate)
        if group.is_chief and (run / "vae.keras").exists():
            raise FileExistsError(f"{run} holds a finished run: choose another folder.")
        if minutes is not None and group.count > 1:
            raise ValueError("minutes needs one process, since each has its own clock: use epochs.")
        epochs = epochs if minutes is None else None
        settings = {
            "faces": str(faces.folder.resolve()),
            "fingerprint": identity_of(faces),
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
            "precision": precision,
        }
        check_parts(group, batch_size, settings["training_faces"])
    group.agree({name: settings[name] for name in settings if name != "faces"} | VERSIONS)
    with ExitStack() as held:
        with group.together():
            if group.is_chief:
                for folder in (run, run / "checkpoints", run / "images", run / "logs"):
                    make_folder(folder)
                busy = (
                    f"Another training writes to {run}: wait for its end, or choose another folder."
                )
                held.enter_context(locked(run / ".lock", refused=busy))
                check_settings(run, settings)
            # Decode them now: else a process would do so while the others wait in a step.
            load_pixels(faces, vae.image_size, process=group.index, processes=group.count)
        return _train_alone(vae, faces, run, settings, group)


def _train_alone(vae: VAE, faces: Faces, run: Path, settings: dict, group: Group) -> pd.DataFrame:
    epochs, patience, minutes = (settings[name] for name in ("epochs", "patience", "minutes"))
    keras.utils.set_random_seed(settings["seed"])
    compiled(vae, settings)
    with group.together():
        history = resume(vae, run) if group.is_chief else None
    history = _from_chief(group, history)
    if not is_over(history, epochs, patience, minutes):
        history = _fit(vae, faces, run, history, settings, group)
    with group.together():
        if group.is_chief:
            if patience is not None:
                load_best(vae, run)
            set_precision(vae, "float32")
            with safe_epoch_named(run):
                history = finish_run(vae, faces, run, history)
    return _from_chief(group, history)


def compiled(vae: VAE, settings: dict) -> None:
    """Compile `vae` for a training with these settings, and build its optimizer."""
    steps = None if settings["minutes"] else settings["epochs"] * settings["steps_per_epoch"]
    compile_recipe(vae, steps, settings["learning_rate"])
    set_precision(vae, settings["precision"])
    # Else Keras loads nothing into it, and begins the data of new and resumed runs differently.
    vae.optimizer.build(vae.trainable_variables)


def _fit(
    vae: VAE, faces: Faces, run: Path, done: pd.DataFrame, settings: dict, group: Group
) -> pd.DataFrame:
    steps, seed, minutes = (settings[name] for name in ("steps_per_epoch", "seed", "minutes"))
    batches = {"image_size": vae.image_size, "batch_size": settings["batch_size"], "seed": seed}
    batches |= {"whole": keras.backend.backend() == "jax", "part": (group.index, group.count)}
    skip = len(done) * steps  # what the epochs that are done have seen
    train_images = make_dataset(
        faces, "train", **batches, flip=settings["flip"], repeat=True, skip=skip
    )
    val_images = make_dataset(faces, "val", **batches)
    val_images = val_images.take(math.ceil(VALIDATED / settings["batch_size"]))
    clock = stopwatch(done["seconds"].iloc[-1] if len(done) else 0.0)
    keep = KeepEpochs(run, done, clock)
    with (
        safe_epoch_named(run),
        full_disk_as_oserror(),
        spread(vae, group, lambda copy: compiled(copy, settings)) as model,
    ):
        written = []
        if group.is_chief:
            written = [
                *run_callbacks(vae, faces, run, done),
                *([HowLong()] if settings["epochs"] and not len(done) else []),
                keep,  # after the best model: an epoch is done when its checkpoint is there
                TqdmCallback() if on_terminal() else LambdaCallback(on_epoch_end=print_epoch),
            ]
        callbacks = [
            LambdaCallback(on_epoch_begin=lambda epoch, logs: reseed(model, seed, epoch)),
            FiniteLoss(run, settings["learning_rate"]),
            *(written if model is vae else [ByChief(vae, written, group)]),
            *([TimeBudget(60 * minutes, settings["learning_rate"], clock)] if minutes else []),
            *([ResumedEarlyStopping(settings["patience"], done)] if settings["patience"] else []),
        ]
        model.fit(
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


def _from_chief(group: Group, history: pd.DataFrame | None) -> pd.DataFrame:
    """The history that process 0 has, in each process."""
    texts = group.gather("" if history is None else history.to_csv())
    if group.is_chief:
        return history
    return pd.read_csv(io.StringIO(texts[0]), index_col="epoch")


def new_vae(
    image_size: int = 64,
    latent_dim: int = LATENT_DIM,
    sigma: float | None = None,
    seed: int = 0,
    large: bool = False,
) -> VAE:
    """A new model of the recipe; its first weights depend only on the arguments.

    Args:
        image_size: 32, 64 or 128, in pixels.
        latent_dim: the length of z.
        sigma: standard deviation of a pixel; None is a running estimate, see `VAE`.
        seed: of the weights.
        large: more filters, and residual blocks, see `build_encoder`.
    """
    keras.utils.set_random_seed(seed)
    encoder = build_encoder(image_size, latent_dim, large)
    return VAE(encoder, build_decoder(image_size, latent_dim, large), sigma)


def set_precision(vae: VAE, precision: str) -> None:
    """Let the convolutions of `vae` compute in "bfloat16" or "float32".

    Processors with AMX and GPUs multiply bfloat16 several times faster. Weights, their updates,
    the normalisation, z and the loss stay in float32. The last convolution, which makes the
    picture, does too.
    """
    policy = "mixed_bfloat16" if precision == "bfloat16" else precision
    for part, count in ((vae.encoder, None), (vae.decoder, -1)):
        kinds = (keras.layers.Conv2D, keras.layers.Conv2DTranspose)
        for layer in [layer for layer in part.layers if isinstance(layer, kinds)][:count]:
            layer.dtype_policy = policy


def compile_recipe(vae: VAE, steps: int | None, peak: float = LEARNING_RATE) -> None:
    """Compile `vae` with the optimizer of the recipe.

    Args:
        steps: the length of the training, for `warmup_cosine`; None keeps the learning rate at
            `peak`, for a callback that sets it, such as `TimeBudget`.
        peak: the highest learning rate.
    """
    vae.compile(Muon(peak if steps is None else warmup_cosine(steps, peak)))


def reseed(vae: VAE, seed: int, epoch: int) -> None:
    """Let the draws of an epoch depend only on the seed and the epoch."""
    for i, layer in enumerate([*vae.encoder.layers, *vae.decoder.layers]):
        if hasattr(layer, "seed_generator"):
            state = np.random.default_rng([seed, epoch, i]).integers(2**31, size=2)
            layer.seed_generator.state.assign(state.astype("uint32"))


def finish_run(
    vae: VAE, faces: Faces, run: Path, history: pd.DataFrame | keras.callbacks.History
) -> pd.DataFrame:
    """Finish a run: save the history as history.csv and the model as vae.keras.

    Before, fit the Gaussian of encoded training faces, for `vae.sample`, and the gains of
    `vae.sharpen`. faces.txt says which faces the run was trained on, see `identity_of`.

    Args:
        vae: the trained model.
        faces: the folder it was trained on.
        run: the folder of the run.
        history: what `fit` returned, or a table of it.

    Returns:
        The history, one row per epoch.
    """
    if isinstance(history, keras.callbacks.History):
        epochs = pd.Index(history.epoch, name="epoch") + 1
        history = pd.DataFrame(history.history, index=epochs)
    fit_gaussian(vae, faces)
    fit_sharpness(vae, faces)
    try:
        write_whole(run / "history.csv", history.to_csv())
        write_whole(run / "faces.txt", identity_of(faces))
    finally:  # last, since it marks the run as finished; also if the other files can't be written
        without_optimizer(vae).save(run / "vae.keras")
    return history


def fit_gaussian(vae: VAE, faces: Faces) -> None:
    """Call `vae.fit_latents` with 10,000 training faces, or with all, if there are fewer."""
    batches = make_dataset(faces, "train", vae.image_size, batch_size=250, shuffle=False)
    vae.fit_latents(batches.take(40))


def fit_sharpness(vae: VAE, faces: Faces) -> None:
    """Call `vae.fit_sharpness` with 2,000 training faces, or with all, if there are fewer."""
    vae.fit_sharpness(load_images(faces, faces.file_names("train")[:2000], vae.image_size))
