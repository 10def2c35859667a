"""The z-buffer against an oracle that asks every triangle at every pixel."""

import numpy as np
import pytest

from portraits.picture.raster import NOTHING, rasterize


def brute_force(x, y, depth, triangles, width, height):
    """Nearest depth and triangle of each pixel, in float64 and one pixel at a time."""
    nearest = np.full((height, width), -1e9)
    number = np.full((height, width), NOTHING)
    for row in range(height):
        for column in range(width):
            point = np.array([column + 0.5, row + 0.5, 1])
            for i, corners in enumerate(triangles):
                matrix = np.stack([x[corners], y[corners], np.ones(3)]).astype(float)
                if abs(np.linalg.det(matrix)) < 1e-9:
                    continue
                weights = np.linalg.solve(matrix, point)
                z = weights @ depth[corners]
                if weights.min() >= 0 and z > nearest[row, column]:
                    nearest[row, column], number[row, column] = z, i
    return nearest, number


@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_brute_force(seed):
    rng = np.random.default_rng(seed)
    width, height = 23, 17
    # some triangles reach beyond the picture, some are smaller than a pixel
    center = rng.uniform(-3, 26, (40, 1, 2))
    corners = center + rng.normal(0, 1, (40, 3, 2)) * rng.choice([0.3, 2, 12], (40, 1, 1))
    x, y = np.moveaxis(corners.reshape(-1, 2), 1, 0).astype(np.float32)
    depth = rng.uniform(-1, 1, 120).astype(np.float32)
    triangles = np.arange(120).reshape(-1, 3)
    found = rasterize(x, y, depth, triangles, width, height)
    nearest, number = brute_force(x, y, depth, triangles, width, height)
    assert (found.triangle != NOTHING).any() and (found.triangle == NOTHING).any()
    np.testing.assert_array_equal(found.triangle, number)
    np.testing.assert_allclose(found.depth, nearest, atol=1e-4)


def test_corner_weights_reproduce_the_pixel_centre():
    x = np.array([-2, 30, 5], np.float32)
    y = np.array([-1, 4, 28], np.float32)
    triangles = np.array([[0, 1, 2]])
    found = rasterize(x, y, np.zeros(3, np.float32), triangles, 20, 16)
    row, column = np.nonzero(found.triangle == 0)
    assert len(row) > 50
    u, v = found.u[row, column], found.v[row, column]
    np.testing.assert_allclose((1 - u - v) * x[0] + u * x[1] + v * x[2], column + 0.5, atol=1e-4)
    np.testing.assert_allclose((1 - u - v) * y[0] + u * y[1] + v * y[2], row + 0.5, atol=1e-4)


def test_neighbouring_triangles_leave_no_gap():
    corner = np.array([[0, 0], [32, 0], [32, 32], [0, 32], [13.37, 17.21]], np.float32)
    fan = np.array([[0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4]])
    found = rasterize(*corner.T, np.zeros(5, np.float32), fan, 32, 32)
    assert (found.triangle != NOTHING).all()


def test_backs_of_closed_surfaces_are_left_out():
    """Of two triangles, one clockwise in the picture and one counterclockwise."""
    x = np.array([1, 9, 1, 1, 9, 9], np.float32)
    y = np.array([1, 1, 9, 9, 9, 1], np.float32)
    triangles = np.array([[0, 1, 2], [3, 4, 5]])
    both = rasterize(x, y, np.zeros(6, np.float32), triangles, 10, 10)
    assert set(np.unique(both.triangle)) == {NOTHING, 0, 1}
    closed = np.ones(2, bool)
    front = rasterize(x, y, np.zeros(6, np.float32), triangles, 10, 10, closed)
    assert set(np.unique(front.triangle)) == {NOTHING, 1}


def test_nothing_to_draw():
    nothing = np.zeros((0, 3), int)
    found = rasterize(*np.zeros((3, 4), np.float32), nothing, 8, 6)
    assert found.triangle.shape == (6, 8)
    assert (found.triangle == NOTHING).all()
