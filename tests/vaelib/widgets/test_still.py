"""The stills of the widgets: they show what the widget shows, and follow its state."""

import numpy as np
import pytest

from vaelib.widgets.still import (
    Track,
    still_of_dials,
    still_of_map,
    still_of_morph,
    still_of_studio,
)

GREEN = np.full((8, 8, 3), (0.0, 0.9, 0.0))
RED = np.full((8, 8, 3), (0.9, 0.0, 0.0))
BLUE, ORANGE, BLACK = (0, 114, 178), (213, 94, 0), (0, 0, 0)


def places(picture: np.ndarray, colour: tuple) -> np.ndarray:
    """The places (n, 2) of the pixels of a colour: row, column."""
    return np.argwhere(np.abs(picture.astype(int) - colour).max(axis=2) < 8)


def has_colour(picture: np.ndarray, face: np.ndarray) -> bool:
    return len(places(picture, tuple(255 * face[0, 0]))) > 100


def a_map(cross=(0.0, 0.0)):
    points = np.random.default_rng(0).normal(size=(40, 2))
    return still_of_map(points, points[:, 0] > 0, "Male", ["one", "two"], cross, GREEN)


def test_a_map_has_its_dots_in_two_colours_and_the_face():
    picture = a_map()
    assert len(places(picture, ORANGE)) > 100
    bluish = picture[..., 2].astype(int) - picture[..., 0] > 60  # of thin rings, at their edges
    assert bluish.sum() > 100
    assert has_colour(picture, GREEN)


def test_the_cross_of_a_map_moves():
    inside = (a_map((x, 0.0))[80:400, 90:420] for x in (-1, 1))  # the frame is black, too
    left, right = (np.median(places(picture, BLACK)[:, 1]) for picture in inside)
    assert left < right


@pytest.mark.parametrize("low, high", [(-2, 2), (0, 10)])
def test_the_knob_of_a_slider_lies_at_its_value(low, high):
    knobs = []
    for share in (0.0, 0.5, 1.0):
        track = Track(low, high, low + share * (high - low), "")
        knobs.append(places(still_of_dials(GREEN, {"a_name": track}), BLUE)[:, 1].mean())
    assert knobs[0] < knobs[1] < knobs[2]
    assert knobs[1] == pytest.approx((knobs[0] + knobs[2]) / 2, abs=2)


def test_dials_have_their_boxes_ticked_or_not():
    track = {"a_name": Track(0, 1, 0.5, "")}
    none, empty, ticked = (
        still_of_dials(GREEN, track, boxes) for boxes in (None, {"Hat": False}, {"Hat": True})
    )
    for one, other in [(none, empty), (empty, ticked)]:
        assert (one != other).any()


def test_a_studio_has_gallery_faces_and_sliders():
    faces = {"original": RED, "edit": GREEN}
    sliders = {"Smiling": Track(-2, 2, 0, "0.00"), "Male": Track(-2, 2, 2, "2.00")}
    one, two = (still_of_studio([GREEN, GREEN], i, faces, sliders, "edit(z)") for i in (0, 1))
    assert has_colour(one, RED) and has_colour(one, GREEN)
    frames = [places(picture[: len(picture) // 4], BLUE)[:, 1].mean() for picture in (one, two)]
    assert frames[0] < frames[1]
    assert len(places(one[len(one) // 4 :], BLUE)) > 100  # knobs


def test_a_morph_has_its_faces_and_a_slider():
    start, end = (still_of_morph({0: RED, 40: GREEN}, Track(0, 40, value, "")) for value in (0, 40))
    assert has_colour(start, RED) and has_colour(start, GREEN)
    assert places(start, BLUE)[:, 1].mean() < places(end, BLUE)[:, 1].mean()
