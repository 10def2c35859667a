"""The base of the widgets: decoding, a page without a kernel, refused numbers, closing."""

import base64
import gc
import io
import math
import threading
import weakref
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from traitlets import TraitError

from tests.colours import (
    COLOURS,
    END,
    FACES,
    LABELS,
    START,
    VECTORS,
    SliderModel,
    close,
    colour,
    pixels,
)
from vaelib.widgets import base
from vaelib.widgets.base import BATCH, decode_fast, decode_to_png
from vaelib.widgets.dials import Dials
from vaelib.widgets.explorer import Explorer
from vaelib.widgets.inside import Inside
from vaelib.widgets.morph import Morph
from vaelib.widgets.studio import Studio


@pytest.mark.parametrize("count", [1, 2, 9, 20])
def test_the_compiled_model_gives_the_sharpened_faces_in_batches_of_two_sizes(
    count, new_vae, monkeypatch
):
    vae = new_vae()
    vae.sharpen.gains.assign(np.linspace(1.1, 1.4, vae.sharpen.gains.shape[0]))
    sizes = []
    predict = vae.picture_model.predict_on_batch
    monkeypatch.setattr(
        vae.picture_model, "predict_on_batch", lambda z: sizes.append(len(z)) or predict(z)
    )
    latents = np.random.default_rng(0).normal(size=(count, vae.latent_dim)).astype("float32")
    faces = decode_fast(vae, latents)
    np.testing.assert_allclose(faces, vae.decode(latents), atol=1e-6)
    assert np.abs(faces - vae.decode(latents, sharpen=False)).max() > 1e-4
    assert set(sizes) == {1 if count == 1 else BATCH}
    file = decode_to_png(vae, latents[0])
    np.testing.assert_allclose(pixels(file) / 255, faces[0], atol=0.51 / 255)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Studio(SliderModel(), FACES, VECTORS, []),
        lambda: Morph(SliderModel(), START, END),
        lambda: Explorer(SliderModel(), FACES, LABELS, color="Red"),
        lambda: Inside(SliderModel(), FACES),
        lambda: Dials(lambda red: np.full((4, 4, 3), red), {"red": (0, 1, 0.5)}),
    ],
    ids=["studio", "morph", "explorer", "inside", "dials"],
)
def test_a_page_without_a_kernel_shows_a_picture_and_a_sentence(make):
    bundle = make()._repr_mimebundle_()
    data = bundle if isinstance(bundle, dict) else bundle[0]  # data, and metadata
    assert "needs a running kernel" in data["text/plain"]
    still = Image.open(io.BytesIO(base64.b64decode(data["image/jpeg"])))
    assert still.width >= 700
    assert "application/vnd.jupyter.widget-view+json" in data


NO_NUMBERS = [math.nan, math.inf, -math.inf, "1", "nan", None, [1], {}, 1j]


@pytest.mark.parametrize("wrong", NO_NUMBERS, ids=lambda wrong: f"{wrong!r:.5}")
@pytest.mark.parametrize(
    "trait", ["studio.value", "studio.limit", "morph.value", "explorer.value", "inside.value"]
)
def test_what_is_no_finite_number_is_refused(trait, wrong, studio, explorer, inside):
    widget_name, _, name = trait.partition(".")
    morph = Morph(SliderModel(), START, END)
    widgets = {"studio": studio, "explorer": explorer, "morph": morph, "inside": inside}
    widget = widgets[widget_name]
    values = {"studio.value": {"Male": wrong}, "explorer.value": [0, wrong]}
    value = {**values, "inside.value": {"2": wrong}}.get(trait, wrong)
    before = widget.get_state()
    with pytest.raises(TraitError):
        setattr(widget, name, value)
    with pytest.raises(TraitError):  # the page's way
        widget.set_state({name: value})
    assert widget.get_state() == before


@pytest.mark.parametrize(
    "make",
    [
        lambda: Studio(SliderModel(), FACES, VECTORS, ["Male"]),
        lambda: Morph(SliderModel(), np.zeros(4), np.ones(4)),
        lambda: Explorer(SliderModel(), FACES, LABELS, VECTORS, "Red"),
        lambda: Inside(SliderModel(), FACES),
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
    """IPython while a cell runs; its program sends the cell's id, or the code "code" alone."""
    metadata = {"cellId": cell} if cell != "code" else {}
    request = {"metadata": metadata, "content": {"code": cell}, "header": {"msg_id": run}}
    return SimpleNamespace(get_parent=lambda: request)


@pytest.mark.parametrize("cell", ["an id", "code"])
def test_a_cell_that_is_run_again_lets_go_of_model_and_faces(cell, monkeypatch):
    kept = []  # as IPython does
    gone = []
    for run in range(3):
        monkeypatch.setattr(base, "get_ipython", lambda run=run: run_of(cell, str(run)))
        model, images = SliderModel(), FACES.copy()

        def truth(row, switched, images=images):
            return images[row]

        kept += [Studio(model, images, VECTORS, ["Male"], truth)]
        kept += [Explorer(model, images, LABELS, VECTORS, "Red"), Inside(model, images)]
        gone += [(weakref.ref(model), weakref.ref(images))]
        assert all(widget.comm is not None for widget in kept[-3:])
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
        monkeypatch.setattr(base, "get_ipython", lambda cell=cell, run=run: run_of(cell, run))
        studios.append(Studio(SliderModel(), FACES, VECTORS, []))
    studios[0].value = {"Male": 1}
    assert close(colour(studios[0].edited), COLOURS[0] + [0, 0.2, 0])
