"""Marks that stick to the face: noise and brush strokes in the coordinates of its anchors."""

import numba
import numpy as np

from portraits.maths import Array, clip01, table
from portraits.traits import Traits


def noise(person: Traits, u: Array, v: Array) -> Array:
    """Smooth two-dimensional noise of one person, 0 to 1, with a period of 16.

    Args:
        u, v: (n,) positions; there is one random number at every whole one.
    """
    u, v = np.asarray(u, np.float32), np.asarray(v, np.float32)
    return _noise(table(person.strands.fine), u.ravel(), v.ravel()).reshape(u.shape)


@numba.njit(cache=True)
def _noise(table, u, v):
    """The values at the corners of the cell in a table of 16 x 16, smoothly blended."""
    result = np.empty_like(u)
    for i in range(len(u)):
        column, row = int(np.floor(u[i])), int(np.floor(v[i]))
        right, down = u[i] - np.float32(column), v[i] - np.float32(row)
        right = right * right * (np.float32(3) - np.float32(2) * right)
        down = down * down * (np.float32(3) - np.float32(2) * down)
        left, beside = column & 15, (column + 1) & 15
        here, below = (row & 15) << 4, ((row + 1) & 15) << 4
        upper = table[here | left] + (table[here | beside] - table[here | left]) * right
        lower = table[below | left] + (table[below | beside] - table[below | left]) * right
        result[i] = upper + (lower - upper) * down
    return result


def stroke(
    x: Array, y: Array, start: tuple[float, float], stop: tuple[float, float], width: float
) -> Array:
    """A soft straight line, 1 in its middle, thinning out towards its ends: (n,)."""
    along_x, along_y = stop[0] - start[0], stop[1] - start[1]
    length = np.float32(np.hypot(along_x, along_y))
    along_x, along_y = along_x / length, along_y / length
    from_x, from_y = x - np.float32(start[0]), y - np.float32(start[1])
    t = (from_x * along_x + from_y * along_y) / length
    across = (from_y * along_x - from_x * along_y) * np.float32(1 / width)
    taper = clip01(4 * (t + 0.08)) * clip01(4 * (1.08 - t))
    return taper * np.exp(-across * across)


def blob(x: Array, y: Array, center: tuple[float, float], radii: tuple[float, float]) -> Array:
    """A soft spot, 1 at its centre and 1/e at its radii: (n,)."""
    dx = (x - np.float32(center[0])) * np.float32(1 / radii[0])
    dy = (y - np.float32(center[1])) * np.float32(1 / radii[1])
    return np.exp(-(dx * dx + dy * dy))
