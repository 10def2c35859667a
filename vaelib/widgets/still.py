"""Stills: the pictures that stand for the widgets in a page without a kernel."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

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
    """Draw the choices, a map of points with a cross in it, and the face of the cross.

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
    figure = Figure(figsize=(7.6, 4.7), dpi=DPI)
    left = 0.02
    for label, choice in (("across", axes[0]), ("up", axes[1]), ("colour", color)):
        left = _button(figure, left, 0.95, f"{choice.replace('_', ' ')} ▾", label) + 0.03
    plot = figure.add_axes((0.09, 0.11, 0.5, 0.77))
    name = color.replace("_", " ")
    for wanted, paint, fill, label in [(0, BLUE, "none", f"not {name}"), (1, ORANGE, ORANGE, name)]:
        across, up = points[has == wanted].T
        plot.scatter(across, up, s=12, facecolor=fill, edgecolor=paint, linewidth=0.7, label=label)
    plot.plot(*cross, "+", color="black", ms=16, mew=2)
    plot.set(xlabel=axes[0].replace("_", " "), ylabel=axes[1].replace("_", " "))
    plot.locator_params(nbins=8)
    plot.legend(loc="lower left", bbox_to_anchor=(1.05, 0), frameon=False)
    _face(figure, (0.64, 0.3, 0.34, 0.55), face, "decoded under the cross")
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
    """Draw some faces of a morph with their numbers, the slider and the buttons below them."""
    width = 1 / len(faces)
    figure = Figure(figsize=(9, 1.9), dpi=DPI)
    for i, (number, image) in enumerate(faces.items()):
        _face(figure, ((i + 0.03) * width, 0.38, 0.94 * width, 0.5), image, str(number))
    _tracks(figure, (0, 0.2, 1, 0.16), {"face": track})
    _box(figure, _button(figure, 0.36, 0.1, "Play") + 0.02, 0.1, "there and back", True)
    return drawn(figure)


def still_of_dials(
    face: np.ndarray, sliders: Mapping[str, Track], boxes: Mapping[str, bool] | None = None
) -> np.ndarray:
    """Draw a face, and beside it the sliders and the check boxes."""
    figure = Figure(figsize=(8.6, 2.8), dpi=DPI)
    _face(figure, (0.01, 0.04, 0.3, 0.92), face, "")
    _tracks(figure, (0.32, 0.04, 0.5, 0.92), sliders)
    for line, (name, ticked) in enumerate((boxes or {}).items()):
        _box(figure, 0.83, 0.9 - 0.12 * line, name, ticked)
    return drawn(figure)


def _button(figure: Figure, left: float, middle: float, text: str, label: str = "") -> float:
    """Draw a button with its text, a label before it; returns where it ends."""
    if label:
        left = _end(figure, figure.text(left, middle, label, va="center", fontsize=10)) + 0.015
    frame = {"boxstyle": "round,pad=0.3", "facecolor": "white", "edgecolor": GREY}
    return _end(figure, figure.text(left, middle, text, va="center", fontsize=10, bbox=frame))


def _box(figure: Figure, left: float, middle: float, text: str, ticked: bool) -> None:
    """Draw a check box with its text."""
    mark = "\N{BALLOT BOX WITH CHECK}" if ticked else "\N{BALLOT BOX}"
    figure.text(left, middle, f"{mark} {text}", va="center", fontsize=10)


def _end(figure: Figure, text: Text) -> float:
    """Where a text ends, as a share of the width of the figure."""
    return text.get_window_extent(FigureCanvasAgg(figure).get_renderer()).x1 / figure.bbox.width


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
