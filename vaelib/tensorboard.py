"""TensorBoard's files: pictures, histograms, and the embedding projector."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import tensorflow as tf
from PIL import Image
from tensorboard.plugins import projector

from groundwork.files import full_disk_explained
from vaelib.pictures import image_grid


def _writer(log_dir: Path) -> tf.summary.SummaryWriter:
    return tf.summary.create_file_writer(_for_tensorflow(log_dir))


def _for_tensorflow(path: Path) -> str:
    # It takes names as UTF-8, also where the system's encoding is another (LC_ALL=C).
    return os.fsencode(path).decode("utf-8", "surrogateescape")


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
