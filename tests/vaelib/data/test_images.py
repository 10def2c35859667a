"""From files to squares of pixels: crops, anti-aliasing, kinds of files, and the fast way."""

import struct
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest
from PIL import Image

from vaelib.data import images
from vaelib.data.images import load_alike, load_image, square_box


def test_celebas_box_keeps_its_scale():
    assert square_box(178, 218) == (15, 40, 163, 188)
    assert square_box(89, 109) == (7.5, 20, 81.5, 94)
    assert square_box(356, 436) == (30, 80, 326, 376)


@pytest.mark.parametrize(
    ("size", "box"),
    [
        ((64, 64), (0, 0, 64, 64)),
        ((100, 60), (20, 0, 80, 60)),
        ((60, 101), (0, 20.5, 60, 80.5)),
        ((1, 1), (0, 0, 1, 1)),
    ],
)
def test_other_images_keep_the_largest_square_around_the_centre(size, box):
    assert square_box(*size) == box


def test_every_box_is_a_square_within_the_image():
    for width in range(1, 260):
        for height in {width, width + 1, round(width * 218 / 178), 2 * width, 300}:
            left, top, right, bottom = square_box(width, height)
            assert 0 <= left < right <= width
            assert 0 <= top < bottom <= height
            assert right - left == pytest.approx(bottom - top)


def disc(width: int, height: int, centre, radius: float) -> Image.Image:
    rows, columns = np.mgrid[:height, :width] + 0.5
    inside = (columns - centre[0]) ** 2 + (rows - centre[1]) ** 2 <= radius**2
    return Image.fromarray(np.where(inside, 255, 0).astype("uint8")).convert("RGB")


@pytest.mark.parametrize(
    ("size", "centre", "radius"),
    [
        ((178, 218), (89, 114), 50),
        ((89, 109), (44.5, 57), 25),
        ((300, 200), (150, 100), 70),
        ((150, 320), (75, 160), 50),
        ((64, 64), (32, 32), 20),
    ],
)
def test_a_circle_stays_a_circle_in_the_middle(tmp_path, size, centre, radius):
    disc(*size, centre, radius).save(tmp_path / "disc.jpg", quality=100, subsampling=0)
    pixels = load_image(tmp_path / "disc.jpg", 64)
    inside = pixels[..., 0] > 127
    rows, columns = np.nonzero(inside)
    side = square_box(*size)[2] - square_box(*size)[0]
    expected = 2 * radius * 64 / side
    assert np.ptp(rows) + 1 == pytest.approx(expected, abs=1.5)
    assert np.ptp(columns) + 1 == pytest.approx(expected, abs=1.5)
    assert (rows.mean(), columns.mean()) == pytest.approx((31.5, 31.5), abs=0.5)
    assert inside.sum() == pytest.approx(np.pi * expected**2 / 4, rel=0.05)


def test_celebas_eyes_land_where_they_should(tmp_path):
    """CelebA aligns the eyes to row 111: that is (111 - 40) / 148 of the way down the square."""
    pixels = np.zeros((218, 178, 3), "uint8")
    pixels[110:113] = 255
    Image.fromarray(pixels).save(tmp_path / "eyes.jpg", quality=100)
    rows = load_image(tmp_path / "eyes.jpg", 64)[..., 0].astype(float).sum(axis=1)
    centre = (rows * (np.arange(64) + 0.5)).sum() / rows.sum()
    assert centre == pytest.approx((111.5 - 40) / 148 * 64, abs=0.3)


def test_a_fine_checkerboard_turns_grey(tmp_path):
    board = (np.indices((256, 256)).sum(axis=0) % 2 * 255).astype("uint8")
    Image.fromarray(board).convert("RGB").save(tmp_path / "board.jpg", quality=100, subsampling=0)
    pixels = load_image(tmp_path / "board.jpg", 32).astype(float)
    assert pixels.mean() == pytest.approx(127.5, abs=2)
    assert pixels[2:-2, 2:-2].std() < 3  # without anti-aliasing, 127


