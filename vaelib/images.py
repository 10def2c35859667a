"""From image files to squares of pixels, cropped as CelebA is aligned and resized smoothly."""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
import tensorflow as tf
from PIL import Image, ImageOps

# CelebA's aligned images are 178 x 218 with the eyes on row 111. This square of 148 pixels keeps
# the hair and the chin and leaves out most of the background.
CELEBA_SIZE = (178, 218)
CELEBA_BOX = (15, 40, 163, 188)  # left, top, right, bottom

# The EXIF entry that turns or mirrors an image, in either byte order: tag, type, count, 2 to 8.
TURNED = re.compile(rb"\x01\x12\0\x03\0\0\0\x01\0[\x02-\x08]|\x12\x01\x03\0\x01\0\0\0[\x02-\x08]")


def load_image(path: str | Path | BinaryIO, image_size: int = 64) -> np.ndarray:
    """One image file, cropped to a square and resized: uint8 (image_size, image_size, 3).

    Raises:
        ValueError: the file is no image, or only a part of one.
    """
    try:
        with Image.open(path) as image:
            box = square_box(*image.size)
            scale = _reduction(box, image_size)
            image.draft(None, (image.width // scale, image.height // scale))  # JPGs alone
            image = eight_bit(ImageOps.exif_transpose(image)).convert("RGB")
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(
            f"{path} is not a whole image: delete it, or fetch it again ({error})."
        ) from error
    size = (image_size, image_size)
    return np.asarray(image.resize(size, Image.Resampling.LANCZOS, box=square_box(*image.size)))


def load_alike(files: Sequence[bytes], image_size: int = 64) -> np.ndarray | None:
    """What `load_image` makes of JPGs that are all of one size, several times as fast.

    The pixels are the same, but for roundings: two grey levels at most, and in few pixels.

    Args:
        files: the bytes of the files.
        image_size: in pixels.

    Returns:
        uint8 (n, image_size, image_size, 3); or None where they are something else: of several
        sizes, of another format or colour space, turned by an EXIF tag, or broken.
    """
    if not all(data.startswith(b"\xff\xd8\xff") for data in files):
        return None
    if any(TURNED.search(data, 0, 1024) for data in files):  # it stands near the beginning
        return None
    from vaelib.resize import lanczos, resize_all  # here: numba takes a moment to start

    def last(first: np.ndarray, weights: np.ndarray) -> int:
        return int(first.max()) + weights.shape[1]

    try:
        shape = tf.image.extract_jpeg_shape(files[0])
        height, width, _ = shape.numpy()
        scale = _reduction(square_box(width, height), image_size)
        # As libjpeg rounds the size of a reduced image.
        width, height = -(-width // scale), -(-height // scale)
        left, top, right, bottom = square_box(width, height)
        first_row, down = lanczos(height, top, bottom, image_size)
        first_column, across = lanczos(width, left, right, image_size)
        y, x = int(first_row.min()), int(first_column.min())
        window = [y, x, last(first_row, down) - y, last(first_column, across) - x]
        images = _decode(scale)(files, shape, window).numpy()
    except tf.errors.InvalidArgumentError:
        return None
    if images.shape[1:] == (image_size, image_size, 3) and down.shape[1] == 1:
        return images
    return resize_all(images, first_row - y, down, first_column - x, across)


def square_box(width: int, height: int) -> tuple[float, float, float, float]:
    """The square to keep of an image, as (left, top, right, bottom) in pixels.

    For CelebA's aligned images, at any scale, it is CELEBA_BOX; else the largest square around
    the centre.
    """
    if width != height and abs(width / height - CELEBA_SIZE[0] / CELEBA_SIZE[1]) < 0.01:
        scale = width / CELEBA_SIZE[0]
        left, top, right, _ = (edge * scale for edge in CELEBA_BOX)
        return left, top, right, min(top + right - left, height)
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    return left, top, left + side, top + side


def eight_bit(image: Image.Image) -> Image.Image:
    """16-bit grey as 8-bit grey; any other image as it is."""
    # Pillow's own conversion of 16-bit grey would turn all but the darkest levels white.
    if image.mode.startswith("I"):
        return Image.fromarray((np.asarray(image).clip(0, 65535) // 256).astype("uint8"))
    return image


def _reduction(box: tuple[float, float, float, float], image_size: int) -> int:
    # A JPG can be decoded at 1/2, 1/4 or 1/8 of its size, from the low frequencies alone. That is
    # exact and quick; resizing does the rest.
    side = box[2] - box[0]
    return max(scale for scale in (1, 2, 4, 8) if scale == 1 or side >= scale * image_size)


@cache
def _decode(scale: int) -> tf.types.experimental.PolymorphicFunction:
    """Makes a function of files (n,), their shape, and the window to decode, at 1/scale."""
    strings, numbers = tf.TensorSpec([None], tf.string), tf.TensorSpec([None], tf.int32)

    @tf.function(input_signature=[strings, numbers, numbers])
    def decode_all(files: tf.Tensor, shape: tf.Tensor, window: tf.Tensor) -> tf.Tensor:
        def decode(data: tf.Tensor) -> tf.Tensor:
            tf.debugging.assert_equal(tf.image.extract_jpeg_shape(data), [shape[0], shape[1], 3])
            # "Accurate" is what Pillow does, too; TensorFlow's default differs by some levels.
            return tf.io.decode_and_crop_jpeg(data, window, 3, scale, dct_method="INTEGER_ACCURATE")

        return tf.map_fn(
            decode, files, fn_output_signature=tf.TensorSpec([None, None, 3], tf.uint8)
        )

    return decode_all
