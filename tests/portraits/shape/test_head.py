"""The baked head, its licence, and its shape for a person."""

import hashlib
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from portraits import Person
from portraits.shape.head import head_vertices, load_head, morph_weights, vertices_of
from portraits.shape.mesh import EYES, Material

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "portraits" / "shape"


def test_the_licence_names_this_very_head():
    digest = hashlib.sha256((FOLDER / "head.npz").read_bytes()).hexdigest()
    assert f"| `head.npz` | `{digest}` |" in (FOLDER / "LICENSE-head.md").read_text()


def test_the_licence_names_the_wheel_that_the_tool_asks_for():
    source = (ROOT / "tools" / "bake_head.py").read_text()
    digest = re.search(r'WHEEL_SHA256 = "([0-9a-f]{64})"', source)[1]
    assert digest in (FOLDER / "LICENSE-head.md").read_text()


def test_head_is_consistent():
    head = load_head()
    n = len(head.rest)
    assert head.triangles.min() == 0 and head.triangles.max() == n - 1
    assert len(head.morph_names) == len(set(head.morph_names)) == len(head.morphs)
    assert head.morphs.shape[1] == 3 * n
    assert all(mask.min() >= 0 and mask.max() <= 1 for mask in head.masks.values())
    np.testing.assert_allclose(np.linalg.norm(head.normals, axis=1), 1, atol=1e-3)
    assert len(head.scales) == len(head.morphs)
    left = head.rest[vertices_of(Material.EYE_LEFT)].mean(0)
    right = head.rest[vertices_of(Material.EYE_RIGHT)].mean(0)
    np.testing.assert_allclose(left + right, 0, atol=1e-3)  # the origin lies between the eyes


@pytest.mark.parametrize("index", range(20))
def test_morphs_of_a_person(index):
    person = Person.sample(3, index)
    weights = morph_weights(person)
    assert set(weights) <= set(load_head().morph_names)
    corners = [weight for name, weight in weights.items() if name.startswith("M_")]
    assert sum(corners) == pytest.approx(1)
    assert min(corners) >= 0
    assert np.isfinite(head_vertices(person)).all()


def test_an_open_jaw_lowers_the_chin():
    person = Person.sample(0, 0)
    face = replace(person.expression, smile=0.0, jaw=1.0)
    shut, open_ = (
        head_vertices(replace(person, expression=replace(face, opening=opening)))
        for opening in (0.0, 1.0)
    )
    x, y, z = load_head().rest.T
    chin = (np.abs(x) < 0.1) & (y < -0.9) & (y > -1.1) & (z > 0)
    assert (open_[chin, 1] < shut[chin, 1]).all()


def test_the_head_is_the_weighted_sum_of_its_morphs():
    """Above the neck, which is shortened afterwards."""
    person, head = Person.sample(0, 2), load_head()
    given = morph_weights(person)
    expected = head.rest.astype(float)
    for name, morph, scale in zip(head.morph_names, head.morphs, head.scales, strict=True):
        expected += given.get(name, 0.0) * scale * morph.reshape(-1, 3).astype(float)
    face = expected[:, 1] > -1
    np.testing.assert_allclose(head_vertices(person)[face], expected[face], atol=1e-4)


def test_eyes_stay_in_place_whatever_the_face():
    """So the camera shows the same cut of the picture after a switch."""
    person, eyes = Person.sample(0, 2), vertices_of(*EYES)
    before = head_vertices(person)[eyes].mean(0)
    for name in ("Big_Nose", "Smiling", "Young", "Oval_Face", "Male"):
        after = head_vertices(person.with_attribute(name, not person.attributes()[name]))
        np.testing.assert_allclose(after[eyes].mean(0), before, atol=5e-3)
