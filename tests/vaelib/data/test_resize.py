"""Resizing many images at once, beside Pillow."""

import numpy as np
import pytest
from PIL import Image

from vaelib.data.resize import lanczos, resize_all


@pytest.mark.parametrize("size", [16, 37, 64, 128])
@pytest.mark.parametrize("box", [(0, 0, 90, 90), (7.5, 20, 81.5, 94), (0, 10, 33.3, 43.3)])
def test_the_pixels_are_pillows(size, box):
    images = np.random.default_rng(0).integers(0, 256, (3, 109, 90, 3)).astype("uint8")
    left, top, right, bottom = box
    first_row, down = lanczos(109, top, bottom, size)
    first_column, across = lanczos(90, left, right, size)
    found = resize_all(images, first_row, down, first_column, across)
    lanczos_of_pillow = Image.Resampling.LANCZOS
    for image, ours in zip(images, found):
        theirs = np.asarray(Image.fromarray(image).resize((size, size), lanczos_of_pillow, box))
        difference = abs(ours.astype(int) - theirs)
        assert difference.max() <= 1
        assert (difference > 0).mean() < 0.01


@pytest.mark.parametrize("length, start, end, size", [(109, 20, 94, 64), (10, 0, 10, 10)])
def test_weights_sum_to_1_and_stay_inside(length, start, end, size):
    first, weights = lanczos(length, start, end, size)
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-6)
    assert first.min() >= 0
    assert first.max() + weights.shape[1] <= length
