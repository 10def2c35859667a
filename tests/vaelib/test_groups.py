"""Errors of groups, their intervals, and the weights with which faces are drawn."""

import numpy as np
import pandas as pd
import pytest

from vaelib.groups import (
    bootstrap,
    choose_faces,
    density_weights,
    draw_batches,
    face_errors,
    group_errors,
    label_weights,
    root_mean,
)
from vaelib.metrics import rmse
from vaelib.model import VAE, build_decoder, build_encoder


def test_the_root_of_the_mean_error_is_the_rmse():
    images = np.random.default_rng(0).random((6, 32, 32, 3)).astype("float32")
    vae = VAE(build_encoder(32, 4), build_decoder(32, 4))
    vae.sharpen.gains.assign(2 * np.ones_like(vae.sharpen.gains))  # errors do without
    errors = face_errors(vae, images)
    assert errors.shape == (6,)
    assert len(set(errors)) == 6
    expected = rmse(images, vae.reconstruct(images, sharpen=False))
    assert root_mean(errors) == pytest.approx(expected, rel=1e-4)


def test_each_group_has_the_error_of_its_faces():
    errors = np.array([4.0, 4.0, 16.0, 16.0])
    groups = {"first": np.array([True, True, False, False]), "all": np.ones(4, bool)}
    table = group_errors(errors, groups)
    assert list(table.index) == ["first", "all"]
    assert list(table["faces"]) == [2, 4]
    assert table.loc["first"].tolist() == [2, 2, 2, 2]  # without spread, no interval
    assert table.loc["all", "value"] == pytest.approx(np.sqrt(10))
    assert 2 <= table.loc["all", "low"] < np.sqrt(10) < table.loc["all", "high"] <= 4


def test_a_ratio_is_that_of_the_same_faces():
    """The faces differ widely, the models by the same factor: the ratio is known exactly."""
    reference = np.random.default_rng(0).uniform(1, 100, 50)
    everyone = {"all": np.ones(50, bool)}
    ratio = group_errors(4 * reference, everyone, reference).loc["all"]
    assert ratio[["value", "low", "high"]].tolist() == pytest.approx([2, 2, 2])
    alone = group_errors(reference, everyone).loc["all"]
    assert alone["high"] > 1.1 * alone["low"]


def test_columns_of_a_table_are_as_good_as_arrays():
    table = pd.DataFrame({"error": [4.0, 9.0, 16.0], "other": [1.0, 1.0, 4.0]}, list("abc"))
    member = table["error"] > 5
    row = group_errors(table["error"], {"large": member}, table["other"]).loc["large"]
    arrays = group_errors(table["error"].to_numpy(), {"large": member.to_numpy()}, table["other"])
    assert row.tolist() == arrays.loc["large"].tolist()
    assert row["value"] == pytest.approx(np.sqrt(12.5 / 2.5))
    assert bootstrap(root_mean, table["error"]) == bootstrap(root_mean, table["error"].to_numpy())


def test_an_empty_group_is_named():
    groups = {"nobody": np.zeros(3, bool)}
    with pytest.raises(ValueError, match="'nobody' has no face: use more faces"):
        group_errors(np.ones(3), groups)


def test_values_of_other_faces_are_refused():
    everyone = {"all": np.ones(3, bool)}
    with pytest.raises(ValueError, match=r"lengths \[2, 3\]"):
        group_errors(np.ones(3), everyone, np.ones(2))


def test_the_interval_of_a_mean_holds_it_nineteen_times_in_twenty():
    rng = np.random.default_rng(0)
    hits = 0
    for seed in range(200):
        low, high = bootstrap(lambda x: x.mean(axis=-1), rng.normal(3, 1, 60), seed=seed)
        hits += low < 3 < high
    assert 0.9 <= hits / 200 <= 0.985


def test_the_first_faces_in_file_order_make_a_set():
    member = pd.Series([False, True, True, False, True, False], list("abcdef"))
    assert choose_faces(member, 0.5, 4) == ["b", "c", "a", "d"]
    assert choose_faces(member, 0.25, 4) == ["b", "a", "d", "f"]
    with pytest.raises(ValueError, match="There are 3 training faces of the group, and 4 are"):
        choose_faces(member, 1.0, 4)
    with pytest.raises(ValueError, match="There are 3 training faces not of the group, and 4"):
        choose_faces(member, 0.0, 4)


def test_label_weights_give_the_group_its_share():
    member = np.array([True] + 9 * [False])
    weights = label_weights(member, 0.4)
    assert weights.sum() == pytest.approx(1)
    assert weights[0] == pytest.approx(0.4)
    assert len(set(weights[1:])) == 1
    for nobody in (np.zeros(5, bool), np.ones(5, bool)):
        with pytest.raises(ValueError, match="of 5 faces belong to the group"):
            label_weights(nobody)


def test_rare_latents_get_more_weight_without_a_label():
    """Two latents of ten vary most; along one of them, few faces lie apart."""
    rng = np.random.default_rng(0)
    latents = rng.normal(0, 0.1, (1000, 10))
    latents[:, :2] += rng.normal(0, 1, (1000, 2))
    latents[:20, 0] += 6
    weights = density_weights(latents, directions=2)
    assert weights.sum() == pytest.approx(1)
    assert (weights > 0).all()
    assert weights[:20].mean() > 3 * weights[20:].mean()
    calmer = density_weights(latents, directions=2, smoothing=10)
    assert calmer.max() < weights.max()


def test_batches_are_drawn_by_weight():
    pixels = np.stack([np.full((2, 2, 3), value, "uint8") for value in (0, 51, 255)])
    batches = draw_batches(pixels, np.array([0, 0.25, 0.75]), batch_size=400)
    (images,) = next(batches)
    assert images.shape == (400, 2, 2, 3) and images.dtype == np.float32
    values, counts = np.unique(images, return_counts=True)
    assert values.tolist() == pytest.approx([0.2, 1])
    assert counts[1] / counts.sum() == pytest.approx(0.75, abs=0.08)
    assert not np.array_equal(images, next(batches)[0])


def test_batches_depend_on_the_seed_alone():
    pixels = np.random.default_rng(0).integers(0, 256, (50, 2, 2, 3)).astype("uint8")
    first, again, other = (next(draw_batches(pixels, seed=seed))[0] for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
