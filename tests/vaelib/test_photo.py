"""One's own photo: every kind of file that somebody may drop into the studio."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from vaelib.photo import LARGEST_FILE, MOST_PIXELS, read_photo


def saved(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def quarters(size=(80, 80)) -> Image.Image:
    """Red and green above, blue and white below."""
    image = Image.new("RGB", size, "white")
    width, height = size[0] // 2, size[1] // 2
    for colour, corner in (("red", (0, 0)), ("lime", (width, 0)), ("blue", (0, height))):
        image.paste(colour, (*corner, corner[0] + width, corner[1] + height))
    return image


def corners(face: np.ndarray) -> list:
    """The colours in the four corners, row by row."""
    return [tuple(face[y, x].round(1)) for y in (2, -3) for x in (2, -3)]


QUARTERS = [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1)]


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP", "GIF"])
def test_pictures_of_all_kinds_are_read(kind):
    options = {"lossless": True} if kind == "WEBP" else {}
    face = read_photo(saved(quarters(), kind, **options), "me")
    assert (face.shape, face.dtype) == ((64, 64, 3), np.float32)
    assert corners(face) == QUARTERS


def test_a_large_jpg_is_read():
    face = read_photo(saved(quarters((3000, 3000)), "JPEG", quality=95), "me.jpg")
    np.testing.assert_allclose(corners(face), QUARTERS, atol=0.1)


@pytest.mark.parametrize("size", [(160, 80), (80, 200)])
def test_the_square_in_the_middle_is_kept(size):
    image = Image.new("RGB", size, "black")
    image.paste(quarters(), ((size[0] - 80) // 2, (size[1] - 80) // 2))
    assert corners(read_photo(saved(image), "me")) == QUARTERS


def test_a_phone_held_upright_gives_an_upright_face():
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter, clockwise
    turned = quarters().transpose(Image.Transpose.ROTATE_90)
    face = read_photo(saved(turned, "JPEG", quality=95, exif=exif), "me.jpg")
    np.testing.assert_allclose(corners(face), QUARTERS, atol=0.15)


def test_what_is_transparent_becomes_white():
    image = quarters().convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 40, 40))
    assert corners(read_photo(saved(image), "me")) == [(1, 1, 1), *QUARTERS[1:]]


@pytest.mark.parametrize("mode", ["L", "LA", "I;16", "1", "P", "CMYK"])
def test_grey_sixteen_bit_and_other_colours_are_read(mode):
    grey = Image.new("L", (80, 80), 255)
    grey.paste(0, (0, 0, 40, 80))
    if mode == "I;16":
        image = Image.fromarray(np.asarray(grey).astype("uint16") * 257)
    else:
        image = grey.convert("RGB").convert(mode)
    kind = "TIFF" if mode == "CMYK" else "PNG"
    assert corners(read_photo(saved(image, kind), "me")) == [(0, 0, 0), (1, 1, 1)] * 2


@pytest.mark.parametrize(
    "data",
    [b"", b"hello", saved(quarters())[:100], saved(quarters(), "JPEG")[:300], b"<svg></svg>"],
    ids=["empty", "text", "half a png", "half a jpg", "svg"],
)
def test_what_is_no_picture_is_one_sentence(data, one_sentence):
    with pytest.raises(ValueError) as error:
        read_photo(data, "me.png")
    one_sentence(error.value, "me.png", "can't be read", "choose")


def bomb(width: int, height: int) -> bytes:
    """A PNG file of a few kilobytes that claims to be very large."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        sum_ = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", sum_)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    content = zlib.compress(bytes(1_000_000))
    parts = chunk(b"IHDR", header), chunk(b"IDAT", content), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize("size", [(20_000, 10_000), (10_000, 9_000), (2**30, 2**30)])
@pytest.mark.filterwarnings("error")
def test_a_bomb_is_refused_before_it_is_decoded(size, one_sentence):
    with pytest.raises(ValueError) as error:
        read_photo(bomb(*size), "bomb.png")
    one_sentence(error.value, "bomb.png", "million", "smaller")
    assert size[0] * size[1] > MOST_PIXELS


def test_a_huge_file_is_refused(one_sentence):
    with pytest.raises(ValueError) as error:
        read_photo(bytes(LARGEST_FILE + 1), "film.mov")
    one_sentence(error.value, "film.mov", "50 MB")
