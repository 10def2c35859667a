"""Figures, and nothing but figures. Each function returns one that a notebook shows once."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from PIL import Image

from vaelib.training import image_grid


def show_faces(
    images: np.ndarray, titles: list[str] | None = None, columns: int = 8, size: float = 1.2
) -> Figure:
    """Faces in rows, with a title above each where there are any.

    Args:
        images: (n, h, w, 3) in [0, 1].
        titles: one a face; "" leaves it out.
        columns: faces in a row.
        size: of a face, in inches.
    """
    rows = -(-len(images) // columns)
    columns = min(columns, len(images))
    title_height = 0.22 if titles is not None else 0.0
    figure, axes = plt.subplots(
        rows,
        columns,
        figsize=(columns * size, rows * (size + title_height)),
        squeeze=False,
        layout="constrained",
    )
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0, hspace=0)
    for axis in axes.flat:
        axis.axis("off")
    for i, (axis, image) in enumerate(zip(axes.flat, images, strict=False)):
        axis.imshow(np.clip(image, 0, 1))
        if titles is not None:
            axis.set_title(titles[i], fontsize=8, pad=3)
    return _finished(figure)


def show_rows(rows: dict[str, np.ndarray], titles: list[str] | None = None, size: float = 1.2):
    """Rows of faces one above the other, each with its name at the left.

    Args:
        rows: name -> images (n, h, w, 3) in [0, 1], all of the same n.
        titles: one a column, above the first row.
        size: of a face, in inches.

    Raises:
        ValueError: the rows differ in length.
    """
    counts = {len(images) for images in rows.values()}
    if len(counts) != 1:
        raise ValueError(f"The rows hold {sorted(counts)} faces: give each the same number.")
    (count,) = counts
    label_width = 1.0
    figure, axes = plt.subplots(
        len(rows),
        count,
        figsize=(count * size + label_width, len(rows) * size + (0.25 if titles else 0)),
        squeeze=False,
    )
    for line, (name, images) in zip(axes, rows.items(), strict=True):
        line[0].text(
            -0.08, 0.5, name, ha="right", va="center", fontsize=9, transform=line[0].transAxes
        )
        for axis, image in zip(line, images, strict=True):
            axis.axis("off")
            axis.imshow(np.clip(image, 0, 1))
    for axis, title in zip(axes[0], titles or [], strict=False):
        axis.set_title(title, fontsize=9, pad=4)
    width, height = figure.get_size_inches()
    top = 1 - (0.25 if titles else 0) / height
    figure.subplots_adjust(label_width / width, 0.0, 1.0, top, wspace=0.03, hspace=0.03)
    return _finished(figure)


def loss_curve(history: pd.DataFrame) -> Figure:
    """Loss, reconstruction and KL over epochs, for training and for validation, in nats.

    Args:
        history: one row an epoch, columns loss, reconstruction, kl and val_loss, ….
    """
    figure, axes = plt.subplots(1, 3, figsize=(10, 2.8), layout="constrained")
    for axis, name in zip(axes, ["loss", "reconstruction", "kl"], strict=True):
        axis.plot(history.index, history[name], "o-", color="#0072B2", label="training", ms=4)
        axis.plot(
            history.index, history[f"val_{name}"], "s--", color="#D55E00", label="validation", ms=4
        )
        axis.set(title=name, xlabel="epoch")
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("nats a face")
    axes[0].legend()
    return _finished(figure)


def latent_histograms(latents: np.ndarray, which: list[int], columns: int = 6) -> Figure:
    """Histograms of some latents over many faces, each against the standard normal.

    Args:
        latents: (n, latent_dim).
        which: the latents to show.
        columns: histograms in a row.
    """
    rows = -(-len(which) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(10, 1.7 * rows), layout="constrained", sharex=True, squeeze=False
    )
    x = np.linspace(-4, 4, 200)
    for axis in axes.flat[len(which) :]:
        axis.axis("off")
    for axis, latent in zip(axes.flat, which, strict=False):
        axis.hist(latents[:, latent], bins=40, range=(-4, 4), density=True, color="#56B4E9")
        axis.plot(x, np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi), color="#D55E00")
        axis.set_title(f"latent {latent}", fontsize=9)
        axis.set_yticks([])
    return _finished(figure)


def save_gif(images: np.ndarray, path: str | Path, seconds: float = 2.0, scale: int = 3) -> None:
    """An animation of faces, played forth and back without end.

    Args:
        images: (n, h, w, 3) in [0, 1], n >= 2.
        path: the .gif file.
        seconds: for one way.
        scale: each pixel becomes scale x scale, smoothly.
    """
    height, width = images.shape[1] * scale, images.shape[2] * scale
    frames = [
        Image.fromarray(image_grid(image[None], 1)).resize(
            (width, height), Image.Resampling.BICUBIC
        )
        for image in images
    ]
    frames += frames[-2:0:-1]
    frames[0].save(
        path,
        save_all=True,
        append_images=frames[1:],
        duration=round(1000 * seconds / len(images)),
        loop=0,
    )


def _finished(figure: Figure) -> Figure:
    # Closed for pyplot, a figure is shown once: as the value of its cell.
    plt.close(figure)
    return figure
