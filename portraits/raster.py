"""From triangles to pixels: which triangle each pixel shows, and where on it (a z-buffer)."""

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np

from portraits.maths import Array

NOTHING = -1
"""Triangle number of a pixel that no triangle covers."""

_EDGE = 1e-6  # lets neighbouring triangles overlap by a rounding error rather than leave a gap
_BOX_SIZES = (1, 2, 3, 4, 6, 8, 12, 20, 32, 48, 64, 96, 128, 192, 256, 384, 512, 1024, 2048)
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


def rasterize(
    x: Array, y: Array, depth: Array, triangles: Array, width: int, height: int
) -> Raster:
    """Find the nearest triangle at the centre of every pixel.

    Triangles are taken in groups of similar size, so that all pixels of all bounding boxes of a
    group are tested in a few array operations.

    Args:
        x: (n,) horizontal position of each vertex in pixels, 0 at the left edge.
        y: (n,) vertical position in pixels, 0 at the top edge.
        depth: (n,) larger is nearer.
        triangles: int (m, 3); of two at the same depth the later one is seen.
    """
    left, right = _pixel_span(x[triangles], width)
    top, bottom = _pixel_span(y[triangles], height)
    number = np.flatnonzero((right >= left) & (bottom >= top))  # many are off, or between, pixels
    left, right, top, bottom = (edge[number] for edge in (left, right, top, bottom))
    box = np.maximum(right - left, bottom - top) + 1

    a, b, c = np.ascontiguousarray(triangles[number].T)
    x0, y0, z0 = x[a], y[a], depth[a]
    x1, y1, z1 = x[b] - x0, y[b] - y0, depth[b] - z0
    x2, y2, z2 = x[c] - x0, y[c] - y0, depth[c] - z0
    area = x1 * y2 - x2 * y1
    box[np.abs(area) <= 1e-9] = 0

    hits = []
    for size, group in _groups(box):
        offset_x, offset_y = _box_offsets(size)
        g = group[:, None]
        pixel_x, pixel_y = left[g] + offset_x, top[g] + offset_y
        dx, dy = pixel_x + (0.5 - x0[g]), pixel_y + (0.5 - y0[g])
        scale = 1 / area[g]
        u = (dx * y2[g] - x2[g] * dy) * scale
        v = (x1[g] * dy - dx * y1[g]) * scale
        inside = (u >= -_EDGE) & (v >= -_EDGE) & (u + v <= 1 + _EDGE)
        inside = np.flatnonzero(inside & (pixel_x < width) & (pixel_y < height))
        pixel = (pixel_y * width + pixel_x).ravel()[inside].astype(np.intp)
        u, v = u.ravel()[inside], v.ravel()[inside]
        i = group[inside // size**2]
        hits.append((number[i], pixel, u, v, z0[i] + u * z1[i] + v * z2[i]))
    return _nearest(hits, width, height)


def _groups(box: Array) -> Iterator[tuple[int, Array]]:
    """Yield a size and the triangles (m,) whose bounding box fits in it, but in no smaller one."""
    smaller = 0
    for size in _BOX_SIZES:
        group = np.flatnonzero((box > smaller) & (box <= size))
        smaller = size
        step = max(1, _BATCH // size**2)
        for start in range(0, len(group), step):
            yield size, group[start : start + step]


def _pixel_span(corners: Array, limit: int) -> tuple[Array, Array]:
    """First and last pixel (inside the picture) whose centre lies between the corners (m, 3)."""
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    first = np.ceil(np.minimum(np.minimum(a, b), c) - 0.5)
    last = np.floor(np.maximum(np.maximum(a, b), c) - 0.5)
    return np.maximum(first, 0), np.minimum(last, limit - 1)


@cache
def _box_offsets(size: int) -> tuple[Array, Array]:
    """Column and row of each pixel in a box of size x size, float32, flat."""
    row, column = np.divmod(np.arange(size * size), size)
    return column.astype(np.float32), row.astype(np.float32)


def _nearest(hits: list[tuple[Array, ...]], width: int, height: int) -> Raster:
    """Keep the nearest hit (triangle, pixel, u, v, depth) of each pixel."""
    raster = Raster(
        np.full(height * width, -1e9, np.float32),
        np.full(height * width, NOTHING, np.int32),
        np.zeros(height * width, np.float32),
        np.zeros(height * width, np.float32),
    )
    if hits:
        triangle, pixel, u, v, depth = (
            np.concatenate(column) for column in zip(*hits, strict=True)
        )
        depth = depth.astype(np.float32)
        np.maximum.at(raster.depth, pixel, depth)
        seen = np.flatnonzero(depth == raster.depth[pixel])
        pixel = pixel[seen]
        raster.triangle[pixel] = triangle[seen]
        raster.u[pixel] = u[seen]
        raster.v[pixel] = v[seen]
    return Raster(*(array.reshape(height, width) for array in raster))
