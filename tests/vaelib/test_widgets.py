"""Sliders, moved from code as a hand would move them."""

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from vaelib.latent import interpolate
from vaelib.widgets import AttributeEditor, Dials, Morph, png


def decode(latents: np.ndarray) -> np.ndarray:
    """Faces of one colour, the first three latents."""
    latents = np.asarray(latents)
    assert latents.ndim == 2
    return np.clip(latents[:, None, None, :3], 0, 1) * np.ones((1, 4, 4, 1))


Z = np.array([0.5, 0.25, 0.75, 9], "float32")
VECTORS = pd.DataFrame(
    [[0.1, 0, 0, 0], [0, 0.2, 0, 0], [0, 0, -0.1, 1]], index=["Smiling", "Male", "Young"]
)


@pytest.fixture
def editor():
    return AttributeEditor(decode, Z, VECTORS, ["Smiling", "Male"])


def pixels(value: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(value))).astype(int)


def colour(editor) -> np.ndarray:
    return pixels(editor.face.value)[0, 0]


def test_png_keeps_size_and_contrast():
    value = png(np.full((4, 6, 3), 0.5))
    assert value[:4] == b"\x89PNG"
    np.testing.assert_allclose(pixels(value), np.full((4, 6, 3), 127.5), atol=0.5)


def test_the_editor_begins_with_the_face_itself(editor):
    assert list(editor.sliders) == ["Smiling", "Male"]
    assert editor.face.value == png(decode(Z[None])[0])
    np.testing.assert_array_equal(editor.latent, Z)
    assert [slider.value for slider in editor.sliders.values()] == [0, 0]


def test_a_slider_moves_the_face_along_its_vector(editor):
    before = editor.face.value
    editor.sliders["Male"].value = 1
    assert editor.face.value != before
    np.testing.assert_allclose(colour(editor), np.array([0.5, 0.45, 0.75]) * 255, atol=1)
    np.testing.assert_allclose(editor.latent, Z + VECTORS.loc["Male"])
    editor.sliders["Male"].value = -1
    np.testing.assert_allclose(colour(editor), np.array([0.5, 0.05, 0.75]) * 255, atol=1)


def test_sliders_add_up(editor):
    editor.sliders["Smiling"].value = 2
    editor.sliders["Male"].value = 0.5
    np.testing.assert_allclose(editor.latent, [0.7, 0.35, 0.75, 9], rtol=1e-6)


def test_a_slider_back_at_0_gives_the_same_bytes(editor):
    before = editor.face.value
    for value in (1.35, -2, 0):
        editor.sliders["Smiling"].value = value
    assert editor.face.value == before
    np.testing.assert_array_equal(editor.latent, Z)


def test_a_slider_stops_at_its_limit():
    editor = AttributeEditor(decode, Z, VECTORS, ["Male"], limit=1.5)
    editor.sliders["Male"].value = 7
    assert editor.sliders["Male"].value == 1.5
    editor.sliders["Male"].value = -7
    assert editor.sliders["Male"].value == -1.5


def buttons(widget) -> list:
    found = [widget] if type(widget).__name__ == "Button" else []
    for child in getattr(widget, "children", ()):
        found += buttons(child)
    return found


@pytest.mark.parametrize("how", ["method", "button"])
def test_reset_brings_back_the_first_face(editor, how):
    before = editor.face.value
    editor.sliders["Smiling"].value = 1
    editor.sliders["Male"].value = -1
    if how == "method":
        editor.reset()
    else:
        (button,) = buttons(editor)
        button.click()
    assert [slider.value for slider in editor.sliders.values()] == [0, 0]
    assert editor.face.value == before


def test_an_attribute_can_be_added(editor):
    editor.sliders["Smiling"].value = 1
    edited = editor.face.value
    editor.add("Young")
    assert list(editor.sliders) == ["Smiling", "Male", "Young"]
    assert editor.face.value == edited
    editor.sliders["Young"].value = 1
    np.testing.assert_allclose(editor.latent, [0.6, 0.25, 0.65, 10], rtol=1e-6)


def shown(widget) -> list:
    return [widget, *(w for child in getattr(widget, "children", ()) for w in shown(child))]


