"""The comparison of judges, for faces of one colour, where all is known."""

import json

import keras
import numpy as np
import pandas as pd

from benchmarks import judges
from tests.colours import COLOUR_NAMES as COLOURS
from tests.colours import ColourJudge, images_of_labels
from vaelib.counterfactuals import Cases


def smiling(men: list[bool]) -> Cases:
    """People who are drawn with a smile."""
    before = pd.DataFrame({"Smiling": False, "Male": men, "Eyeglasses": False})
    after = before.assign(Smiling=True)
    images = images_of_labels(before.to_numpy(bool))
    return Cases("Smiling", images, before, after, images_of_labels(after.to_numpy(bool)))


def test_accepted_by_a_judge_that_does_not_believe_men():
    judge = ColourJudge(COLOURS)

    def doubting(images):
        logits = judge.logits(images)
        return np.where(logits[:, [1]] > 0, -1, logits)

    shares = judges.accepted(doubting, COLOURS, {"Smiling": smiling([True, False, False])})
    assert shares == {"Smiling": 2 / 3, "Smiling of men": 0}
    assert judges.accepted(judge.logits, COLOURS, {"Smiling": smiling([False])}) == {"Smiling": 1}


def test_command(run_here, colour_faces, capsys, monkeypatch):
    """Both judges are asked; a folder of photographs has no pairs."""
    assert run_here(judges.app, "--faces", colour_faces) == 2
    assert "was not drawn by `portraits`" in capsys.readouterr().err
    images = keras.Input((16, 16, 3))
    colour = keras.layers.GlobalAveragePooling2D()(images)
    trusting, doubting = (
        keras.Model(images, keras.layers.Rescaling(1.0, -least)(colour)) for least in (0.5, 0.9)
    )
    judge = ColourJudge(COLOURS)
    judge.classifier = trusting
    monkeypatch.setattr(judges, "find_manifest", lambda folder: "drawn")
    monkeypatch.setattr(judges, "Judge", lambda faces, size: judge)
    monkeypatch.setattr(judges, "cached_classifier", lambda *arguments: doubting)
    case = smiling([True, False])
    monkeypatch.setattr(judges, "find_cases", lambda *arguments: {judge.attributes[0]: case})
    assert run_here(judges.app, "--faces", colour_faces, "--image-size", 16) == 0
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["persons"] == 200
    assert last["with pairs"]["Smiling"] == 1 and last["without pairs"]["Smiling"] == 0
    assert last["with pairs"]["all labels"] > 0.9 > last["without pairs"]["all labels"]
