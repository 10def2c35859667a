"""Texture: noise, strokes and spots in the coordinates of anchors."""

import numpy as np

from groundwork.compiled import compiled
from portraits.maths import Array, table
from portraits.people.traits import Traits


def noise(person: Traits, u: Array, v: Array) -> Array:
    """Compute smooth two-dimensional noise of one person: (n,), 0 to 1, with a period of 16.

    Args:
        u, v: (n,), positions; there is one random number at all integers.
    """
    u, v = np.asarray(u, np.float32), np.asarray(v, np.float32)
    return _noise(table(person.strands.fine), u.ravel(), v.ravel()).reshape(u.shape)


@compiled()
def _noise(table, u, v):
    """Blend the four nearest numbers of a table of 16 x 16 smoothly."""
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
    """Compute a soft straight stroke: (n,), 1 on its line, less towards its ends."""
    numbers = np.array([*start, *stop, width], np.float32)
    return _stroke(np.asarray(x, np.float32), np.asarray(y, np.float32), numbers)


@compiled()
def _stroke(x, y, numbers):
    """Compute `stroke` of float32 (n,); `numbers` are start, stop and width."""
    start_x, start_y, stop_x, stop_y, width = numbers
    one = np.float32(1)
    length = np.sqrt((stop_x - start_x) ** 2 + (stop_y - start_y) ** 2)
    along_x, along_y = (stop_x - start_x) / length, (stop_y - start_y) / length
    result = np.zeros_like(x)
    for i in range(len(x)):
        from_x, from_y = x[i] - start_x, y[i] - start_y
        across = (from_y * along_x - from_x * along_y) / width
        t = (from_x * along_x + from_y * along_y) / length
        if abs(across) < 3 and -0.08 < t < 1.08:  # elsewhere there is nothing to see
            taper = min(np.float32(4) * (t + np.float32(0.08)), one)
            taper *= min(np.float32(4) * (np.float32(1.08) - t), one)
            result[i] = taper * np.exp(-across * across)
    return result


def blob(x: Array, y: Array, center: tuple[float, float], radii: tuple[float, float]) -> Array:
    """Compute a soft spot: (n,), 1 at its centre and 1/e at its radii."""
    numbers = np.array([*center, 1 / radii[0], 1 / radii[1]], np.float32)
    return _blob(np.asarray(x, np.float32), np.asarray(y, np.float32), numbers)


@compiled()
def _blob(x, y, numbers):
    """Compute `blob` of float32 (n,); `numbers` are the centre and 1 / radii."""
    center_x, center_y, scale_x, scale_y = numbers
    result = np.zeros_like(x)
    for i in range(len(x)):
        dx, dy = (x[i] - center_x) * scale_x, (y[i] - center_y) * scale_y
        off = dx * dx + dy * dy
        if off < 9:  # elsewhere there is nothing to see
            result[i] = np.exp(-off)
    return result
