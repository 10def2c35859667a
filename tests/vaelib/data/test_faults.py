"""Faults: blur, noise, sharpening and turns of colours do what they say, and are told of."""

import numpy as np
import pytest

from vaelib.data.faults import FAULTS, blur, sharpen, spoil, spoiled, turn_hue
from vaelib.data.reader import tf

SIZE = 64


@pytest.fixture
def images():
    """Rough pictures of middle brightness, so that nothing is clipped."""
    images = np.random.default_rng(0).uniform(0.3, 0.7, (300, SIZE, SIZE, 3))
    return images.astype("float32")


@pytest.mark.parametrize("pixels", [0.5, 1.0, 1.3])
def test_a_point_becomes_a_gaussian(pixels):
    point = np.zeros((1, SIZE, SIZE, 3), "float32")
    point[0, 20, 20] = 1
    (spread,) = blur(point, pixels).numpy()
    gaussian = np.exp(-0.5 * ((np.arange(SIZE) - 20) / pixels) ** 2)
    gaussian = np.outer(gaussian, gaussian) / gaussian.sum() ** 2
    np.testing.assert_allclose(spread, np.repeat(gaussian[..., None], 3, -1), atol=2e-3)
    assert spread.sum() == pytest.approx(3, rel=1e-5)


def test_blur_leaves_plain_pictures_as_they_are():
    plain = np.full((2, 32, 32, 3), 0.3, "float32")
    np.testing.assert_allclose(blur(plain, 1.0), plain, atol=1e-6)


def test_sharpening_multiplies_details(images):
    few = images[:5]
    np.testing.assert_allclose(sharpen(few, 1), few, atol=1e-6)
    np.testing.assert_allclose(sharpen(few, 2) - few, few - blur(few, 1.0), atol=1e-5)


def test_hues_turn_and_greys_stay(images):
    few = images[:5]
    np.testing.assert_allclose(turn_hue(few, 120), np.roll(few, 1, -1), atol=1e-5)
    grey = np.repeat(few[..., :1], 3, axis=-1)
    np.testing.assert_allclose(turn_hue(grey, 33), grey, atol=1e-5)
    each = turn_hue(few, np.array([0, 120, 240, 0, 120])).numpy()
    np.testing.assert_allclose(each[2], np.roll(few[2], 2, -1), atol=1e-5)


def test_a_third_gets_each_fault_and_is_told_of(images):
    tf.random.set_seed(0)
    changed, faults = (part.numpy() for part in spoil(tf.constant(images)))
    assert changed.shape == images.shape and faults.shape == (300, len(FAULTS))
    np.testing.assert_allclose(faults.mean(axis=0), 1 / 3, atol=0.09)
    np.testing.assert_allclose(changed * 255, np.round(changed * 255), atol=1e-3)
    details = np.std(changed[:, :, 1:] - changed[:, :, :-1], axis=(1, 2, 3))
    alone = {name: np.delete(faults, i, 1).sum(1) == 0 for i, name in enumerate(FAULTS)}
    clean = details[faults.sum(1) == 0]
    assert details[alone["blurred"] & (faults[:, 0] == 1)].max() < clean.min()
    assert details[alone["sharpened"] & (faults[:, 2] == 1)].min() > clean.max()


def test_noise_is_told_of():
    tf.random.set_seed(0)
    plain = tf.fill((300, 16, 16, 3), 0.5)
    changed, faults = (part.numpy() for part in spoil(plain))
    rough = np.std(changed, axis=(1, 2, 3)) > 1.5 / 255
    np.testing.assert_array_equal(rough, faults[:, FAULTS.index("noisy")] == 1)


def test_faults_follow_the_labels():
    labels = tf.constant([[0.0, 1.0]] * 4)
    batches = tf.data.Dataset.from_tensors((tf.fill((4, 16, 16, 3), 0.5), labels))
    ((images, known),) = spoiled(batches)
    assert images.shape == (4, 16, 16, 3)
    np.testing.assert_array_equal(known[:, :2], labels)
    assert known.shape == (4, 2 + len(FAULTS))