@pytest.mark.parametrize("size", [1, 7, 16, 64])
def test_an_image_has_the_size_asked_for_even_if_it_is_smaller(tmp_path, size):
    Image.new("RGB", (size, size), (10, 200, 30)).save(tmp_path / "small.png")
    (tmp_path / "small.png").rename(tmp_path / "small.jpg")
    pixels = load_image(tmp_path / "small.jpg", 32)
    assert pixels.shape == (32, 32, 3)
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels, np.broadcast_to([10, 200, 30], (32, 32, 3)))


def saved(path: Path, image: Image.Image, format: str, **options) -> Path:
    image.save(path, format, **options)
    return path


def test_a_grey_image_becomes_three_equal_channels(tmp_path):
    path = saved(tmp_path / "grey.jpg", Image.new("L", (40, 40), 90), "JPEG")
    np.testing.assert_array_equal(load_image(path, 32), np.full((32, 32, 3), 90))


def test_a_png_with_transparency_named_jpg_is_read(tmp_path):
    path = saved(tmp_path / "rgba.jpg", Image.new("RGBA", (40, 40), (10, 20, 30, 255)), "PNG")
    np.testing.assert_array_equal(load_image(path, 32), np.broadcast_to([10, 20, 30], (32, 32, 3)))


def test_a_palette_image_is_read(tmp_path):
    path = saved(tmp_path / "p.jpg", Image.new("RGB", (40, 40), (255, 0, 0)).convert("P"), "PNG")
    np.testing.assert_array_equal(load_image(path, 32), np.broadcast_to([255, 0, 0], (32, 32, 3)))


def test_a_cmyk_jpg_is_read(tmp_path):
    path = saved(tmp_path / "cmyk.jpg", Image.new("CMYK", (40, 40), (0, 255, 255, 0)), "JPEG")
    np.testing.assert_allclose(load_image(path, 32)[16, 16], [255, 0, 0], atol=3)


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_a_16_bit_image_keeps_its_grey_levels(tmp_path, format):
    """Half of 65,535 is half of 255; Pillow alone would cut everything above 255 to white."""
    ramp = np.repeat(np.linspace(0, 65535, 32).astype("uint16")[:, None], 32, axis=1)
    path = saved(tmp_path / "deep.jpg", Image.fromarray(ramp), format)
    pixels = load_image(path, 32)
    np.testing.assert_allclose(pixels[..., 1], ramp / 257, atol=1)
    assert (pixels[..., 0] == pixels[..., 2]).all()


@pytest.mark.parametrize(
    ("orientation", "corner"), [(1, (0, 0)), (3, (-1, -1)), (6, (0, -1)), (8, (-1, 0))]
)
def test_a_turned_photograph_is_turned_upright(tmp_path, orientation, corner):
    """A bright corner moves as the EXIF tag says: 3 turns half, 6 and 8 a quarter."""
    pixels = np.zeros((64, 64, 3), "uint8")
    pixels[:16, :16] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(tmp_path / "turned.jpg", Image.fromarray(pixels), "JPEG", exif=exif)
    upright = load_image(path, 32)
    assert upright[corner].min() > 200
    assert (upright > 127).mean() == pytest.approx(1 / 16, abs=0.02)


def test_a_turned_photograph_is_cropped_after_turning(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = disc(178, 218, (89, 114), 50).transpose(Image.Transpose.ROTATE_90)
    path = saved(tmp_path / "turned.jpg", turned, "JPEG", exif=exif, quality=100)
    disc(178, 218, (89, 114), 50).save(tmp_path / "upright.jpg", quality=100)
    difference = load_image(path, 64).astype(int) - load_image(tmp_path / "upright.jpg", 64)
    assert abs(difference).mean() < 2


def test_a_truncated_png_is_one_sentence_too(tmp_path, one_sentence):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype("uint8")
    path = saved(tmp_path / "png.jpg", Image.fromarray(noise), "PNG")
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ValueError) as error:
        load_image(path, 32)
    one_sentence(error.value, path, "fetch it again")


@pytest.mark.parametrize("mode", ["F", "I"])
def test_numbers_that_are_no_colours_are_one_sentence(tmp_path, mode, one_sentence):
    """A TIFF from 0.0 to 1.0 would be black; nobody knows what is white in 32 bits."""
    numbers = np.linspace(0, 1, 64).reshape(8, 8).astype("float32" if mode == "F" else "int32")
    path = saved(tmp_path / "numbers.jpg", Image.fromarray(numbers), "TIFF")
    with pytest.raises(ValueError) as error:
        load_image(path, 32)
    one_sentence(error.value, path, "32 bits", "put an ordinary JPG or PNG")


