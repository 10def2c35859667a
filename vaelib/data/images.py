"""Decode image files, crop them to a square and resize them with anti-aliasing."""

from collections.abc import Callable, Sequence
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image, TiffImagePlugin

from vaelib.data.reader import tf
from vaelib.sentences import say

# CelebA's aligned images are 178 x 218 with the eyes on row 111. This square of 148 pixels keeps
# the hair and the chin and leaves out most of the background.
CELEBA_SIZE = (178, 218)
CELEBA_BOX = (15, 40, 163, 188)  # left, top, right, bottom

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")  # recognised by content, not by name
# A picture is decoded whole before it is resized; one that would take more than MEMORY is refused.
MEMORY = 500_000_000  # bytes for one picture, besides its file
MOST_PIXELS = 80_000_000
LONGEST_SIDE = 65_535  # pixels, as in a JPG: decoders need memory for some rows
# Bytes per pixel, measured with the worst pictures of each format. A JPG is reduced while it is
# decoded, so only the coefficients of a progressive one take memory: two bytes per channel.
BYTES_PER_PIXEL = {"PNG": 9, "GIF": 9, "BMP": 9, "WEBP": 18, "TIFF": 20}

# The transformation that undoes each EXIF orientation; 1 is upright.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class Unsuitable(ValueError):
    """A picture is refused; the message is the rest of a sentence that begins with its name."""


def load_image(path: str | Path | BinaryIO, image_size: int = 64) -> np.ndarray:
    """Load one image file, crop it to a square and resize it.

    Args:
        path: of the file, or an open file.
        image_size: width and height in pixels.

    Returns:
        uint8 (image_size, image_size, 3).

    Raises:
        ValueError: the file is no image, is cut short, is too large, or has no colours.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            check_size(image)
            box = square_box(*image.size)
            scale = _reduction(box, image_size)
            image.draft(None, (image.width // scale, image.height // scale))  # only for JPGs
            image = as_rgb(upright(image))
    except Unsuitable as error:
        raise ValueError(f"{path} {error}: put an ordinary JPG or PNG in its place.") from None
    except Exception as error:  # of a damaged file, Pillow raises errors of many kinds
        raise ValueError(
            f"{path} is not a whole image: delete it, or fetch it again ({error})."
        ) from error
    size = (image_size, image_size)
    return np.asarray(image.resize(size, Image.Resampling.LANCZOS, box=square_box(*image.size)))


def load_alike(files: Sequence[bytes], image_size: int = 64) -> np.ndarray | None:
    """Load JPGs that are all of one size, several times as fast as `load_image` does.

    The pixels are the same up to rounding: a few differ, by two grey levels at most.

    Args:
        files: the bytes of the files.
        image_size: width and height in pixels.

    Returns:
        uint8 (n, image_size, image_size, 3); None if the files have several sizes, another format
        or colour space, or an EXIF rotation, or if one is too large or damaged.
    """
    if not all(data.startswith(b"\xff\xd8\xff") for data in files):
        return None
    if any(_turned(data) for data in files):
        return None
    from vaelib.data.resize import lanczos, resize_all

    def last(first: np.ndarray, weights: np.ndarray) -> int:
        return int(first.max()) + weights.shape[1]

    try:
        shape = tf.image.extract_jpeg_shape(files[0])
        height, width, _ = shape.numpy()
        if int(height) * int(width) > MOST_PIXELS:
            return None
        scale = _reduction(square_box(width, height), image_size)
        # As libjpeg rounds the size of a reduced image.
        width, height = -(-width // scale), -(-height // scale)
        left, top, right, bottom = square_box(width, height)
        first_row, down = lanczos(height, top, bottom, image_size)
        first_column, across = lanczos(width, left, right, image_size)
        y, x = int(first_row.min()), int(first_column.min())
        window = [y, x, last(first_row, down) - y, last(first_column, across) - x]
        images = _decode(scale)(files, shape, tf.constant(window, tf.int32)).numpy()
    except tf.errors.InvalidArgumentError:
        return None
    if images.shape[1:] == (image_size, image_size, 3) and down.shape[1] == 1:
        return images
    return resize_all(images, first_row - y, down, first_column - x, across)


def square_box(width: int, height: int) -> tuple[float, float, float, float]:
    """The square of an image that is kept, as (left, top, right, bottom) in pixels.

    It is CELEBA_BOX for CelebA's aligned images at any scale, and else the largest square around
    the centre.
    """
    if width != height and abs(width / height - CELEBA_SIZE[0] / CELEBA_SIZE[1]) < 0.01:
        scale = width / CELEBA_SIZE[0]
        left, top, right, _ = (edge * scale for edge in CELEBA_BOX)
        return left, top, right, min(top + right - left, height)
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    return left, top, left + side, top + side


def check_size(image: Image.Image) -> None:
    """Refuse a picture that would take more than MEMORY, before it is decoded.

    Raises:
        Unsuitable: it has too many pixels, or too long a side.
    """
    width, height = image.size
    if image.format == "TIFF":  # its tiles are decoded whole, and may be larger than the picture
        width = max(width, image.tag_v2.get(TiffImagePlugin.TILEWIDTH, 0))
        height = max(height, image.tag_v2.get(TiffImagePlugin.TILELENGTH, 0))
    each = BYTES_PER_PIXEL.get(image.format, 2 * len(image.getbands()))  # the latter for a JPG
    pixels, most = width * height, min(MOST_PIXELS, MEMORY // each)
    if pixels > most:
        raise Unsuitable(say("photo_pixels", pixels=pixels / 1e6, most=most / 1e6))
    if max(width, height) > LONGEST_SIDE:
        raise Unsuitable(say("photo_side", side=max(width, height), most=LONGEST_SIDE))


def upright(image: Image.Image) -> Image.Image:
    """Decode a picture and rotate it as its EXIF entries say; close the original."""
    image.load()
    turn = TURNS.get(orientation(image))
    if turn is None:
        return image
    turned = image.transpose(turn)
    image.close()  # to free its memory
    return turned


def orientation(image: Image.Image) -> int:
    """The EXIF orientation of a picture, 1 to 8; 1 (upright) if its EXIF can't be read."""
    try:
        found = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # of damaged entries, Pillow raises errors of many kinds
        return 1
    return found if found in TURNS else 1


