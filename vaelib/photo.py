"""One's own photo: from the bytes of a picture file to a face for the model."""

import io
import warnings

import numpy as np
from PIL import Image, ImageOps

from vaelib.images import eight_bit, square_box

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
LARGEST_FILE = 50_000_000  # bytes
MOST_PIXELS = 80_000_000  # decoded, that takes 240 MB


def read_photo(data: bytes, name: str, image_size: int = 64) -> np.ndarray:
    """A picture, upright, on white where it is transparent, its central square, resized.

    Args:
        data: the bytes of the file.
        name: what messages call it.
        image_size: in pixels.

    Returns:
        float32 (image_size, image_size, 3) in [0, 1].

    Raises:
        ValueError: no picture, one in a format that we don't read, only a part of one, or one
            that is too large (one sentence that names it).
    """
    if len(data) > LARGEST_FILE:
        raise ValueError(_too_large(name, f"{len(data) / 1e6:.0f} MB", "50 MB"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our limit is lower
            image = Image.open(io.BytesIO(data), formats=FORMATS)
        pixels = image.width * image.height
        if pixels <= MOST_PIXELS:
            image.draft("RGB", (4 * image_size, 4 * image_size))  # a JPG need not be decoded whole
            image = _on_white(eight_bit(ImageOps.exif_transpose(image)))
    except Image.DecompressionBombError:
        raise ValueError(_too_large(name, "over 170 million pixels", "80 million")) from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise ValueError(
            f"{name} can't be read as a picture: choose a whole JPG, PNG or WebP file."
        ) from error
    if pixels > MOST_PIXELS:
        raise ValueError(_too_large(name, f"{pixels / 1e6:.0f} million pixels", "80 million"))
    size = (image_size, image_size)
    image = image.resize(size, Image.Resampling.LANCZOS, box=square_box(*image.size))
    return np.asarray(image, "float32") / 255


def _too_large(name: str, size: str, limit: str) -> str:
    return f"{name} has {size}, more than {limit}: choose a smaller picture."


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