@pytest.mark.parametrize(("size", "reason"), [((9000, 9000), "million"), ((70_000, 5), "side")])
def test_an_image_that_is_too_large_is_one_sentence(tmp_path, size, reason, one_sentence):
    path = saved(tmp_path / "large.jpg", Image.new("1", size), "PNG")
    with pytest.raises(ValueError) as error:
        load_image(path, 32)
    one_sentence(error.value, path, reason, "put an ordinary JPG or PNG")


def test_a_postscript_program_is_not_run(tmp_path, one_sentence):
    """Pillow would start Ghostscript for it."""
    path = saved(tmp_path / "program.jpg", Image.new("RGB", (8, 8)), "EPS")
    with pytest.raises(ValueError) as error:
        load_image(path, 32)
    one_sentence(error.value, path, "not a whole image")


# Many files at once


def photograph(rng: np.random.Generator, size=(178, 218), **options) -> bytes:
    """A picture with details of all sizes, as the bytes of a JPG."""
    image = Image.new("RGB", size)
    for detail in (4, 16, 64):
        waves = rng.integers(0, 256, (detail, detail, 3)).astype("uint8")
        image = Image.blend(image, Image.fromarray(waves).resize(size), 0.5)
    file = BytesIO()
    image.save(file, "JPEG", **{"quality": 90} | options)
    return file.getvalue()


@pytest.mark.parametrize("image_size", [32, 64, 128])
@pytest.mark.parametrize("size", [(178, 218), (89, 109), (64, 64), (200, 120), (37, 41)])
def test_the_fast_way_gives_the_same_pixels(size, image_size):
    rng = np.random.default_rng(0)
    files = [photograph(rng, size) for _ in range(5)]
    fast = load_alike(files, image_size)
    assert fast.dtype == np.uint8
    slow = np.stack([load_image(BytesIO(data), image_size) for data in files])
    difference = abs(fast.astype(int) - slow)
    assert difference.max() <= 2
    assert (difference > 0).mean() < 0.01


def test_threads_that_begin_together_start_no_warning(caplog):
    images._decode.cache_clear()
    buffer, together = BytesIO(), Barrier(16)
    Image.new("RGB", (64, 64)).save(buffer, "JPEG")

    def load(_: int) -> np.ndarray | None:
        together.wait()
        return load_alike([buffer.getvalue()], 64)

    with ThreadPoolExecutor(16) as pool:
        assert all(pixels.shape == (1, 64, 64, 3) for pixels in pool.map(load, range(16)))
    assert not caplog.records


def test_reducing_while_decoding_blurs_nothing():
    """Against the whole picture, resized with Pillow's best filter."""
    data = photograph(np.random.default_rng(1))
    with Image.open(BytesIO(data)) as image:
        whole = image.convert("RGB").resize((64, 64), Image.Resampling.LANCZOS, (15, 40, 163, 188))
    pixels = load_image(BytesIO(data), 64).astype(float)
    assert abs(pixels - np.asarray(whole)).mean() < 5  # of noise; of a photograph, 1
    assert pixels.std() == pytest.approx(np.asarray(whole).std(), rel=0.1)


def turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return photograph(np.random.default_rng(2), exif=exif)


def grey() -> bytes:
    file = BytesIO()
    Image.new("L", (178, 218), 90).save(file, "JPEG")
    return file.getvalue()


def png() -> bytes:
    file = BytesIO()
    Image.new("RGB", (178, 218)).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    "other",
    [
        turned,
        grey,
        png,
        lambda: photograph(np.random.default_rng(3), (64, 64)),
        lambda: photograph(np.random.default_rng(3))[:4000],
        lambda: b"",
    ],
    ids=["turned", "grey", "png", "another size", "cut short", "empty"],
)
@pytest.mark.parametrize("first", [True, False])
def test_what_is_not_alike_is_left_to_the_slow_way(other, first):
    files = [photograph(np.random.default_rng(4)), other()]
    assert load_alike(files[::-1] if first else files, 64) is None


