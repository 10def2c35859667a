"""The studio, the morph, the explorer and the dials, moved from code as a hand would move them."""

import base64
import copy
import gc
import io
import math
import threading
import weakref
from contextlib import suppress
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from traitlets import TraitError

from vaelib import widgets
from vaelib.latent import edit, interpolate
from vaelib.pictures import png
from vaelib.widgets.dials import Dials
from vaelib.widgets.explorer import VARIANCE, Explorer
from vaelib.widgets.morph import Morph
from vaelib.widgets.studio import AHEAD, Studio


class ColourModel:
    """Faces of one colour: their latents are its three numbers, and one that nobody sees."""

    image_size, latent_dim = 4, 4

    def __init__(self):
        self.decoded = 0
        self.decoder = self  # what the widgets call for one face

    def predict_on_batch(self, latents) -> np.ndarray:
        assert latents.shape in ((1, 4), (AHEAD, 4))  # so that it is compiled twice and no more
        return self.decode(latents)

    def decode(self, latents) -> np.ndarray:
        latents = np.asarray(latents)
        assert latents.ndim == 2
        self.decoded += len(latents)
        return (np.clip(latents[:, None, None, :3], 0, 1) * np.ones((1, 4, 4, 1))).astype("float32")

    def encode(self, images) -> np.ndarray:
        colours = np.asarray(images, "float32").mean(axis=(1, 2))
        return np.concatenate([colours, np.zeros((len(colours), 1))], axis=1).astype("float32")

    def reconstruct(self, images) -> np.ndarray:
        return self.decode(self.encode(images))


VECTORS = pd.DataFrame(
    [[0.1, 0, 0, 0], [0, 0.2, 0, 0], [0, 0, -0.1, 1]],
    index=["Smiling", "Male", "Young"],
    dtype="float32",
)
COLOURS = np.random.default_rng(0).uniform(0.2, 0.6, (30, 3))
FACES = (COLOURS[:, None, None] * np.ones((1, 4, 4, 1))).astype("float32")


def pixels(value: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(value))).astype(int)


def colour(value: bytes) -> np.ndarray:
    return pixels(value)[0, 0] / 255


def close(one, other) -> bool:
    return np.allclose(one, other, atol=1 / 255)


def test_png_keeps_size_and_contrast():
    value = png(np.full((4, 6, 3), 0.5))
    assert value[:4] == b"\x89PNG"
    np.testing.assert_allclose(pixels(value), np.full((4, 6, 3), 127.5), atol=0.5)


# ------------------------------------------------------------------ the studio


@pytest.fixture
def studio():
    return Studio(ColourModel(), FACES, VECTORS, ["Smiling", "Male"])


def send(studio, buffers=(), **content) -> None:
    """What the page sends."""
    studio._handle_custom_msg(content, list(buffers))


def test_it_begins_with_the_first_face_as_it_is(studio):
    assert studio.names == ["Smiling", "Male"]
    assert studio.choices == ["Smiling", "Male", "Young"]
    assert studio.value == {}
    assert close(colour(studio.original), COLOURS[0])
    assert studio.reconstruction == studio.edited
    np.testing.assert_array_equal(studio.latent, studio.z)
    assert (studio.place, studio.gallery_size, studio.can_undo) == (0, 12, False)
    assert pixels(studio.gallery).shape == (4, 48, 3)
    assert studio.truth == b""


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
    studio = Studio(ColourModel(), FACES, VECTORS, ["Male"], limit=1.5)
    studio.value = {"Male": 7}
    assert studio.value == {"Male": 1.5}
    studio.value = {"Male": -7}
    assert studio.value == {"Male": -1.5}


def test_the_face_says_what_it_is_for(studio):
    """The page moves on meanwhile, and must know."""
    studio.value = {"Smiling": 1}
    assert studio.edited_for == {"Smiling": 1}
    studio.reset()
    assert studio.edited_for == {}


@pytest.mark.parametrize("count", [1, 3, AHEAD])
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
    model = ColourModel()
    Studio(model, FACES, VECTORS, ["Male"], look_ahead=False)
    assert model.decoded == 2  # the reconstruction and the edit


