"""Film: exposure, scaling, blur and grain turn light into a picture."""

import numpy as np
from PIL import Image

from portraits.maths import Array, clip01
from portraits.people.traits import Photo, Traits

_GAMMA = np.float32(1 / 2.2)
_SHOULDER = np.float32(0.42)  # linear light up to here stays as it is; brighter light is compressed
_GRAIN = 0.008


def finish(person: Traits, image: Array, width: int, height: int) -> Array:
    """Turn linear light (3, height, width) into the picture: uint8 (height, width, 3)."""
    drawn = _develop(image, person.photo.exposure)
    picture = Image.fromarray(drawn).resize((width, height), Image.Resampling.HAMMING)
    picture = np.asarray(picture, np.float32) / 255
    if person.photo.blur:
        picture = _blur(picture, person.photo.blur * width / 64)
    picture = picture + _grain(person.photo, picture.shape)
    return (clip01(picture) * 255 + 0.5).astype(np.uint8)


def _develop(image: Array, exposure: float) -> Array:
    """Turn linear light (3, height, width) into screen colours: uint8 (height, width, 3)."""
    image = image * np.float32(exposure)
    above = np.maximum(image - _SHOULDER, 0)  # compress highlights
    rest = 1 - _SHOULDER
    image = np.minimum(image, _SHOULDER) + above * rest / (above + rest)
    return (image**_GAMMA * 255 + 0.5).astype(np.uint8).transpose(1, 2, 0)


def _blur(picture: Array, sigma: float) -> Array:
    """Blur a picture (height, width, 3) with a Gaussian; it is mirrored at its edges."""
    radius = int(4 * sigma + 0.5)
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    kernel = (kernel / kernel.sum()).astype(np.float32)
    for axis in (0, 1):
        margin = [(0, 0)] * 3
        margin[axis] = (radius, radius)
        padded = np.moveaxis(np.pad(picture, margin, "symmetric"), axis, 0)
        n = len(padded) - 2 * radius
        blurred = sum(weight * padded[i : i + n] for i, weight in enumerate(kernel))
        picture = np.moveaxis(blurred, 0, axis)
    return picture


def _grain(photo: Photo, shape: tuple[int, ...]) -> Array:
    """Make film grain, the same for the same person and size."""
    generator = np.random.PCG64()
    state, increment = photo.grain
    generator.state = {
        "bit_generator": "PCG64",
        "state": {"state": state, "inc": increment},
        "has_uint32": 0,
        "uinteger": 0,
    }
    return np.random.Generator(generator).standard_normal(shape, np.float32) * np.float32(_GRAIN)
