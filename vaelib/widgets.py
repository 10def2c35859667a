"""Sliders, and nothing but sliders: a face that changes while one drags."""

from collections.abc import Callable
from io import BytesIO

import ipywidgets as widgets
import numpy as np
import pandas as pd
from PIL import Image

from vaelib.latent import edit, interpolate
from vaelib.training import image_grid

Decode = Callable[[np.ndarray], np.ndarray]
FACE = {"width": "192px", "height": "192px"}


class AttributeEditor(widgets.VBox):
    """Sliders that add attribute vectors to one face's latent, and the face that results.

    Args:
        decode: latents (n, latent_dim) -> images (n, h, w, 3) in [0, 1].
        z: (latent_dim,), the face to edit.
        vectors: DataFrame (n_attributes, latent_dim), from `attribute_vectors`.
        names: attributes that have a slider from the start; the menu adds any other.
        original: (h, w, 3) in [0, 1], shown at the left where it is given.
        limit: the sliders go from -limit to limit.

    Attributes:
        sliders: attribute name -> its slider; set `.value` to move it from code.
        latent: the edited latent, (latent_dim,).
        face: the image widget that shows it.

    Raises:
        ValueError: a name that is no row of `vectors`.
    """

    def __init__(
        self,
        decode: Decode,
        z: np.ndarray,
        vectors: pd.DataFrame,
        names: list[str],
        original: np.ndarray | None = None,
        limit: float = 2.0,
    ):
        self.decode = decode
        self.z = np.asarray(z, "float32")
        self.vectors = vectors
        self.limit = limit
        self.latent = self.z
        self.sliders: dict[str, widgets.FloatSlider] = {}
        self.face = _face_widget(png(decode(self.z[None])[0]))
        faces = [_captioned("reconstruction", _face_widget(self.face.value))]
        faces.append(_captioned("edit", self.face))
        if original is not None:
            faces.insert(0, _captioned("original", _face_widget(png(original))))
        self.menu = widgets.Dropdown(description="add", options=[], value=None)
        self.menu.observe(lambda change: change.new and self.add(change.new), "value")
        reset = widgets.Button(description="Reset", tooltip="All sliders back to 0")
        reset.on_click(lambda _: self.reset())
        self._rows = widgets.VBox()
        super().__init__([widgets.HBox(faces), self._rows, widgets.HBox([self.menu, reset])])
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        """Give another attribute a slider."""
        if name not in self.vectors.index:
            raise ValueError(f"There is no attribute vector {name!r}: see `vectors.index`.")
        if name not in self.sliders:
            slider = widgets.FloatSlider(
                value=0,
                min=-self.limit,
                max=self.limit,
                step=0.05,
                description=name,
                style={"description_width": "160px"},
                layout={"width": "520px"},
            )
            slider.observe(lambda _: self._redraw(), "value")
            self.sliders[name] = slider
            self._rows.children = tuple(self.sliders.values())
        others = [name for name in self.vectors.index if name not in self.sliders]
        self.menu.options = [("an attribute…", None), *((name, name) for name in others)]

    def reset(self) -> None:
        """All sliders back to 0."""
        for slider in self.sliders.values():
            slider.value = 0

    def _redraw(self) -> None:
        z = self.z
        for name, slider in self.sliders.items():
            z = edit(z, self.vectors.loc[name], slider.value)
        self.latent = z
        self.face.value = png(self.decode(z[None])[0])


class Morph(widgets.VBox):
    """A slider (and a play button) that goes from one face to another.

    All faces are decoded beforehand, so dragging shows them at once.

    Args:
        decode: latents (n, latent_dim) -> images (n, h, w, 3) in [0, 1].
        start, end: (latent_dim,).
        steps: number of faces, both ends included.
        spherical: as in `interpolate`.

    Attributes:
        slider: set `.value` (0 to steps - 1) to move it from code.
        face: the image widget.
    """

    def __init__(
        self,
        decode: Decode,
        start: np.ndarray,
        end: np.ndarray,
        steps: int = 41,
        spherical: bool = False,
    ):
        latents = interpolate(start, end, steps, spherical)
        self.frames = [png(image) for image in decode(latents)]
        self.face = _face_widget(self.frames[0])
        self.slider = widgets.IntSlider(
            min=0, max=steps - 1, readout=False, layout={"width": "192px"}
        )
        self.slider.observe(self._show, "value")
        self.play = widgets.Play(min=0, max=steps - 1, interval=60)
        widgets.jslink((self.play, "value"), (self.slider, "value"))
        super().__init__([self.face, self.slider, self.play])

    def _show(self, change) -> None:
        self.face.value = self.frames[change.new]


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
            name: widgets.FloatSlider(
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


def png(image: np.ndarray) -> bytes:
    """One face (h, w, 3) in [0, 1] as the bytes of a PNG file."""
    file = BytesIO()
    Image.fromarray(image_grid(image[None], 1)).save(file, "png", compress_level=1)
    return file.getvalue()


def _face_widget(value: bytes) -> widgets.Image:
    return widgets.Image(value=value, format="png", layout=FACE)


def _captioned(caption: str, face: widgets.Image) -> widgets.VBox:
    return widgets.VBox([widgets.Label(caption), face])
