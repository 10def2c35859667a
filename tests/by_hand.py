"""What the library computes, computed once more in another way."""

import itertools
import math

import numpy as np


def weighed_by_hand(errors: np.ndarray, detail: float) -> np.ndarray:
    """A sum over scales, each the difference of two means over squares, by its own factor."""
    side = errors.shape[1]
    levels = int(math.log2(side // 4))
    blurred = [errors]
    for level in range(1, levels + 1):
        k = 2**level
        blocks = errors.reshape(-1, side // k, k, side // k, k, errors.shape[-1])
        blurred.append(np.kron(blocks.mean(axis=(2, 4)), np.ones((1, k, k, 1))))
    scales = [fine - broad for fine, broad in itertools.pairwise(blurred)] + blurred[-1:]
    exponents = [1 / 3 - level for level in range(levels)] + [-levels]
    return sum(detail**exponent * scale for exponent, scale in zip(exponents, scales))
