"""The morph: its traits are set from Python, as the page would set them."""

import pytest

from tests.colours import END, START, SliderModel, close, colour
from vaelib.latent import interpolate
from vaelib.pictures import png_bytes
from vaelib.widgets.morph import Morph


@pytest.mark.parametrize("spherical", [False, True])
def test_a_morph_goes_from_one_face_to_the_other(spherical):
    model = SliderModel()
    morph = Morph(model, START, END, steps=7, spherical=spherical)
    expected = model.decode(interpolate(START, END, 7, spherical))
    assert morph.frames == [png_bytes(face) for face in expected]
    assert close(colour(morph.frames[0]), START[:3])
    assert close(colour(morph.frames[-1]), END[:3])


def test_a_value_shows_its_frame_and_decodes_nothing():
    model = SliderModel()
    morph = Morph(model, START, END, steps=5)
    assert morph.face == morph.frames[0]
    before = model.decoded
    for place in (4, 2, 0, 3):
        morph.value = place
        assert morph.face == morph.frames[place]
    assert model.decoded == before


def test_a_morph_stops_at_its_ends():
    morph = Morph(SliderModel(), START, END, steps=5)
    morph.value = 99
    assert morph.value == 4
    morph.value = -1
    assert morph.value == 0
