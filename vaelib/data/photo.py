"""Read a user's own photo."""

import io
import warnings

import numpy as np
from PIL import Image

from vaelib.data.images import FORMATS, Unsuitable, as_rgb, check_size, square_box, upright
from vaelib.sentences import say

LARGEST_FILE = 50_000_000  # bytes


def read_photo(data: bytes, name: str, image_size: int = 64) -> np.ndarray:
    """Read a picture, rotate it upright, crop it to a square and resize it.

    Transparent parts become white.

    Args:
        data: the bytes of the file.
        name: of the file, for messages.
        image_size: width and height in pixels.

    Returns:
        float32 (image_size, image_size, 3) in [0, 1].

    Raises:
        ValueError: it is no picture or of an unknown format, is cut short, is too large, or has
            no colours (one sentence that names it).
    """
    if len(data) > LARGEST_FILE:
        raise ValueError(say("photo_bytes", name=name, megabytes=len(data) / 1e6))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", Image.DecompressionBombWarning
            )  # `check_size` has a lower limit
            image = Image.open(io.BytesIO(data), formats=FORMATS)
        check_size(image)
        image.draft("RGB", (4 * image_size, 4 * image_size))  # a JPG need not be decoded whole
        image = upright(image)
        image = as_rgb(image, _on_white) if image.has_transparency_data else as_rgb(image)
    except Unsuitable as error:
        raise ValueError(say("photo_unsuitable", name=name, reason=error)) from None
    except Image.DecompressionBombError:
        raise ValueError(say("photo_bomb", name=name)) from None
    except Exception as error:  # of a damaged file, Pillow raises errors of many kinds
        raise ValueError(say("photo_unreadable", name=name)) from error
    size = (image_size, image_size)
    image = image.resize(size, Image.Resampling.LANCZOS, box=square_box(*image.size))
    return np.asarray(image, "float32") / 255


def _on_white(image: Image.Image) -> Image.Image:
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
