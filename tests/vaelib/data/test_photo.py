"""One's own photo: every kind of file that somebody may drop into the studio."""

import io
import json
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from vaelib.data.images import BYTES_PER_PIXEL, MEMORY
from vaelib.data.photo import LARGEST_FILE, read_photo


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


@pytest.mark.parametrize("numbers", ["float32", "int32"])
def test_numbers_that_are_no_colours_are_one_sentence(numbers, one_sentence):
    """A TIFF from 0.0 to 1.0 would be black; nobody knows what is white in 32 bits."""
    image = Image.fromarray(np.linspace(0, 1, 64).reshape(8, 8).astype(numbers))
    with pytest.raises(ValueError) as error:
        read_photo(saved(image, "TIFF"), "me.tif")
    one_sentence(error.value, "me.tif", "32 bits", "choose")


def test_exif_that_cannot_be_written_does_not_stop_a_photo():
    width = struct.pack("<HHIi", 0x100, 9, 1, -1)
    turned = struct.pack("<HHII", 0x112, 3, 1, 6)
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 2) + width + turned + bytes(4)
    image = quarters().transpose(Image.Transpose.ROTATE_90)
    face = read_photo(saved(image, "JPEG", quality=95, exif=exif), "me.jpg")
    np.testing.assert_allclose(corners(face), QUARTERS, atol=0.15)


# Pictures that are small as files and large in memory


def chunk(kind: bytes, content: bytes) -> bytes:
    """A part of a PNG file."""
    sum_ = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", sum_)


def zeros(count: int) -> bytes:
    """So many zeros, deflated."""
    deflate, megabyte = zlib.compressobj(), bytes(2**20)
    parts = [deflate.compress(megabyte) for _ in range(count // 2**20)]
    return b"".join(parts) + deflate.compress(bytes(count % 2**20)) + deflate.flush()


def png(width: int, height: int, whole: bool = False) -> bytes:
    """A PNG file, transparent and turned, of which all or the first megabyte is there."""
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    exif = Image.Exif()
    exif[0x0112] = 6
    content = zeros((1 + 4 * width) * height if whole else 1_000_000)
    parts = chunk(b"IHDR", header), chunk(b"eXIf", exif.tobytes()[6:]), chunk(b"IDAT", content)
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b"")


def tiff(width: int, height: int, tile: int) -> bytes:
    """A TIFF file of one tile, 16 bits per channel, transparent and turned."""
    content = zeros(8 * tile * tile)
    entries = [
        [(256, 4, width), (257, 4, height), (258, 3, 0), (259, 3, 8), (262, 3, 2), (274, 3, 6)],
        [(277, 3, 4), (322, 4, tile), (323, 4, tile), (324, 4, 0), (325, 4, len(content))],
        [(338, 3, 2), (339, 3, 0)],
    ]
    entries = [entry for some in entries for entry in some]
    end = 8 + 2 + 12 * len(entries) + 4
    places = {258: (4, end), 324: (1, end + 16), 339: (4, end + 8)}
    file = b"II*\0" + struct.pack("<IH", 8, len(entries))
    for tag, kind, value in entries:
        count, value = places.get(tag, (1, value))
        file += struct.pack("<HHII", tag, kind, count, value)
    return file + bytes(4) + struct.pack("<8H", 16, 16, 16, 16, 1, 1, 1, 1) + content


@pytest.mark.parametrize("size", [(20_000, 10_000), (8_000, 7_000), (2**30, 2**30)])
@pytest.mark.filterwarnings("error")
def test_a_bomb_is_refused_before_it_is_decoded(size, one_sentence):
    with pytest.raises(ValueError) as error:
        read_photo(png(*size), "bomb.png")
    one_sentence(error.value, "bomb.png", "million pixels", "smaller")


def test_a_picture_that_is_long_and_thin_is_refused(one_sentence):
    with pytest.raises(ValueError) as error:
        read_photo(png(70_000, 5), "bomb.png")
    one_sentence(error.value, "bomb.png", "side of 70,000 pixels", "smaller")


def test_a_small_picture_with_a_huge_tile_is_refused(one_sentence):
    assert read_photo(tiff(64, 64, 64), "me.tif").max() == 1  # nothing is wrong with a small one
    with pytest.raises(ValueError) as error:
        read_photo(tiff(64, 64, 6000), "bomb.tif")
    one_sentence(error.value, "bomb.tif", "36.0 million pixels", "smaller")


MEASURE = """
import json, re, sys
from pathlib import Path
from vaelib.data.photo import read_photo
from vaelib.data.images import load_image

def memory(what):
    return 1024 * int(re.search(what + r":\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

for path in sys.argv[1:]:
    for read in (lambda: read_photo(Path(path).read_bytes(), path), lambda: load_image(path)):
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        before, error = memory("VmRSS"), ""
        try:
            read()
        except ValueError as refused:
            error = str(refused)
        print(json.dumps([memory("VmHWM") - before, error]))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="peaks of memory are measured by Linux")
def test_no_picture_takes_more_memory_than_we_say(tmp_path):
    """The worst of each format: transparent, turned, 16 bits, with more than one scan."""
    width = height = 4000  # 16 million pixels
    exif = Image.Exif()
    exif[0x0112] = 6
    clear = Image.new("RGBA", (width, height), (200, 10, 10, 100))
    options = {"WEBP": {"lossless": True, "quality": 0, "method": 0, "exif": exif}}
    pictures = {"PNG": png(width, height, whole=True), "TIFF": tiff(width, height, width)}
    pictures["WEBP"] = saved(clear, "WEBP", **options["WEBP"])
    pictures["GIF"] = saved(clear.convert("P"), "GIF", transparency=0)
    pictures["BMP"] = saved(clear.convert("L"), "BMP")
    pictures["JPEG"] = saved(clear.convert("RGB"), "JPEG", progressive=True, subsampling=0)
    wide = saved(Image.new("RGBA", (16_383, 4_880)), "WEBP", lossless=True, quality=0, method=0)
    assert len(wide) < 5000
    pictures |= {"a wide WebP": wide, "a large PNG": png(10_000, 7_900, whole=True)}
    for name, data in pictures.items():
        (tmp_path / name).write_bytes(data)
    paths = [str(tmp_path / name) for name in pictures]
    result = subprocess.run(
        [sys.executable, "-c", MEASURE, *paths], capture_output=True, text=True, check=True
    )
    measured = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(measured) == 2 * len(pictures)
    for (peak, error), name in zip(measured, [name for name in pictures for _ in range(2)]):
        if name in ("a wide WebP", "a large PNG"):
            assert "million pixels" in error
            assert peak < MEMORY / 2, name
        else:
            assert not error
            assert peak < BYTES_PER_PIXEL.get(name, 6) * width * height + 2**23, name


def test_a_huge_file_is_refused(one_sentence):
    with pytest.raises(ValueError) as error:
        read_photo(bytes(LARGEST_FILE + 1), "film.mov")
    one_sentence(error.value, "film.mov", "50 MB")
