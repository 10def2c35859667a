"""Edits of faces whose latents are their colours, so that all results are known."""

import numpy as np
import pandas as pd
import pytest

import portraits
from tests.colours import BRIGHT, DARK, ColourJudge, ColourModel, images_of_labels
from vaelib.counterfactuals import ATTRIBUTES, Cases
from vaelib.editing import (
    EXCLUDES,
    NEEDS_TRUTH,
    STEPS,
    Editor,
    PairedEditor,
    choose_strengths,
    improved_editor,
    measure,
    naive_editor,
    paired_editor,
)
from vaelib.metrics import rmse

COLOURS = ["Smiling", "Male", "Young"]  # red, green, blue


def table(rows) -> pd.DataFrame:
    return pd.DataFrame(np.array(rows, bool), columns=COLOURS)


def test_an_edit_adds_the_vector_and_takes_what_it_excludes_from_those_that_have_it():
    vectors = pd.DataFrame(np.eye(3, dtype="float32"), COLOURS)
    excludes = {"Smiling": ["Male", "Unknown"]}
    editor = Editor(vectors, {"Smiling": 2.0}, excludes)
    has = table([[0, 0, 1], [0, 1, 1]])
    moved = editor.add(np.zeros((2, 3)), has, "Smiling")
    np.testing.assert_array_equal(moved, [[2, 0, 0], [2, -1, 0]])
    assert moved.dtype == np.float32
    np.testing.assert_array_equal(editor.add(np.zeros((2, 3)), has, "Young"), [[0, 0, 1]] * 2)


def test_an_edit_without_a_vector_is_an_error():
    with pytest.raises(ValueError, match="Bald"):
        Editor(pd.DataFrame(np.eye(3), COLOURS)).add(np.zeros((1, 3)), table([[0, 0, 0]]), "Bald")


def correlated(count: int = 400):
    """Latents that are the labels, of people among whom mostly the men smile."""
    rng = np.random.default_rng(0)
    smiling = rng.random(count) < 0.5
    male = smiling ^ (rng.random(count) < 0.1)
    has = pd.DataFrame({"Smiling": smiling, "Male": male, "Young": rng.random(count) < 0.5})
    return has.to_numpy("float32"), has


def test_naive_edits_drag_what_goes_along_and_improved_ones_do_not():
    latents, has = correlated()
    z, nobody = np.zeros((1, 3), "float32"), has.iloc[:1] & False
    naive = naive_editor(latents, has).add(z, nobody, "Smiling")
    improved = improved_editor(latents, has).add(z, nobody, "Smiling")
    assert naive[0, 1] > 0.7
    np.testing.assert_allclose(improved, [[1, 0, 0]], atol=1e-6)


def test_a_paired_edit_depends_on_the_face():
    """Everybody gets 1 of the first latent, and loses half of the second, wherever it is."""
    rng = np.random.default_rng(0)
    without = rng.normal([0, 3, 0], 20, (500, 3)).astype("float32")
    having = without * np.float32([1, 0.5, 1]) + np.float32([1, 0, 0])
    editor = paired_editor({"Smiling": (without, having)})
    z = np.float32([[2, 8, 1], [2, -4, 1]])
    moved = editor.add(z, table([[0, 0, 0]] * 2), "Smiling")
    assert moved.dtype == np.float32
    left = (1 - 0.5 / STEPS) ** STEPS  # of the second latent, after steps that each see less of it
    np.testing.assert_allclose(moved, [[3, 8 * left, 1], [3, -4 * left, 1]], atol=0.05)
    twice = PairedEditor(editor.moves, {"Smiling": 2.0}).add(z, table([[0, 0, 0]] * 2), "Smiling")
    np.testing.assert_allclose(twice[:, 0], [4, 4], atol=0.05)


def test_few_pairs_give_their_mean_move(one_sentence):
    """The penalty: of three people, little can be said beyond the mean."""
    rng = np.random.default_rng(0)
    without = rng.normal(size=(3, 50)).astype("float32")
    editor = paired_editor({"Male": (without, without + rng.normal(1, 0.1, without.shape))})
    move = editor.add(np.zeros((1, 50), "float32"), table([[0, 0, 0]]), "Male")
    np.testing.assert_allclose(move, editor.moves["Male"].mean[None], atol=0.02)
    alone = paired_editor({"Male": (without[:1], without[:1] + 1)})
    np.testing.assert_allclose(alone.moves["Male"](without[1:]), 1, atol=1e-6)
    with pytest.raises(ValueError) as error:
        editor.add(without, table([[0, 0, 0]] * 3), "Smiling")
    one_sentence(error.value, "Smiling", "Male")


def test_exclusions_are_other_attributes_and_mutual():
    assert set(EXCLUDES) <= set(ATTRIBUTES) <= set(portraits.ATTRIBUTES)
    for attribute, lost in EXCLUDES.items():
        assert attribute not in lost
        assert set(lost) <= set(portraits.ATTRIBUTES)
        assert all(attribute in EXCLUDES[other] for other in lost if other in EXCLUDES)


