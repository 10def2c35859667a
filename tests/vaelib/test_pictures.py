"""Images side by side."""

import numpy as np

from vaelib.pictures import image_grid


def test_a_grid_is_the_images_pixel_by_pixel_on_white():
    images = np.arange(3 * 2 * 4 * 3).reshape(3, 2, 4, 3) / 255
    grid = image_grid(images, columns=2, gap=1)
    expected = np.full((5, 9, 3), 255, "uint8")
    values = np.arange(3 * 2 * 4 * 3).reshape(3, 2, 4, 3)
    expected[:2, :4], expected[:2, 5:], expected[3:, :4] = values
    assert grid.dtype == np.uint8
    np.testing.assert_array_equal(grid, expected)


def test_a_grid_without_gaps_has_none():
    grid = image_grid(np.zeros((4, 2, 2, 3)), columns=2, gap=0)
    np.testing.assert_array_equal(grid, np.zeros((4, 4, 3)))


def test_a_grid_rounds_and_cuts_off_and_stretches_nothing():
    values = np.array([-1, 0, 0.4999 / 255, 0.5001 / 255, 100 / 255, 1, 2], "float32")
    images = values[:, None, None, None] * np.ones((1, 1, 1, 3), "float32")
    grid = image_grid(images, columns=7, gap=0)
    assert grid[0, :, 0].tolist() == [0, 0, 0, 1, 100, 255, 255]
    low = image_grid(np.full((1, 2, 2, 3), 0.2), 1)
    assert (low == 51).all()