def test_the_code_computes_the_latent(studio):
    studio.value = {"Smiling": 1.25, "Young": -0.8}
    assert studio.code == 'edit(z, {"Smiling": 1.25, "Young": -0.8}, vectors=vectors)'
    names = {"edit": edit, "z": studio.z, "vectors": VECTORS}
    np.testing.assert_array_equal(eval(studio.code, names), studio.latent)


def test_an_attribute_that_moves_gets_a_slider(studio):
    studio.value = {"Young": 1}
    assert studio.names == ["Smiling", "Male", "Young"]
    studio.remove("Young")
    assert (studio.names, studio.value) == (["Smiling", "Male"], {})


def test_the_page_adds_removes_and_resets(studio):
    send(studio, action="add", name="Young")
    send(studio, action="add", name="Young")
    assert studio.names == ["Smiling", "Male", "Young"]
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
        Studio(ColourModel(), FACES, VECTORS, ["Smiling", "Old"])


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
    studio = Studio(ColourModel(), FACES[:2], VECTORS, [])
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
    """The face, brighter by 0.1 for each attribute that is switched on; nobody is no man."""
    if switched.get("Male") is False:
        return None
    return FACES[row] + 0.1 * sum(switched.values())


@pytest.fixture
def with_truth():
    return Studio(ColourModel(), FACES, VECTORS, ["Smiling", "Male"], brighter)


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


def test_a_model_serves(vae, images):
    vectors = pd.DataFrame(np.eye(2, 4, dtype="float32"), index=["a", "b"])
    studio = Studio(vae, images, vectors, ["a"])
    before = studio.edited
    studio.value = {"a": 2}
    assert studio.edited != before
    studio.reset()
    assert studio.edited == before


def test_a_closed_studio_leaves_no_observer_or_connection(studio):
    studio.close()
    assert studio.comm is None
    studio.value = {"Male": 1}  # nobody hears of it, and nothing fails


# ------------------------------------------------------------------ the morph

START = np.array([0.5, 0.25, 0.75, 9], "float32")
END = np.array([0.1, 0.9, 0.3, -9], "float32")


@pytest.mark.parametrize("spherical", [False, True])
def test_a_morph_goes_from_one_face_to_the_other(spherical):
    model = ColourModel()
    morph = Morph(model, START, END, steps=7, spherical=spherical)
    expected = model.decode(interpolate(START, END, 7, spherical))
    assert morph.frames == [png(face) for face in expected]
    assert close(colour(morph.frames[0]), START[:3])
    assert close(colour(morph.frames[-1]), END[:3])


def test_a_value_shows_its_frame_and_decodes_nothing():
    model = ColourModel()
    morph = Morph(model, START, END, steps=5)
    assert morph.face == morph.frames[0]
    for place in (4, 2, 0, 3):
        morph.value = place
        assert morph.face == morph.frames[place]
    assert model.decoded == 5


def test_a_morph_stops_at_its_ends():
    morph = Morph(ColourModel(), START, END, steps=5)
    morph.value = 99
    assert morph.value == 4
    morph.value = -1
    assert morph.value == 0


# ------------------------------------------------------------------ the explorer

LABELS = pd.DataFrame(
    {"Dark": COLOURS.mean(axis=1) < 0.4, "Red": COLOURS[:, 0] > 0.4},
    index=[f"{i:06}.jpg" for i in range(30)],
)


@pytest.fixture
def explorer():
    return Explorer(ColourModel(), FACES, LABELS, VECTORS, color="Dark")


def points(explorer) -> np.ndarray:
    return np.frombuffer(explorer.points, "<f4").reshape(-1, 2)


def test_the_map_has_the_principal_components(explorer):
    centred = COLOURS - COLOURS.mean(axis=0)
    variances = np.linalg.eigvalsh(np.cov(centred.T, bias=True))[::-1]
    np.testing.assert_allclose(points(explorer).var(axis=0), variances[:2], rtol=1e-3)
    np.testing.assert_allclose(points(explorer).mean(axis=0), [0, 0], atol=1e-6)
    left, right, low, high = explorer.bounds
    assert left < points(explorer)[:, 0].min() and points(explorer)[:, 0].max() < right
    assert low < points(explorer)[:, 1].min() and points(explorer)[:, 1].max() < high


