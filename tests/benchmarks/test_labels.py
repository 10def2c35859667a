"""The benchmark of the labels: AUC, the switching test, the table and the command."""

import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from benchmarks import labels
from portraits import ATTRIBUTES, DRAWING_VERSION, PortraitsError
from portraits.dataset.manifest import MANIFEST, Manifest, write_manifest
from vaelib.classifier import build_classifier
from vaelib.data.faces import read_faces

ROOT = Path(__file__).resolve().parents[2]
COLOURS = ["Smiling", "Male", "Young"]  # red, green, blue
SIZE = 16
DRAWN = Manifest(DRAWING_VERSION, seed=2, width=64, height=64, count=60)


def write_faces(folder: Path, count: int = 60, manifest: Manifest | None = None) -> Path:
    """Grey noise; its red, green and blue are bright where Smiling, Male and Young are true."""
    rng = np.random.default_rng(0)
    values = rng.integers(0, 2, (count, 3)).astype(bool)
    values = np.concatenate([values, np.zeros((count, 1), bool)], axis=1)  # nobody is bald
    (folder / "img_align_celeba").mkdir(parents=True)
    rows, splits = [], []
    for i, row in enumerate(values):
        pixels = np.where(row[:3], 180, 75) + rng.integers(-40, 40, (64, 64, 1))
        name = f"{i + 1:06}.jpg"
        image = Image.fromarray(pixels.astype("uint8"))
        image.save(folder / "img_align_celeba" / name, quality=95)
        rows.append(" ".join([name, *np.where(row, "1", "-1")]))
        splits.append(f"{name} {[0, 0, 0, 1, 2][i % 5]}")
    header = [str(count), " ".join([*COLOURS, "Bald"])]
    (folder / "list_attr_celeba.txt").write_text("\n".join(header + rows) + "\n")
    (folder / "list_eval_partition.txt").write_text("\n".join(splits) + "\n")
    if manifest is not None:
        write_manifest(folder / MANIFEST, manifest)
    return folder


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    return read_faces(write_faces(tmp_path_factory.mktemp("faces") / "colours"))


class FakePerson:
    """Three colours and an attribute, Bald, that can't be switched. Young does not show."""

    def __init__(self, has: dict[str, bool]):
        self.has = has

    @classmethod
    def sample(cls, seed: int, index: int) -> "FakePerson":
        values = np.random.default_rng([seed, index]).integers(0, 2, 4).astype(bool)
        return cls(dict(zip([*COLOURS, "Bald"], values.tolist())))

    def attributes(self) -> dict[str, bool]:
        return dict(self.has)

    def with_attribute(self, name: str, value: bool) -> "FakePerson":
        if name == "Bald":
            raise PortraitsError("Bald can't be switched.")
        return FakePerson({**self.has, name: value})

    def render(self, size: int) -> np.ndarray:
        color = [180 if self.has[name] else 75 for name in COLOURS[:2]]
        return np.full((size, size, 3), [*color, 128], "uint8")


class FakeModel:
    """Says how bright each colour is, red with the wrong sign; Bald is always 0."""

    input_shape = (None, SIZE, SIZE, 3)

    def __call__(self, images, training):
        means = np.asarray(images).mean(axis=(1, 2)) * [-1, 1, 1]
        return np.concatenate([means, np.zeros((len(means), 1))], axis=1)


def pair_count(scores: np.ndarray, has: np.ndarray) -> float:
    pairs = [(a > b) + 0.5 * (a == b) for a in scores[has] for b in scores[~has]]
    return sum(pairs) / len(pairs)


@pytest.mark.parametrize("levels", [3, 10, 10**6])  # many ties, some, none
def test_auc_counts_pairs(levels):
    rng = np.random.default_rng(levels)
    scores = rng.integers(0, levels, (50, 4)) / 7
    has = rng.random((50, 4)) < [0.1, 0.3, 0.5, 0.9]
    has[:2] = [[True] * 4, [False] * 4]
    expected = [pair_count(scores[:, k], has[:, k]) for k in range(4)]
    np.testing.assert_allclose(labels.auc(scores, has), expected, rtol=1e-12)


def test_auc_extremes():
    scores = np.array([[1, 4, 5, 1], [2, 3, 5, 2], [3, 2, 5, 3], [4, 1, 5, 4]])
    has = np.array([[0, 0, 0, 0], [0, 0, 1, 0], [1, 1, 1, 0], [1, 1, 0, 0]], bool)
    np.testing.assert_equal(labels.auc(scores, has), [1, 0, 0.5, np.nan])


def test_celeba_rates_cover_the_attributes():
    assert tuple(labels.CELEBA_RATES) == ATTRIBUTES


def test_attributes_that_vary(faces):
    assert labels.varying(faces) == COLOURS


def test_held_out_faces_are_val_and_test(faces):
    names = labels.held_out(faces)
    assert names == sorted(faces.file_names("val") + faces.file_names("test"))


def test_auc_is_of_the_held_out_faces(faces):
    """The fake reads the colours off the pixels, Smiling with the wrong sign."""
    aucs = labels.measure_auc(FakeModel(), faces, [*COLOURS, "Bald"])
    np.testing.assert_equal(aucs.to_numpy(), [0, 1, 1, np.nan])


