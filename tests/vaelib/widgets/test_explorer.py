"""The explorer: its traits are set from Python, as the page would set them."""

import numpy as np
import pytest
from traitlets import TraitError

from tests.colours import COLOURS, FACES, LABELS, SliderModel, close, colour, pixels
from vaelib.widgets.explorer import VARIANCE, Explorer


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
    found = directions @ (explorer.latent - SliderModel().encode(FACES).mean(axis=0))
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
        Explorer(SliderModel(), FACES, LABELS[:3])
    one_sentence(error.value, "30 images", "3 rows")


def test_a_place_of_one_number_is_one_sentence(explorer, one_sentence):
    with pytest.raises(TraitError) as error:
        explorer.value = [1]
    one_sentence(error.value, "[1]", "two numbers")