def test_the_middle_is_the_mean_face(explorer):
    assert explorer.value == [0, 0]
    assert close(colour(explorer.face), COLOURS.mean(axis=0))


@pytest.mark.parametrize("axes", [VARIANCE, ("Smiling", "Male"), ("Young", VARIANCE[0])])
def test_a_place_has_its_coordinates(explorer, axes):
    explorer.x_axis, explorer.y_axis = axes
    explorer.value = [0.5 * explorer.bounds[1], 0.5 * explorer.bounds[2]]
    directions = explorer._axes.loc[list(axes)].to_numpy()
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), [1, 1], rtol=1e-5)
    found = directions @ (explorer.latent - ColourModel().encode(FACES).mean(axis=0))
    np.testing.assert_allclose(found, explorer.value, atol=1e-5)
    assert close(colour(explorer.face), np.clip(explorer.latent[:3], 0, 1))


def test_one_direction_may_be_both_axes(explorer):
    explorer.x_axis = explorer.y_axis = "Male"
    explorer.value = [0.1, 0.1]
    assert close(colour(explorer.face), np.add(COLOURS.mean(axis=0), [0, 0.1, 0]))


def test_a_place_off_the_map_is_moved_to_its_edge(explorer):
    explorer.value = [99, -99]
    assert explorer.value == [explorer.bounds[1], explorer.bounds[2]]


def test_colours_are_the_labels(explorer):
    for name in LABELS:
        explorer.color = name
        np.testing.assert_array_equal(np.frombuffer(explorer.labels, "uint8"), LABELS[name])
    assert explorer.point_names == list(LABELS.index)


def test_all_faces_are_on_the_sheet(explorer):
    sheet = pixels(explorer.sheet)
    assert explorer.sheet_columns == 6
    assert sheet.shape == (20, 24, 3)
    np.testing.assert_allclose(sheet[5, 5] / 255, COLOURS[7], atol=0.06)  # a JPG


def test_an_unknown_axis_or_colour_is_one_sentence(explorer, one_sentence):
    for trait, name in (("x_axis", "Old"), ("color", "Blond")):
        with pytest.raises(TraitError) as error:
            setattr(explorer, trait, name)
        one_sentence(error.value, name)


def test_faces_and_labels_must_be_of_one_number(one_sentence):
    with pytest.raises(ValueError) as error:
        Explorer(ColourModel(), FACES, LABELS[:3])
    one_sentence(error.value, "30 images", "3 rows")


# ------------------------------------------------------------------ where no widget can be shown


@pytest.mark.parametrize(
    "make",
    [
        lambda: Studio(ColourModel(), FACES, VECTORS, []),
        lambda: Morph(ColourModel(), START, END),
        lambda: Explorer(ColourModel(), FACES, LABELS, color="Red"),
    ],
    ids=["studio", "morph", "explorer"],
)
def test_a_page_without_a_kernel_shows_a_strip_and_a_sentence(make):
    data, _ = make()._repr_mimebundle_()
    assert "needs a running kernel" in data["text/plain"]
    strip = Image.open(io.BytesIO(base64.b64decode(data["image/jpeg"])))
    assert strip.width > strip.height
    assert "application/vnd.jupyter.widget-view+json" in data


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


def test_dials_refuse_what_is_not_finite(one_sentence):
    dials = Dials(lambda red: paint(red, 0, False), {"red": (0, 1, 0.25)})
    before = dials.face.value
    for value in (math.nan, math.inf, "nan"):
        with pytest.raises(TraitError) as error:
            dials.controls["red"].value = value
        one_sentence(error.value, "red", "finite")
    assert (dials.controls["red"].value, dials.face.value) == (0.25, before)


# ------------------------------------------------------------------ what is refused

NO_NUMBERS = [math.nan, math.inf, -math.inf, "1", "nan", None, [1], {}, 1j]


