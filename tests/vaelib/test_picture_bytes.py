"""Images as the bytes of picture files."""

import numpy as np

from tests.colours import pixels
from vaelib.pictures import png


def test_png_keeps_size_and_contrast():
    value = png(np.full((4, 6, 3), 0.5))
    assert value[:4] == b"\x89PNG"
    np.testing.assert_allclose(pixels(value), np.full((4, 6, 3), 127.5), atol=0.5)