@pytest.mark.parametrize(
    "enough, chosen",
    [(0.5, 1.0), (0.75, 1.5), (1.0, 3.0)],
)
def test_the_weakest_strength_that_is_enough_is_chosen(enough, chosen):
    """Four faces that get the attribute at 0.7, 0.9, 1.2 and 2 times the vector; one has it."""
    z = np.zeros((5, 3), "float32")
    z[:, 0] = 0.5 - np.array([0.7, 0.9, 1.2, 2, -1]) / 10
    editor = Editor(pd.DataFrame(np.eye(3, dtype="float32") / 10, COLOURS), {"Young": 9.0})
    has = table([[0, 0, 0]] * 4 + [[1, 0, 0]])
    found = choose_strengths(
        editor,
        ColourModel(),
        ColourJudge(COLOURS),
        z,
        has,
        ["Smiling"],
        (1.0, 1.5, 3.0, 4.0),
        enough,
    )
    assert found.strengths == {"Smiling": chosen}
    pd.testing.assert_frame_equal(found.vectors, editor.vectors)


def test_where_nothing_is_enough_the_first_of_the_best_is_chosen():
    z = np.full((4, 3), 0.3, "float32")
    z[0] = -5
    editor = Editor(pd.DataFrame(np.eye(3, dtype="float32") / 10, COLOURS))
    found = choose_strengths(
        editor,
        ColourModel(),
        ColourJudge(COLOURS),
        z,
        table([[0] * 3] * 4),
        ["Male"],
        (1, 2.5, 3, 4),
        1.0,
    )
    assert found.strengths == {"Male": 2.5}


def test_an_attribute_that_every_validation_face_has_is_an_error(one_sentence):
    editor = Editor(pd.DataFrame(np.eye(3), COLOURS))
    with pytest.raises(ValueError) as error:
        choose_strengths(
            editor,
            ColourModel(),
            ColourJudge(COLOURS),
            np.ones((2, 3)),
            table([[1] * 3] * 2),
            ["Male"],
        )
    one_sentence(error.value, "Male", 2)


# ------------------------------------------------------------------ measuring


def example(truth: bool) -> Cases:
    """Three faces without a smile; in the truth, the second also loses Young."""
    before = table([[0, 0, 0], [0, 0, 1], [0, 1, 1]])
    after = before.assign(Smiling=True)
    if truth:
        after.loc[1, "Young"] = False
    pictures = images_of_labels(after.to_numpy()) if truth else None
    return Cases("Smiling", images_of_labels(before.to_numpy()), before, after, pictures, refused=4)


def test_a_perfect_edit():
    vector = pd.DataFrame([[BRIGHT - DARK, 0, 0], [0] * 3, [0, 0, BRIGHT - DARK]], COLOURS)
    case = example(truth=True)
    case.before.loc[[0, 2], "Young"] = False  # so that youth is taken from the second alone
    editor = Editor(vector.astype("float32"), {}, {"Smiling": ["Young"]})
    result = measure(editor, ColourModel(), ColourJudge(COLOURS), case)
    assert (result["faces"], result["refused"], result["strength"]) == (3, 4, 1.0)
    assert result["accepted"] == result["others_agree"] == 1
    assert result["truth_accepted"] == result["truth_agree"] == 1
    assert result["truth_reconstructed"] == 1
    assert result["pixels"] == pytest.approx(0, abs=1e-3)
    assert result["latents"] == pytest.approx(0, abs=1e-6)
    step = BRIGHT - DARK
    assert result["latents_unedited"] == pytest.approx(step * (1 + np.sqrt(2) + 1) / 3)
    assert result["pixels_unedited"] == pytest.approx(rmse(case.counterfactuals, case.images))


def test_an_edit_that_does_half_and_drags_another():
    """Smiling needs twice the vector, and the vector moves green as well."""
    case = example(truth=True)
    vector = pd.DataFrame([[0.2, 0.2, 0.0]], ["Smiling"]).astype("float32")
    result = measure(Editor(vector, {"Smiling": 2}), ColourModel(), ColourJudge(COLOURS), case)
    assert result["strength"] == 2
    assert result["accepted"] == 1
    # Others wanted: (0, 0), (0, 0), (1, 1); they are (1, 0), (1, 1), (1, 1).
    assert result["others_agree"] == pytest.approx(3 / 6)
    assert result["reconstruction_agree"] == 1
    weak = measure(Editor(vector), ColourModel(), ColourJudge(COLOURS), case)
    assert weak["accepted"] == 0
    assert weak["others_agree"] == pytest.approx(5 / 6)


def test_without_the_truth_what_is_excluded_is_not_counted(monkeypatch):
    monkeypatch.setitem(EXCLUDES, "Smiling", ("Male",))
    case = example(truth=False)
    vector = pd.DataFrame([[0.5, 0.5, 0.0]], ["Smiling"]).astype("float32")
    result = measure(Editor(vector), ColourModel(), ColourJudge(COLOURS), case)
    assert result["accepted"] == result["others_agree"] == result["reconstruction_agree"] == 1
    unknown = [name for name, value in result.items() if value is None]
    assert unknown == list(NEEDS_TRUTH)
