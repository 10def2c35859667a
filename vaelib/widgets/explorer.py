"""Explorer: a map of encoded faces."""

import numpy as np
import pandas as pd
from traitlets import Bytes, Float, Int, List, TraitError, Unicode, observe, validate

from vaelib.model import VAE
from vaelib.pictures import image_grid, jpg_bytes, read_image
from vaelib.widgets.base import FaceWidget, decode_to_png, finite_number, javascript
from vaelib.widgets.still import still_of_map

VARIANCE = ("the most variance", "the second most")


class Explorer(FaceWidget):
    """A map of encoded faces: hovering shows a face, clicking decodes a place.

    The axes are two directions of the latent space. Many latents have the two coordinates of a
    place; the explorer decodes the one that is nearest to the mean of all faces.

    Args:
        vae: a trained model.
        images: (n, h, w, 3) in [0, 1]; some hundred faces.
        attributes: boolean DataFrame (n, n_attributes), the same faces; they give the colours.
        vectors: DataFrame (n_attributes, latent_dim), of attributes that can be axes.
        color: the attribute that is coloured at the start.

    Attributes:
        value: the place of the cross, [across, up], in latent units; assign to it to move it.
        latent: (latent_dim,), the latent of that place.
        face: the decoded latent, as the bytes of a PNG file.
        x_axis, y_axis: VARIANCE, or names of `vectors`.
        color: a column of `attributes`.

    Raises:
        ValueError: images and attributes differ in number.
    """

    _esm = javascript("explorer.js")
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
        signs = np.sign(
            most[range(2), np.abs(most).argmax(axis=1)]
        )  # so that an axis always points the same way
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
            sheet=jpg_bytes(image_grid(images, columns, gap=0)),
            sheet_columns=columns,
            color=color,
        )
        self._place_points(None)

    @property
    def latent(self) -> np.ndarray:
        return self._mean + np.asarray(self.value, "float32") @ self._back

    def still(self) -> np.ndarray:
        points = np.frombuffer(self.points, "<f4").reshape(-1, 2)
        has = np.frombuffer(self.labels, "uint8").astype(bool)
        names = [self.x_axis, self.y_axis]
        return still_of_map(points, has, self.color, names, self.value, read_image(self.face))

    @validate("x_axis", "y_axis", "color")
    def _known_name(self, proposal):
        known = self._labels.columns if proposal.trait.name == "color" else self._axes.index
        if proposal.value not in known:
            raise TraitError(f"There is no {proposal.value!r}: choose one of {', '.join(known)}.")
        return proposal.value

    @validate("value")
    def _within_bounds(self, proposal):
        if not self.bounds:
            return proposal.value
        if len(proposal.value) != 2:
            raise TraitError(f"value is {proposal.value}: give two numbers, [across, up].")
        place = [finite_number(coordinate, "A coordinate") for coordinate in proposal.value]
        return np.clip(place, self.bounds[::2], self.bounds[1::2]).tolist()

    @observe("x_axis", "y_axis")
    def _place_points(self, _) -> None:
        axes = self._axes.loc[[self.x_axis, self.y_axis]].to_numpy("float32")
        # Coordinates are projections; `_back` gives the shortest latent that has them.
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
        self.face = decode_to_png(self._vae, self.latent)
