"""The studio: its traits are set from Python, as the page would set them."""

import copy
import io
import math
import weakref
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from traitlets import TraitError

from tests.colours import COLOURS, FACES, VECTORS, SliderModel, close, colour, pixels
from vaelib.latent import edit
from vaelib.widgets.base import BATCH
from vaelib.widgets.studio import Studio


def send(studio, buffers=(), **content) -> None:
    """Send the studio a message as the page does."""
    studio._handle_custom_msg(content, list(buffers))


def test_it_begins_with_the_first_face_as_it_is(studio):
    assert studio.sliders == ["Smiling", "Male"]
    assert studio.choices == ["Smiling", "Male", "Young"]
    assert studio.value == {}
    assert close(colour(studio.original), COLOURS[0])
    assert studio.reconstruction == studio.edited
    np.testing.assert_array_equal(studio.latent, studio.z)
    assert (studio.place, studio.gallery_size, studio.can_undo) == (0, 12, False)
    assert pixels(studio.gallery).shape == (4, 48, 3)
    assert studio.truth == b""


def test_it_begins_where_value_says():
    shown = []

    def truth(row, switched):
        shown.append(switched)

    value = {"Young": 1, "Male": 7}
    studio = Studio(SliderModel(), FACES, VECTORS, ["Smiling", "Male"], truth, value=value)
    assert studio.sliders == ["Smiling", "Male", "Young"]
    assert studio.value == {"Young": 1, "Male": 2}  # 2 is the limit
    moved = edit(studio.z, studio.value, vectors=VECTORS)
    np.testing.assert_allclose(studio.latent, moved)
    assert studio.edited != studio.reconstruction
    assert shown[-1] == {"Young": True, "Male": True}
    assert not studio.can_undo
    at_0 = Studio(SliderModel(), FACES, VECTORS, studio.sliders)
    assert (studio.still() != at_0.still()).any()
    studio.reset()
    assert studio.edited == at_0.edited


def test_a_value_moves_the_face_along_its_vectors(studio):
    studio.value = {"Smiling": 2, "Male": 0.5}
    assert close(colour(studio.edited), COLOURS[0] + [0.2, 0.1, 0])
    assert close(colour(studio.reconstruction), COLOURS[0])
    np.testing.assert_allclose(studio.latent - studio.z, [0.2, 0.1, 0, 0], atol=1e-6)


def test_back_at_0_the_bytes_are_the_same(studio):
    before = studio.edited
    for strength in (1.35, -2, 0):
        studio.value = {"Smiling": strength}
    assert studio.edited == before
    assert studio.value == {}


def test_a_strength_stops_at_the_limit():
    studio = Studio(SliderModel(), FACES, VECTORS, ["Male"], limit=1.5)
    studio.value = {"Male": 7}
    assert studio.value == {"Male": 1.5}
    studio.value = {"Male": -7}
    assert studio.value == {"Male": -1.5}


def test_the_face_says_what_it_is_for(studio):
    """The sliders may have moved on before the face arrives in the page."""
    studio.value = {"Smiling": 1}
    assert studio.edited_for == {"Smiling": 1}
    studio.reset()
    assert studio.edited_for == {}


@pytest.mark.parametrize("count", [1, 3, BATCH])
def test_positions_are_decoded_ahead(studio, count, monkeypatch):
    sent = []
    monkeypatch.setattr(studio, "send", lambda *message: sent.append(message))
    values = [{"Smiling": 0.1 * i, "Male": -0.5} for i in range(count)]
    send(studio, action="ahead", values=values, subject=3)
    [(content, faces)] = sent
    assert content == {"action": "ahead", "values": values, "subject": 3}
    assert len(faces) == count
    for value, face in zip(values, faces):
        studio.value = value
        assert face == studio.edited


def test_looking_ahead_can_be_left_off():
    model = SliderModel()
    Studio(model, FACES, VECTORS, ["Male"], look_ahead=False)
    assert model.decoded == 2  # the reconstruction and the edit


def test_the_code_computes_the_latent(studio):
    studio.value = {"Smiling": 1.25, "Young": -0.8}
    assert studio.code == 'edit(z, {"Smiling": 1.25, "Young": -0.8}, vectors=vectors)'
    names = {"edit": edit, "z": studio.z, "vectors": VECTORS}
    np.testing.assert_array_equal(eval(studio.code, names), studio.latent)


def test_an_attribute_that_moves_gets_a_slider(studio):
    studio.value = {"Young": 1}
    assert studio.sliders == ["Smiling", "Male", "Young"]
    studio.remove("Young")
    assert (studio.sliders, studio.value) == (["Smiling", "Male"], {})