@pytest.mark.parametrize("wrong", NO_NUMBERS, ids=lambda wrong: f"{wrong!r:.5}")
@pytest.mark.parametrize("trait", ["studio.value", "studio.limit", "morph.value", "explorer.value"])
def test_what_is_no_finite_number_is_refused(trait, wrong, studio, explorer):
    widget_name, _, name = trait.partition(".")
    morph = Morph(ColourModel(), START, END)
    widget = {"studio": studio, "explorer": explorer, "morph": morph}[widget_name]
    value = {"studio.value": {"Male": wrong}, "explorer.value": [0, wrong]}.get(trait, wrong)
    before = widget.get_state()
    with pytest.raises(TraitError):
        setattr(widget, name, value)
    with pytest.raises(TraitError):  # the page's way
        widget.set_state({name: value})
    assert widget.get_state() == before


def test_what_is_refused_is_told_in_a_sentence(studio, explorer, one_sentence):
    with pytest.raises(TraitError) as error:
        studio.value = {"Male": math.nan}
    one_sentence(error.value, "Male is nan", "finite")
    with pytest.raises(TraitError):
        studio.value = {"Male": 10**400}
    with pytest.raises(TraitError) as error:
        studio.limit = -1
    one_sentence(error.value, "limit is -1", "above 0")
    with pytest.raises(TraitError) as error:
        studio.names = ["Smiling", "Old"]
    one_sentence(error.value, "Old")
    with pytest.raises(TraitError) as error:
        explorer.value = [1]
    one_sentence(error.value, "[1]", "two numbers")


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


# ------------------------------------------------------------------ the end


@pytest.mark.parametrize(
    "make",
    [
        lambda: Studio(ColourModel(), FACES, VECTORS, ["Male"]),
        lambda: Morph(ColourModel(), np.zeros(4), np.ones(4)),
        lambda: Explorer(ColourModel(), FACES, LABELS, VECTORS, "Red"),
        lambda: Dials(lambda red: np.full((4, 4, 3), red), {"red": (0, 1, 0.5)}),
    ],
)
def test_a_closed_widget_leaves_nothing_behind(make):
    threads = threading.active_count()
    widget = make()
    gone = weakref.ref(widget)
    widget.close_all() if isinstance(widget, Dials) else widget.close()
    del widget
    gc.collect()
    assert gone() is None
    assert threading.active_count() == threads


def run_of(cell: str, run: str) -> SimpleNamespace:
    """IPython while a cell runs, in a program that sends the ids of cells, and in another."""
    metadata = {"cellId": cell} if cell != "code" else {}
    request = {"metadata": metadata, "content": {"code": cell}, "header": {"msg_id": run}}
    return SimpleNamespace(get_parent=lambda: request)


@pytest.mark.parametrize("cell", ["an id", "code"])
def test_a_cell_that_is_run_again_lets_go_of_model_and_faces(cell, monkeypatch):
    kept = []  # as IPython does
    gone = []
    for run in range(3):
        monkeypatch.setattr(widgets, "get_ipython", lambda run=run: run_of(cell, str(run)))
        model, images = ColourModel(), FACES.copy()

        def truth(row, switched, images=images):
            return images[row]

        kept += [Studio(model, images, VECTORS, ["Male"], truth)]
        kept += [Explorer(model, images, LABELS, VECTORS, "Red")]
        gone += [(weakref.ref(model), weakref.ref(images))]
        assert [widget.comm is not None for widget in kept[-2:]] == [True, True]
    del model, images, truth
    gc.collect()
    assert [(model() is None, images() is None) for model, images in gone] == [
        (True, True),
        (True, True),
        (False, False),
    ]


@pytest.mark.parametrize("cells", [("a", "b"), ("", ""), ("same run", "same run")])
def test_widgets_of_other_cells_and_of_one_run_stay(cells, monkeypatch):
    studios = []
    for cell in cells:
        run = cell if "run" in cell else f"{len(studios)}"
        monkeypatch.setattr(widgets, "get_ipython", lambda cell=cell, run=run: run_of(cell, run))
        studios.append(Studio(ColourModel(), FACES, VECTORS, []))
    studios[0].value = {"Male": 1}
    assert close(colour(studios[0].edited), COLOURS[0] + [0, 0.2, 0])


def test_a_history_of_faces_does_not_keep_all_images():
    images = FACES.copy()
    studio = Studio(ColourModel(), images, VECTORS, [])
    studio.choose(3)
    gone = weakref.ref(images)
    studio._images = None
    del images
    assert gone() is None
