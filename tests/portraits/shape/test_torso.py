"""The surface that clothes lie on."""

import numpy as np

from portraits.shape.head import head_vertices
from portraits.shape.torso import Torso
from tests.portraits.dressed import PEOPLE


def test_the_torso_is_symmetric_enough_and_goes_down():
    torso = Torso.of(head_vertices(PEOPLE[0]))
    level = np.linspace(0, 1, 11)
    front, stiffness = torso.at(np.zeros(11), level)
    assert (np.diff(front[:, 1]) < 0).all()
    assert (np.diff(stiffness) <= 1e-6).all()
    left, right = (torso.at(np.full(11, side), level)[0] for side in (0.8, -0.8))
    assert np.abs(left[:, 0] + right[:, 0]).max() < 0.15
