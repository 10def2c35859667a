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

    The pixels are the same, but for roundings: one grey level at most.

    Args:
        files: the bytes of the files.
        image_size: in pixels.

    Returns:
        uint8 (n, image_size, image_size, 3); or None where they are something else: of several
        sizes, of another format or colour space, turned by an EXIF tag, or broken.
    """
    if not all(data.startswith(b"\xff\xd8\xff") for data in files):
        return None
    if any(TURNED.search(data, 0, 1 << 16) for data in files):
        return None
    try:
        shape = tf.image.extract_jpeg_shape(files[0])
        height, width, _ = shape.numpy()
        scale = _reduction(square_box(width, height), image_size)
        # As libjpeg rounds the size of a reduced image.
        width, height = -(-width // scale), -(-height // scale)
        left, top, right, bottom = square_box(width, height)
        first_row, down = _lanczos(height, top, bottom, image_size)
        first_column, across = _lanczos(width, left, right, image_size)
        window = [first_row, first_column, down.shape[1], across.shape[1]]
        return _decode_and_resize(scale)(files, shape, window, down, across).numpy()
    except tf.errors.InvalidArgumentError:
        return None


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
def _decode_and_resize(scale: int) -> tf.types.experimental.PolymorphicFunction:
    """Makes a function of files (n,), their shape, a window, and the weights of its two sides."""

    def to_pixels(x: tf.Tensor) -> tf.Tensor:
        return tf.clip_by_value(tf.round(x), 0, 255)

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.string),
            tf.TensorSpec([3], tf.int32),
            tf.TensorSpec([4], tf.int32),
            tf.TensorSpec([None, None], tf.float32),
            tf.TensorSpec([None, None], tf.float32),
        ]
    )
    def decode_and_resize(
        files: tf.Tensor, shape: tf.Tensor, window: tf.Tensor, down: tf.Tensor, across: tf.Tensor
    ) -> tf.Tensor:
        def decode(data: tf.Tensor) -> tf.Tensor:
            tf.debugging.assert_equal(tf.image.extract_jpeg_shape(data), [shape[0], shape[1], 3])
            # "Accurate" is what Pillow does, too; TensorFlow's default differs by some levels.
            return tf.io.decode_and_crop_jpeg(data, window, 3, scale, dct_method="INTEGER_ACCURATE")

        spec = tf.TensorSpec([None, None, 3], tf.uint8)
        images = tf.map_fn(decode, files, fn_output_signature=spec)
        size = tf.shape(down)[0]
        n, h, w = tf.unstack(tf.shape(images)[:3])
        rows = tf.reshape(tf.transpose(tf.cast(images, tf.float32), (0, 1, 3, 2)), (-1, w))
        rows = to_pixels(tf.matmul(rows, across, transpose_b=True))
        pixels = to_pixels(tf.matmul(down[None], tf.reshape(rows, (n, h, 3 * size))))
        pixels = tf.transpose(tf.reshape(pixels, (n, size, 3, size)), (0, 1, 3, 2))
        return tf.cast(pixels, tf.uint8)

    return decode_and_resize


@cache
def _lanczos(length: int, start: float, end: float, size: int) -> tuple[int, np.ndarray]:
    """How to resize the part of a row of pixels from start to end, with anti-aliasing.

    Returns:
        The first pixel that has a say, and the weights (size, pixels) from that one on.
    """
    step = (end - start) / size
    stretch = max(step, 1.0)  # when an image shrinks, each new pixel sees as many more old ones
    centres = start + (np.arange(size) + 0.5) * step
    distance = (np.arange(length) + 0.5 - centres[:, None]) / stretch
    weights = np.where(np.abs(distance) < 3, np.sinc(distance) * np.sinc(distance / 3), 0)
    weights[np.abs(weights) < 1e-9] = 0  # what is 0 but for rounding
    seen = np.flatnonzero(weights.any(axis=0))
    weights = (weights / weights.sum(axis=1, keepdims=True)).astype("float32")
    return int(seen[0]), weights[:, seen[0] : seen[-1] + 1]
