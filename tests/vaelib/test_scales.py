"""The scales of a picture, by hand and by what they promise."""

import math

import numpy as np
import pytest
import tensorflow as tf

from tests.by_hand import whiten_by_hand
from vaelib.model import VAE, build_decoder
from vaelib.scales import DETAIL, Sharpen, join_scales, split_scales, whiten

SIZE, LATENT_DIM = 32, 4


@pytest.mark.parametrize("side", [4, 8, 32])
@pytest.mark.parametrize("detail", [1.0, 1.35, 0.5])
def test_whiten_multiplies_each_scale_by_its_factor(side, detail):
    errors = np.random.default_rng(5).normal(size=(2, side, side, 3)).astype("float32")
    expected = whiten_by_hand(errors, detail)
    np.testing.assert_allclose(whiten(errors, detail), expected, atol=1e-5)
    assert np.allclose(expected, errors) == (side == 4 or detail == 1)


def test_whitening_keeps_the_volume_so_that_the_loss_remains_a_density():
    one_by_one = np.eye(16 * 16, dtype="float32").reshape(-1, 16, 16, 1)
    matrix = np.asarray(whiten(one_by_one, 1.5)).reshape(256, 256)
    assert np.linalg.det(matrix.astype("float64")) == pytest.approx(1, rel=1e-4)


def test_a_broad_error_counts_less_than_a_fine_one_of_its_size():
    broad = np.ones((1, 64, 64, 3), "float32")
    fine = np.where(np.arange(64)[:, None] % 2 == np.arange(64) % 2, 1, -1)[None, :, :, None]
    size = [float(np.abs(whiten(error * broad)).mean()) for error in (broad, fine)]
    assert size == pytest.approx([DETAIL**-4, DETAIL ** (1 / 3)])


def test_whiten_leaves_sides_that_have_no_half():
    errors = np.random.default_rng(5).normal(size=(1, 9, 9, 3)).astype("float32")
    np.testing.assert_array_equal(whiten(errors), errors)


@pytest.mark.parametrize("side", [4, 9, 32, 64])
def test_scales_add_up_to_the_picture(side):
    images = np.random.default_rng(5).random((2, side, side, 3)).astype("float32")
    scales = split_scales(images)
    assert [scale.shape[1] for scale in scales] == {4: [4], 9: [9]}.get(
        side, [side // 2**i for i in range(int(math.log2(side // 4)) + 1)]
    )
    np.testing.assert_allclose(join_scales(scales), images, atol=1e-6)


# Sharper pictures


def mean_squares(images) -> list[float]:
    return [float(tf.reduce_mean(tf.square(scale))) for scale in split_scales(images)]


def test_sharpening_waits_for_the_end_of_the_training():
    images = np.random.default_rng(5).random((2, 32, 32, 3)).astype("float32")
    sharpen = Sharpen()
    np.testing.assert_allclose(sharpen(images), images, atol=1e-6)
    sharpen.gains.assign([1.5, 1.2, 1.1])
    np.testing.assert_array_equal(sharpen(images, training=True), images)
    assert not sharpen.trainable_weights
    sharper = sharpen(images).numpy()
    assert sharper.std() > images.std()
    assert (sharper.min(), sharper.max()) == (0, 1)  # and not beyond


def test_each_scale_is_multiplied_by_its_gain():
    images = 0.4 + 0.2 * np.random.default_rng(5).random((2, 32, 32, 3)).astype("float32")
    sharpen = Sharpen()
    sharpen.build(images.shape)
    sharpen.gains.assign([1.5, 1.2, 1.1])
    gains = [1.5, 1.2, 1.1, 1.0]
    for before, after, gain in zip(split_scales(images), split_scales(sharpen(images)), gains):
        np.testing.assert_allclose(after, gain * before, atol=1e-6)


def blurred_vae(course_vae: VAE, images: np.ndarray, contrast: list[float]) -> VAE:
    """A model whose reconstructions are the images with less contrast at each scale."""
    vae = VAE(course_vae.encoder, build_decoder(SIZE, LATENT_DIM))
    *details, broad = split_scales(images)
    flat = join_scales([*(c * d for c, d in zip(contrast, details)), broad]).numpy()
    vae.reconstruct = lambda _: flat
    return vae


def test_the_gains_give_back_the_contrast_that_was_lost(course_vae, images):
    vae = blurred_vae(course_vae, images, [0.8, 0.9, 1.0])
    vae.fit_sharpness(images)
    gains = vae.decoder.layers[-1].gains.numpy()
    np.testing.assert_allclose(gains, [1 / 0.8, 1 / 0.9, 1], rtol=1e-4)
    sharper = vae.decoder.layers[-1](vae.reconstruct(images))
    np.testing.assert_allclose(mean_squares(sharper), mean_squares(images), rtol=0.02)
    vae.fit_sharpness(images)  # once more does not sharpen twice
    np.testing.assert_allclose(vae.decoder.layers[-1].gains, gains, rtol=1e-4)


def test_noise_is_not_made_of_nothing(course_vae, images):
    vae = blurred_vae(course_vae, images, [0.01, 2.0, 1.0])
    vae.fit_sharpness(images)
    np.testing.assert_allclose(vae.decoder.layers[-1].gains, [1.5, 1, 1], rtol=1e-4)


def test_a_decoder_that_does_not_sharpen_is_left_alone(vae, images):
    before = vae.decode(np.zeros((1, LATENT_DIM)))
    vae.fit_sharpness(images)
    np.testing.assert_array_equal(vae.decode(np.zeros((1, LATENT_DIM))), before)
