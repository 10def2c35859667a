"""Base of the widgets: load their JavaScript, decode their faces, close them."""

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
from vaelib.pictures import jpg_bytes, png_bytes

FRONTEND = Path(__file__).parent
BATCH = 9  # faces decoded together; studio.js asks for as many


def javascript(name: str) -> str:
    """A widget's JavaScript file, with the functions of common.js before it."""
    return "".join((FRONTEND / part).read_text("utf-8") for part in ("common.js", name))


def stylesheet(*names: str) -> str:
    """The look that the widgets share, and a widget's own CSS files after it."""
    return "".join((FRONTEND / part).read_text("utf-8") for part in ("widgets.css", *names))


class FaceWidget(anywidget.AnyWidget):
    """A widget that shows faces; a page without a kernel shows a picture and a sentence instead.

    When a cell runs again, the widgets of its last run are closed: the page shows them no more.
    """

    # The text and not the path: for a path, anywidget would keep a listener, and it the widget.
    _css = stylesheet()
    _open: ClassVar = WeakSet()

    def __init__(self, **state):
        self._cell, self._run = _running_cell()
        for other in list(self._open):
            if self._cell and other._cell == self._cell and other._run != self._run:
                other.close()
        super().__init__(**state)
        self._open.add(self)

    def close(self) -> None:
        """Remove the widget from the page, and release the model and the faces."""
        super().close()
        self._open.discard(self)
        # IPython keeps the widget itself, as the value of its cell: `Out` and `_`.
        self.unobserve_all()
        for name in ("_vae", "_images", "_truth", "_centred"):
            vars(self).pop(name, None)

    def still(self) -> np.ndarray:
        """The picture for a page without a kernel: uint8 (h, w, 3)."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **kwargs):
        data, metadata = super()._repr_mimebundle_(**kwargs)
        data["image/jpeg"] = base64.b64encode(jpg_bytes(self.still())).decode()
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


def finite_number(value: object, name: str) -> float:
    """Convert a value to a float.

    Raises:
        TraitError: it is not a number, or not a finite one; the sentence begins with `name`.
    """
    try:
        if isinstance(value, Real) and math.isfinite(value):
            return float(value)
    except OverflowError:  # a whole number of 309 digits or more
        pass
    raise TraitError(f"{name} is {value!r}: give a finite number.")


def decode_fast(vae: VAE, latents: np.ndarray) -> np.ndarray:
    """Decode latents as `vae.decode` does, with a compiled model: (n, latent_dim) -> (n, h, w, 3).

    A compiled model is several times as fast, once it has seen the size of the batch. So there
    are two sizes: one face, and BATCH faces, of which the last batch repeats its last.
    """
    latents = np.asarray(latents, "float32")
    size = BATCH if len(latents) > 1 else 1
    padded = np.pad(latents, ((0, -len(latents) % size), (0, 0)), "edge")
    batches = np.split(padded, len(padded) // size)
    faces = [vae.picture_model.predict_on_batch(batch) for batch in batches]
    return np.concatenate(faces)[: len(latents)]


def decode_to_png(vae: VAE, z: np.ndarray) -> bytes:
    """Decode one latent (latent_dim,) to the bytes of a PNG file."""
    return png_bytes(decode_fast(vae, z[None])[0])
