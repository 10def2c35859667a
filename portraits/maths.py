"""Curves, noise and vectors for shapes and colours."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundwork.compiled import compiled

Array = NDArray[Any]  # its shape and type stand in the docstrings


def smoothstep(start: float | Array, stop: float | Array, x: float | Array) -> Array:
    """Rise smoothly from 0 at `start` to 1 at `stop`; if `start > stop`, the curve falls."""
    if isinstance(x, np.ndarray) and x.dtype == np.float32 and isinstance(start, float):
        if x.ndim == 1:
            return _smoothstep(x, start, float(stop))
        return _smoothstep(x.ravel(), start, float(stop)).reshape(x.shape)
    t = np.minimum(np.maximum((x - start) / (stop - start), 0), 1)
    return t * t * (3 - 2 * t)


@compiled()
def _smoothstep(x, start, stop):
    """Compute `smoothstep` of float32 (n,) without intermediate arrays."""
    result = np.empty_like(x)
    first, scale = np.float32(start), np.float32(1 / (stop - start))
    for i in range(len(x)):
        t = min(max((x[i] - first) * scale, np.float32(0)), np.float32(1))
        result[i] = t * t * (np.float32(3) - np.float32(2) * t)
    return result


def bell(x: Array, width: float) -> Array:
    """Bell curve: 1 at `x = 0`, 1/e at `x = ±width`."""
    return np.exp(-((x / width) ** 2))


def mix(a: float | Array, b: float | Array, weight: float | Array) -> Any:
    """Blend linearly from `a` (weight 0) to `b` (weight 1)."""
    return a + (b - a) * weight


def clip01(x: float | Array) -> Any:
    """Limit to [0, 1]. `np.clip` does the same, but takes several times as long to start."""
    return np.minimum(np.maximum(x, 0), 1)


def normalize(vectors: Array) -> Array:
    """Scale vectors, components along axis 0, to length 1."""
    x, y, z = vectors
    return vectors / (np.sqrt(x * x + y * y + z * z) + np.float32(1e-9))


def dot(vector: Array, vectors: Array) -> Array:
    """Compute the scalar product of one vector (3,) with many (3, n): shape (n,).

    It does not call BLAS, whose rounding may depend on the number of threads.
    """
    return vector[0] * vectors[0] + vector[1] * vectors[1] + vector[2] * vectors[2]


def rotate(points: Array, rotation: Array) -> Array:
    """Rotate points (n, 3) by a matrix (3, 3), without BLAS for the reason given in `dot`.

    The result is a transposed array (3, n), so that each coordinate is contiguous in memory.
    """
    coordinates = np.ascontiguousarray(points.T)
    return np.stack([dot(row, coordinates) for row in rotation]).T


def highlight(cosine: Array) -> Array:
    """Phong highlight: the cosine to the power of 14."""
    x2 = cosine * cosine
    x4 = x2 * x2
    return x4 * x4 * x4 * x2


@lru_cache(maxsize=8)
def table(values: tuple[float, ...]) -> Array:
    """Convert random numbers of a person to a float32 array, once per person."""
    return np.array(values, np.float32)


def value_noise(table: Array, x: Array) -> Array:
    """One-dimensional value noise: a smooth periodic curve through `table` at integer `x`.

    Args:
        table: float32 (n,) values, n a power of two.
        x: positions, any shape.

    Returns:
        float32, in the shape of `x`.
    """
    x = np.asarray(x, np.float32)
    return _value_noise(table, x.ravel()).reshape(x.shape)


@compiled()
def _value_noise(table, x):
    result = np.empty_like(x)
    last = len(table) - 1
    for i in range(len(x)):
        whole = np.floor(x[i])
        t = x[i] - whole
        t = t * t * (np.float32(3) - np.float32(2) * t)
        left = int(whole) & last
        result[i] = table[left] + (table[(left + 1) & last] - table[left]) * t
    return result


def column(color: ArrayLike) -> Array:
    """Convert a colour or vector to float32 (3, 1), which broadcasts over pixels (3, n)."""
    return np.asarray(color, np.float32).reshape(3, 1)


def linear(color: ArrayLike) -> Array:
    """Convert a colour as on a screen, in [0, 1], to linear light: float32 (3, 1)."""
    return column(color) ** 2.2
