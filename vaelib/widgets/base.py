"""What all widgets share: their JavaScript, and a picture where no kernel runs."""

import base64
import math
from numbers import Real
from pathlib import Path
from typing import ClassVar
from weakref import WeakSet

import anywidget
import numpy as np
from IPython import get_ipython
from traitlets import TraitError

from vaelib.model import VAE
from vaelib.pictures import _jpg, image_grid, png

FRONTEND = Path(__file__).parent


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


def _decoded(vae: VAE, z: np.ndarray) -> bytes:
    # A compiled function, always for one face: several times as fast as `vae.decode`.
    return png(vae.decoder.predict_on_batch(z[None].astype("float32"))[0])
