"""The gallery of the studio and the inside: which faces it offers, and which one is marked."""

import numpy as np
import pytest

from tests.colours import COLOURS, FACES, VECTORS, SliderModel, close, colour, pixels
from vaelib.widgets.inside import Inside
from vaelib.widgets.studio import Studio


@pytest.fixture(params=["studio", "inside"])
def widget(request):
    return request.getfixturevalue(request.param)


def offered(widget) -> np.ndarray:
    """Colours of the faces on offer: (n, 3) in [0, 1]."""
    return pixels(widget.gallery)[0, :: SliderModel.image_size] / 255


def test_the_first_faces_are_on_offer_and_the_first_one_is_chosen(widget):
    assert (widget.gallery_size, widget.place) == (12, 0)
    assert close(offered(widget), COLOURS[:12])
    assert close(colour(widget.original), COLOURS[0])


def test_the_page_chooses_a_face_by_its_place(widget):
    widget._handle_custom_msg({"action": "choose", "place": 5}, [])
    assert widget.place == 5
    assert close(colour(widget.original), COLOURS[5])


def test_shuffle_offers_others_and_chooses_the_first(widget):
    before = offered(widget)
    widget._handle_custom_msg({"action": "shuffle"}, [])
    assert widget.place == 0
    assert not close(offered(widget), before)
    assert close(colour(widget.original), offered(widget)[0])


def test_a_face_that_is_not_on_offer_is_not_marked(widget):
    widget.choose(20)
    assert widget.place == -1
    assert close(colour(widget.original), COLOURS[20])


@pytest.mark.parametrize("row", [-1, 30])
def test_a_row_without_a_face_is_one_sentence(widget, row, one_sentence):
    with pytest.raises(IndexError) as error:
        widget.choose(row)
    one_sentence(error.value, f"no face {row}", "0 to 29")


def test_fewer_faces_than_places_are_all_on_offer():
    assert Inside(SliderModel(), FACES[:2]).gallery_size == 2


@pytest.mark.parametrize(
    "make",
    [
        lambda faces: Inside(SliderModel(), faces),
        lambda faces: Studio(SliderModel(), faces, VECTORS, []),
    ],
    ids=["inside", "studio"],
)
def test_no_faces_are_one_sentence(make, one_sentence):
    with pytest.raises(ValueError) as error:
        make(FACES[:0])
    one_sentence(error.value, "no images")