def as_rgb(
    image: Image.Image,
    change: Callable[[Image.Image], Image.Image] = lambda strip: strip.convert("RGB"),
) -> Image.Image:
    """Convert a decoded picture to RGB, strip by strip, to save memory.

    Args:
        change: converts a strip of 8 bits per channel to RGB.

    Raises:
        Unsuitable: the picture has 32-bit numbers, and no one knows which of them is white.
    """
    if image.mode in ("I", "F"):
        raise Unsuitable("holds numbers of 32 bits instead of colours")
    if image.mode == "RGB" and not image.has_transparency_data:
        return image
    result = Image.new("RGB", image.size)
    rows = max(1, 2**18 // image.width)
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        result.paste(change(_eight_bit(strip)), (0, top))
    return result


def _eight_bit(image: Image.Image) -> Image.Image:
    # Pillow's own conversion of 16-bit grey turns all but the darkest levels white.
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) // 256).astype("uint8"))
    return image


def _turned(data: bytes) -> bool:
    if b"Exif\0\0" not in data and b"http://ns.adobe.com/xap" not in data:  # most files
        return False
    try:
        with Image.open(BytesIO(data), formats=["JPEG"]) as image:
            return orientation(image) != 1
    except Exception:  # broken
        return True


def _reduction(box: tuple[float, float, float, float], image_size: int) -> int:
    # A JPG can be decoded at 1/2, 1/4 or 1/8 of its size, from its low frequencies. That is exact
    # and fast; resizing does the rest.
    side = box[2] - box[0]
    return max(scale for scale in (1, 2, 4, 8) if scale == 1 or side >= scale * image_size)


@cache
def _decode(scale: int) -> tf.types.experimental.ConcreteFunction:
    """Make a function that decodes a window of files (n,) of one shape at 1/scale.

    It is traced here, once: else threads that call it at the same time would each trace it.
    """
    strings, numbers = tf.TensorSpec([None], tf.string), tf.TensorSpec([None], tf.int32)

    @tf.function(input_signature=[strings, numbers, numbers])
    def decode_all(files: tf.Tensor, shape: tf.Tensor, window: tf.Tensor) -> tf.Tensor:
        def decode(data: tf.Tensor) -> tf.Tensor:
            tf.debugging.assert_equal(tf.image.extract_jpeg_shape(data), [shape[0], shape[1], 3])
            # Pillow uses this method, too; TensorFlow's default differs by some grey levels.
            return tf.io.decode_and_crop_jpeg(data, window, 3, scale, dct_method="INTEGER_ACCURATE")

        return tf.map_fn(
            decode, files, fn_output_signature=tf.TensorSpec([None, None, 3], tf.uint8)
        )

    return decode_all.get_concrete_function()
