"""The scales of a picture: weights for the loss, and sharpening of decoded pictures.

A Laplacian pyramid splits a picture into levels, from single pixels to broad patches, whose sum is
the picture.
"""

import keras
import numpy as np
from keras import layers, ops

DETAIL = 1.35  # docs/recipe.md compares others
MOST_SHARPENED = 1.5  # a higher gain would only amplify the noise of a model that learned little
BROADEST = 4  # width of the last level, in patches


def laplacian_pyramid(images) -> list:
    """Split pictures into levels: (b, h, w, 3) -> list of tensors, the finest level first.

    Each level is a picture minus its means over 2 x 2 pixels: (b, h, w, 3), then
    (b, h / 2, w / 2, 3), and so on. The last level is the smallest mean picture, 4 x 4.

    Reference: Burt and Adelson, 1983; here with means and repeated pixels in place of a smooth
    filter, so that levels are orthogonal.
    """
    levels = []
    for _ in range(_halvings(images.shape[1])):
        smaller = ops.average_pool(images, 2, strides=2)  # without strides, Keras fails on JAX
        levels.append(images - _doubled(smaller))
        images = smaller
    return [*levels, images]


def from_laplacian_pyramid(levels: list):
    """Add up the levels of `laplacian_pyramid`: the pictures, (b, h, w, 3)."""
    *details, images = levels
    for detail in reversed(details):
        images = detail + _doubled(images)
    return images


def weigh_levels(errors, detail: float = DETAIL):
    """Multiply fine errors by larger weights than broad ones: (b, h, w, 3) -> the same shape.

    Errors of neighbouring pixels are correlated: a cheek that is a little too dark is wrong at a
    hundred pixels. If pixels count as independent, that is a hundred errors, and a model learns
    broad patches long before it learns edges. So the weight of each level is `detail` times that
    of the next broader one. The product of all weights is 1, so a density remains a density.

    Args:
        errors: images minus reconstructions.
        detail: the ratio of the weights of two levels; 1 leaves the errors as they are.
    """
    *fine, broad = laplacian_pyramid(errors)
    # 3/4 of the values at a level are details of its own, 1/4 belong to the broader levels. With
    # these exponents the product of the weights of all values is 1.
    fine = [detail ** (1 / 3 - i) * level for i, level in enumerate(fine)]
    return from_laplacian_pyramid([*fine, broad / detail ** len(fine)])


@keras.saving.register_keras_serializable(package="vaelib")
class Sharpen(layers.Layer):
    """Multiply each level of detail in pictures by its gain, and keep them in [0, 1].

    A decoder learns the mean of all faces that fit z, and a mean is smoother than each of them:
    hair becomes a plain surface. Sharpening restores the contrast of faces. The gains are 1 until
    `VAE.fit_sharpness` sets them after the training. The broadest level, colour and light, stays.

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
    """Gains that give reconstructions the contrast of the images, one for each level of detail.

    Contrast is the root mean square of a level.

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
    return ops.repeat(ops.repeat(images, 2, axis=2), 2, axis=1)  # whole rows last, which is faster
