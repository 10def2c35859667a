"""Dials: sliders and check boxes for any function that draws a picture."""

import base64
from collections.abc import Callable

import ipywidgets as widgets
import numpy as np
from traitlets import validate

from vaelib.pictures import jpg_bytes, png_bytes, read_image
from vaelib.widgets.base import finite_number
from vaelib.widgets.still import Track, still_of_dials


class Dials(widgets.HBox):
    """Sliders and check boxes, and the picture that a function draws from their values.

    Args:
        draw: a function; takes the values of all sliders and boxes by their names, returns an
            image (h, w, 3) in [0, 1].
        dials: name of a slider -> its lowest value, its highest value, its value at the start.
        boxes: name of a check box -> whether it is ticked at the start.

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

    def still(self) -> np.ndarray:
        """The picture for a page without a kernel: uint8 (h, w, 3)."""
        tracks = {
            name: Track(control.min, control.max, control.value, f"{control.value:.2f}")
            for name, control in self.controls.items()
            if isinstance(control, _Slider)
        }
        boxes = {name: c.value for name, c in self.controls.items() if name not in tracks}
        return still_of_dials(read_image(self.face.value), tracks, boxes)

    def _repr_mimebundle_(self, **kwargs):
        data = super()._repr_mimebundle_(**kwargs)
        data["image/jpeg"] = base64.b64encode(jpg_bytes(self.still())).decode()
        data["text/plain"] = (
            "Dials: a widget, which needs a running kernel. "
            "Run this cell in JupyterLab, Notebook or VS Code."
        )
        return data

    def _redraw(self) -> None:
        values = {name: control.value for name, control in self.controls.items()}
        self.face.value = png_bytes(self.draw(**values))


class _Slider(widgets.FloatSlider):
    """A slider that refuses NaN and infinity; the one of ipywidgets accepts NaN."""

    @validate("value")
    def _validate_value(self, proposal):
        finite_number(proposal.value, self.description)
        return super()._validate_value(proposal)
