"""Attribute vectors, editing and morphing, against plain loops and geometry."""

import numpy as np
import pandas as pd
import pytest

from vaelib.latent import (
    attribute_vectors,
    constant_attributes,
    edit,
    interpolate,
    regressed_vectors,
)


@pytest.fixture
def example():
    rng = np.random.default_rng(3)
    latents = rng.normal(size=(50, 6)).astype("float32")
    table = pd.DataFrame(
        rng.integers(0, 2, (50, 3)).astype(bool), columns=["Smiling", "Male", "Young"]
    )
    table["Bald"], table["Human"] = False, True
    return latents, table


def test_a_vector_is_the_mean_with_minus_the_mean_without(example):
    latents, table = example
    vectors = attribute_vectors(latents, table)
    for name in ["Smiling", "Male", "Young"]:
        with_, without = [], []
        for z, has in zip(latents.tolist(), table[name].tolist()):
            (with_ if has else without).append(z)
        expected = [
            sum(a) / len(with_) - sum(b) / len(without) for a, b in zip(zip(*with_), zip(*without))
        ]
        np.testing.assert_allclose(vectors.loc[name], expected, atol=1e-6)


def test_vectors_are_a_frame_of_float32_one_row_an_attribute(example):
    vectors = attribute_vectors(*example)
    assert list(vectors.index) == ["Smiling", "Male", "Young"]
    assert vectors.shape == (3, 6)
    assert (vectors.dtypes == "float32").all()


def test_vectors_come_in_the_order_asked_for(example):
    latents, table = example
    vectors = attribute_vectors(latents, table, ["Young", "Smiling"])
    assert list(vectors.index) == ["Young", "Smiling"]
    pd.testing.assert_frame_equal(vectors, attribute_vectors(latents, table).loc[vectors.index])


def test_a_vector_has_its_units(example):
    """Twice the latents, twice the vector: nothing is normalised."""
    latents, table = example
    np.testing.assert_allclose(
        attribute_vectors(2 * latents, table), 2 * attribute_vectors(latents, table), rtol=1e-5
    )


def test_an_attribute_carried_by_one_face_is_that_face_minus_the_others(example):
    latents, table = example
    table["Alone"] = np.arange(50) == 7
    expected = latents[7] - np.delete(latents, 7, axis=0).mean(axis=0)
    vector = attribute_vectors(latents, table, ["Alone"]).loc["Alone"]
    np.testing.assert_allclose(vector, expected, atol=1e-5)


def test_far_latents_lose_no_digits(example):
    latents, table = example
    near = attribute_vectors(latents.astype("float64"), table)
    far = attribute_vectors(latents.astype("float64") + 1e6, table)
    np.testing.assert_allclose(far, near, atol=1e-6)


def test_constant_attributes_are_left_out_and_listed(example):
    latents, table = example
    assert constant_attributes(table) == ["Bald", "Human"]
    assert not {"Bald", "Human"} & set(attribute_vectors(latents, table).index)


@pytest.mark.parametrize("name", ["Bald", "Human"])
def test_a_constant_attribute_asked_for_by_name_is_an_error(example, name, one_sentence):
    with pytest.raises(ValueError) as error:
        attribute_vectors(*example, attribute_names=["Smiling", name])
    one_sentence(error.value, name, "50", "choose")


def test_an_unknown_attribute_gets_a_suggestion(example, one_sentence):
    with pytest.raises(ValueError) as error:
        attribute_vectors(*example, attribute_names=["Smilling"])
    one_sentence(error.value, "Smilling", "did you mean Smiling?")


def test_an_unknown_attribute_like_no_other_is_an_error_too(example, one_sentence):
    with pytest.raises(ValueError) as error:
        attribute_vectors(*example, attribute_names=["qqqq"])
    one_sentence(error.value, "qqqq")


def test_latents_and_attributes_of_different_length_are_an_error(example, one_sentence):
    latents, table = example
    with pytest.raises(ValueError) as error:
        attribute_vectors(latents[:-1], table)
    one_sentence(error.value, "49", "50", "same faces")


def test_regressed_vectors_are_those_that_made_the_latents():
    """Attributes that mostly come together are told apart; mean differences mix them."""
    rng = np.random.default_rng(3)
    male = rng.random(500) < 0.5
    table = pd.DataFrame({"Male": male, "Mustache": male & (rng.random(500) < 0.8)})
    table["Young"] = rng.random(500) < 0.5
    made = rng.normal(size=(3, 6))
    latents = 7 + table.to_numpy("float64") @ made
    found = regressed_vectors(latents, table)
    assert list(found.index) == list(table.columns)
    np.testing.assert_allclose(found, made, atol=1e-5)
    mixed = attribute_vectors(latents, table)
    assert np.abs(mixed.loc["Mustache"] - made[1]).max() > 0.1
    chosen = regressed_vectors(latents, table, ["Young", "Male"])
    pd.testing.assert_frame_equal(chosen, found.loc[["Young", "Male"]])


