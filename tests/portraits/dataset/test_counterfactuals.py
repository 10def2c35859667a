"""Paired sets: the same people, without and with."""

import numpy as np
import pytest
from PIL import Image

from portraits import PortraitsError, write_counterfactuals
from vaelib.data.faces import read_faces


def test_pairs_differ_in_the_attribute_alone(tmp_path):
    write_counterfactuals(tmp_path, ["Eyeglasses"], count=20, size=32, jobs=1)
    without, with_ = (read_faces(tmp_path / "Eyeglasses" / kind) for kind in ("without", "with"))
    assert list(without.attributes.index) == list(with_.attributes.index)
    assert not without.attributes["Eyeglasses"].any()
    assert with_.attributes["Eyeglasses"].all()
    others = [name for name in without.attributes if name != "Eyeglasses"]
    assert without.attributes[others].equals(with_.attributes[others])
    folders = [tmp_path / "Eyeglasses" / kind / "img_align_celeba" for kind in ("without", "with")]
    one, other = (np.asarray(Image.open(f / "000001.jpg"), float) for f in folders)
    assert np.abs(one - other)[-4:].max() < 25  # but for the compression, the same below


def test_several_sets_and_attributes_together(tmp_path):
    write_counterfactuals(tmp_path, ["Smiling", "Eyeglasses+Wearing_Hat"], 20, 16, jobs=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "Eyeglasses+Wearing_Hat",
        "Smiling",
    ]
    both = read_faces(tmp_path / "Eyeglasses+Wearing_Hat" / "with").attributes
    assert both[["Eyeglasses", "Wearing_Hat"]].all(axis=None)


def test_a_second_run_draws_nothing(tmp_path, capsys):
    write_counterfactuals(tmp_path, ["Smiling"], 2, 16, jobs=1)
    picture = tmp_path / "Smiling" / "with" / "img_align_celeba" / "000001.jpg"
    before = picture.stat().st_mtime_ns
    write_counterfactuals(tmp_path, ["Smiling"], 2, 16, jobs=1)
    assert picture.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ([], "Name one attribute at least"),
        (["Smilling"], "did you mean Smiling\\?"),
        (["Attractive"], "is a judgement"),
        (["Bald+Bangs"], "Bald and Bangs exclude each other"),
        (["Smiling", "Zzz"], "There is no attribute 'Zzz'"),
    ],
)
def test_bad_wishes_draw_nothing(tmp_path, names, sentence):
    with pytest.raises(PortraitsError, match=sentence):
        write_counterfactuals(tmp_path / "out", names, 2, 16, jobs=1)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_something_else_is_left(tmp_path):
    (tmp_path / "thesis").mkdir()
    with pytest.raises(PortraitsError, match="holds something else \\(thesis\\)"):
        write_counterfactuals(tmp_path, ["Smiling"], 2, 16, jobs=1)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis"]
