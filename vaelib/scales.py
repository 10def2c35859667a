"""The scales of a picture: weights for the loss, sharpening for the eye."""

import math

import keras
from keras import layers, ops

DETAIL = 1.35  # docs/recipe.md compares others
MOST_SHARPENED = 1.5  # a model that has learned little has no detail, and noise is none


@keras.saving.register_keras_serializable(package="vaelib")
class Sharpen(layers.Layer):
    """Give a decoder's pictures back the contrast that faces have, when the training is over.

    A decoder learns to answer with the mean of all faces that fit z, and a mean is smoother than
    each of them: hair becomes a plain surface. So each scale of detail (see `split_scales`) is
    multiplied by its gain, except the broadest, which is colour and light. `VAE.fit_sharpness`
    finds the gains; they are 1 before, and in training nothing is sharpened.

    Called with images (b, h, w, 3) in [0, 1]; returns the same shape, in [0, 1].
    """

    def build(self, input_shape):
        scales = max(0, int(math.log2(input_shape[1] // 4)))
        self.gains = self.add_weight(shape=(scales,), initializer="ones", trainable=False)

    def call(self, images, training=None):
        if training:
            return images
        *details, broadest = split_scales(images)
        sharper = [self.gains[i] * detail for i, detail in enumerate(details)]
        return ops.clip(join_scales([*sharper, broadest]), 0.0, 1.0)


def split_scales(images) -> list:
    """What pictures have at each size of detail: (b, h, w, 3) -> a list of tensors.

    Means over 2 x 2 pixels, again and again, leave ever broader patches: first in the list is what
    the first means leave out, (b, h, w, 3); then what the second leave out, (b, h / 2, w / 2, 3);
    last, the means over the broadest patches, 4 to a side. `join_scales` adds all up again.
    """
    scales = []
    while images.shape[1] > 4 and images.shape[1] % 2 == 0:
        broad = ops.average_pool(images, 2)  # a quarter of the values
        scales.append(images - _double(broad))
        images = broad
    return [*scales, images]


def join_scales(scales: list):
    """The pictures that `split_scales` took apart."""
    *details, images = scales
    for detail in reversed(details):
        images = detail + _double(images)
    return images


def whiten(errors, detail: float = DETAIL):
    """Errors with fine detail made larger and broad patches smaller: (b, h, w, 3) -> the same.

    Neighbouring pixels err together: a cheek that is a little too dark is wrong at a hundred
    pixels. If pixels count as independent, that is a hundred mistakes, and a model cares for broad
    patches long before it cares for edges. So the factor of each scale is `detail` times that of
    the next broader one. All factors of all values multiply to 1, so a density remains a density.

    Args:
        errors: images minus reconstructions.
        detail: 1 changes nothing.
    """
    *fine, broad = split_scales(errors)
    fine = [detail ** (1 / 3 - level) * scale for level, scale in enumerate(fine)]
    return join_scales([*fine, broad / detail ** len(fine)])


def _double(images):
    return ops.repeat(ops.repeat(images, 2, axis=1), 2, axis=2)
