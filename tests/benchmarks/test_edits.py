"""The benchmark of the edits: the table, the picture and the last line, with fakes and without."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from benchmarks import edits
from portraits import DRAWING_VERSION
from portraits.dataset.manifest import MANIFEST, Manifest, write_manifest
from tests.colours import COLOUR_NAMES as COLOURS
from tests.colours import SIZE, ColourJudge, ColourModel
from vaelib import counterfactuals as library
from vaelib.data.faces import read_faces

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(colour_faces, monkeypatch):
    monkeypatch.setattr(edits.vaelib, "load_model", lambda name: ColourModel())
    monkeypatch.setattr(edits, "Judge", lambda faces, size: ColourJudge(COLOURS))
    return colour_faces


@pytest.fixture
def truth(folder, monkeypatch):
    """The folder, as if portraits had drawn it; the counterfactuals change one colour."""
    drawn = Manifest(DRAWING_VERSION, seed=0, width=SIZE, height=SIZE, count=200)
    write_manifest(folder / MANIFEST, drawn)
    labels = read_faces(folder).attributes

    def picture(has):
        color = [180 if has[colour] else 75 for colour in COLOURS]
        return np.full((SIZE, SIZE, 3), color, "uint8")

    def draw(manifest, name, attributes, image_size):
        switched = {attribute: {**labels.loc[name], attribute: True} for attribute in attributes}
        drawn = {attribute: (has, picture(has)) for attribute, has in switched.items()}
        return picture(labels.loc[name]), drawn

    monkeypatch.setattr(library, "draw_counterfactuals", draw)
    monkeypatch.setattr(edits, "PERSONS", 15)  # few are drawn in this process
    return folder


def test_command_with_the_truth(truth, run_here, tmp_path, capsys):
    figure = tmp_path / "new" / "edits.png"
    options = ("--faces", truth, "--persons", 15, "--figure", figure)
    assert run_here(edits.app, *options) == 0
    *printed, last = capsys.readouterr().out.splitlines()
    found = json.loads(last)
    of_each = ["accepted", "others_agree", "reconstruction_agree", "attributes"]
    assert list(found) == ["edits", *of_each, "naive", "improved", "paired"]
    assert found["edits"] == "chosen"
    # The colours are the latents: only the naive one drags: smiles and men go together.
    for edited in (found, found["improved"], found["paired"]):
        assert [edited[share] for share in of_each[:3]] == [1, 1, 1]
    assert found["naive"]["others_agree"] < 0.8
    assert list(found["attributes"]) == ["Eyeglasses", "Smiling", "Male"]
    for name, numbers in found["attributes"].items():
        dragged = found["naive"]["attributes"][name]
        assert 0 < numbers["pixels"] < numbers["pixels_unedited"] / 2
        assert numbers["latents"] <= dragged["latents"] + 1e-6
        assert 0 < numbers["faces"] <= 15 and numbers["refused"] == 0
    lines = [line.split()[0] for line in printed if line.startswith(tuple(COLOURS))]
    assert lines == ["Eyeglasses", "Smiling", "Male"] * 4
    with Image.open(figure) as picture:
        assert picture.width > 6 * SIZE


def test_command_without_the_truth(folder, run_here, tmp_path, capsys):
    options = ("--faces", folder, "--persons", 15, "--figure", tmp_path / "edits.png")
    assert run_here(edits.app, *options) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["edits"] == "improved"
    smiling = found["attributes"]["Smiling"]
    assert smiling["pixels"] is smiling["latents"] is smiling["truth_agree"] is None
    assert smiling["accepted"] == smiling["others_agree"] == 1
    assert (tmp_path / "edits.png").exists()


def test_strengths_are_chosen_without_the_test_faces(truth):
    """What the test pictures show has no say: vectors, moves and strengths stay as they are."""
    faces = read_faces(truth)
    judge = ColourJudge(COLOURS)
    first, ways = edits.fit_editors(ColourModel(), faces, judge, COLOURS, 15)
    for name in faces.file_names("test"):
        black = Image.fromarray(np.zeros((SIZE, SIZE, 3), "uint8"))
        black.save(truth / "img_align_celeba" / name)
    again, ways_again = edits.fit_editors(ColourModel(), read_faces(truth), judge, COLOURS, 15)
    assert ways == ways_again == dict.fromkeys(COLOURS, "paired")
    assert list(first) == list(again) == ["naive", "improved", "paired"]
    for name, editor in first.items():
        assert editor.strengths == again[name].strengths
    for name in ("naive", "improved"):
        pd.testing.assert_frame_equal(first[name].vectors, again[name].vectors)
    for attribute, move in first["paired"].moves.items():
        np.testing.assert_array_equal(move.mean, again["paired"].moves[attribute].mean)


def test_where_pairs_fall_short_and_vectors_do_not_these_are_chosen(truth):
    faces, judge, vae = read_faces(truth), ColourJudge(COLOURS), ColourModel()
    editors, _ = edits.fit_editors(vae, faces, judge, COLOURS, 15)
    names = faces.file_names("val")
    held_out = edits.encode(vae, faces, names), faces.attributes.loc[names, COLOURS]
    weak = {**editors["paired"].strengths, "Smiling": 0.01}
    editors["paired"] = replace(editors["paired"], strengths=weak)
    ways = edits.choose_ways(editors, vae, judge, *held_out, COLOURS)
    assert ways == {**dict.fromkeys(COLOURS, "paired"), "Smiling": "improved"}
    editors["improved"] = replace(editors["improved"], strengths=weak)  # no better
    assert edits.choose_ways(editors, vae, judge, *held_out, COLOURS)["Smiling"] == "paired"


def test_a_folder_without_the_attributes(folder, monkeypatch, capsys, run_here):
    monkeypatch.setattr(edits, "Judge", lambda faces, size: ColourJudge(["Young"]))
    assert run_here(edits.app, "--faces", folder) == 2
    message = capsys.readouterr().err.strip()
    assert "none of the attributes" in message and message.endswith(".")


def test_table_and_summary_of_what_is_not_known():
    row = {"faces": 3, "refused": 1, "strength": 1.5, "accepted": 0.5, "others_agree": 0.25}
    row |= {"reconstruction_agree": 0.75, "truth_accepted": None, "pixels": None}
    table = pd.DataFrame([row, {**row, "accepted": 1.0}], ["Smiling", "Male"])
    lines = edits.as_text(table).splitlines()
    assert lines[1].split() == ["Smiling", "3", "1", "1.50", "50.0", "25.0", "75.0", "-", "-"]
    assert lines[3].split()[0] == "mean" and "75.0" in lines[3]
    found = json.loads(
        json.dumps(edits.summary({"naive": table, "improved": table}), allow_nan=False)
    )
    assert found["accepted"] == 0.75
    assert found["attributes"]["Male"]["pixels"] is None
    assert found["attributes"]["Male"]["strength"] == 1.5
    assert type(found["attributes"]["Male"]["faces"]) is int


@pytest.mark.slow
def test_missing_folder_ends_with_a_sentence(tmp_path):
    command = [sys.executable, "-m", "benchmarks.edits", "--faces", str(tmp_path / "none")]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 2
    assert len(ran.stderr.splitlines()) == 1
    assert "none does not exist" in ran.stderr
