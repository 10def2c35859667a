"""The scales of a picture, by hand and by what they promise."""

import math

import numpy as np
import pytest
from keras import ops

from tests.by_hand import weighed_by_hand
from vaelib.scales import (
    DETAIL,
    Sharpen,
    contrast_gains,
    from_laplacian_pyramid,
    laplacian_pyramid,
    weigh_levels,
)

SIZE = 32


@pytest.mark.parametrize("side", [4, 8, 32])
@pytest.mark.parametrize("detail", [1.0, 1.35, 0.5])
def test_each_level_is_multiplied_by_its_factor(side, detail):
    errors = np.random.default_rng(5).normal(size=(2, side, side, 3)).astype("float32")
    expected = weighed_by_hand(errors, detail)
    np.testing.assert_allclose(weigh_levels(errors, detail), expected, atol=1e-5)
    assert np.allclose(expected, errors) == (side == 4 or detail == 1)


def test_weights_keep_the_volume_so_that_the_loss_remains_a_density():
    one_by_one = np.eye(16 * 16, dtype="float32").reshape(-1, 16, 16, 1)
    matrix = np.asarray(weigh_levels(one_by_one, 1.5)).reshape(256, 256)
    assert np.linalg.det(matrix.astype("float64")) == pytest.approx(1, rel=1e-4)


def test_a_broad_error_counts_less_than_a_fine_one_of_its_size():
    broad = np.ones((1, 64, 64, 3), "float32")
    fine = np.where(np.arange(64)[:, None] % 2 == np.arange(64) % 2, 1, -1)[None, :, :, None]
    size = [float(np.abs(weigh_levels(error * broad)).mean()) for error in (broad, fine)]
    assert size == pytest.approx([DETAIL**-4, DETAIL ** (1 / 3)])


def test_weights_leave_sides_that_have_no_half():
    errors = np.random.default_rng(5).normal(size=(1, 9, 9, 3)).astype("float32")
    np.testing.assert_array_equal(weigh_levels(errors), errors)


@pytest.mark.parametrize("side", [4, 9, 32, 64])
def test_scales_add_up_to_the_picture(side):
    images = np.random.default_rng(5).random((2, side, side, 3)).astype("float32")
    scales = laplacian_pyramid(images)
    assert [scale.shape[1] for scale in scales] == {4: [4], 9: [9]}.get(
        side, [side // 2**i for i in range(int(math.log2(side // 4)) + 1)]
    )
    np.testing.assert_allclose(from_laplacian_pyramid(scales), images, atol=1e-6)


# Sharper pictures


def mean_squares(images) -> list[float]:
    levels = map(ops.convert_to_numpy, laplacian_pyramid(images))
    return [float(np.square(level).mean()) for level in levels]


def with_gains(gains) -> Sharpen:
    sharpen = Sharpen(SIZE)
    sharpen.gains.assign(gains)
    return sharpen


def with_contrast(images: np.ndarray, contrast: list[float]) -> np.ndarray:
    """The images with less contrast at each level."""
    *details, broad = laplacian_pyramid(images)
    flat = from_laplacian_pyramid([*(c * d for c, d in zip(contrast, details)), broad])
    return ops.convert_to_numpy(flat)


def test_without_gains_a_picture_stays_as_it_is():
    images = np.random.default_rng(5).random((2, 32, 32, 3)).astype("float32")
    np.testing.assert_allclose(Sharpen(SIZE)(images), images, atol=1e-6)


def test_sharpened_pictures_stay_between_black_and_white_and_nothing_is_trained():
    images = np.random.default_rng(5).random((2, 32, 32, 3)).astype("float32")
    sharpen = with_gains([1.5, 1.2, 1.1])
    sharper = ops.convert_to_numpy(sharpen(images))
    assert sharper.std() > images.std()
    assert (sharper.min(), sharper.max()) == (0, 1)
    assert not sharpen.trainable_weights


def test_each_level_is_multiplied_by_its_gain():
    images = 0.4 + 0.2 * np.random.default_rng(5).random((2, 32, 32, 3)).astype("float32")
    levels = zip(laplacian_pyramid(images), laplacian_pyramid(with_gains([1.5, 1.2, 1.1])(images)))
    for (before, after), gain in zip(levels, [1.5, 1.2, 1.1, 1.0], strict=True):
        np.testing.assert_allclose(after, gain * before, atol=1e-6)


def test_the_gains_give_back_the_contrast_that_was_lost(images):
    flat = with_contrast(images, [0.8, 0.9, 1.0])
    gains = contrast_gains(images, flat)
    np.testing.assert_allclose(gains, [1 / 0.8, 1 / 0.9, 1], rtol=1e-4)
    np.testing.assert_allclose(
        mean_squares(with_gains(gains)(flat)), mean_squares(images), rtol=0.02
    )


def test_noise_is_not_made_of_nothing(images):
    flat = with_contrast(images, [0.01, 2.0, 1.0])
    np.testing.assert_allclose(contrast_gains(images, flat), [1.5, 1, 1], rtol=1e-4)
