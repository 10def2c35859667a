"""From triangles to pixels: which triangle each pixel shows, and where on it (a z-buffer)."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from portraits.maths import Array

NOTHING = -1
"""Triangle number of a pixel that no triangle covers."""

_EDGE = np.float32(1e-6)  # lets neighbours overlap by a rounding error rather than leave a gap
_FLAT = 1e-9  # twice the area, in pixels, below which a triangle is seen edge-on
_HALF = np.float32(0.5)
_BATCH = 1_000_000  # pixels tested at a time, so that large pictures need little memory


class Raster(NamedTuple):
    """One entry a pixel, each of shape (height, width)."""

    depth: Array
    """float32, larger is nearer; -1e9 where nothing is."""
    triangle: Array
    """int32, the triangle seen, or `NOTHING`."""
    u: Array
    """float32, weight of the triangle's second corner at the pixel's centre."""
    v: Array
    """float32, weight of its third corner; the first has 1 - u - v."""


class _Faces(NamedTuple):
    """The m triangles that may show, each with the pixels around it. All but `number` float32.

    At dx, dy pixels from its first corner, a triangle's second corner has the weight
    `dx * u_x + dy * u_y`, and its third `dx * v_x + dy * v_y`.
    """

    number: Array
    """int (m,), which triangle it is."""
    left: Array
    """Column of the first pixel whose centre may lie in it."""
    top: Array
    """Row of that pixel."""
    columns: Array
    """Width in pixels of the box around it."""
    rows: Array
    """Height of the box."""
    start_x: Array
    """From the first corner to the centre of the box's first pixel."""
    start_y: Array
    u_x: Array
    u_y: Array
    v_x: Array
    v_y: Array

    def take(self, which: Array) -> "_Faces":
        return _Faces(*(values.take(which) for values in self))


def rasterize(
    x: Array,
    y: Array,
    depth: Array,
    triangles: Array,
    width: int,
    height: int,
    closed: Array | None = None,
) -> Raster:
    """Find the nearest triangle at the centre of every pixel.

    Every pixel of every triangle's bounding box is tested, all in one go.

    Args:
        x: float32 (n,) horizontal position of each vertex in pixels, 0 at the left edge.
        y: float32 (n,) vertical position in pixels, 0 at the top edge.
        depth: float32 (n,) larger is nearer.
        triangles: int (m, 3); of two at the same depth the later one is seen.
        closed: bool (m,), triangles of closed surfaces, which show only where their corners run
            counterclockwise: their backs lie behind their fronts. By default all show both sides.
    """
    corners = np.ascontiguousarray(triangles.T)
    faces = _faces(x.take(corners), y.take(corners), width, height, closed)
    hits = []
    for batch in _batches(faces):
        i, pixel, u, v = _hits(batch, width)
        number = batch.number.take(i)
        z0, z1, z2 = depth.take(corners.take(number, 1))
        hits.append((number, pixel, u, v, z0 + u * (z1 - z0) + v * (z2 - z0)))
    return _nearest(*(np.concatenate(column) for column in zip(*hits)), width, height)


def _faces(x: Array, y: Array, width: int, height: int, closed: Array | None) -> _Faces:
    """Choose the triangles to draw; `x` and `y` (3, m) are the positions of their corners."""
    (x0, x1, x2), (y0, y1, y2) = x, y
    area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)  # twice it; negative: counterclockwise
    shown = np.abs(area) > _FLAT
    if closed is not None:
        shown &= (area < 0) | ~closed
    number = np.flatnonzero(shown)
    x, y, area = x.take(number, 1), y.take(number, 1), area.take(number)
    left, columns = _pixel_span(x, width)
    top, rows = _pixel_span(y, height)
    inside = np.flatnonzero((columns > 0) & (rows > 0))  # many are off, or between, pixels
    (x0, x1, x2), (y0, y1, y2) = x.take(inside, 1), y.take(inside, 1)
    left, top = left.take(inside), top.take(inside)
    scale = 1 / area.take(inside)
    return _Faces(
        number.take(inside),
        left,
        top,
        columns.take(inside),
        rows.take(inside),
        start_x=left - x0 + _HALF,
        start_y=top - y0 + _HALF,
        u_x=(y2 - y0) * scale,
        u_y=(x0 - x2) * scale,
        v_x=(y0 - y1) * scale,
        v_y=(x1 - x0) * scale,
    )


