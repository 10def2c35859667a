"""Stills: the pictures that stand for the widgets in a page without a kernel."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from vaelib.colours import BLUE, GREY, ORANGE

DPI = 100


@dataclass(frozen=True)
class Track:
    """A slider: its ends, its value, and what is written beside it."""

    low: float
    high: float
    value: float
    readout: str


def still_of_map(
    points: np.ndarray,
    has: np.ndarray,
    color: str,
    axes: Sequence[str],
    cross: Sequence[float],
    face: np.ndarray,
) -> np.ndarray:
    """Draw a map of points with a cross in it, and the face of the cross.

    Args:
        points: (n, 2).
        has: boolean (n,), whether a point has the attribute `color`.
        color: the attribute's name, for the legend.
        axes: the names of both axes.
        cross: the place of the cross.
        face: (h, w, 3) in [0, 1].

    Returns:
        The picture, uint8 (h, w, 3), as those of all functions here.
    """
    figure = Figure(figsize=(7.4, 4.2), dpi=DPI)
    plot = figure.add_axes((0.09, 0.13, 0.5, 0.83))
    for wanted, paint, name in [(False, GREY, f"not {color}"), (True, ORANGE, color)]:
        across, up = points[has == wanted].T
        plot.scatter(across, up, s=7, color=paint, label=name)
    plot.axhline(cross[1], color=BLUE, linewidth=0.8)
    plot.axvline(cross[0], color=BLUE, linewidth=0.8)
    plot.plot(*cross, "+", color=BLUE, ms=14, mew=2.5)
    plot.set_xlabel(axes[0])
    plot.set_ylabel(axes[1])
    plot.legend(loc="lower left", bbox_to_anchor=(1.05, 0), frameon=False)
    _face(figure, (0.64, 0.36, 0.34, 0.6), face, "under the cross")
    return drawn(figure)


def still_of_studio(
    gallery: Iterable[np.ndarray],
    place: int,
    faces: Mapping[str, np.ndarray],
    sliders: Mapping[str, Track],
    code: str,
) -> np.ndarray:
    """Draw a gallery with one face framed, faces with their titles, sliders and a line of code."""
    figure = Figure(figsize=(9, 4.2), dpi=DPI)
    for i, image in enumerate(gallery):
        axes = _face(figure, (0.01 + 0.0815 * i, 0.8, 0.078, 0.18), image, "")
        if i == place:
            for side in axes.spines.values():
                side.set(visible=True, color=BLUE, linewidth=3)
    for i, (title, image) in enumerate(faces.items()):
        _face(figure, (0.01 + 0.145 * i, 0.35, 0.14, 0.3), image, title)
    _tracks(figure, (0.58, 0.2, 0.41, 0.53), sliders)
    figure.text(0.012, 0.08, code, family="monospace", fontsize=10)
    return drawn(figure)


def still_of_morph(faces: Mapping[int, np.ndarray], track: Track) -> np.ndarray:
    """Draw some faces of a morph with their numbers, and the slider below them."""
    width = 1 / len(faces)
    figure = Figure(figsize=(9, 1.7), dpi=DPI)
    for i, (number, image) in enumerate(faces.items()):
        _face(figure, ((i + 0.03) * width, 0.3, 0.94 * width, 0.56), image, str(number))
    _tracks(figure, (0, 0.02, 1, 0.2), {"face": track})
    return drawn(figure)


def still_of_dials(face: np.ndarray, sliders: Mapping[str, Track]) -> np.ndarray:
    """Draw a face and the sliders beside it."""
    figure = Figure(figsize=(7, 2.8), dpi=DPI)
    _face(figure, (0.01, 0.04, 0.37, 0.92), face, "")
    _tracks(figure, (0.4, 0.04, 0.59, 0.92), sliders)
    return drawn(figure)


def _face(figure: Figure, box: tuple, image: np.ndarray, title: str) -> Axes:
    axes = figure.add_axes(box)
    axes.imshow(np.clip(image, 0, 1), interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    axes.set_title(title, fontsize=10, pad=3)
    return axes


def _tracks(figure: Figure, box: tuple, sliders: Mapping[str, Track]) -> None:
    """Draw sliders one below the other: name, line, knob, readout."""
    axes = figure.add_axes(box)
    axes.axis("off")
    axes.set(xlim=(0, 1), ylim=(max(1, len(sliders)) - 0.5, -0.5))
    for line, (name, track) in enumerate(sliders.items()):
        share = (track.value - track.low) / (track.high - track.low)
        axes.plot([0.36, 0.84], [line, line], color=GREY, linewidth=3, solid_capstyle="round")
        axes.plot(0.36 + 0.48 * share, line, "o", color=BLUE, ms=10)
        axes.text(0.32, line, name.replace("_", " "), ha="right", va="center", fontsize=10)
        axes.text(0.88, line, track.readout, ha="left", va="center", fontsize=10)


def drawn(figure: Figure) -> np.ndarray:
    """The picture of a figure: uint8 (h, w, 3)."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
