"""Studio: edit the attributes of a face with sliders."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from traitlets import Bool, Bytes, Dict, Float, List, TraitError, Unicode, observe, validate

from vaelib.data.photo import LARGEST_FILE, read_photo
from vaelib.latent import edit, unknown_vector
from vaelib.metrics import rmse, usual_error
from vaelib.model import VAE
from vaelib.pictures import png_bytes, read_image
from vaelib.sentences import say
from vaelib.widgets.base import BATCH, decode_fast, decode_to_png, finite_number, javascript
from vaelib.widgets.gallery import GalleryWidget
from vaelib.widgets.still import Track, still_of_studio

SWITCHED = 0.5  # an attribute of this strength or more counts as switched on or off

Truth = Callable[[int, dict[str, bool]], np.ndarray | None]


@dataclass(frozen=True, eq=False)
class _Subject:
    """The face that is edited: its image, its latent, its row of `images` (None for a photo)."""

    image: np.ndarray
    z: np.ndarray
    row: int | None


class Studio(GalleryWidget):
    """Edit the attributes of a face with sliders; the face changes during a drag.

    Args:
        vae: a trained model.
        images: (n, h, w, 3) in [0, 1], held-out faces to choose from.
        vectors: DataFrame (n_attributes, latent_dim), from `attribute_vectors`.
        sliders: attributes that have a slider at the start; the menu adds others.
        truth: a function that draws the true edit, where it is known: takes the row of `images`
            and what was switched ({"Smiling": True}), returns an image (h, w, 3) in [0, 1] or
            None.
        limit: the sliders go from -limit to limit.
        seed: of the faces that Shuffle offers.
        look_ahead: decode the other positions of a slider while it is held, so that the page has
            a face before the mouse gets there; without it, each movement waits for the kernel.
        value: attribute -> strength, where the sliders are at the start; the others are at 0.

    Attributes:
        value: attribute -> strength; assign to it to move the sliders from code.
        sliders: names of the attributes that have a slider.
        z: (latent_dim,), the posterior mean of the face.
        latent: (latent_dim,), the edited one.
        edited, original, reconstruction, truth: the faces in the page, as the bytes of PNG files;
            `truth` is b"" where there is none.
        code: the edit as a line of Python.
        message: the sentence below the sliders.

    Raises:
        ValueError: an attribute that `vectors` does not have.
        TraitError: a strength that is no finite number.
    """

    _esm = javascript("studio.js")
    value = Dict().tag(sync=True, echo_update=False)
    dragging = Bool(False).tag(sync=True, echo_update=False)
    sliders = List(Unicode()).tag(sync=True)
    choices = List(Unicode()).tag(sync=True)
    limit = Float(2.0).tag(sync=True)
    look_ahead = Bool(True).tag(sync=True)
    original = Bytes().tag(sync=True)
    reconstruction = Bytes().tag(sync=True)
    edited = Bytes().tag(sync=True)
    edited_for = Dict().tag(sync=True)  # the value that `edited` belongs to
    truth = Bytes().tag(sync=True)
    can_undo = Bool(False).tag(sync=True)
    code = Unicode().tag(sync=True)
    message = Unicode().tag(sync=True)

    def __init__(
        self,
        vae: VAE,
        images: np.ndarray,
        vectors: pd.DataFrame,
        sliders: Iterable[str],
        truth: Truth | None = None,
        limit: float = 2.0,
        seed: int = 0,
        look_ahead: bool = True,
        value: Mapping[str, float] | None = None,
    ):
        self._vectors, self._truth = vectors, truth
        self._upload = bytearray()
        self._usual: float | None = None
        self._history: list[tuple[_Subject, dict[str, float]]] = []
        state = {"choices": list(vectors.index), "limit": limit, "look_ahead": look_ahead}
        super().__init__(vae, images, seed, **state)
        self._subject = self._held_out(0)
        for name in [*sliders, *(value or {})]:
            self.add(name)
        self.value = dict(value or {})
        self._start(self._subject)
        if look_ahead:
            self._decode_ahead([{}] * BATCH)  # compiles, so that no drag waits for that

    z = property(lambda self: self._subject.z)

    @property
    def latent(self) -> np.ndarray:
        return edit(self.z, self.value, vectors=self._vectors)

    def still(self) -> np.ndarray:
        shown = {"original": self.original, "reconstruction": self.reconstruction}
        shown |= {"edit": self.edited, "truth": self.truth}
        faces = {title: read_image(face) for title, face in shown.items() if face}
        strengths = {name: self.value.get(name, 0.0) for name in self.sliders}
        tracks = {
            name: Track(-self.limit, self.limit, strength, f"{strength:.2f}")
            for name, strength in strengths.items()
        }
        return still_of_studio(self._images[self._rows], self.place, faces, tracks, self.code)

    # -------------------------------------------------------------- which face

    def choose(self, row: int) -> None:
        """Edit the face in this row of `images`; the sliders keep their values."""
        self._start(self._held_out(row))

    def open_photo(self, data: bytes, name: str = "The photo") -> None:
        """Edit a photo, given as the bytes of its file; if it can't be read, `message` says why."""
        try:
            image = read_photo(data, name, self._vae.image_size)
        except ValueError as error:
            self.message = str(error)
            return
        z = self._vae.encode(image[None])[0]
        error = rmse(image[None], self._vae.decode(z[None]))
        if self._usual is None:
            self._usual = usual_error(self._vae, self._images)
        self._start(_Subject(image, z, None))
        if error > self._usual:
            self.message = say("photo_unlike", name=name, error=error, usual=self._usual)

    def _held_out(self, row: int) -> _Subject:
        image = self._image(row)
        return _Subject(image, self._vae.encode(image[None])[0], row)

    def _start(self, subject: _Subject) -> None:
        self._subject = subject
        self._mark(subject.row)
        self.message = ""
        self.original = png_bytes(subject.image)
        self.reconstruction = self._decode(subject.z)
        self._draw()
        self._settle()

    # -------------------------------------------------------------- the sliders

    def add(self, name: str) -> None:
        """Give an attribute a slider."""
        if name not in self._vectors.index:
            raise ValueError(unknown_vector(name, self._vectors))
        if name not in self.sliders:
            self.sliders = [*self.sliders, name]

    def remove(self, name: str) -> None:
        """Remove an attribute's slider and its part of the edit."""
        self.value = {other: value for other, value in self.value.items() if other != name}
        self.sliders = [other for other in self.sliders if other != name]

    def reset(self) -> None:
        """Set all sliders to 0."""
        self.value = {}

    def undo(self) -> None:
        """Take back the last change of the face or of a slider."""
        if len(self._history) < 2:
            return
        self._history.pop()
        subject, value = self._history.pop()
        self.value = value
        self._start(subject)

    @validate("limit")
    def _above_zero(self, proposal):
        if finite_number(proposal.value, "limit") <= 0:
            raise TraitError(f"limit is {proposal.value}: the sliders need a number above 0.")
        return proposal.value

    @validate("sliders")
    def _known_names(self, proposal):
        for name in proposal.value:
            if name not in self._vectors.index:
                raise TraitError(unknown_vector(name, self._vectors))
        return proposal.value

    @validate("value")
    def _within_limits(self, proposal):
        return self._strengths(proposal.value)

    def _strengths(self, value: Mapping[str, float]) -> dict[str, float]:
        inside = {}
        for name, strength in value.items():
            if name not in self._vectors.index:
                raise TraitError(unknown_vector(name, self._vectors))
            inside[name] = min(max(finite_number(strength, name), -self.limit), self.limit)
        return {name: strength for name, strength in inside.items() if strength}

    @observe("value")
    def _on_value(self, _) -> None:
        for name in self.value:
            self.add(name)
        self._draw()
        if not self.dragging:
            self._settle()

    @observe("dragging")
    def _on_dragging(self, change) -> None:
        if not change.new:
            self._settle()

    def _draw(self) -> None:
        inside = ", ".join(f'"{name}": {strength:g}' for name, strength in self.value.items())
        with self.hold_sync():  # one message
            self.edited = self._decode(self.latent)
            self.edited_for = dict(self.value)
            self.code = f"edit(z, {{{inside}}}, vectors=vectors)"

    def _settle(self) -> None:
        """Do what waits for the end of a drag: remember a step to undo, and draw the truth."""
        state = (self._subject, self.value)
        if not self._history or self._history[-1] != state:
            self._history.append(state)
            self.can_undo = len(self._history) > 1
        truth = None
        if self._truth is not None and self._subject.row is not None:
            switched = {n: v > 0 for n, v in self.value.items() if abs(v) >= SWITCHED}
            truth = self._truth(self._subject.row, switched)
        self.truth = b"" if truth is None else png_bytes(truth)

    def _decode(self, z: np.ndarray) -> bytes:
        return decode_to_png(self._vae, z)

    def _decode_ahead(self, values: list[Mapping[str, float]]) -> list[bytes]:
        latents = [edit(self.z, self._strengths(value), vectors=self._vectors) for value in values]
        return [png_bytes(face) for face in decode_fast(self._vae, np.array(latents))]

    # -------------------------------------------------------------- messages from the page

    def _on_message(self, content: Mapping, buffers: list) -> None:
        match content:
            case {"action": "add", "name": name}:
                self.add(name)
            case {"action": "remove", "name": name}:
                self.remove(name)
            case {"action": "photo", "name": name, "part": part, "parts": parts}:
                self._receive(name, part, parts, buffers[0])
            case {"action": "ahead", "values": values, "subject": subject}:
                answer = {"action": "ahead", "values": values, "subject": subject}
                self.send(answer, self._decode_ahead(values[:BATCH]))
            case {"action": "reset" | "undo" as action}:
                getattr(self, action)()
            case _:
                super()._on_message(content, buffers)

    def _receive(self, name: str, part: int, parts: int, data) -> None:
        # Jupyter's server refuses messages of more than 10 MB, so a photo comes in parts.
        if part == 0:
            self._upload = bytearray()
        if len(self._upload) <= LARGEST_FILE:
            self._upload += data
        if part == parts - 1:
            whole, self._upload = bytes(self._upload), bytearray()
            self.open_photo(whole, name)
