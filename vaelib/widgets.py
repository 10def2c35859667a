"""What one drags, points at and plays: the studio, the morph, the explorer, and plain dials.

The first three draw themselves in the page (`vaelib/frontend`) and ask the kernel for faces only.
Each has a `value`; assigned from code, it does what a hand would do.
"""

import base64
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from numbers import Real
from pathlib import Path
from typing import ClassVar
from weakref import WeakSet

import anywidget
import ipywidgets as widgets
import numpy as np
import pandas as pd
from IPython import get_ipython
from PIL import Image
from traitlets import Bool, Bytes, Dict, Float, Int, List, TraitError, Unicode, observe, validate

from vaelib.latent import edit, interpolate
from vaelib.metrics import rmse
from vaelib.model import VAE
from vaelib.photo import LARGEST_FILE, read_photo
from vaelib.training import image_grid

FRONTEND = Path(__file__).parent / "frontend"
GALLERY = 12  # faces to choose from at a time
SWITCHED = 0.5  # a strength from which an attribute counts as added, or taken away

AHEAD = 9  # faces that are decoded ahead at a time: always as many, so that it is compiled once

Truth = Callable[[int, dict[str, bool]], np.ndarray | None]


def _module(name: str) -> str:
    """A widget's JavaScript, with what all of them share before it."""
    return "".join((FRONTEND / part).read_text("utf-8") for part in ("common.js", name))