def test_regressed_on_one_attribute_is_the_mean_difference(example):
    latents, table = example
    table = table[["Male", "Bald"]]  # nobody is bald
    pd.testing.assert_frame_equal(
        regressed_vectors(latents, table), attribute_vectors(latents, table), rtol=1e-4
    )


def test_regressed_attributes_that_never_come_apart_share_their_vector(example):
    latents, table = example
    table = pd.DataFrame({"Male": table["Male"], "Man": table["Male"]})
    found = regressed_vectors(latents, table)
    expected = attribute_vectors(latents, table).loc["Male"] / 2
    np.testing.assert_allclose(found, [expected, expected], atol=1e-5)


def test_regressed_vectors_refuse_what_mean_differences_refuse(example, one_sentence):
    latents, table = example
    for names, rows, part in (
        (["Bald"], 50, "choose"),
        (["Smilling"], 50, "Smiling?"),
        (None, 9, "9"),
    ):
        with pytest.raises(ValueError) as error:
            regressed_vectors(latents[:rows], table, names)
        one_sentence(error.value, part)


def test_edit_adds_the_vector_strength_times():
    z, vector = np.array([1.0, 2, 3], "float32"), np.array([0.5, 0, -1], "float32")
    np.testing.assert_array_equal(edit(z, vector, 2), [2, 2, 1])
    np.testing.assert_array_equal(edit(z, vector), [1.5, 2, 2])
    np.testing.assert_array_equal(edit(z, vector, -1), [0.5, 2, 4])


def test_edit_by_nothing_changes_nothing():
    z = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    np.testing.assert_array_equal(edit(z, np.ones(3), 0), z)


def test_edit_moves_every_face_alike():
    z, vector = np.arange(12, dtype="float32").reshape(4, 3), np.array([1, 0, -2])
    moved = edit(z, vector, 0.5)
    assert moved.shape == (4, 3)
    assert moved.dtype == np.float32
    for before, after in zip(z, moved):
        np.testing.assert_array_equal(after, edit(before, vector, 0.5))


def test_many_strengths_make_many_edits_of_one_face():
    z, vector = np.array([1.0, 2, 3], "float32"), np.array([0.5, 0, -1], "float32")
    strengths = np.array([-2, -1, 0, 1, 2])
    moved = edit(z, vector, strengths)
    assert moved.shape == (5, 3)
    for strength, row in zip(strengths, moved):
        np.testing.assert_array_equal(row, edit(z, vector, strength))


def test_edit_takes_a_row_of_the_vectors_and_leaves_its_inputs_alone(example):
    latents, table = example
    vectors = attribute_vectors(latents, table)
    before = latents.copy()
    assert isinstance(edit(latents[0], vectors.loc["Male"]), np.ndarray)
    np.testing.assert_array_equal(latents, before)


def test_editing_the_mean_without_gives_the_mean_with(example):
    latents, table = example
    without = latents[~table["Male"]].mean(axis=0)
    vector = attribute_vectors(latents, table).loc["Male"]
    np.testing.assert_allclose(
        edit(without, vector), latents[table["Male"]].mean(axis=0), atol=1e-6
    )


@pytest.fixture
def ends():
    return np.random.default_rng(1).normal(size=(2, 10)).astype("float32")


@pytest.mark.parametrize("steps", [2, 3, 9, 41])
def test_a_straight_morph_has_its_ends_exactly_and_even_steps(ends, steps):
    path = interpolate(*ends, steps)
    assert path.shape == (steps, 10)
    assert path.dtype == np.float32
    np.testing.assert_array_equal(path[[0, -1]], ends)
    differences = np.diff(path.astype("float64"), axis=0)
    np.testing.assert_allclose(
        differences,
        np.broadcast_to((ends[1] - ends[0]) / (steps - 1), differences.shape),
        atol=1e-6,
    )


@pytest.mark.parametrize("steps", [2, 3, 9])
def test_a_spherical_morph_has_its_ends(ends, steps):
    path = interpolate(*ends, steps, spherical=True)
    assert path.shape == (steps, 10)
    assert path.dtype == np.float32
    np.testing.assert_allclose(path[[0, -1]], ends, rtol=1e-6)