def test_switches_draw_the_counterfactual(monkeypatch):
    monkeypatch.setattr("portraits.dataset.manifest.Person", FakePerson)
    person = FakePerson.sample(5, 6)
    switches = labels.draw_switches(replace(DRAWN, seed=5), 7, [*COLOURS, "Bald"], SIZE)
    assert list(switches.after) == COLOURS  # Bald can't be switched
    np.testing.assert_allclose(switches.before, person.render(SIZE), atol=3)
    on, picture = switches.after["Male"]
    assert on != person.has["Male"]
    other = FakePerson({**person.has, "Male": on})
    np.testing.assert_allclose(picture, other.render(SIZE), atol=3)


def test_switching_test_counts_moves_the_right_way(monkeypatch, capsys):
    monkeypatch.setattr("portraits.dataset.manifest.Person", FakePerson)
    attributes = [*COLOURS, "Bald"]
    shares = labels.switching_test(FakeModel(), DRAWN, list(range(1, 21)), attributes, jobs=1)
    # Red has the wrong sign, green moves, blue does not show, and Bald can't be switched.
    np.testing.assert_equal(shares.to_numpy(), [0, 1, 0, np.nan])
    lines = "".join(capsys.readouterr())
    assert "\r" not in lines
    assert lines.splitlines()[-1] == "Switching: 20 of 20"
    assert len(lines.splitlines()) == 10


def test_nobody_switched():
    shares = labels.switching_test(FakeModel(), None, [], COLOURS)
    assert shares.isna().all() and list(shares.index) == COLOURS


def test_table_and_summary(faces):
    aucs = pd.Series([0.9, 0.8], ["Smiling", "Male"])
    switched = pd.Series([1.0, np.nan], ["Smiling", "Male"])
    table = labels.results(faces, aucs, switched)
    assert tuple(table.columns) == labels.COLUMNS
    rate = faces.attributes["Smiling"].mean() * 100
    assert table.loc["Smiling"].to_list() == pytest.approx([rate, 48.2, rate / 48.2, 0.9, 1.0])
    text = labels.as_text(table).splitlines()
    assert text[0].split() == list(labels.COLUMNS)
    assert text[1].split() == [
        "Smiling",
        f"{rate:.1f}",
        "48.2",
        f"{rate / 48.2:.2f}",
        "0.900",
        "1.00",
    ]
    assert text[2].split()[-1] == "-"
    found = json.loads(json.dumps(labels.summary(table), allow_nan=False))
    assert found["mean_auc"] == pytest.approx(0.85)
    assert (found["min_auc"], found["switched_min"]) == (0.8, 1.0)
    assert list(found["attributes"]) == ["Smiling", "Male"]
    male = found["attributes"]["Male"]
    assert set(male) == {"auc", "rate", "celeba_rate", "switched"}
    assert (male["auc"], male["celeba_rate"], male["switched"]) == (0.8, 0.417, None)


@pytest.fixture
def quick(monkeypatch):
    """The command with a classifier that is not trained, and fake persons."""

    def train(faces, attributes, steps, image_size, batch_size):
        assert steps == 3 * math.ceil(len(faces.file_names("train")) / batch_size)
        return build_classifier(len(attributes), image_size)

    monkeypatch.setattr(labels, "train_classifier", train)
    monkeypatch.setattr("portraits.dataset.manifest.Person", FakePerson)


def test_command_ends_with_one_line_of_json(quick, run_here, tmp_path, capsys):
    folder = write_faces(tmp_path / "faces", manifest=DRAWN)
    out = tmp_path / "found.json"
    options = ("--faces", folder, "--epochs", 3, "--persons", 4, "--out", out)
    assert run_here(labels.app, *options) == 0
    *table, last = capsys.readouterr().out.splitlines()
    found = json.loads(last)
    assert set(found) == {"mean_auc", "min_auc", "switched_min", "attributes"}
    assert list(found["attributes"]) == COLOURS
    assert 0 <= found["attributes"]["Male"]["switched"] <= 1
    assert json.loads(out.read_text()) == found
    assert [line.split()[0] for line in table[-3:]] == COLOURS


def test_command_without_persons_needs_no_portraits(quick, run_here, tmp_path, capsys):
    folder = write_faces(tmp_path / "faces")
    assert run_here(labels.app, "--faces", folder, "--epochs", 3, "--persons", 0) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["switched_min"] is None


@pytest.mark.parametrize(
    "manifest, words",
    [
        (None, "use --persons 0"),
        (replace(DRAWN, version=DRAWING_VERSION - 1), "python -m portraits"),
    ],
)
def test_command_refuses_other_faces_to_switch(run_here, tmp_path, capsys, manifest, words):
    folder = write_faces(tmp_path / "faces", 6, manifest)
    assert run_here(labels.app, "--faces", folder) == 2
    message = capsys.readouterr().err.strip()
    assert words in message and "\n" not in message and message.endswith(".")


@pytest.mark.slow
def test_missing_folder_ends_with_a_sentence(tmp_path):
    command = [sys.executable, "-m", "benchmarks.labels", "--faces", str(tmp_path / "none")]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert len(ran.stderr.splitlines()) == 1
    assert "none does not exist: run `python -m portraits --out " in ran.stderr
