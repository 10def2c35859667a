"""The handful of curves that geometry and colours are shaped with."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.floating]


def smoothstep(start: float, stop: float, x: ArrayLike) -> Array:
    """Rise smoothly from 0 at `start` to 1 at `stop`; it falls instead where `start > stop`."""
    t = np.minimum(np.maximum((x - start) / (stop - start), 0), 1)
    return t * t * (3 - 2 * t)


def bell(x: Array, width: float) -> Array:
    """Bell curve, 1 at `x = 0` and 1/e at `x = ±width`."""
    return np.exp(-((x / width) ** 2))


def mix(a: ArrayLike, b: ArrayLike, weight: ArrayLike) -> Array:
    """Blend linearly from `a` (weight 0) to `b` (weight 1)."""
    return a + (b - a) * weight


def clip01(x: ArrayLike) -> Array:
    """Limit to [0, 1]. (`np.clip` does the same at several times the overhead.)"""
    return np.minimum(np.maximum(x, 0), 1)


def normalize(vectors: Array) -> Array:
    """Scale vectors, components along axis 0, to length 1."""
    x, y, z = vectors
    return vectors / (np.sqrt(x * x + y * y + z * z) + np.float32(1e-9))


def dot(vector: Array, vectors: Array) -> Array:
    """Scalar product of one vector (3,) with many (3, n); shape (n,).

    Written out rather than left to BLAS, whose rounding may depend on its number of threads.
    """
    return vector[0] * vectors[0] + vector[1] * vectors[1] + vector[2] * vectors[2]


def rotate(points: Array, rotation: Array) -> Array:
    """Rotate points (n, 3) by a matrix (3, 3); without BLAS for the reason given in `dot`.

    The result lies in memory as (3, n), coordinate by coordinate, so that it is fast to use, too.
    """
    coordinates = np.ascontiguousarray(points.T)
    return np.stack([dot(row, coordinates) for row in rotation]).T


def highlight(cosine: Array) -> Array:
    """Phong highlight: the cosine to the power of 14, by squaring."""
    x2 = cosine * cosine
    x4 = x2 * x2
    return x4 * x4 * x4 * x2


def value_noise(table: Array, x: Array) -> Array:
    """One-dimensional value noise: a smooth periodic curve through `table` at whole `x`.

    Args:
        table: (n,) values, n a power of two.
        x: positions, any shape.
    """
    whole = np.floor(x)
    fraction = (x - whole).astype(np.float32)
    fraction = fraction * fraction * (3 - 2 * fraction)
    last = len(table) - 1
    left = whole.astype(np.int32) & last
    start = table[left]
    return start + (table[(left + 1) & last] - start) * fraction


def column(color: ArrayLike) -> Array:
    """A colour or vector as float32 (3, 1), to broadcast over pixels (3, n)."""
    return np.asarray(color, np.float32).reshape(3, 1)


def linear(color: ArrayLike) -> Array:
    """An sRGB-like colour in [0, 1] as linear light, float32 (3, 1)."""
    return column(color) ** 2.2
