"""Glasses: the face is behind them."""

import numpy as np
import pytest

from portraits.shape.head import head_vertices
from portraits.shape.scene import build_scene
from tests.portraits.dressed import PEOPLE, dressed


@pytest.mark.parametrize("squareness", [0.0, 1.0])
def test_glasses_clear_the_face(squareness: float):
    """All around the lenses the face is behind them."""
    for person in PEOPLE:
        worn = dressed(person, glasses=True, lens_squareness=squareness)
        face = head_vertices(worn)
        for vertices, _ in build_scene(worn).lenses:
            rim = vertices[:-1]
            distance = ((face[:, None, :2] - rim[:, :2]) ** 2).sum(-1)
            near = (distance < 0.02**2) & (face[:, None, 2] > -0.3)
            behind = np.where(near, face[:, None, 2], -1).max(0)
            assert (rim[:, 2] > behind - 0.01).all()
