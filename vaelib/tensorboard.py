"""TensorBoard's files: pictures, histograms, and the embedding projector.

TensorFlow writes them, whatever backend of Keras computes; no other module of training touches it.
On a JupyterHub, importing this module shows TensorBoard through the hub's proxy.
"""

import os
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import tensorflow as tf
from PIL import Image
from tensorboard.plugins import projector

from groundwork.files import NO_ROOM, written_whole
from vaelib.pictures import image_grid

TensorFlowError = tf.errors.OpError  # for what it reads and writes, too, whatever backend computes

# What `%tensorboard` reads: the address of its page, with %PORT% for the port.
PROXY = "TENSORBOARD_PROXY_URL"


def use_proxy(environment: MutableMapping[str, str] = os.environ) -> None:
    """On a JupyterHub with jupyter-server-proxy, let `%tensorboard` show its page through it.

    The page comes from the machine that runs the notebook, which a browser can't reach under
    localhost when it is another one. An address that somebody has set is kept.
    """
    user = environment.get("JUPYTERHUB_SERVICE_PREFIX")  # such as /hub/user/anna/
    if user and find_spec("jupyter_server_proxy"):
        environment.setdefault(PROXY, f"{user.rstrip('/')}/proxy/%PORT%/")


use_proxy()


class Summaries:
    """Write pictures and histograms that TensorBoard shows.

    Args:
        log_dir: the folder; it is made.
    """

    def __init__(self, log_dir: Path):
        self._writer = tf.summary.create_file_writer(utf8_path(log_dir))

    def image(self, name: str, grid: np.ndarray, step: int) -> None:
        """Write one picture, uint8 (h, w, 3)."""
        with self._writer.as_default(step):
            tf.summary.image(name, grid[None])
        self._writer.flush()

    def histogram(self, name: str, values: np.ndarray, step: int) -> None:
        """Write how often each value occurs; the array may have any shape."""
        with self._writer.as_default(step):
            tf.summary.histogram(name, values)
        self._writer.flush()


def utf8_path(path: Path) -> str:
    """A path as TensorFlow takes it: as UTF-8, also where the system's encoding is another."""
    return os.fsencode(path).decode("utf-8", "surrogateescape")


@contextmanager
def full_disk_as_oserror() -> Iterator[None]:
    """Turn TensorFlow's error about a full disk into the system's own.

    Raises:
        OSError: there is no room (ENOSPC, EDQUOT).
    """
    try:
        yield
    except tf.errors.OpError as error:
        for number in NO_ROOM:
            if os.strerror(number) in str(error):
                raise OSError(number, os.strerror(number)) from error
        raise


def write_projector(
    log_dir: Path, latents: np.ndarray, images: np.ndarray, attributes: pd.DataFrame
) -> None:
    """Write files for TensorBoard's embedding projector: latents, thumbnails, attribute labels.

    Args:
        log_dir: TensorBoard's folder.
        latents: (n, latent_dim), posterior means.
        images: (n, h, w, 3) in [0, 1], the same faces.
        attributes: boolean DataFrame (n, n_attributes), the same faces.

    Raises:
        ValueError: the three differ in length.
        groundwork.files.DiskFull: there is no room.
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
    with written_whole(log_dir / "latents.tsv") as aside:
        np.savetxt(aside, latents, fmt="%.5f", delimiter="\t")
    with written_whole(log_dir / "attributes.tsv") as aside:
        attributes.astype(int).to_csv(aside, sep="\t", index_label="name")
    with written_whole(log_dir / "thumbnails.png") as aside:
        Image.fromarray(thumbnails).save(aside)

    config = projector.ProjectorConfig()
    embedding = config.embeddings.add()
    embedding.tensor_name = "posterior means"
    embedding.tensor_path = "latents.tsv"
    embedding.metadata_path = "attributes.tsv"
    embedding.sprite.image_path = "thumbnails.png"
    embedding.sprite.single_image_dim.extend([images.shape[2], images.shape[1]])
    projector.visualize_embeddings(utf8_path(log_dir), config)
