"""The picture that stands for `Inside` in a page without a kernel."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from vaelib.colours import BLUE, DARK_GREY, ORANGE
from vaelib.widgets.still import DPI, drawn

WIDTH, ROW = 9.0, 0.25  # inches


def still_of_inside(
    gallery: np.ndarray,
    place: int,
    faces: tuple[np.ndarray, np.ndarray],
    latents: Sequence[int],
    rows: np.ndarray,
    by_hand: Sequence[bool],
    captions: tuple[str, str],
    sentences: tuple[str, str],
) -> np.ndarray:
    """Draw what the widget `Inside` shows: the face, its latents as bars, and the decoded face.

    Args:
        gallery: (h, n * w, 3) in [0, 1], faces side by side.
        place: of the face in it that is framed; -1 frames none.
        faces: the face and the decoded one, (h, w, 3) in [0, 1].
        latents: numbers of the k latents that are shown.
        rows: (4, k), their posterior means, deviations, z, and KL divergences in nats.
        by_hand: for each of the k latents, whether it was set by hand.
        captions: of the two faces.
        sentences: below the bars.

    Returns:
        The picture, uint8 (h, w, 3).
    """
    strip = WIDTH * gallery.shape[0] / gallery.shape[1]
    panel = ROW * (len(latents) + 2)
    height = strip + panel + 0.8
    figure = Figure(figsize=(WIDTH, height), dpi=DPI)

    def axes_at(left: float, top: float, width: float, tall: float) -> Axes:
        """Axes at inches from the left and from the top."""
        return figure.add_axes(
            (left / WIDTH, 1 - (top + tall) / height, width / WIDTH, tall / height)
        )

    row = axes_at(0, 0, WIDTH, strip)
    _show(row, gallery)
    if place >= 0:
        side = gallery.shape[0]
        frame = Rectangle((side * place, 0), side - 1, side - 1, fill=False, ec=BLUE, lw=4)
        row.add_patch(frame)
    top = strip + 0.4
    for left, face, caption in zip((0.05, 7.1), faces, captions, strict=True):
        axis = axes_at(left, top + (panel - 1.85) / 2, 1.85, 1.85)
        _show(axis, face)
        axis.set_title(caption, fontsize=8, pad=3)
    for left, word in ((1.98, "encoder"), (6.57, "decoder")):
        middle = 1 - (top + panel / 2) / height
        figure.text((left + 0.22) / WIDTH, middle, f"{word}\n→", ha="center", fontsize=8)
    _bars(axes_at(2.72, top, 2.25, panel - 0.3), latents, rows, by_hand)
    figure.text(0.01, 0.06 / height, "\n".join(sentences), fontsize=8, va="bottom", wrap=True)
    return drawn(figure)


def _show(axis: Axes, image: np.ndarray) -> None:
    axis.imshow(image, aspect="auto")
    axis.set_axis_off()


def _bars(axis: Axes, latents: Sequence[int], rows: np.ndarray, by_hand: Sequence[bool]) -> None:
    mean, deviation, z, kl = rows
    places = np.arange(len(latents))
    for reach in (1, 2):
        axis.axvspan(-reach, reach, color=DARK_GREY, alpha=0.13, lw=0)
    axis.axvline(0, color=DARK_GREY, lw=0.8)
    axis.barh(places, mean, height=0.3, color=BLUE, alpha=0.35)
    axis.barh(places, 2 * deviation, left=mean - deviation, height=0.62, color=BLUE)
    axis.plot(z, places + 0.3, "^", color=ORANGE, ms=7)
    limit = max(4.0, *np.abs(z), *(np.abs(mean) + 2 * deviation))
    axis.set(xlim=(-limit, limit), ylim=(len(latents) - 0.5, -0.5), yticks=places)
    axis.set_yticklabels([str(latent) for latent in latents], fontsize=8)
    axis.tick_params(
        axis="x", labelsize=8, top=True, labeltop=True, bottom=False, labelbottom=False
    )
    axis.tick_params(axis="y", length=0)
    for label, is_set in zip(axis.get_yticklabels(), by_hand, strict=True):
        label.set_fontweight("bold" if is_set else "normal")
    right = axis.get_yaxis_transform()
    for text, x in (("deviation", 1.27), ("z", 1.44), ("KL, nats", 1.67)):
        axis.text(x, -0.8, text, transform=right, fontsize=8, ha="right", va="bottom")
    axis.text(-0.02, -0.8, "latent", transform=right, fontsize=8, ha="right", va="bottom")
    for place, (spread, at, nats) in enumerate(zip(deviation, z, kl, strict=True)):
        for text, x in ((f"{spread:.2f}", 1.27), (f"{at:.2f}", 1.44), (f"{nats:.1f}", 1.67)):
            text = text.replace("-", "−")
            axis.text(x, place, text, transform=right, fontsize=8, ha="right", va="center")
    key = "blue: mean ± deviation; orange: z; grey: prior N(0, 1), ±1 and ±2 deviations"
    axis.set_xlabel(key, fontsize=8)
    for side in ("left", "right", "bottom", "top"):
        axis.spines[side].set_visible(False)