def _pixel_span(corners: Array, limit: int) -> tuple[Array, Array]:
    """First pixel of the picture whose centre lies between corners (3, m), and how many do."""
    a, b, c = corners
    first = np.ceil(np.minimum(np.minimum(a, b), c) - _HALF)
    last = np.floor(np.maximum(np.maximum(a, b), c) - _HALF)
    first = np.maximum(first, 0)
    return first, np.minimum(last, limit - 1) - first + 1


def _batches(faces: _Faces) -> Iterator[_Faces]:
    """Divide the triangles so that the boxes of each batch have about `_BATCH` pixels."""
    total = np.cumsum(faces.columns * faces.rows, dtype=np.int64)
    if len(total) == 0 or total[-1] <= _BATCH:
        yield faces
        return
    cuts = np.flatnonzero(np.diff(total // _BATCH)) + 1
    for which in np.split(np.arange(len(total)), cuts):
        yield faces.take(which)


def _hits(faces: _Faces, width: int) -> tuple[Array, Array, Array, Array]:
    """The pixels whose centre lies in a triangle: which of `faces`, which pixel, u and v."""
    pixels = (faces.columns * faces.rows).astype(np.intp)
    i = np.repeat(np.arange(len(pixels)), pixels)  # one entry a pixel of a box, as all below
    first = np.cumsum(pixels) - pixels
    within = (np.arange(len(i)) - first.take(i)).astype(np.float32)  # numbers the box's pixels
    columns = faces.columns.take(i)
    row = np.floor((within + _HALF) / columns)
    column = within - row * columns
    dx, dy = column + faces.start_x.take(i), row + faces.start_y.take(i)
    u = dx * faces.u_x.take(i) + dy * faces.u_y.take(i)
    v = dx * faces.v_x.take(i) + dy * faces.v_y.take(i)
    inside = np.flatnonzero((u >= -_EDGE) & (v >= -_EDGE) & (u + v <= 1 + _EDGE))
    i, column, row = i.take(inside), column.take(inside), row.take(inside)
    column, row = column + faces.left.take(i), row + faces.top.take(i)
    pixel = row.astype(np.intp) * width + column.astype(np.intp)
    return i, pixel, u.take(inside), v.take(inside)


def _nearest(
    triangle: Array, pixel: Array, u: Array, v: Array, depth: Array, width: int, height: int
) -> Raster:
    """Keep the nearest hit of each pixel."""
    raster = Raster(
        np.full(height * width, -1e9, np.float32),
        np.full(height * width, NOTHING, np.int32),
        np.zeros(height * width, np.float32),
        np.zeros(height * width, np.float32),
    )
    _keep_maximum(raster.depth, pixel, depth)
    seen = np.flatnonzero(depth == raster.depth.take(pixel))
    pixel = pixel.take(seen)
    raster.triangle[pixel] = triangle.take(seen)
    raster.u[pixel] = u.take(seen)
    raster.v[pixel] = v.take(seen)
    return Raster(*(array.reshape(height, width) for array in raster))


def _keep_maximum(best: Array, index: Array, values: Array) -> None:
    """Raise `best[index]` to `values`, as `np.maximum.at` does, but faster for float32.

    Of several values for one place an assignment keeps the last one, so what is still larger than
    what is there is assigned again; the rounds are as many as surfaces lie behind each other.
    """
    while len(index):
        best[index] = values
        larger = np.flatnonzero(values > best.take(index))
        index, values = index.take(larger), values.take(larger)
