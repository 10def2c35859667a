"""Figures: shown once, by the call itself, with the pixels as they are."""

import io
from unittest import mock

import matplotlib
import numpy as np
import pandas as pd
import pytest
from PIL import Image

matplotlib.use("agg")

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from vaelib.plots import (
    latent_histograms,
    loss_curve,
    save_gif,
    show_faces,
    show_intervals,
    show_rows,
)


def picture(count: int, size: int = 8) -> np.ndarray:
    """Faces of low contrast: a figure that stretches them would show it."""
    return np.random.default_rng(0).uniform(0.4, 0.6, (count, size, size, 3)).astype("float32")


def history(epochs: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    names = [f"{p}{n}" for p in ("", "val_") for n in ("loss", "reconstruction", "kl")]
    return pd.DataFrame(rng.random((epochs, 6)), columns=names, index=range(1, epochs + 1))


def intervals() -> pd.DataFrame:
    rows = {"value": [1.0, 2.0], "low": [0.9, 1.7], "high": [1.2, 2.2]}
    return pd.DataFrame(rows, index=["one", "two"])


def shown_by(function, *arguments, **options) -> Figure:
    """The figure that a function shows; it returns nothing that a cell would have to end with."""
    with mock.patch.object(plt, "show") as show:
        assert function(*arguments, **options) is None
    show.assert_called_once_with()
    (number,) = plt.get_fignums()
    figure = plt.figure(number)
    plt.close(figure)
    return figure


FIGURES = {
    show_faces: [picture(5)],
    show_rows: [{"one": picture(3), "two": picture(3)}],
    loss_curve: [history()],
    show_intervals: [{"a": intervals(), "b": intervals()}, "error", 1.0],
    latent_histograms: [np.random.default_rng(0).normal(size=(50, 9)), [0, 3, 8]],
}


@pytest.mark.parametrize("function", FIGURES)
def test_each_call_shows_one_figure(function):
    assert drawn(shown_by(function, *FIGURES[function]))[..., :3].min() < 255


@pytest.mark.parametrize("function", [show_faces, show_rows])
def test_a_figure_can_go_to_a_file_instead(function, tmp_path):
    with mock.patch.object(plt, "show") as show:
        function(*FIGURES[function], path=tmp_path / "faces.png")
    assert not show.called and not plt.get_fignums()
    with Image.open(tmp_path / "faces.png") as file:
        assert file.width > 3 * 16


def drawn(figure: Figure) -> np.ndarray:
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return np.asarray(Image.open(file))


def images_in(figure: Figure) -> list[np.ndarray]:
    return [axis.images[0].get_array() for axis in figure.axes if axis.images]


@pytest.mark.parametrize(
    ("count", "columns", "axes"), [(5, 3, 6), (3, 8, 3), (8, 8, 8), (9, 8, 16), (1, 8, 1)]
)
def test_faces_fill_rows(count, columns, axes):
    figure = shown_by(show_faces, picture(count), columns=columns)
    assert len(figure.axes) == axes
    assert len(images_in(figure)) == count


def test_faces_are_shown_unmodified():
    images = picture(4)
    for array, image in zip(images_in(shown_by(show_faces, images)), images, strict=True):
        np.testing.assert_array_equal(array, image)


def test_a_grey_face_is_drawn_grey():
    """The pixels of the drawn figure, not only the arrays given to it."""
    figure = shown_by(show_faces, np.full((1, 8, 8, 3), 0.5, "float32"))
    pixels = drawn(figure)
    centre = pixels[pixels.shape[0] // 2, pixels.shape[1] // 2, :3]
    np.testing.assert_allclose(centre, 127.5, atol=1)


def test_values_outside_the_range_are_cut_off():
    values = np.array([-0.5, 0, 1, 1.5] * 12, "float32").reshape(1, 4, 4, 3)
    (array,) = images_in(shown_by(show_faces, values))
    assert (array.min(), array.max()) == (0, 1)


def test_faces_have_their_titles():
    figure = shown_by(show_faces, picture(3), titles=["a", "", "c"], columns=2)
    assert [axis.get_title() for axis in figure.axes] == ["a", "", "c", ""]


def test_no_face_has_an_axis_around_it():
    for figure in (
        shown_by(show_faces, picture(3), columns=2),
        shown_by(show_rows, {"a": picture(2)}),
    ):
        assert not any(axis.axison for axis in figure.axes)


def test_rows_have_names_and_columns_have_titles():
    rows = {"original": picture(3), "reconstruction": 1 - picture(3)}
    figure = shown_by(show_rows, rows, titles=["x", "y", "z"])
    assert len(figure.axes) == 6
    assert [axis.get_title() for axis in figure.axes] == ["x", "y", "z", "", "", ""]
    names = [text.get_text() for axis in figure.axes for text in axis.texts]
    assert names == ["original", "reconstruction"]
    for array, image in zip(images_in(figure), np.concatenate(list(rows.values())), strict=True):
        np.testing.assert_array_equal(array, image)


def test_rows_of_different_length_are_one_sentence(one_sentence):
    with pytest.raises(ValueError) as error:
        show_rows({"one": picture(2), "two": picture(3)})
    one_sentence(error.value, "[2, 3]", "same number")


def test_the_loss_curve_has_three_panels_of_two_lines():
    table = history()
    figure = shown_by(loss_curve, table)
    assert [axis.get_title() for axis in figure.axes] == ["loss", "reconstruction", "kl"]
    for axis in figure.axes:
        name = axis.get_title()
        training, validation = axis.lines
        np.testing.assert_array_equal(training.get_xdata(), [1, 2, 3])
        np.testing.assert_array_equal(training.get_ydata(), table[name])
        np.testing.assert_array_equal(validation.get_ydata(), table[f"val_{name}"])
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert labels == ["training", "validation"]


def test_a_loss_curve_of_one_epoch_shows_its_points():
    picture = drawn(shown_by(loss_curve, history(1)))[..., :3].astype(int)
    panels = picture[:, picture.shape[1] // 2 :]  # without the first one, which has the legend
    for color in [(0, 114, 178), (213, 94, 0)]:
        assert (np.abs(panels - color).max(axis=2) < 5).sum() > 10


def test_histograms_show_the_latents_asked_for():
    latents = np.random.default_rng(0).normal(size=(500, 9)) + np.arange(9)
    figure = shown_by(latent_histograms, latents, [2, 0, 1], columns=2)
    visible = [axis for axis in figure.axes if axis.axison]
    assert [axis.get_title() for axis in visible] == ["latent 2", "latent 0", "latent 1"]
    assert len(figure.axes) == 4
    bars = visible[1].patches
    edges = [bar.get_x() for bar in bars] + [bars[-1].get_x() + bars[-1].get_width()]
    heights, _ = np.histogram(latents[:, 0], bins=edges, density=True)
    np.testing.assert_allclose([bar.get_height() for bar in bars], heights)


def test_histograms_show_every_face_and_share_their_axes():
    latents = np.random.default_rng(0).normal(size=(200, 2)) * [7, 0.5]
    figure = shown_by(latent_histograms, latents, [0, 1])
    for axis in figure.axes[:2]:
        assert sum(bar.get_height() * bar.get_width() for bar in axis.patches) == pytest.approx(1)
        assert axis.get_xlim()[0] < latents.min() and axis.get_xlim()[1] > latents.max()
        assert axis.patches[0].get_x() <= latents.min()
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()
    assert figure.axes[0].get_ylim()[1] > max(bar.get_height() for bar in figure.axes[1].patches)
    assert figure.get_supxlabel() and figure.get_supylabel() == "density"


def test_histograms_stand_against_the_standard_normal():
    figure = shown_by(latent_histograms, np.zeros((5, 1)), [0])
    x, y = figure.axes[0].lines[0].get_data()
    assert np.interp(0, x, y) == pytest.approx(1 / np.sqrt(2 * np.pi), rel=1e-3)
    assert ((y[:-1] + y[1:]) / 2 * np.diff(x)).sum() == pytest.approx(1, abs=1e-3)


def frames(path) -> tuple[list[np.ndarray], Image.Image]:
    with Image.open(path) as file:
        result = []
        for i in range(file.n_frames):
            file.seek(i)
            result.append(np.asarray(file.convert("RGB")).astype(int))
        return result, file


@pytest.mark.parametrize("count", [2, 3, 6])
def test_a_gif_plays_forth_and_back_without_end(tmp_path, count):
    levels = np.linspace(0, 1, count)
    images = np.ones((count, 8, 8, 3)) * levels[:, None, None, None]
    save_gif(images, tmp_path / "morph.gif", seconds=count * 0.1, scale=3)
    played, file = frames(tmp_path / "morph.gif")
    there_and_back = [*levels, *levels[-2:0:-1]]
    assert len(played) == len(there_and_back) == 2 * count - 2
    for frame, level in zip(played, there_and_back):
        assert frame.shape == (24, 24, 3)
        np.testing.assert_allclose(frame, 255 * level, atol=2)
    assert file.info["loop"] == 0
    assert file.info["duration"] == 100


def test_a_gif_keeps_its_colours(tmp_path):
    images = np.zeros((2, 8, 8, 3))
    images[0, ..., 0], images[1, ..., 2] = 0.8, 0.3
    save_gif(images, str(tmp_path / "morph.gif"))
    (red, blue), _ = frames(tmp_path / "morph.gif")
    np.testing.assert_allclose(red[12, 12], [204, 0, 0], atol=3)
    np.testing.assert_allclose(blue[12, 12], [0, 0, 76.5], atol=3)


def test_intervals_reach_from_low_to_high_and_groups_keep_their_order():
    (axis,) = shown_by(show_intervals, {"a": intervals()}, "error", neutral=1.0).axes
    (reach,) = axis.collections
    ends = np.array([segment[:, 0] for segment in reach.get_segments()])
    assert ends == pytest.approx(intervals()[["low", "high"]].to_numpy())
    assert [label.get_text() for label in axis.get_yticklabels()] == ["one", "two"]
    assert axis.yaxis_inverted() and not axis.figure.legends