def test_the_page_adds_removes_and_resets(studio):
    send(studio, action="add", name="Young")
    send(studio, action="add", name="Young")
    assert studio.sliders == ["Smiling", "Male", "Young"]
    studio.value = {"Male": 1, "Young": 1}
    send(studio, action="remove", name="Young")
    assert studio.value == {"Male": 1}
    send(studio, action="reset")
    assert studio.value == {}


def test_an_unknown_attribute_is_one_sentence(studio, one_sentence):
    with pytest.raises(ValueError) as error:
        studio.add("Old")
    one_sentence(error.value, "Old")
    with pytest.raises(TraitError) as error:
        studio.value = {"Old": 1}
    one_sentence(error.value, "Old")
    with pytest.raises(ValueError):
        Studio(SliderModel(), FACES, VECTORS, ["Smiling", "Old"])
    with pytest.raises(ValueError) as error:
        Studio(SliderModel(), FACES, VECTORS, ["Smiling"], value={"Old": 1})
    one_sentence(error.value, "Old")


def test_what_is_no_strength_limit_or_slider_is_one_sentence(studio, one_sentence):
    with pytest.raises(TraitError) as error:
        studio.value = {"Male": math.nan}
    one_sentence(error.value, "Male is nan", "finite")
    with pytest.raises(TraitError) as error:
        studio.value = {"Male": 10**400}
    one_sentence(error.value, "Male", "finite")
    with pytest.raises(TraitError) as error:
        studio.limit = -1
    one_sentence(error.value, "limit is -1", "above 0")
    with pytest.raises(TraitError) as error:
        studio.sliders = ["Smiling", "Malle"]
    one_sentence(error.value, "Malle", "did you mean Male?")


def test_another_face_keeps_the_sliders(studio):
    studio.value = {"Male": 1}
    send(studio, action="choose", place=3)
    assert studio.place == 3
    assert close(colour(studio.original), COLOURS[3])
    assert close(colour(studio.edited), COLOURS[3] + [0, 0.2, 0])


def test_shuffle_offers_other_faces(studio):
    gallery = studio.gallery
    send(studio, action="shuffle")
    assert studio.gallery != gallery
    first = pixels(studio.gallery)[0, 0] / 255
    assert (studio.place, close(colour(studio.original), first)) == (0, True)


def test_a_few_faces_make_a_small_gallery():
    studio = Studio(SliderModel(), FACES[:2], VECTORS, [])
    assert studio.gallery_size == 2
    studio.shuffle()
    assert studio.gallery_size == 2


def test_undo_takes_back_faces_and_sliders_one_by_one(studio):
    studio.value = {"Male": 1}
    send(studio, action="choose", place=3)
    studio.value = {"Male": 1, "Smiling": -1}
    send(studio, action="undo")
    assert (studio.value, studio.place) == ({"Male": 1}, 3)
    send(studio, action="undo")
    assert (studio.value, studio.place) == ({"Male": 1}, 0)
    assert close(colour(studio.edited), COLOURS[0] + [0, 0.2, 0])
    assert studio.can_undo
    send(studio, action="undo")
    assert (studio.value, studio.place, studio.can_undo) == ({}, 0, False)
    send(studio, action="undo")  # there is nothing left to take back
    assert studio.value == {}


def test_a_drag_is_one_step_to_undo(studio):
    for strength in (0.2, 0.4, 0.6):
        studio.set_state({"value": {"Male": strength}, "dragging": True})
    studio.set_state({"value": {"Male": 0.6}, "dragging": False})
    studio.undo()
    assert studio.value == {}


# The truth


def brighter(row: int, switched: dict) -> np.ndarray | None:
    """The face, brighter by 0.1 for each attribute switched on; None for Male switched off."""
    if switched.get("Male") is False:
        return None
    return FACES[row] + 0.1 * sum(switched.values())


@pytest.fixture
def with_truth():
    return Studio(SliderModel(), FACES, VECTORS, ["Smiling", "Male"], brighter)


def test_the_truth_is_that_of_what_was_switched(with_truth):
    assert close(colour(with_truth.truth), COLOURS[0])
    with_truth.value = {"Smiling": 0.4}  # too little to count
    assert close(colour(with_truth.truth), COLOURS[0])
    with_truth.value = {"Smiling": 1.2, "Male": 0.5}
    assert close(colour(with_truth.truth), COLOURS[0] + 0.2)
    with_truth.choose(5)
    assert close(colour(with_truth.truth), COLOURS[5] + 0.2)
    with_truth.value = {"Male": -1}
    assert with_truth.truth == b""


