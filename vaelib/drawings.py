"""Drawings of a VAE: the model from face to face, and a latent space of two dimensions."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection
from matplotlib.patches import Circle, FancyBboxPatch, Polygon

from vaelib.colours import BLUE, ORANGE

PALE_BLUE, PALE_ORANGE, PALE_GREY = "#D6EAF5", "#FBE3D2", "#EEEEEE"
RADIUS_95 = 2.448  # of the circle that holds 95% of N(0, I) in two dimensions


def show_model(face: np.ndarray, answer: np.ndarray, latent_dim: int) -> None:
    """Draw a VAE with its shapes: face, encoder, mean, deviation, epsilon, z, decoder, face.

    Args:
        face: (h, w, 3) in [0, 1].
        answer: what the model makes of the face, of the same shape.
        latent_dim: the length of z.
    """
    figure = plt.figure(figsize=(10.5, 3.2), facecolor="white")
    axis = figure.add_axes((0, 0, 1, 1))
    axis.set(xlim=(0, 105), ylim=(-1, 31))
    axis.axis("off")
    pixels, latents = " x ".join(map(str, face.shape)), f"{latent_dim} numbers"

    _picture(axis, face, 1, "face", pixels)
    _trapezium(axis, 19, 8.5, 5.5, "encoder")
    _box(axis, 37, 25, "mean", latents)
    _box(axis, 37, 11, "log-variance", latents)
    _box(axis, 51, 11, "deviation", latents)
    _box(axis, 63.5, 2.2, "epsilon", f"{latents},\ndrawn from N(0, I)", PALE_ORANGE)
    _sign(axis, 63.5, 11, "×")
    _sign(axis, 63.5, 25, "+")
    _box(axis, 73, 25, "z", latents, PALE_ORANGE)
    _trapezium(axis, 79, 5.5, 8.5, "decoder", middle=18)
    _picture(axis, answer, 93, "answer", pixels)

    for start, end in [
        ((12.5, 18), (18.5, 18)),
        ((29.5, 19.5), (31.8, 24)),
        ((29.5, 16.5), (31.8, 12)),
        ((42.2, 25), (61.6, 25)),
        ((42.2, 11), (45.8, 11)),
        ((56.2, 11), (61.6, 11)),
        ((63.5, 5.2), (63.5, 9.1)),
        ((63.5, 12.9), (63.5, 23.1)),
        ((65.4, 25), (67.8, 25)),
        ((76, 22), (79, 19.5)),
        ((89.5, 18), (92.5, 18)),
    ]:
        axis.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": "black"})
    axis.text(44, 14.6, "exp(half of it)", ha="center", fontsize=8)
    plt.show()


def show_planes(
    planes: dict[str, tuple[np.ndarray, np.ndarray | None]], colours: np.ndarray, label: str
) -> None:
    """Draw latent spaces of two dimensions side by side, each with the same faces in it.

    A dashed circle holds 95% of N(0, I).

    Args:
        planes: name -> the means of the faces, (n, 2), and their standard deviations, (n, 2), or
            None where a face is a point. Ellipses reach to two deviations.
        colours: one number per face, shown as the colour of its dot.
        label: what that number is.
    """
    figure, axes = plt.subplots(
        1, len(planes), figsize=(4.2 * len(planes), 4.2), layout="constrained", squeeze=False
    )
    for axis, (name, (means, deviations)) in zip(axes[0], planes.items(), strict=True):
        if deviations is not None:
            axis.add_collection(_ellipses(axis, means, deviations))
        dots = axis.scatter(*means.T, s=9, c=colours, cmap="viridis", zorder=2)
        axis.add_patch(Circle((0, 0), RADIUS_95, fill=False, ls="--", color=ORANGE, zorder=3))
        reach = max(1.05 * np.abs(means).max(), 1.2 * RADIUS_95)
        axis.set(title=name, xlabel="latent 0", ylabel="latent 1", aspect="equal")
        axis.set(xlim=(-reach, reach), ylim=(-reach, reach))
    figure.colorbar(dots, ax=axes[0, -1], label=label, shrink=0.8)
    plt.show()


def _ellipses(axis: Axes, means: np.ndarray, deviations: np.ndarray) -> EllipseCollection:
    widths, heights = 4 * deviations.T
    place = {"offsets": means, "offset_transform": axis.transData, "units": "xy"}
    style = {"facecolor": BLUE, "alpha": 0.08, "zorder": 1}
    return EllipseCollection(widths, heights, 0 * widths, **place, **style)


def _picture(axis: Axes, image: np.ndarray, left: float, name: str, shape: str) -> None:
    axis.imshow(np.clip(image, 0, 1), extent=(left, left + 11, 12.5, 23.5), aspect="auto", zorder=2)
    axis.text(left + 5.5, 24.5, name, ha="center", va="bottom", fontsize=10, weight="bold")
    axis.text(left + 5.5, 11.5, shape, ha="center", va="top", fontsize=9)


def _trapezium(
    axis: Axes, left: float, before: float, after: float, name: str, middle: float = 18
) -> None:
    right = left + 10
    corners = [(left, middle - before), (left, middle + before)]
    corners += [(right, middle + after), (right, middle - after)]
    axis.add_patch(Polygon(corners, facecolor=PALE_BLUE, edgecolor=BLUE))
    axis.text(left + 5, middle, name, ha="center", va="center", fontsize=10, weight="bold")


def _box(axis: Axes, x: float, y: float, name: str, shape: str, colour: str = PALE_GREY) -> None:
    width, height = (6, 4) if name == "z" else (10, 4)
    corner = x - width / 2, y - height / 2
    style = "round,pad=0,rounding_size=0.8"
    axis.add_patch(
        FancyBboxPatch(corner, width, height, style, facecolor=colour, edgecolor="black")
    )
    axis.text(x, y, name, ha="center", va="center", fontsize=10)
    place, aligned = (x, y - 2.6), ("center", "top")
    if name == "epsilon":  # an arrow leaves it upwards
        place, aligned = (x + 5.8, y), ("left", "center")
    elif name == "z":  # an arrow leaves it downwards
        place, aligned = (x, y + 2.6), ("center", "bottom")
    axis.text(*place, shape, ha=aligned[0], va=aligned[1], fontsize=8)


def _sign(axis: Axes, x: float, y: float, sign: str) -> None:
    axis.add_patch(Circle((x, y), 1.8, facecolor="white", edgecolor="black"))
    axis.text(x, y - 0.1, sign, ha="center", va="center", fontsize=13)
