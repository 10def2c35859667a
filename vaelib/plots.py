"""Figures for the notebooks; each function shows one figure, wherever in a cell it is called."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from PIL import Image

from vaelib.colours import BLUE, GREEN, ORANGE, PINK, SKY_BLUE
from vaelib.pictures import image_grid


def show_faces(
    images: np.ndarray,
    titles: list[str] | None = None,
    columns: int = 8,
    scale: int = 2,
    path: str | Path | None = None,
) -> None:
    """Show faces in rows, each with a title if there are titles.

    Args:
        images: (n, h, w, 3) in [0, 1].
        titles: one per face; "" is no title.
        columns: faces in a row.
        scale: each pixel of a face becomes scale x scale pixels of the figure.
        path: save the figure in this file instead of showing it.
    """
    rows, columns = -(-len(images) // columns), min(columns, len(images))
    figure, axes = _panels(rows, columns, images[0].shape, scale, title=titles is not None)
    for i, (axis, image) in enumerate(zip(axes.flat, images, strict=False)):
        axis.imshow(np.clip(image, 0, 1), interpolation="nearest")
        if titles is not None:
            axis.set_title(titles[i], fontsize=9, pad=3)
    _show(figure, path)


def show_rows(
    rows: dict[str, np.ndarray],
    titles: list[str] | None = None,
    scale: int = 2,
    path: str | Path | None = None,
) -> None:
    """Show rows of faces, each with its name at the left.

    Args:
        rows: name -> images (n, h, w, 3) in [0, 1], all of the same n.
        titles: one per column, above the first row.
        scale: each pixel of a face becomes scale x scale pixels of the figure.
        path: save the figure in this file instead of showing it.

    Raises:
        ValueError: the rows differ in length.
    """
    counts = {len(images) for images in rows.values()}
    if len(counts) != 1:
        raise ValueError(f"The rows hold {sorted(counts)} faces: give each the same number.")
    (count,) = counts
    shape = next(iter(rows.values()))[0].shape
    figure, axes = _panels(len(rows), count, shape, scale, title=False, margin=100)
    for line, (name, images) in zip(axes, rows.items(), strict=True):
        line[0].text(
            -0.08, 0.5, name, ha="right", va="center", fontsize=10, transform=line[0].transAxes
        )
        for axis, image in zip(line, images, strict=True):
            axis.imshow(np.clip(image, 0, 1), interpolation="nearest")
    for axis, title in zip(axes[0], titles or [], strict=False):
        axis.set_title(title, fontsize=10, pad=4)
    _show(figure, path)


def loss_curve(history: pd.DataFrame) -> None:
    """Plot loss, reconstruction and KL over epochs, for training and validation, in nats.

    Args:
        history: one row per epoch; columns loss, reconstruction, kl, and the same with val_.
    """
    figure, axes = plt.subplots(1, 3, figsize=(10, 2.8), layout="constrained")
    for axis, name in zip(axes, ["loss", "reconstruction", "kl"], strict=True):
        axis.plot(history.index, history[name], "o-", color=BLUE, label="training", ms=4)
        axis.plot(
            history.index, history[f"val_{name}"], "s--", color=ORANGE, label="validation", ms=4
        )
        axis.set(title=name, xlabel="epoch")
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("nats per face")
    axes[0].legend()
    _show(figure)


def latent_histograms(latents: np.ndarray, which: list[int], columns: int = 6) -> None:
    """Plot histograms of some latents over many faces, each with the standard normal density.

    Args:
        latents: (n, latent_dim).
        which: the indices of the latents to show.
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
        axis.hist(latents[:, latent], bins=40, range=(-4, 4), density=True, color=SKY_BLUE)
        axis.plot(x, np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi), color=ORANGE)
        axis.set_title(f"latent {latent}", fontsize=9)
        axis.set_yticks([])
    _show(figure)


def show_intervals(
    tables: dict[str, pd.DataFrame], label: str, neutral: float | None = None
) -> None:
    """Show values with their intervals, one line per group, one colour per table.

    Args:
        tables: name -> a table of `vaelib.groups.group_errors`: columns value, low and high.
        label: of the axis.
        neutral: where to draw a dashed line; None draws none.
    """
    count, colours = len(next(iter(tables.values()))), (BLUE, ORANGE, GREEN, PINK)
    figure, axis = plt.subplots(figsize=(7, 1.0 + 0.34 * count), layout="constrained")
    for i, (name, table) in enumerate(tables.items()):
        places = np.arange(len(table)) + 0.2 * (i - (len(tables) - 1) / 2)
        reach = table["value"] - table["low"], table["high"] - table["value"]
        style = {"fmt": "o", "ms": 5, "color": colours[i % len(colours)], "label": name}
        axis.errorbar(table["value"], places, xerr=reach, **style)
    if neutral is not None:
        axis.axvline(neutral, color="grey", linestyle="--", linewidth=1)
    axis.set_yticks(range(count), list(next(iter(tables.values())).index))
    axis.set_ylim(count - 0.5, -0.5)  # the first group on top
    axis.grid(axis="x", alpha=0.3)
    axis.set_xlabel(label)
    if len(tables) > 1:
        figure.legend(loc="outside upper right", ncols=len(tables), fontsize=9)
    _show(figure)


def save_gif(images: np.ndarray, path: str | Path, seconds: float = 2.0, scale: int = 3) -> None:
    """Save faces as an animated GIF that plays forwards and backwards, in a loop.

    Args:
        images: (n, h, w, 3) in [0, 1], n >= 2.
        path: the .gif file.
        seconds: for one direction.
        scale: factor of the size, with bicubic interpolation.
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


def _panels(
    rows: int, columns: int, shape: tuple, scale: int, title: bool, margin: int = 0
) -> tuple[Figure, np.ndarray]:
    """Make a figure of rows x columns panels without axes, each of exactly shape * scale pixels.

    `title` leaves room above each panel; `margin` is the room at the left, in pixels.
    """
    gap, dpi = 4, 100
    height, width = shape[0] * scale, shape[1] * scale
    row_height, column_width = height + gap + 18 * title, width + gap
    total = rows * row_height, columns * column_width + margin
    figure = plt.figure(figsize=(total[1] / dpi, total[0] / dpi), dpi=dpi)
    axes = np.empty((rows, columns), dtype=object)
    for row, column in np.ndindex(rows, columns):
        left = (margin + column * column_width) / total[1]
        bottom = 1 - (row * row_height + 18 * title + height) / total[0]
        box = (left, bottom, width / total[1], height / total[0])
        axes[row, column] = figure.add_axes(box, frameon=False)
        axes[row, column].axis("off")
    return figure, axes


def _show(figure: Figure, path: str | Path | None = None) -> None:
    """Show a figure as `plt.show()` does, or save it with its titles and names."""
    if path is None:
        plt.show()
    else:
        figure.savefig(path, bbox_inches="tight", pad_inches=0.05)
        plt.close(figure)
