"""Faults that a picture of a face may have: blur, noise, sharpening, a turn of all colours."""

import math

import numpy as np

from vaelib.data.reader import tf

FAULTS = ("blurred", "noisy", "sharpened")
"""What `spoil` does to pictures and tells of, in this order."""

SHARE = 1 / 3  # of pictures that get each of them
BLUR = (0.4, 1.3)  # standard deviation, in pixels of a picture that is 64 pixels wide
NOISE = (2.5, 16.0)  # standard deviation, in grey levels (0 to 255)
SHARPENING = (1.3, 2.5)  # factor of the details
TURN = 10.0  # standard deviation of the turn of colours, in degrees


def spoiled(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Give the images of batches (images, labels) faults; the faults are appended to the labels."""

    def change(images, labels):
        images, faults = spoil(images)
        return images, tf.concat([labels, faults], axis=1)

    return dataset.map(change)


def spoil(images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Blur a third of a batch at random, sharpen a third and add noise to a third.

    The thirds are drawn apart, so a picture may have all faults or none. Their strengths are random
    too (`SHARPENING`, `NOISE`; `BLUR`, one for all blurred pictures of the batch). The colours of
    half of the batch are turned a little, of which nothing is told. `keras.utils.set_random_seed`
    seeds it.

    Args:
        images: float32 (n, size, size, 3) in [0, 1].

    Returns:
        The pictures, rounded to 256 levels, the same shape; and float32 (n, 3), 1 for each of the
        `FAULTS` that a picture was given.
    """
    count = tf.shape(images)[0]
    faults = tf.random.uniform((count, len(FAULTS))) < SHARE
    blurred, noisy, sharpened = (
        tf.reshape(has, (-1, 1, 1, 1)) for has in tf.unstack(faults, axis=1)
    )
    turned = tf.random.uniform((count,)) < 0.5
    images = turn_hue(images, tf.where(turned, tf.random.normal((count,), 0, TURN), 0))
    width = images.shape[2] / 64
    pixels = tf.maximum(width * tf.random.uniform((), *BLUR), BLUR[0])  # less can't be seen
    images = tf.where(blurred, blur(images, pixels), images)
    gains = tf.random.uniform((count, 1, 1, 1), *SHARPENING)
    images = tf.where(sharpened, sharpen(images, gains), images)
    levels = tf.exp(tf.random.uniform((count, 1, 1, 1), *np.log(NOISE)))
    noise = tf.random.normal(tf.shape(images)) * levels / 255
    images = tf.where(noisy, images + noise, images)
    return tf.round(tf.clip_by_value(images, 0, 1) * 255) / 255, tf.cast(faults, tf.float32)


def blur(images: np.ndarray | tf.Tensor, pixels: float | tf.Tensor) -> tf.Tensor:
    """Smooth pictures by a Gaussian; beyond an edge, the picture is mirrored.

    Args:
        images: float32 (n, size, size, 3).
        pixels: the standard deviation of the Gaussian, above 0 and up to `BLUR`'s largest.

    Returns:
        float32 (n, size, size, 3).
    """
    reach = math.ceil(3 * BLUR[1] * images.shape[2] / 64)
    weights = tf.exp(-0.5 * tf.square(tf.range(-reach, reach + 1, dtype=tf.float32) / pixels))
    weights = tf.tile(weights[:, None] / tf.reduce_sum(weights), (1, 3))  # of each colour
    images = tf.pad(images, [[0, 0], [reach, reach], [reach, reach], [0, 0]], "SYMMETRIC")
    for shape in ((-1, 1, 3, 1), (1, -1, 3, 1)):
        images = tf.nn.depthwise_conv2d(images, tf.reshape(weights, shape), [1, 1, 1, 1], "VALID")
    return images


def sharpen(images: np.ndarray | tf.Tensor, gain: float | tf.Tensor) -> tf.Tensor:
    """Multiply the details of pictures, which a blur by one pixel of 64 takes away, by `gain`."""
    broad = blur(images, images.shape[2] / 64)
    return broad + gain * (images - broad)


def turn_hue(images: np.ndarray | tf.Tensor, degrees: float | np.ndarray | tf.Tensor) -> tf.Tensor:
    """Turn all colours around the axis of greys, which stay as they are.

    Args:
        images: float32 (n, size, size, 3).
        degrees: of the turn; one number, or (n,).

    Returns:
        float32 (n, size, size, 3).
    """
    angle = tf.reshape(tf.cast(degrees, tf.float32) * (math.pi / 180), (-1, 1, 1))
    across = tf.constant([[0, -1, 1], [1, 0, -1], [-1, 1, 0]], tf.float32) / math.sqrt(3)
    turn = tf.eye(3) + tf.sin(angle) * across + (1 - tf.cos(angle)) * (across @ across)
    turn = tf.broadcast_to(turn, (tf.shape(images)[0], 3, 3))
    return tf.einsum("nhwc,ndc->nhwd", images, turn)