def test_an_upright_photograph_with_exif_takes_the_fast_way():
    exif = Image.Exif()
    exif[0x0112] = 1
    exif[0x010E] = "a face"
    assert load_alike([photograph(np.random.default_rng(5), exif=exif)], 64) is not None


# Which way is up: the fast way and the slow way read the same


def entry(tag: int, kind: int, count: int, value: bytes) -> bytes:
    """An EXIF entry; kinds are 2 for text, 3 and 4 for numbers of two and four bytes."""
    return struct.pack("<HHI", tag, kind, count) + value.ljust(4, b"\0")


def exif(*entries: bytes) -> bytes:
    head = b"II*\0" + struct.pack("<IH", 8, len(entries))
    return b"Exif\0\0" + head + b"".join(entries) + bytes(4)


def with_segments(photo: bytes, *segments: tuple[int, bytes]) -> bytes:
    """A JPG with segments at its beginning: the number of each, and what is in it."""
    parts = [
        b"\xff" + bytes([number]) + struct.pack(">H", len(content) + 2) + content
        for number, content in segments
    ]
    return photo[:2] + b"".join(parts) + photo[2:]


APP1, APP2 = 0xE1, 0xE2
QUARTER = entry(0x112, 3, 1, b"\6")
WIDTH_BELOW_0 = entry(0x100, 9, 1, b"\xff" * 4)  # Pillow reads it and can't write it
TITLE_ELSEWHERE = entry(0x10E, 2, 4000, b"\0\0\1")  # 65 kB after the end


@pytest.mark.filterwarnings("ignore:Tag data:UserWarning", "ignore:Corrupt EXIF:UserWarning")
@pytest.mark.parametrize(
    "segments",
    [
        [(APP1, exif(QUARTER))],
        [(APP1, exif(entry(0x112, 4, 1, b"\6")))],
        [(APP2, bytes(3000)), (APP1, exif(QUARTER))],
        [(APP1, b'http://ns.adobe.com/xap/1.0/\0<x tiff:Orientation="6"/>')],
        [(APP1, exif(WIDTH_BELOW_0, QUARTER))],
        [(APP1, exif(TITLE_ELSEWHERE, QUARTER))],
    ],
    ids=["short", "long", "after 3 kB", "XMP", "beside a broken width", "beside a broken title"],
)
def test_both_ways_turn_a_photograph(segments):
    plain = photograph(np.random.default_rng(6), (100, 100))
    turned = with_segments(plain, *segments)
    upright = np.rot90(load_image(BytesIO(plain), 32), -1).astype(int)
    assert abs(load_image(BytesIO(turned), 32) - upright).max() <= 2
    assert load_alike([plain, turned], 32) is None  # so that the slow way reads it


@pytest.mark.filterwarnings("ignore:Tag data:UserWarning", "ignore:Corrupt EXIF:UserWarning")
@pytest.mark.parametrize(
    "content",
    [
        b"Exif\0\0",
        b"Exif\0\0garbage!",
        exif(QUARTER)[:20],
        exif(entry(0x112, 3, 1, b"\x09")),
        exif(entry(0x112, 2, 2, b"6")),
        exif(TITLE_ELSEWHERE, WIDTH_BELOW_0),
    ],
    ids=["empty", "garbage", "cut short", "a nine", "in letters", "others broken"],
)
def test_neither_way_turns_a_photograph_whose_exif_says_nothing(content):
    plain = photograph(np.random.default_rng(7), (100, 100))
    other = with_segments(plain, (APP1, content))
    np.testing.assert_array_equal(load_image(BytesIO(other), 32), load_image(BytesIO(plain), 32))
    fast = load_alike([plain, other], 32)
    np.testing.assert_array_equal(fast[0], fast[1])


def test_a_jpg_that_says_it_is_huge_is_not_decoded(monkeypatch):
    photo = photograph(np.random.default_rng(8), (100, 100))
    place = photo.index(b"\xff\xc0") + 5  # its height and its width
    huge = photo[:place] + struct.pack(">HH", 20_000, 20_000) + photo[place + 4 :]
    monkeypatch.setattr(images, "_decode", lambda scale: pytest.fail("it was decoded"))
    assert load_alike([huge, huge], 32) is None