class FaceWidget(anywidget.AnyWidget):
    """What the three have in common: where no widget can be shown, a picture and a sentence.

    Run again, a cell closes the widgets of its last run, for the page shows them no more.
    """

    # As text: of a file, anywidget would keep a listener, and by it every widget, for ever.
    _css = (FRONTEND / "widgets.css").read_text("utf-8")
    _open: ClassVar = WeakSet()

    def __init__(self, **state):
        self._cell, self._run = _running_cell()
        for other in list(self._open):
            if self._cell and other._cell == self._cell and other._run != self._run:
                other.close()
        super().__init__(**state)
        self._open.add(self)

    def close(self) -> None:
        """Leave the page, and let go of the model and of the faces."""
        super().close()
        self._open.discard(self)
        # IPython keeps the widget itself, as the value of its cell: `Out` and `_`.
        self.unobserve_all()
        for name in ("_vae", "_images", "_truth", "_centred"):
            vars(self).pop(name, None)

    def strip(self) -> np.ndarray:
        """The faces that stand for the widget in a page without a kernel: (n, h, w, 3)."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **kwargs):
        data, metadata = super()._repr_mimebundle_(**kwargs)
        picture = image_grid(self.strip(), columns=9)
        data["image/jpeg"] = base64.b64encode(_jpg(picture)).decode()
        data["text/plain"] = (
            f"{type(self).__name__}: a widget, which needs a running kernel. "
            "Run this cell in JupyterLab, Notebook or VS Code."
        )
        return data, metadata


def _running_cell() -> tuple[str, str]:
    """The cell that is running, and the number of this run; "" and "" outside a notebook."""
    request = getattr(get_ipython(), "get_parent", dict)()
    # JupyterLab gives cells an id; other programs send their code alone.
    cell = request.get("metadata", {}).get("cellId") or request.get("content", {}).get("code", "")
    return cell, request.get("header", {}).get("msg_id", "")


def _number(value: object, name: str) -> float:
    """A value as a float.

    Raises:
        TraitError: it is no number, or not a finite one.
    """
    try:
        if isinstance(value, Real) and math.isfinite(value):
            return float(value)
    except OverflowError:  # a whole number of 309 digits or more
        pass
    raise TraitError(f"{name} is {value!r}: give a finite number.")


# ------------------------------------------------------------------ the studio


@dataclass(frozen=True, eq=False)
class _Subject:
    """The face that is edited: its picture, its latent, and its row of `images` (or None)."""

    image: np.ndarray
    z: np.ndarray
    row: int | None


class Studio(FaceWidget):
    """Sliders for attributes, and a face that changes while one drags.

    Args:
        vae: a trained model.
        images: (n, h, w, 3) in [0, 1], held-out faces to choose from.
        vectors: DataFrame (n_attributes, latent_dim), from `attribute_vectors`.
        names: attributes that have a slider from the start; the menu adds any other.
        truth: what the edit should look like, where that is known: takes the row of `images` and
            what was switched ({"Smiling": True}), returns an image (h, w, 3) in [0, 1] or None.
        limit: the sliders go from -limit to limit.
        seed: of Shuffle.
        look_ahead: while a slider is held, decode its other positions, so that faces are there
            before the mouse is; without it, each movement waits for the kernel.

    Attributes:
        value: attribute -> strength; assign to it to move the sliders from code.
        z: (latent_dim,), the posterior mean of the face.
        latent: (latent_dim,), with the edits.
        edited, original, reconstruction, truth: what is shown, as the bytes of PNG files; `truth`
            is b"" where there is none.
        code: the edit as a line of Python.
        message: the sentence below the sliders.

    Raises:
        ValueError: a name that is no row of `vectors`.
    """

    _esm = _module("studio.js")
    value = Dict().tag(sync=True, echo_update=False)
    dragging = Bool(False).tag(sync=True, echo_update=False)
    names = List(Unicode()).tag(sync=True)
    choices = List(Unicode()).tag(sync=True)
    limit = Float(2.0).tag(sync=True)
    look_ahead = Bool(True).tag(sync=True)
    original = Bytes().tag(sync=True)
    reconstruction = Bytes().tag(sync=True)
    edited = Bytes().tag(sync=True)
    edited_for = Dict().tag(sync=True)  # the value that `edited` belongs to
    truth = Bytes().tag(sync=True)
    gallery = Bytes().tag(sync=True)
    gallery_size = Int().tag(sync=True)
    place = Int(-1).tag(sync=True)  # of the face in the gallery; -1 is not there
    can_undo = Bool(False).tag(sync=True)
    code = Unicode().tag(sync=True)
    message = Unicode().tag(sync=True)

    def __init__(
        self,
        vae: VAE,
        images: np.ndarray,
        vectors: pd.DataFrame,
        names: Iterable[str],
        truth: Truth | None = None,
        limit: float = 2.0,
        seed: int = 0,
        look_ahead: bool = True,
    ):
        self._vae, self._images, self._vectors, self._truth = vae, images, vectors, truth
        self._rng = np.random.default_rng(seed)
        self._rows = np.arange(min(GALLERY, len(images)))
        self._upload = bytearray()
        self._usual: float | None = None
        self._history: list[tuple[_Subject, dict[str, float]]] = []
        self._subject = self._held_out(0)
        super().__init__(choices=list(vectors.index), limit=limit, look_ahead=look_ahead)
        for name in names:
            self.add(name)
        self._show_gallery()
        self._start(self._subject)
        if look_ahead:
            self._decode_ahead([{}])  # compiles, so that no drag waits for that
        self.on_msg(self._on_message)

    z = property(lambda self: self._subject.z)

    @property
    def latent(self) -> np.ndarray:
        return edit(self.z, self.value, vectors=self._vectors)

    def strip(self) -> np.ndarray:
        shown = [self.original, self.reconstruction, self.edited, self.truth]
        return np.stack([_pixels(face) for face in shown if face])

    # -------------------------------------------------------------- which face

    def choose(self, row: int) -> None:
        """Take the face in this row of `images`; the sliders stay where they are."""
        self._start(self._held_out(row))

    def shuffle(self) -> None:
        """Offer other faces, and take the first of them."""
        count = len(self._images)
        self._rows = self._rng.choice(count, min(GALLERY, count), replace=False)
        self._show_gallery()
        self.choose(int(self._rows[0]))

    def open_photo(self, data: bytes, name: str = "The photo") -> None:
        """Take one's own photo; what is wrong with it, if anything, stands in `message`."""
        try:
            image = read_photo(data, name, self._vae.image_size)
        except ValueError as error:
            self.message = str(error)  # and the face that was there stays
            return
        z = self._vae.encode(image[None])[0]
        error = rmse(image[None], self._vae.decode(z[None]))
        if self._usual is None:  # what 98 of 100 faces that it was made for stay below
            some = self._images[:: max(1, len(self._images) // 200)]
            each = zip(some, self._vae.reconstruct(some))
            self._usual = float(np.quantile([rmse(a[None], b[None]) for a, b in each], 0.98))
        self._start(_Subject(image, z, None))
        if error > self._usual:
            self.message = (
                f"{name} is unlike the faces that this model has learned: an error of {error:.0f}, "
                f"where 98 of 100 faces have less than {self._usual:.0f}. Is there a face in the "
                "middle, upright and large? The edits may mean little."
            )

    def _held_out(self, row: int) -> _Subject:
        image = np.array(self._images[row], "float32")  # a copy: a view would keep all images
        return _Subject(image, self._vae.encode(image[None])[0], row)

    def _show_gallery(self) -> None:
        sheet = image_grid(self._images[self._rows], columns=len(self._rows), gap=0)
        with self.hold_trait_notifications():
            self.gallery, self.gallery_size = png(sheet / 255), len(self._rows)

    def _start(self, subject: _Subject) -> None:
        self._subject = subject
        (places,) = np.nonzero(self._rows == subject.row)
        self.place = int(places[0]) if len(places) else -1
        self.message = ""
        self.original = png(subject.image)
        self.reconstruction = self._decode(subject.z)
        self._draw()
        self._settle()

    # -------------------------------------------------------------- the sliders

    def add(self, name: str) -> None:
        """Give another attribute a slider."""
        if name not in self._vectors.index:
            raise ValueError(_no_vector(name))
        if name not in self.names:
            self.names = [*self.names, name]

    def remove(self, name: str) -> None:
        """Take an attribute's slider away, and its part of the edit."""
        self.value = {other: value for other, value in self.value.items() if other != name}
        self.names = [other for other in self.names if other != name]

    def reset(self) -> None:
        """All sliders back to 0."""
        self.value = {}

    def undo(self) -> None:
        """Back to what was before the last change of the face or of a slider."""
        if len(self._history) < 2:
            return
        self._history.pop()
        subject, value = self._history.pop()
        self.value = value
        self._start(subject)

    @validate("limit")
    def _above_zero(self, proposal):
        if _number(proposal.value, "limit") <= 0:
            raise TraitError(f"limit is {proposal.value}: the sliders need a number above 0.")
        return proposal.value

    @validate("names")
    def _known(self, proposal):
        for name in proposal.value:
            if name not in self._vectors.index:
                raise TraitError(_no_vector(name))
        return proposal.value

    @validate("value")
    def _within_limits(self, proposal):
        return self._strengths(proposal.value)

    def _strengths(self, value: Mapping[str, float]) -> dict[str, float]:
        inside = {}
        for name, strength in value.items():
            if name not in self._vectors.index:
                raise TraitError(_no_vector(name))
            inside[name] = min(max(_number(strength, name), -self.limit), self.limit)
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
        """What a drag leaves for its end: a step to undo, and the truth."""
        state = (self._subject, self.value)
        if not self._history or self._history[-1] != state:
            self._history.append(state)
            self.can_undo = len(self._history) > 1
        truth = None
        if self._truth is not None and self._subject.row is not None:
            switched = {n: v > 0 for n, v in self.value.items() if abs(v) >= SWITCHED}
            truth = self._truth(self._subject.row, switched)
        self.truth = b"" if truth is None else png(truth)

    def _decode(self, z: np.ndarray) -> bytes:
        return _decoded(self._vae, z)

    def _decode_ahead(self, values: list[Mapping[str, float]]) -> list[bytes]:
        latents = np.tile(self.z, (AHEAD, 1)).astype("float32")
        for row, value in zip(latents, values):
            row[:] = edit(self.z, self._strengths(value), vectors=self._vectors)
        return [png(face) for face in self._vae.decoder.predict_on_batch(latents)][: len(values)]

    # -------------------------------------------------------------- what the page asks for

    def _on_message(self, _, content: Mapping, buffers: list) -> None:
        match content:
            case {"action": "choose", "place": place}:
                self.choose(int(self._rows[place]))
            case {"action": "add", "name": name}:
                self.add(name)
            case {"action": "remove", "name": name}:
                self.remove(name)
            case {"action": "photo", "name": name, "part": part, "parts": parts}:
                self._receive(name, part, parts, buffers[0])
            case {"action": "ahead", "values": values, "subject": subject}:
                answer = {"action": "ahead", "values": values, "subject": subject}
                self.send(answer, self._decode_ahead(values[:AHEAD]))
            case {"action": "shuffle" | "reset" | "undo" as action}:
                getattr(self, action)()

    def _receive(self, name: str, part: int, parts: int, data) -> None:
        # Jupyter's server refuses messages of more than 10 MB, so a photo comes in parts.
        if part == 0:
            self._upload = bytearray()
        if len(self._upload) <= LARGEST_FILE:
            self._upload += data
        if part == parts - 1:
            whole, self._upload = bytes(self._upload), bytearray()
            self.open_photo(whole, name)


def _no_vector(name: str) -> str:
    return f"There is no attribute vector {name!r}: see `vectors.index`."


# ------------------------------------------------------------------ the morph


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


# ------------------------------------------------------------------ the explorer

VARIANCE = ("the most variance", "the second most")


class Explorer(FaceWidget):
    """The encoded faces as a map: hovering shows a face, clicking decodes the place.

    The axes are two directions of the latent space. A place between the faces stands for the
    point nearest to the mean of all faces that has these two coordinates.

    Args:
        vae: a trained model.
        images: (n, h, w, 3) in [0, 1]; some hundred faces.
        attributes: boolean DataFrame (n, n_attributes), the same faces, for colours.
        vectors: DataFrame (n_attributes, latent_dim), of attributes that may be axes.
        color: the attribute to begin with.

    Attributes:
        value: the place of the cross, [across, up], in latent units; assign to it to move it.
        latent: (latent_dim,), what stands there.
        face: it decoded, as the bytes of a PNG file.
        x_axis, y_axis: VARIANCE, or names of `vectors`.
        color: a column of `attributes`.

    Raises:
        ValueError: images and attributes differ in number.
    """

    _esm = _module("explorer.js")
    value = List().tag(sync=True, echo_update=False)
    x_axis = Unicode(VARIANCE[0]).tag(sync=True)
    y_axis = Unicode(VARIANCE[1]).tag(sync=True)
    color = Unicode().tag(sync=True)
    directions = List(Unicode()).tag(sync=True)
    attributes = List(Unicode()).tag(sync=True)
    points = Bytes().tag(sync=True)  # float32 (n, 2)
    bounds = List(Float()).tag(sync=True)  # left, right, low, high
    labels = Bytes().tag(sync=True)  # uint8 (n,)
    point_names = List(Unicode()).tag(sync=True)
    sheet = Bytes().tag(sync=True)  # all faces in one JPG
    sheet_columns = Int().tag(sync=True)
    face = Bytes().tag(sync=True)

    def __init__(
        self,
        vae: VAE,
        images: np.ndarray,
        attributes: pd.DataFrame,
        vectors: pd.DataFrame | None = None,
        color: str = "Male",
    ):
        if len(images) != len(attributes):
            raise ValueError(
                f"{len(images)} images and {len(attributes)} rows of attributes: give those of "
                "the same faces."
            )
        self._vae, self._labels = vae, attributes
        z = vae.encode(images)
        self._mean = z.mean(axis=0)
        self._centred = z - self._mean
        most = np.linalg.svd(self._centred, full_matrices=False)[2][:2]
        signs = np.sign(most[range(2), np.abs(most).argmax(axis=1)])  # else chance decides
        axes = pd.DataFrame(most * signs[:, None], index=VARIANCE)
        if vectors is not None:
            length = np.linalg.norm(vectors, axis=1)
            axes = pd.concat(
                [axes, pd.DataFrame(vectors.div(length, axis=0).to_numpy(), vectors.index)]
            )
        self._axes = axes
        columns = int(np.ceil(np.sqrt(len(images))))
        super().__init__(
            directions=list(axes.index),
            attributes=list(attributes.columns),
            point_names=[str(name) for name in attributes.index],
            sheet=_jpg(image_grid(images, columns, gap=0)),
            sheet_columns=columns,
            color=color,
        )
        self._place_points(None)

    @property
    def latent(self) -> np.ndarray:
        return self._mean + np.asarray(self.value, "float32") @ self._back

    def strip(self) -> np.ndarray:
        left, right, low, high = self.bounds
        places = np.stack([np.linspace(left, right, 9), np.full(9, (low + high) / 2)], axis=1)
        return self._vae.decode(self._mean + places.astype("float32") @ self._back)

    @validate("x_axis", "y_axis", "color")
    def _known(self, proposal):
        known = self._labels.columns if proposal.trait.name == "color" else self._axes.index
        if proposal.value not in known:
            raise TraitError(f"There is no {proposal.value!r}: choose one of {', '.join(known)}.")
        return proposal.value

    @validate("value")
    def _on_the_map(self, proposal):
        if not self.bounds:
            return proposal.value
        if len(proposal.value) != 2:
            raise TraitError(f"value is {proposal.value}: give two numbers, [across, up].")
        place = [_number(coordinate, "A coordinate") for coordinate in proposal.value]
        return np.clip(place, self.bounds[::2], self.bounds[1::2]).tolist()

    @observe("x_axis", "y_axis")
    def _place_points(self, _) -> None:
        axes = self._axes.loc[[self.x_axis, self.y_axis]].to_numpy("float32")
        # Coordinates are projections; the way back is the shortest latent that has them.
        points, self._back = self._centred @ axes.T, np.linalg.pinv(axes.T)
        margin = 0.05 * np.ptp(points, axis=0)
        low, high = points.min(axis=0) - margin, points.max(axis=0) + margin
        with self.hold_sync():
            self.points = points.astype("<f4").tobytes()
            self.bounds = [float(low[0]), float(high[0]), float(low[1]), float(high[1])]
            self.value = [0.0, 0.0]
            self._decode(None)

    @observe("color")
    def _color_points(self, _) -> None:
        self.labels = self._labels[self.color].to_numpy("uint8").tobytes()

    @observe("value")
    def _decode(self, _) -> None:
        self.face = _decoded(self._vae, self.latent)


# ------------------------------------------------------------------ plain dials


class Dials(widgets.HBox):
    """Sliders and boxes to tick, and the picture that a function draws from them.

    Args:
        draw: takes the value of every slider and box by its name, returns an image (h, w, 3) in
            [0, 1].
        dials: name of a slider -> its lowest value, its highest, and where it starts.
        boxes: name of a box -> whether it is ticked at the start.

    Attributes:
        controls: name -> its slider or box; set `.value` to move it from code.
        face: the image widget.
    """

    def __init__(
        self,
        draw: Callable[..., np.ndarray],
        dials: dict[str, tuple[float, float, float]],
        boxes: dict[str, bool] | None = None,
    ):
        self.draw = draw
        self.controls = {
            name: _Slider(
                value=start,
                min=low,
                max=high,
                step=(high - low) / 100,
                description=name,
                readout_format=".2f",
                style={"description_width": "100px"},
            )
            for name, (low, high, start) in dials.items()
        }
        for name, start in (boxes or {}).items():
            self.controls[name] = widgets.Checkbox(value=start, description=name, indent=False)
        self.face = widgets.Image(format="png", layout={"width": "256px", "height": "256px"})
        self._redraw()
        for control in self.controls.values():
            control.observe(lambda _: self._redraw(), "value")
        columns = [widgets.VBox([self.controls[name] for name in dials])]
        columns += [widgets.VBox([self.controls[name] for name in boxes or {}])]
        super().__init__([self.face, *columns])

    def _redraw(self) -> None:
        values = {name: control.value for name, control in self.controls.items()}
        self.face.value = png(self.draw(**values))


class _Slider(widgets.FloatSlider):
    """A slider that refuses what is not finite: ipywidgets' own lets NaN through."""

    @validate("value")
    def _validate_value(self, proposal):
        _number(proposal.value, self.description)
        return super()._validate_value(proposal)


# ------------------------------------------------------------------ pictures as bytes


def png(image: np.ndarray) -> bytes:
    """One image (h, w, 3) in [0, 1] as the bytes of a PNG file."""
    file = BytesIO()
    Image.fromarray(image_grid(image[None], 1)).save(file, "png", compress_level=1)
    return file.getvalue()


def _decoded(vae: VAE, z: np.ndarray) -> bytes:
    # A compiled function, always for one face: several times as fast as `vae.decode`.
    return png(vae.decoder.predict_on_batch(z[None].astype("float32"))[0])


def _jpg(image: np.ndarray) -> bytes:
    file = BytesIO()
    Image.fromarray(image).save(file, "jpeg", quality=88)
    return file.getvalue()


def _pixels(face: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(face))) / 255
