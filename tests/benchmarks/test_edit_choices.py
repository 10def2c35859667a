"""The comparison of ways to edit: what it finds for faces of one colour, where all is known."""

import json

import numpy as np
import pandas as pd
import pytest

from benchmarks import edit_choices
from tests.colours import COLOUR_NAMES as COLOURS
from tests.colours import ColourJudge, ColourModel, images_of_labels
from vaelib.counterfactuals import Cases
from vaelib.editing import Editor, Move, PairedEditor


@pytest.fixture
def case():
    labels = np.array([[0, 0, 0], [0, 1, 0], [0, 1, 1]], bool)
    after = labels.copy()
    after[:, 0] = True
    return Cases(
        "Smiling",
        images_of_labels(labels),
        pd.DataFrame(labels, columns=COLOURS),
        pd.DataFrame(after, columns=COLOURS),
        images_of_labels(after),
    )


def test_ways_and_strengths(case):
    """A mean move of 0.3 is enough; vectors make everybody a man, too."""
    vectors = Editor(pd.DataFrame([[0.3, 0.3, 0]], index=["Smiling"], columns=range(3)))
    move = Move(np.array([0.3, 0, 0]), np.full(3, 0.5), np.zeros((3, 3)))
    editors = edit_choices.ways(vectors, PairedEditor({"Smiling": move}))
    assert editors["one step"].steps == 1 < editors["four steps"].steps
    table = edit_choices.compare(ColourModel(), ColourJudge(COLOURS), {"Smiling": case}, editors)[
        "Smiling"
    ]
    assert table.loc[("reconstruction", 0.0)].tolist() == [0, 1]
    assert table.loc[("truth", 0.0)].tolist() == [1, 1]
    assert table.loc[("vectors", 1.0)].tolist() == pytest.approx([1, 5 / 6])
    for way in ("mean move", "one step", "four steps", "four steps, corrected"):
        assert table.loc[(way, 1.0)].tolist() == [1, 1]
    assert len(table) == 2 + 5 * len(edit_choices.STRENGTHS)


def test_a_mean_move_is_the_same_for_all():
    move = Move(np.ones(2), np.zeros(2), np.eye(2))
    mean = edit_choices.ways(Editor(pd.DataFrame()), PairedEditor({"Bald": move}))["mean move"]
    z = np.array([[0, 0], [5, -3]], "float32")
    np.testing.assert_allclose(mean.add(z, pd.DataFrame(), "Bald"), z + 1)


def test_the_correction_adds_what_the_reconstruction_left_out(case):
    class Dull(ColourModel):
        def decode(self, z):
            return super().decode(np.asarray(z) - 0.1)

    move = PairedEditor({"Smiling": Move(np.array([0.3, 0, 0]), np.zeros(3), np.zeros((3, 3)))})
    left_out = case.images - Dull().decode(Dull().encode(case.images))
    edited = dict(
        edit_choices._edited(
            Dull(), {"four steps": move}, Dull().encode(case.images), case, left_out
        )
    )
    difference = edited["four steps, corrected", 1.0] - edited["four steps", 1.0]
    np.testing.assert_allclose(difference, 0.1, atol=1e-6)


def test_wrong_names_and_folders_end_with_a_sentence(run_here, colour_faces, capsys, monkeypatch):
    assert run_here(edit_choices.app, "--attribute", "Nose") == 2
    assert "--attribute Nose is none of Blond_Hair" in capsys.readouterr().err
    monkeypatch.setattr(edit_choices, "Judge", None)  # it would train
    assert run_here(edit_choices.app, "--faces", colour_faces) == 2
    assert "was not drawn by `portraits`" in capsys.readouterr().err
    monkeypatch.setattr(edit_choices, "find_manifest", lambda folder: "drawn")
    monkeypatch.setattr(edit_choices, "constant_attributes", lambda labels: ["Bald"])
    assert run_here(edit_choices.app, "--faces", colour_faces, "--attribute", "Bald") == 2
    assert "are alike in what is to be added" in capsys.readouterr().err


def test_command(run_here, colour_faces, capsys, monkeypatch, case):
    monkeypatch.setattr(edit_choices.vaelib, "load_model", lambda name: ColourModel())
    monkeypatch.setattr(edit_choices, "Judge", lambda faces, size: ColourJudge(COLOURS))
    z = ColourModel().encode(case.images)
    pairs = {"Smiling": (z, ColourModel().encode(case.counterfactuals))}
    monkeypatch.setattr(edit_choices, "encode_pairs", lambda *arguments: pairs)
    asked = []
    monkeypatch.setattr(
        edit_choices, "find_cases", lambda *arguments: asked.append(arguments) or {"Smiling": case}
    )
    monkeypatch.setattr(edit_choices, "find_manifest", lambda folder: "drawn")
    assert run_here(edit_choices.app, "--faces", colour_faces, "--attribute", "Smiling") == 0
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    ((faces, names, attributes, size),) = asked
    assert list(names) == faces.file_names("val")[:200]  # not of the test split
    assert (attributes, size) == (["Smiling"], 16)
    assert last["persons"] == 200 and len(last["rows"]) == 2 + 5 * len(edit_choices.STRENGTHS)
    assert last["rows"][1] == {
        "way": "truth",
        "strength": 0.0,
        "Smiling": {"accepted": 1.0, "others_agree": 1.0},
    }
