"""The scales of a picture: weights for the loss, sharpening for the eye.

A Laplacian pyramid takes a picture apart into levels, from single pixels to broad patches, which
add up to the picture again.
"""

import keras
import numpy as np
from keras import layers, ops

DETAIL = 1.35  # docs/recipe.md compares others
MOST_SHARPENED = 1.5  # a model that has learned little has no detail, and noise is none
BROADEST = 4  # patches to a side, at the last level


def laplacian_pyramid(images) -> list:
    """Take pictures apart into levels: (b, h, w, 3) -> list of tensors, the finest level first.

    Each level is what is lost when the picture is reduced to means over 2 x 2 pixels: (b, h, w, 3),
    then (b, h / 2, w / 2, 3), and so on. The last level is the smallest mean picture, 4 x 4.

    Reference: Burt and Adelson, 1983; here with means and repeated pixels in place of a smooth
    filter, so that the levels of a picture share nothing.
    """
    levels = []
    for _ in range(_halvings(images.shape[1])):
        smaller = ops.average_pool(images, 2, strides=2)  # Keras on JAX needs the strides
        levels.append(images - _doubled(smaller))
        images = smaller
    return [*levels, images]


def from_laplacian_pyramid(levels: list):
    """Add the levels of `laplacian_pyramid` up again: the pictures, (b, h, w, 3)."""
    *details, images = levels
    for detail in reversed(details):
        images = detail + _doubled(images)
    return images


def weigh_levels(errors, detail: float = DETAIL):
    """Multiply fine errors by more than broad ones: (b, h, w, 3) -> the same shape.

    Neighbouring pixels err together: a cheek that is a little too dark is wrong at a hundred
    pixels. If pixels count as independent, that is a hundred mistakes, and a model learns broad
    patches long before it learns edges. So the weight of each level is `detail` times that of the
    next broader one. The weights of all values multiply to 1: a density remains a density.

    Args:
        errors: images minus reconstructions.
        detail: the ratio of the weights of two levels; 1 leaves the errors as they are.
    """
    *fine, broad = laplacian_pyramid(errors)
    # A level holds 3/4 of its values: its own weight and those of all broader ones multiply to 1.
    fine = [detail ** (1 / 3 - i) * level for i, level in enumerate(fine)]
    return from_laplacian_pyramid([*fine, broad / detail ** len(fine)])


@keras.saving.register_keras_serializable(package="vaelib")
class Sharpen(layers.Layer):
    """Multiply each level of detail in pictures by its gain, and keep them in [0, 1].

    A decoder learns to answer with the mean of all faces that fit z, and a mean is smoother than
    each of them: hair becomes a plain surface. Sharpening gives back the contrast that faces have.
    The gains are 1 until `VAE.fit_sharpness` finds them after the training. The broadest level,
    which is colour and light, has none.

    Called with images (b, h, w, 3) in [0, 1]; returns the same shape, in [0, 1].

    Args:
        image_size: in pixels.
    """

    def __init__(self, image_size: int, **kwargs):
        super().__init__(trainable=False, **kwargs)
        self.gains = self.add_weight(
            name="gains", shape=(_halvings(image_size),), initializer="ones", trainable=False
        )
        self.built = True  # else Keras on JAX takes a batch to build it when a training begins

    def call(self, images):
        *details, broadest = laplacian_pyramid(images)
        sharper = [self.gains[i] * level for i, level in enumerate(details)]
        return ops.clip(from_laplacian_pyramid([*sharper, broadest]), 0.0, 1.0)


def contrast_gains(images, reconstructions) -> np.ndarray:
    """Gains with which reconstructions have as much contrast as the images, one for each level.

    Contrast is the mean square of a level. The broadest level is left out.

    Args:
        images: (n, h, w, 3) in [0, 1].
        reconstructions: (n, h, w, 3), of the same faces.

    Returns:
        (levels,), from 1 to MOST_SHARPENED.
    """
    pairs = zip(laplacian_pyramid(images), laplacian_pyramid(reconstructions))
    ratios = [float(ops.mean(ops.square(a)) / ops.mean(ops.square(b))) for a, b in pairs]
    return np.clip(np.sqrt(ratios[:-1]), 1.0, MOST_SHARPENED)


def _halvings(side: int) -> int:
    count = 0
    while side > BROADEST and side % 2 == 0:
        side, count = side // 2, count + 1
    return count


def _doubled(images):
    return ops.repeat(ops.repeat(images, 2, axis=1), 2, axis=2)
