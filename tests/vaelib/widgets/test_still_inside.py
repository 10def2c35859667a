"""The picture of the inside: its parts are where they should be."""

import numpy as np
import pytest

from vaelib.widgets.still_inside import still_of_inside

BLUE, ORANGE = (0, 114, 178), (213, 94, 0)
COLOURS = np.random.default_rng(0).uniform(0.6, 1, (12, 3))  # no blue and no orange
GALLERY = np.repeat(np.repeat(COLOURS, 8, axis=0)[None], 8, axis=0)  # (8, 96, 3)
FACE, DECODED = (np.full((8, 8, 3), colour) for colour in ([0.1, 0.9, 0.1], [0.9, 0.1, 0.9]))


def draw(z: float = 1.0, deviation: float = 0.2, place: int = 0, count: int = 3) -> np.ndarray:
    """The picture of `count` latents with the mean 1."""
    rows = np.array([[1.0], [deviation], [z], [2.0]]).repeat(count, axis=1)
    texts = ("face", "decoded"), ("one sentence", "another")
    return still_of_inside(
        GALLERY, place, (FACE, DECODED), range(count), rows, [False] * count, *texts
    )


def places(picture: np.ndarray, colour: tuple) -> np.ndarray:
    """The places of the pixels of a colour: (n, 2), row and column."""
    return np.argwhere(np.abs(picture.astype(int) - colour).max(axis=2) < 8)


def test_the_gallery_is_on_top_and_the_chosen_face_is_framed():
    picture = draw(place=-1)
    width = picture.shape[1]
    middles = (width / 12 * (np.arange(12) + 0.5)).astype(int)
    np.testing.assert_allclose(picture[30, middles] / 255, COLOURS, atol=0.01)
    for place in (0, 7):
        framed = np.argwhere((draw(place=place) != picture).any(axis=2))
        assert framed[:, 0].max() < 90
        assert framed[:, 1].mean() == pytest.approx(middles[place], abs=5)


def test_the_face_is_at_the_left_and_the_decoded_one_at_the_right():
    left, right = (places(draw(), tuple(255 * face[0, 0])) for face in (FACE, DECODED))
    assert len(left) > 10_000 and len(right) > 10_000
    assert left[:, 1].max() < 250 and right[:, 1].min() > 650


@pytest.mark.parametrize("z", [-3.0, 0.0, 1.0, 3.5])
def test_z_stands_on_the_axis_of_the_means(z):
    picture = draw(z=z, place=-1)
    mean, mark = (places(picture, colour)[:, 1].mean() for colour in (BLUE, ORANGE))
    unit = 225 / 8  # pixels: the axis has 2.25 inches, from -4 to 4
    assert mark - mean == pytest.approx(unit * (z - 1), abs=2)


def test_a_larger_deviation_has_a_wider_bar():
    def width(deviation):
        columns = places(draw(z=-3, deviation=deviation, place=-1), BLUE)[:, 1]
        return np.ptp(columns)

    assert width(0.8) == pytest.approx(4 * width(0.2), abs=6)


def test_more_latents_make_a_taller_picture():
    assert draw(count=12).shape[0] > draw(count=3).shape[0]
    marks = places(draw(count=12), ORANGE)[:, 0]
    assert len(np.unique(marks // 25)) >= 11
