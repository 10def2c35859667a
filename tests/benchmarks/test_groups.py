"""The benchmark of groups: its training sets, its models, and the tables that notebook 8 reads."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from benchmarks import groups as benchmark
from benchmarks.groups import (
    ATTRIBUTES,
    DARK,
    EDITED,
    PLANS,
    REDRAWN,
    SHOWN,
    VERSIONS,
    check_models,
    compare,
    draw_version,
    groups,
    measure_errors,
    train_all,
    write_faces,
)
from portraits import write_dataset
from vaelib.counterfactuals import read_dials
from vaelib.data.faces import read_faces
from vaelib.data.pixels import load_images
from vaelib.groups import face_errors

RESULTS = Path(__file__).resolve().parents[2] / "data" / "groups"


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faces") / "portraits"
    write_dataset(folder, count=60, size=64, jobs=1)
    return read_faces(folder)


class Half:
    """A model whose pictures are half as bright as the faces."""

    def reconstruct(self, images, sharpen=True):
        return images / 2


def test_the_versions_differ_in_one_thing(faces):
    names = faces.file_names("test")[:2]
    as_it_is = load_images(faces, names)
    facts = read_dials(faces, names, ["skin", "age"]).assign(male=faces.attributes["Male"])
    drawn = {version: (names, draw_version(faces, names, version)) for version in VERSIONS}
    table = measure_errors({"half": Half()}, {"as_it_is": (names, as_it_is)} | drawn, facts)
    assert list(table.columns) == ["file", "drawn", "skin", "age", "male", "half"]
    table = table.set_index(["drawn", "file"])
    expected = 255**2 * np.square(as_it_is / 2).mean(axis=(1, 2, 3))
    assert table.loc["as_it_is", "half"].to_numpy() == pytest.approx(expected, abs=0.06)
    before = table.loc["as_it_is"]
    for version, column in zip(VERSIONS, ["skin"] * 2 + ["age"] * 2 + ["male"] * 2):
        others = [name for name in ("skin", "age", "male") if name != column]
        assert table.loc[version, others].equals(before[others])
        assert table.loc[version, column].nunique() == 1
    assert (table.loc["dark", "half"] < table.loc["light", "half"]).all()


def test_ratios_are_those_to_the_model_of_the_same_seed():
    rows = {"drawn": ["as_it_is"] * 4 + ["dark"], "skin": [0.1, 0.2, 0.7, 0.8, 0.8]}
    table = pd.DataFrame(rows).assign(**dict.fromkeys(PLANS, 1.0))
    table["even_again"] = 4.0
    table["skewed"] = [1, 1, 4, 4, 1e6]  # the last is no person as they are
    ratios = compare(table)["value"]
    assert ratios["skewed, dark"] == 2
    assert ratios["skewed, others"] == 1
    assert ratios["skewed_again, dark"] == 0.5


def test_models_of_other_settings_are_refused(tmp_path):
    check_models(tmp_path / "new", {"steps": 2})
    check_models(tmp_path / "new", {"steps": 2})
    with pytest.raises(ValueError, match="with other settings: remove the folder"):
        check_models(tmp_path / "new", {"steps": 3})


def test_the_picture_has_a_row_for_the_faces_and_each_model(tmp_path):
    images = np.full((3, 8, 8, 3), 0.8, "float32")
    write_faces({"half": Half()}, images, tmp_path / "faces.png")
    picture = np.asarray(Image.open(tmp_path / "faces.png"))
    assert picture.shape == (16, 24, 3)
    assert (picture[:8] == 204).all() and (picture[8:] == 102).all()


@pytest.mark.slow
def test_a_model_that_is_there_is_not_trained_again(faces, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(
        benchmark, "PLANS", {name: PLANS[name] for name in ("even", "skewed", "by_density")}
    )
    dark = read_dials(faces, faces.file_names(), ["skin"])["skin"] > DARK
    first = train_all(faces, dark, 2, 12, tmp_path)
    assert capsys.readouterr().out.count("2 steps on 12 faces") == 3
    (tmp_path / "skewed.keras").unlink()
    again = train_all(faces, dark, 2, 12, tmp_path)
    assert capsys.readouterr().out.count("2 steps on 12 faces") == 1
    images = load_images(faces, faces.file_names("test"))
    for name in ("even", "skewed"):
        errors = [face_errors(models[name], images) for models in (first, again)]
        assert errors[0] == pytest.approx(errors[1], rel=0.01)
    assert face_errors(first["even"], images) != pytest.approx(errors[0], rel=1e-6)


def test_photographs_are_refused(tmp_path):
    (tmp_path / "img_align_celeba").mkdir()
    lines = ["4", "Smiling"]
    for i in range(4):
        Image.new("RGB", (40, 40)).save(tmp_path / "img_align_celeba" / f"{i:06}.jpg")
        lines.append(f"{i:06}.jpg 1")
    (tmp_path / "list_attr_celeba.txt").write_text("\n".join(lines) + "\n")
    with pytest.raises(ValueError, match="nobody's skin tone is known: name a folder of portraits"):
        groups(str(tmp_path), out=tmp_path / "out", models=tmp_path / "models")
    assert not (tmp_path / "out").exists() and not (tmp_path / "models").exists()


# ------------------------------------------------------------------ the results that are kept


@pytest.fixture
def errors() -> pd.DataFrame:
    return pd.read_csv(RESULTS / "errors.csv")


def test_the_errors_of_the_course_are_of_all_models_and_versions(errors):
    assert list(errors.columns) == ["file", "drawn", "skin", "age", "male", *PLANS]
    counts = errors["drawn"].value_counts().to_dict()
    assert counts == {"as_it_is": 1000, "seen": 80} | dict.fromkeys(VERSIONS, REDRAWN)
    assert errors[[*PLANS]].min().min() > 0


@pytest.mark.parametrize("seed", ["", "_again"])
def test_the_skewed_set_costs_the_group_and_nobody_else(errors, seed):
    """By both seeds, and for the same people drawn with another skin."""
    ratios = compare(errors)
    assert ratios.loc[f"skewed{seed}, dark", "low"] > 1
    assert ratios.loc[f"skewed{seed}, others", "high"] < 1.01
    drawn = errors.set_index("drawn")
    change = (drawn[f"skewed{seed}"] / drawn[f"even{seed}"]).groupby(level="drawn").mean()
    assert change["dark"] > change["light"] + 0.05
    assert abs(change["old"] - change["young"]) < 0.02


def test_faces_that_are_drawn_half_of_the_time_are_learned_by_heart(errors):
    """Other faces of the group come out worse than with no weights at all."""
    means = errors.groupby("drawn")[["skewed", "half_by_label"]].mean()
    assert means.loc["seen", "half_by_label"] < means.loc["seen", "skewed"]
    assert means.loc["dark", "half_by_label"] > means.loc["dark", "skewed"]


def test_edits_are_known_for_every_model_attribute_and_group():
    edits = pd.read_csv(RESULTS / "edits.csv")
    keys = edits.set_index(["model", "attribute", "dark"]).index
    assert keys.is_unique and len(keys) == len(EDITED) * len(ATTRIBUTES) * 2
    assert edits[["accepted", "others_agree"]].stack().between(0, 1).all()


def test_the_faces_of_the_course_are_shown_for_every_model():
    width, height = Image.open(RESULTS / "faces.png").size
    assert (width, height) == (64 * SHOWN, 64 * (1 + len(PLANS)))
