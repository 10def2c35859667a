"""Morph: a slider and a play button that move from one face to another."""

import numpy as np
from traitlets import Bytes, Int, List, validate

from vaelib.latent import interpolate
from vaelib.model import VAE
from vaelib.pictures import png_bytes, read_image
from vaelib.widgets.base import FaceWidget, decode_fast, javascript
from vaelib.widgets.still import Track, still_of_morph


class Morph(FaceWidget):
    """Move from one face to another with a slider or a play button.

    All faces are decoded at the start and sent to the page, which then needs no kernel.

    Args:
        vae: a trained model.
        start, end: (latent_dim,), the latents of the two faces.
        steps: number of faces, both ends included.
        spherical: as in `interpolate`.

    Attributes:
        value: which face is shown, 0 to steps - 1; assign to it to move the slider from code.
        frames: all faces, as the bytes of PNG files.
        face: the one that is shown, the bytes of a PNG file.
    """

    _esm = javascript("morph.js")
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
        faces = decode_fast(vae, interpolate(start, end, steps, spherical))
        super().__init__(frames=[png_bytes(face) for face in faces])

    face = property(lambda self: self.frames[self.value])

    @validate("value")
    def _within_frames(self, proposal):
        return min(max(proposal.value, 0), len(self.frames) - 1)

    def still(self) -> np.ndarray:
        last = len(self.frames) - 1
        places = np.linspace(0, last, 9).round().astype(int).tolist()
        faces = {place: read_image(self.frames[place]) for place in places}
        return still_of_morph(faces, Track(0, last, self.value, f"{self.value} of {last}"))
