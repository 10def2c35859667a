"""Drawings: what they show is what they were given, and each shows one figure."""

import matplotlib
import numpy as np
import pytest

matplotlib.use("agg")

import matplotlib.pyplot as plt
from matplotlib.collections import EllipseCollection
from matplotlib.figure import Figure

from vaelib.drawings import RADIUS_95, show_model, show_planes


@pytest.fixture
def shown(monkeypatch) -> list[Figure]:
    """The figures that were shown, in order."""
    figures = []
    monkeypatch.setattr(plt, "show", lambda: figures.append(plt.gcf()))
    yield figures
    plt.close("all")


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for axis in figure.axes for text in axis.texts]


def test_the_model_is_drawn_with_its_parts_and_shapes(shown):
    face = np.full((32, 32, 3), 0.25)
    show_model(face, 1 - face, latent_dim=7)
    (figure,) = shown
    parts = ["face", "encoder", "mean", "log-variance", "deviation", "epsilon", "z", "decoder"]
    assert set(parts) <= set(texts(figure))
    assert texts(figure).count("32 x 32 x 3") == 2
    assert sum(text.startswith("7 numbers") for text in texts(figure)) == 5
    pictures = [image.get_array() for image in figure.axes[0].images]
    np.testing.assert_array_equal(pictures, [face, 1 - face])


def test_nothing_of_the_model_is_cut_off(shown):
    show_model(np.zeros((128, 128, 3)), np.zeros((128, 128, 3)), latent_dim=256)
    (figure,) = shown
    figure.canvas.draw()
    page = figure.bbox
    for text in figure.axes[0].texts:
        box = text.get_window_extent()
        assert page.x0 <= box.x0 and box.x1 <= page.x1, text
        assert page.y0 <= box.y0 and box.y1 <= page.y1, text


def test_faces_are_dots_or_clouds_of_two_deviations(shown):
    means = np.array([[0.0, 1.0], [4.0, -1.0], [2.0, 2.0]])
    deviations = np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]])
    planes = {"points": (means, None), "clouds": (means, deviations)}
    show_planes(planes, np.arange(3), "number")
    (figure,) = shown
    points, clouds, bar = figure.axes
    assert [points.get_title(), clouds.get_title()] == ["points", "clouds"]
    assert bar.get_ylabel() == "number"
    assert not [c for c in points.collections if isinstance(c, EllipseCollection)]
    (ellipses,) = [c for c in clouds.collections if isinstance(c, EllipseCollection)]
    np.testing.assert_allclose(ellipses.get_widths(), 4 * deviations[:, 0])
    np.testing.assert_allclose(ellipses.get_heights(), 4 * deviations[:, 1])
    for axis in (points, clouds):
        dots = axis.collections[-1]
        np.testing.assert_array_equal(dots.get_offsets(), means)
        (low, high), (bottom, top) = axis.get_xlim(), axis.get_ylim()
        assert low < means.min() and means.max() < high and (low, high) == (bottom, top)


def test_the_circle_holds_95_percent_of_the_prior(shown):
    show_planes({"": (np.zeros((2, 2)), None)}, np.arange(2), "")
    (circle,) = shown[0].axes[0].patches
    assert circle.get_radius() == RADIUS_95
    assert 1 - np.exp(-(RADIUS_95**2) / 2) == pytest.approx(0.95, abs=1e-3)