def test_the_truth_waits_for_the_end_of_a_drag(with_truth):
    before = with_truth.truth
    with_truth.set_state({"value": {"Male": 2}, "dragging": True})
    assert with_truth.truth == before
    with_truth.set_state({"dragging": False})
    assert with_truth.truth != before


# One's own photo


def photo(level: float, size=(40, 30), mode="RGB") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, (round(255 * level),) * 3).convert(mode).save(file, "PNG")
    return file.getvalue()


def test_a_photo_takes_the_place_of_the_face(with_truth):
    send(with_truth, [photo(0.4)], action="photo", name="me.png", part=0, parts=1)
    assert close(colour(with_truth.original), 0.4)
    assert (with_truth.place, with_truth.truth) == (-1, b"")  # nobody can draw me again
    with_truth.value = {"Male": 1}
    assert close(colour(with_truth.edited), [0.4, 0.6, 0.4])
    with_truth.choose(2)
    assert close(colour(with_truth.truth), COLOURS[2] + 0.1)


def test_a_photo_comes_in_parts(studio):
    data = photo(0.3)
    send(studio, [b"left over"], action="photo", name="old.png", part=0, parts=2)
    for part, piece in enumerate((data[:20], data[20:50], data[50:])):
        send(studio, [memoryview(piece)], action="photo", name="me.png", part=part, parts=3)
    assert close(colour(studio.original), 0.3)


def test_what_is_no_photo_leaves_the_face_and_says_why(studio, one_sentence):
    before = studio.original, studio.edited
    studio.open_photo(b"nothing", "me.txt")
    one_sentence(studio.message, "me.txt", "can't be read")
    assert (studio.original, studio.edited) == before
    studio.choose(1)
    assert studio.message == ""


def test_a_photo_unlike_all_faces_is_shown_with_a_warning(studio):
    half = Image.new("RGB", (40, 40), "black")
    half.paste("white", (0, 0, 20, 40))  # the model knows faces of one colour only
    file = io.BytesIO()
    half.save(file, "PNG")
    studio.open_photo(file.getvalue(), "half.png")
    assert close(colour(studio.original), 1)
    assert studio.message.startswith("half.png is unlike the faces")


def test_it_edits_faces_of_a_real_model(vae, images):
    vectors = pd.DataFrame(np.eye(2, 4, dtype="float32"), index=["a", "b"])
    studio = Studio(vae, images, vectors, ["a"])
    before = studio.edited
    studio.value = {"a": 2}
    assert studio.edited != before
    studio.reset()
    assert studio.edited == before


def test_a_closed_studio_leaves_no_observer_or_connection(studio):
    before = studio.edited
    studio.close()
    assert studio.comm is None
    studio.value = {"Male": 1}
    assert studio.edited == before


# What the page may send


ODD = [
    None,
    math.nan,
    -(10**400),
    "",
    "Old",
    b"x",
    [],
    [math.nan],
    {},
    {"Male": math.nan},
    "9" * 999,
]


MALFORMED = [
    *ODD,
    *({"action": odd} for odd in ODD),
    *({"action": "choose", "place": odd} for odd in [*ODD, 12, -13, 1.5]),
    *({"action": "add", "name": odd} for odd in ODD),
    *({"action": "remove", "name": odd} for odd in ODD),
    *({"action": "ahead", "values": odd, "subject": 0} for odd in ODD),
    *({"action": "ahead", "values": [{"Male": odd}], "subject": odd} for odd in ODD),
    *({"action": "photo", "name": "a.png", "part": odd, "parts": odd} for odd in ODD),
]


@pytest.mark.parametrize("message", MALFORMED, ids=range(len(MALFORMED)))
def test_a_malformed_message_changes_nothing_and_sends_no_face(studio, message, monkeypatch):
    studio.value = {"Male": 1}
    sent = []
    monkeypatch.setattr(studio, "send", lambda *message: sent.append(message))
    before = copy.deepcopy(studio.get_state())
    with suppress(Exception):  # Jupyter shows it below the cell, and the kernel goes on
        studio._handle_custom_msg(message, [])
    assert studio.get_state() == before
    assert not any(faces for _, faces in sent)
    send(studio, action="choose", place=3)
    assert close(colour(studio.edited), COLOURS[3] + [0, 0.2, 0])


def test_a_history_of_faces_does_not_keep_all_images():
    images = FACES.copy()
    studio = Studio(SliderModel(), images, VECTORS, [])
    studio.choose(3)
    gone = weakref.ref(images)
    studio._images = None
    del images
    assert gone() is None
