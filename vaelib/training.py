"""What happens around `fit`: runs, callbacks, the learning-rate schedule, TensorBoard."""

import math
import re
import sys
from datetime import datetime
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from keras.callbacks import Callback, ModelCheckpoint, TensorBoard
from PIL import Image
from tensorboard.plugins import projector
from tqdm.keras import TqdmCallback

from vaelib.data import DATA, Faces, load_images, make_dataset
from vaelib.model import VAE

PRETRAINED = DATA / "pretrained" / "vae.keras"
RUNS = DATA.parent / "runs"
BATCH_SIZE = 32
LEARNING_RATE = 6e-3  # at its peak, of the dense layers; a third of it for all others
GAUSSIAN_FACES = 10_000  # training faces that the Gaussian of `VAE.sample` is fitted to


def train(
    vae: VAE,
    faces: Faces,
    run: Path,
    epochs: int = 8,
    steps_per_epoch: int = 70,
    batch_size: int = BATCH_SIZE,
    learning_rate: float = LEARNING_RATE,
) -> pd.DataFrame:
    """Compile and fit `vae` on the training split, validate on "val", and finish the run.

    It is what notebook 03 does step by step. `run` receives the files that `run_callbacks` and
    `finish_run` write.

    Returns:
        The history: one row an epoch, columns loss, reconstruction, kl (nats a face) and their
        val_ counterparts.

    Raises:
        FileExistsError: `run` holds a finished model already.
    """
    if (run / "vae.keras").exists():
        raise FileExistsError(f"{run} holds a finished run: choose another folder.")
    run.mkdir(parents=True, exist_ok=True)
    pipeline = {"image_size": vae.image_size, "batch_size": batch_size}
    schedule = warmup_cosine(epochs * steps_per_epoch, learning_rate)
    vae.compile(keras.optimizers.Muon(schedule, adam_lr_ratio=1 / 3))
    on_terminal = sys.stderr.isatty()
    history = vae.fit(
        make_dataset(faces, "train", **pipeline).repeat(),
        epochs=epochs,
        steps_per_epoch=steps_per_epoch,
        validation_data=make_dataset(faces, "val", **pipeline),
        callbacks=run_callbacks(vae, faces, run) + ([TqdmCallback()] if on_terminal else []),
        shuffle=False,  # the pipeline shuffles
        verbose=0 if on_terminal else 2,
    )
    return finish_run(vae, run, history, faces)


def warmup_cosine(
    steps: int, peak: float = LEARNING_RATE
) -> keras.optimizers.schedules.CosineDecay:
    """Learning rate that climbs to `peak` over the first tenth of `steps` and falls to zero."""
    warmup = max(1, steps // 10)
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=peak / 100,
        warmup_target=peak,
        warmup_steps=warmup,
        decay_steps=max(1, steps - warmup),
    )


def warmup_cosine_shape(share: float) -> float:
    """The shape of `warmup_cosine`: from the share of the training that is over to that of peak."""
    if share < 0.1:
        return 0.01 + 0.99 * share / 0.1
    return 0.5 + 0.5 * math.cos(math.pi * (share - 0.1) / 0.9)


def run_callbacks(vae: VAE, faces: Faces, run: Path) -> list[Callback]:
    """The callbacks of every training run: what to watch, and what to keep.

    Files:
        checkpoint.keras: the model after its best epoch so far (by val_loss).
        images/epoch_001.png ...: the same latents decoded after each epoch.
        logs/: for TensorBoard.
    """
    held_out = load_images(faces, faces.names("val")[:512], vae.image_size)
    return [
        TensorBoard(run / "logs", write_graph=False),
        ModelCheckpoint(run / "checkpoint.keras", monitor="val_loss", save_best_only=True),
        ImageGenerator(run / "images", vae.latent_dim, log_dir=run / "logs" / "generated"),
        HeldOutFaces(held_out, log_dir=run / "logs" / "held_out"),
    ]


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
        self.writer = tf.summary.create_file_writer(str(log_dir)) if log_dir else None

    def on_epoch_end(self, epoch, logs=None):
        grid = image_grid(self.model.decode(self.latents), self.columns)
        if self.folder:
            self.folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(grid).save(self.folder / f"epoch_{epoch + 1:03}.png")
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
        self.writer = tf.summary.create_file_writer(str(log_dir))

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
    np.savetxt(log_dir / "latents.tsv", latents, fmt="%.5f", delimiter="\t")
    attributes.astype(int).to_csv(log_dir / "attributes.tsv", sep="\t", index_label="name")
    columns = int(np.ceil(np.sqrt(len(images))))  # the projector expects a square of thumbnails
    blank = np.zeros((columns**2 - len(images), *images.shape[1:]))
    thumbnails = image_grid(np.concatenate([images, blank]), columns, gap=0)
    Image.fromarray(thumbnails).save(log_dir / "thumbnails.png")

    config = projector.ProjectorConfig()
    embedding = config.embeddings.add()
    embedding.tensor_name = "posterior means"
    embedding.tensor_path = "latents.tsv"
    embedding.metadata_path = "attributes.tsv"
    embedding.sprite.image_path = "thumbnails.png"
    embedding.sprite.single_image_dim.extend([images.shape[2], images.shape[1]])
    projector.visualize_embeddings(str(log_dir), config)


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


def finish_run(vae: VAE, run: Path, history: keras.callbacks.History, faces: Faces) -> pd.DataFrame:
    """Save the history as history.csv and the model as vae.keras: with it, the run is finished.

    Before, the Gaussian of the encoded training faces is fitted, so that the model can sample.

    Returns:
        The history, one row an epoch.
    """
    table = pd.DataFrame(history.history, index=pd.Index(history.epoch, name="epoch") + 1)
    table.to_csv(run / "history.csv")
    vae.fit_latents(load_images(faces, faces.names("train")[:GAUSSIAN_FACES], vae.image_size))
    without_optimizer(vae).save(run / "vae.keras")
    return table


def without_optimizer(vae: VAE) -> VAE:
    """A copy of the model with its weights alone: a third of the file, all that decoding needs."""
    copy = VAE.from_config(vae.get_config())
    copy.set_weights(vae.get_weights())
    return copy


def load_model(name: str | Path = "pretrained", image_size: int | None = None) -> VAE:
    """Load a trained model.

    Args:
        name: "pretrained" (comes with the course), "mine" (the newest finished run under runs/),
            or the path of a .keras file.
        image_size: in pixels, if the model must be for faces of that size.

    Raises:
        FileNotFoundError: there is no such model (it says how to make one).
        ValueError: the file is no model of ours, or a model for faces of another size.
    """
    path = newest_run() / "vae.keras" if name == "mine" else Path(name)
    path = PRETRAINED if name == "pretrained" else path
    if not path.exists():
        raise FileNotFoundError(
            f'There is no model {path}: name a .keras file, or use "pretrained" or "mine".'
        )
    try:
        vae = keras.saving.load_model(path)
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


def newest_run(runs: Path = RUNS) -> Path:
    """The folder of the run that finished last.

    Raises:
        FileNotFoundError: no run has finished yet.
    """
    finished = sorted(Path(runs).glob("*/vae.keras"), key=lambda path: path.stat().st_mtime_ns)
    if not finished:
        raise FileNotFoundError(
            f'No finished run in {runs}: run notebook 03 to the end, or set MODEL = "pretrained".'
        )
    return finished[-1].parent
