"""Resize many images of one size at once, to the same pixels as Pillow's LANCZOS filter."""

from functools import cache

import numpy as np

from groundwork.compiled import compiled


@cache
def lanczos(length: int, start: float, end: float, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights to resize a part of a row of pixels with anti-aliasing.

    Args:
        length: of the row, in pixels.
        start, end: of the part, in pixels.
        size: number of new pixels.

    Returns:
        For each new pixel the first old pixel that counts, int (size,), and the weights of that
        pixel and those after it, float32 (size, n).
    """
    step = (end - start) / size
    stretch = max(step, 1.0)  # in a smaller image, each new pixel averages more old ones
    centres = start + (np.arange(size) + 0.5) * step
    distance = (np.arange(length) + 0.5 - centres[:, None]) / stretch
    weights = np.where(np.abs(distance) < 3, np.sinc(distance) * np.sinc(distance / 3), 0)
    weights[np.abs(weights) < 1e-9] = 0  # 0 up to rounding
    weights /= weights.sum(axis=1, keepdims=True)
    first = (weights != 0).argmax(axis=1)
    last = length - 1 - (weights[:, ::-1] != 0).argmax(axis=1)
    count = (last - first).max() + 1
    first = np.minimum(first, length - count)
    return first, np.take_along_axis(weights, first[:, None] + np.arange(count), 1).astype("f4")


@compiled(nogil=True, fastmath=True)
def resize_all(
    images: np.ndarray,
    first_row: np.ndarray,
    down: np.ndarray,
    first_column: np.ndarray,
    across: np.ndarray,
) -> np.ndarray:
    """Resize uint8 (n, h, w, 3) to (n, size, size, 3) with the weights of `lanczos`.

    Args:
        images: uint8 (n, h, w, 3).
        first_row, down: the result of `lanczos` for the height.
        first_column, across: the same for the width.
    """
    n, h, w, _ = images.shape
    size = len(down)
    result = np.empty((n, size, size, 3), np.uint8)
    # The inner loops run over neighbours in memory, so that the compiler can vectorise them.
    columns, wide = np.empty((3 * w, h), np.float32), np.empty((h, 3 * size), np.float32)
    column, row = np.empty(h, np.float32), np.empty(3 * size, np.float32)
    for i in range(n):
        image, new = images[i].reshape(h, 3 * w), result[i].reshape(size, 3 * size)
        for y in range(h):
            for x in range(3 * w):
                columns[x, y] = image[y, x]
        for x in range(size):
            for channel in range(3):
                column[:] = 0.5  # so that cutting off the fraction rounds
                for k in range(across.shape[1]):
                    weight, old = across[x, k], columns[3 * (first_column[x] + k) + channel]
                    for y in range(h):
                        column[y] += weight * old[y]
                for y in range(h):
                    inside = min(max(column[y], np.float32(0)), np.float32(255))
                    wide[y, 3 * x + channel] = np.floor(inside)
        for y in range(size):
            row[:] = 0.5
            for k in range(down.shape[1]):
                weight, old = down[y, k], wide[first_row[y] + k]
                for x in range(3 * size):
                    row[x] += weight * old[x]
            for x in range(3 * size):
                new[y, x] = np.uint8(min(max(row[x], np.float32(0)), np.float32(255)))
    return result
