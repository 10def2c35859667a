"""Images in rows, and images as the bytes of picture files."""

from io import BytesIO

import numpy as np
from PIL import Image


def image_grid(images: np.ndarray, columns: int, gap: int = 2) -> np.ndarray:
    """Images side by side on white: (n, h, w, 3) in [0, 1] -> uint8 (rows * h, columns * w, 3).

    `gap` is the number of white pixels between images. Values are kept as they are: 0 is black
    and 1 is white, in every image.
    """
    count, height, width, channels = images.shape
    rows = -(-count // columns)
    shape = (rows * (height + gap) - gap, columns * (width + gap) - gap, channels)
    grid = np.full(shape, 255, "uint8")
    for i, image in enumerate(np.clip(images, 0, 1)):
        top, left = (i // columns) * (height + gap), (i % columns) * (width + gap)
        grid[top : top + height, left : left + width] = np.round(image * 255)
    return grid


def png_bytes(image: np.ndarray) -> bytes:
    """One image (h, w, 3) in [0, 1] as the bytes of a PNG file."""
    file = BytesIO()
    Image.fromarray(image_grid(image[None], 1)).save(file, "png", compress_level=1)
    return file.getvalue()


def jpg_bytes(picture: np.ndarray, quality: int = 88) -> bytes:
    """A picture, uint8 (h, w, 3), as the bytes of a JPG file."""
    file = BytesIO()
    Image.fromarray(picture).save(file, "jpeg", quality=quality)
    return file.getvalue()


def read_image(file: bytes) -> np.ndarray:
    """The image in the bytes of a PNG or JPG file: (h, w, 3) in [0, 1]."""
    return np.asarray(Image.open(BytesIO(file))) / 255
