"""Rasterization: finds the triangle that each pixel shows, with a z-buffer."""

from typing import NamedTuple

import numpy as np

from groundwork.compiled import compiled
from portraits.maths import Array

NOTHING = -1
"""The triangle of a pixel that shows none."""

_EDGE = 1e-6  # adjacent triangles overlap this much, so that rounding leaves no gap


class Raster(NamedTuple):
    """What each pixel shows; all arrays have the shape (height, width)."""

    depth: Array
    """float32; larger is nearer, -1e9 is nothing."""
    triangle: Array
    """int32, index of the triangle, or `NOTHING`."""
    u: Array
    """float32, weight of the triangle's second corner at the centre of the pixel."""
    v: Array
    """float32, weight of its third corner; the first has 1 - u - v."""


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

    Args:
        x: float32 (n,) horizontal position of each vertex in pixels, 0 at the left edge.
        y: float32 (n,) vertical position in pixels, 0 at the top edge.
        depth: float32 (n,); larger is nearer.
        triangles: int (m, 3); the later of two at the same depth is seen.
        closed: bool (m,), which triangles belong to closed surfaces. Only their front is drawn,
            where the corners go counterclockwise. By default both sides of all are drawn.
    """
    if closed is None:
        closed = np.zeros(len(triangles), bool)
    raster = Raster(
        np.full((height, width), -1e9, np.float32),
        np.full((height, width), NOTHING, np.int32),
        np.zeros((height, width), np.float32),
        np.zeros((height, width), np.float32),
    )
    _fill(x, y, depth, triangles, closed, *raster)
    return raster


@compiled()
def _fill(x, y, depth, triangles, closed, nearest, number, us, vs):
    """Test each pixel in the bounding box of each triangle."""
    height, width = nearest.shape
    for i in range(len(triangles)):
        a, b, c = triangles[i, 0], triangles[i, 1], triangles[i, 2]
        x0, y0, z0 = float(x[a]), float(y[a]), float(depth[a])
        x1, y1, z1 = x[b] - x0, y[b] - y0, depth[b] - z0
        x2, y2, z2 = x[c] - x0, y[c] - y0, depth[c] - z0
        area = x1 * y2 - x2 * y1
        if abs(area) <= 1e-9 or (closed[i] and area > 0):
            continue
        scale = 1 / area
        left = max(0, int(np.ceil(x0 + min(0.0, x1, x2) - 0.5)))
        right = min(width - 1, int(np.floor(x0 + max(0.0, x1, x2) - 0.5)))
        top = max(0, int(np.ceil(y0 + min(0.0, y1, y2) - 0.5)))
        bottom = min(height - 1, int(np.floor(y0 + max(0.0, y1, y2) - 0.5)))
        for row in range(top, bottom + 1):
            dy = row + 0.5 - y0
            for column in range(left, right + 1):
                dx = column + 0.5 - x0
                u = (dx * y2 - x2 * dy) * scale
                v = (x1 * dy - dx * y1) * scale
                if u < -_EDGE or v < -_EDGE or u + v > 1 + _EDGE:
                    continue
                z = np.float32(z0 + u * z1 + v * z2)
                if z >= nearest[row, column]:
                    nearest[row, column] = z
                    number[row, column] = i
                    us[row, column] = u
                    vs[row, column] = v