def test_the_menu_adds_what_has_no_slider_yet(editor):
    names = [option[1] for option in editor.menu.options]
    assert names == [None, "Young"]
    editor.menu.value = "Young"
    assert list(editor.sliders) == ["Smiling", "Male", "Young"]
    assert [option[1] for option in editor.menu.options] == [None]
    assert editor.menu.value is None
    assert all(slider in shown(editor) for slider in editor.sliders.values())


def test_an_attribute_is_added_once(editor):
    slider = editor.sliders["Male"]
    slider.value = 1
    editor.add("Male")
    assert editor.sliders["Male"] is slider
    assert list(editor.sliders) == ["Smiling", "Male"]


def test_an_unknown_attribute_is_one_sentence(editor, one_sentence):
    with pytest.raises(ValueError) as error:
        editor.add("Old")
    one_sentence(error.value, "Old")
    with pytest.raises(ValueError):
        AttributeEditor(decode, Z, VECTORS, ["Smiling", "Old"])


def test_the_original_is_shown_where_it_is_given():
    original = np.zeros((4, 4, 3))
    with_, without = (AttributeEditor(decode, Z, VECTORS, [], original=o) for o in (original, None))
    images = [[w for w in shown(e) if type(w).__name__ == "Image"] for e in (with_, without)]
    assert [len(found) for found in images] == [3, 2]
    assert images[0][0].value == png(original)
    assert images[0][-1] is with_.face


def test_the_unedited_faces_stay_while_a_slider_moves(editor):
    images = [w for w in shown(editor) if type(w).__name__ == "Image" and w is not editor.face]
    before = [image.value for image in images]
    editor.sliders["Male"].value = 2
    assert [image.value for image in images] == before


def test_the_editor_leaves_its_inputs_alone(editor):
    editor.sliders["Male"].value = 2
    np.testing.assert_array_equal(Z, [0.5, 0.25, 0.75, 9])


def test_a_model_serves_as_decode(vae):
    vectors = pd.DataFrame(np.eye(2, 4, dtype="float32"), index=["a", "b"])
    editor = AttributeEditor(vae.decode, np.zeros(4), vectors, ["a"])
    before = editor.face.value
    editor.sliders["a"].value = 2
    assert editor.face.value != before
    editor.sliders["a"].value = 0
    assert editor.face.value == before


END = np.array([0.1, 0.9, 0.3, -9], "float32")


@pytest.mark.parametrize("spherical", [False, True])
def test_a_morph_goes_from_one_face_to_the_other(spherical):
    morph = Morph(decode, Z, END, steps=7, spherical=spherical)
    assert len(morph.frames) == 7
    assert morph.frames[0] == png(decode(Z[None])[0])
    assert morph.frames[-1] == png(decode(END[None])[0])
    assert morph.frames == [png(face) for face in decode(interpolate(Z, END, 7, spherical))]


def test_the_slider_of_a_morph_shows_its_frames():
    morph = Morph(decode, Z, END, steps=5)
    assert morph.face.value == morph.frames[0]
    for i in (4, 2, 0, 3):
        morph.slider.value = i
        assert morph.face.value == morph.frames[i]
    assert (morph.slider.min, morph.slider.max) == (0, 4)
    assert (morph.play.min, morph.play.max) == (0, 4)


def test_a_morph_decodes_once():
    calls = []

    def counted(latents):
        calls.append(len(latents))
        return decode(latents)

    morph = Morph(counted, Z, END, steps=9)
    for i in range(9):
        morph.slider.value = i
    assert calls == [9]


# ------------------------------------------------------------------ dials


def paint(red: float, green: float, inverted: bool) -> np.ndarray:
    image = np.ones((4, 4, 3)) * (red, green, 0.5)
    return 1 - image if inverted else image


def test_dials_draw_what_they_say():
    dials = Dials(paint, {"red": (0, 1, 0.25), "green": (0, 2, 0.5)}, {"inverted": False})
    assert list(dials.controls) == ["red", "green", "inverted"]
    assert dials.face.value == png(paint(0.25, 0.5, False))
    dials.controls["red"].value = 0.75
    assert dials.face.value == png(paint(0.75, 0.5, False))
    dials.controls["inverted"].value = True
    assert dials.face.value == png(paint(0.75, 0.5, True))


def test_dials_stop_at_their_ends():
    dials = Dials(lambda red: paint(red, 0, False), {"red": (0, 1, 0.25)})
    dials.controls["red"].value = 7
    assert dials.controls["red"].value == 1
    assert dials.face.value == png(paint(1, 0, False))
