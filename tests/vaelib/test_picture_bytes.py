"""Images as the bytes of picture files, and back."""

import numpy as np

from tests.colours import pixels
from vaelib.pictures import jpg_bytes, png_bytes, read_image


def test_png_keeps_size_and_contrast():
    value = png_bytes(np.full((4, 6, 3), 0.5))
    assert value[:4] == b"\x89PNG"
    np.testing.assert_allclose(pixels(value), np.full((4, 6, 3), 127.5), atol=0.5)


def test_a_png_file_is_read_as_the_image_that_it_was():
    image = np.random.default_rng(0).random((4, 6, 3))
    np.testing.assert_allclose(read_image(png_bytes(image)), image, atol=0.51 / 255)


def test_a_jpg_file_of_better_quality_is_nearer_to_the_picture():
    picture = np.random.default_rng(0).integers(0, 256, (16, 16, 3)).astype("uint8")
    files = [jpg_bytes(picture, quality) for quality in (20, 95)]
    assert all(file[:3] == b"\xff\xd8\xff" for file in files)
    coarse, fine = (np.abs(pixels(file) - picture.astype(int)).mean() for file in files)
    assert fine < coarse