def test_a_spherical_morph_turns_evenly_while_its_length_goes_evenly(ends):
    start, end = ends[0], 3 * ends[1]
    path = interpolate(start, end, 7, spherical=True).astype("float64")
    lengths = np.linalg.norm(path, axis=1)
    np.testing.assert_allclose(
        lengths, np.linspace(np.linalg.norm(start), np.linalg.norm(end), 7), rtol=1e-6
    )
    unit = path / lengths[:, None]
    angles = np.arccos((unit[:-1] * unit[1:]).sum(axis=1))
    whole = np.arccos(unit[0] @ unit[-1])
    np.testing.assert_allclose(angles, whole / 6, rtol=1e-5)


def test_a_spherical_morph_stays_in_the_plane_of_its_ends(ends):
    path = interpolate(*ends, 9, spherical=True).astype("float64")
    assert np.linalg.matrix_rank(path, tol=1e-4) == 2


def test_a_quarter_turn_is_known():
    path = interpolate(np.array([1.0, 0]), np.array([0, 1.0]), 3, spherical=True)
    np.testing.assert_allclose(path[1], [np.sqrt(0.5)] * 2, rtol=1e-6)


def test_a_spherical_morph_of_one_direction_goes_straight():
    z = np.array([1.0, 2, 2])
    np.testing.assert_allclose(
        interpolate(z, 3 * z, 3, spherical=True), [z, 2 * z, 3 * z], rtol=1e-6
    )
    np.testing.assert_allclose(interpolate(z, z, 4, spherical=True), [z] * 4, rtol=1e-6)


def test_nearly_the_same_direction_gives_no_nan():
    a = np.ones(5)
    path = interpolate(a, a + 1e-7 * np.arange(5), 5, spherical=True)
    np.testing.assert_allclose(path, np.ones((5, 5)), atol=1e-5)


def test_a_spherical_morph_between_opposite_points_is_an_error(one_sentence):
    with pytest.raises(ValueError) as error:
        interpolate(np.array([1.0, 2]), np.array([-2.0, -4]), 5, spherical=True)
    one_sentence(error.value, "opposite", "straight")


def test_a_spherical_morph_from_or_to_the_origin_is_an_error(one_sentence):
    for ends in [(np.zeros(3), np.ones(3)), (np.ones(3), np.zeros(3))]:
        with pytest.raises(ValueError) as error:
            interpolate(*ends, 5, spherical=True)
        one_sentence(error.value, "zero", "straight")


def test_a_straight_morph_passes_through_the_origin_where_it_lies_between():
    np.testing.assert_array_equal(interpolate(np.ones(2), -np.ones(2), 3)[1], [0, 0])


@pytest.mark.parametrize("steps", [-1, 0, 1])
@pytest.mark.parametrize("spherical", [False, True])
def test_a_morph_of_fewer_than_two_steps_is_an_error(ends, steps, spherical, one_sentence):
    with pytest.raises(ValueError) as error:
        interpolate(*ends, steps, spherical)
    one_sentence(error.value, f"{steps}", "at least 2")


def test_attributes_of_minus_one_and_one_are_refused():
    table = pd.DataFrame({"Smiling": [1, -1, 1, -1]})
    with pytest.raises(ValueError, match="not all true or false"):
        attribute_vectors(np.zeros((4, 2)), table)


# Several attributes at once


TWO = pd.DataFrame([[1, 0, 2], [0, 3, 0]], index=["Smiling", "Male"], dtype="float32")


def test_attributes_by_name_add_up():
    z = np.array([1, 1, 1], "float32")
    edited = edit(z, {"Smiling": 1.5, "Male": -1}, vectors=TWO)
    np.testing.assert_allclose(edited, [2.5, -2, 4])
    assert edited.dtype == np.float32
    np.testing.assert_array_equal(edit(z, {}, vectors=TWO), z)
    np.testing.assert_allclose(edit(z, {"Male": 1}, vectors=TWO), edit(z, TWO.loc["Male"]))
    assert edit(np.zeros((4, 3)), {"Male": 1}, vectors=TWO).shape == (4, 3)


def test_an_attribute_without_a_vector_is_one_sentence(one_sentence):
    with pytest.raises(ValueError) as error:
        edit(np.zeros(3), {"Old": 1}, vectors=TWO)
    one_sentence(error.value, "Old")
    with pytest.raises(ValueError) as error:
        edit(np.zeros(3), {"Male": 1})
    one_sentence(error.value, "vectors=vectors")
