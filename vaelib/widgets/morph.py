"""Morph: a slider, and a play button, that go from one face to another."""

import numpy as np
from traitlets import Bytes, Int, List, validate

from vaelib.latent import interpolate
from vaelib.model import VAE
from vaelib.pictures import _pixels, png
from vaelib.widgets.base import FaceWidget, _module


class Morph(FaceWidget):
    """A slider, and a play button, that go from one face to another.

    All faces are decoded beforehand and sent to the page, which needs no kernel from then on.

    Args:
        vae: a trained model.
        start, end: (latent_dim,).
        steps: number of faces, both ends included.
        spherical: as in `interpolate`.

    Attributes:
        value: which face is shown, 0 to steps - 1; assign to it to move the slider from code.
        frames: all faces, as the bytes of PNG files.
        face: the one that is shown.
    """

    _esm = _module("morph.js")
    frames = List(Bytes()).tag(sync=True)
    value = Int(0).tag(sync=True, echo_update=False)

    def __init__(
        self,
        vae: VAE,
        start: np.ndarray,
        end: np.ndarray,
        steps: int = 41,
        spherical: bool = False,
    ):
        faces = vae.decode(interpolate(start, end, steps, spherical))
        super().__init__(frames=[png(face) for face in faces])

    face = property(lambda self: self.frames[self.value])

    @validate("value")
    def _within_the_way(self, proposal):
        return min(max(proposal.value, 0), len(self.frames) - 1)

    def strip(self) -> np.ndarray:
        places = np.linspace(0, len(self.frames) - 1, 9).round().astype(int)
        return np.stack([_pixels(self.frames[place]) for place in places])
