"""A row of faces to choose from: what the studio and the inside have in common."""

from collections.abc import Mapping

import numpy as np
from traitlets import Bytes, Int

from vaelib.model import VAE
from vaelib.pictures import image_grid, png_bytes
from vaelib.widgets.base import FaceWidget

OFFERED = 12  # faces to choose from at a time


class GalleryWidget(FaceWidget):
    """A widget about one face, which is chosen from a gallery; a subclass says what is shown.

    Args:
        vae: a trained model.
        images: (n, h, w, 3) in [0, 1], n >= 1; the first ones are offered first.
        seed: of the faces that `shuffle` offers.
        state: traits of the widget.

    Attributes:
        gallery: the faces on offer, side by side, as the bytes of a PNG file.
        gallery_size: their number.
        place: of the chosen face in the gallery; -1 if it is not there.

    Raises:
        ValueError: there are no images.
    """

    gallery = Bytes().tag(sync=True)
    gallery_size = Int().tag(sync=True)
    place = Int(-1).tag(sync=True)

    def __init__(self, vae: VAE, images: np.ndarray, seed: int = 0, **state):
        if len(images) == 0:
            raise ValueError("There are no images: give at least one face to choose.")
        self._vae, self._images = vae, images
        self._rng = np.random.default_rng(seed)
        self._rows = np.arange(min(OFFERED, len(images)))
        super().__init__(**state)
        self._show_gallery()
        self.on_msg(lambda _, content, buffers: self._on_message(content, buffers))

    def choose(self, row: int) -> None:
        """Show the face in this row of `images`."""
        raise NotImplementedError

    def shuffle(self) -> None:
        """Offer other faces, and choose the first of them."""
        count = len(self._images)
        self._rows = self._rng.choice(count, min(OFFERED, count), replace=False)
        self._show_gallery()
        self.choose(int(self._rows[0]))

    def _show_gallery(self) -> None:
        sheet = image_grid(self._images[self._rows], columns=len(self._rows), gap=0)
        with self.hold_trait_notifications():
            self.gallery, self.gallery_size = png_bytes(sheet / 255), len(self._rows)

    def _mark(self, row: int | None) -> None:
        """Mark the face in this row of `images` as the chosen one; None is no face of them."""
        (places,) = np.nonzero(self._rows == row)
        self.place = int(places[0]) if len(places) else -1

    def _image(self, row: int) -> np.ndarray:
        if not 0 <= row < len(self._images):
            most = len(self._images) - 1
            raise IndexError(f"There is no face {row}: give a row of `images`, 0 to {most}.")
        return np.array(self._images[row], "float32")  # a copy: a view would keep all images

    def _on_message(self, content: Mapping, buffers: list) -> None:
        """Do what the page asks for; a subclass knows more actions."""
        match content:
            case {"action": "choose", "place": place}:
                self.choose(int(self._rows[place]))
            case {"action": "shuffle"}:
                self.shuffle()
