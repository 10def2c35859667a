"""The dials: their controls are set from Python, as the page would set them."""

import math

import numpy as np
import pytest
from traitlets import TraitError

from vaelib.pictures import png_bytes
from vaelib.widgets.dials import Dials


def paint(red: float, green: float, inverted: bool) -> np.ndarray:
    image = np.ones((4, 4, 3)) * (red, green, 0.5)
    return 1 - image if inverted else image


def test_dials_draw_what_they_say():
    dials = Dials(paint, {"red": (0, 1, 0.25), "green": (0, 2, 0.5)}, {"inverted": False})
    assert list(dials.controls) == ["red", "green", "inverted"]
    assert dials.face.value == png_bytes(paint(0.25, 0.5, False))
    dials.controls["red"].value = 0.75
    assert dials.face.value == png_bytes(paint(0.75, 0.5, False))
    dials.controls["inverted"].value = True
    assert dials.face.value == png_bytes(paint(0.75, 0.5, True))


def test_dials_stop_at_their_ends():
    dials = Dials(lambda red: paint(red, 0, False), {"red": (0, 1, 0.25)})
    dials.controls["red"].value = 7
    assert dials.controls["red"].value == 1
    assert dials.face.value == png_bytes(paint(1, 0, False))


def test_dials_refuse_what_is_not_finite(one_sentence):
    dials = Dials(lambda red: paint(red, 0, False), {"red": (0, 1, 0.25)})
    before = dials.face.value
    for value in (math.nan, math.inf, "nan"):
        with pytest.raises(TraitError) as error:
            dials.controls["red"].value = value
        one_sentence(error.value, "red", "finite")
    assert (dials.controls["red"].value, dials.face.value) == (0.25, before)
