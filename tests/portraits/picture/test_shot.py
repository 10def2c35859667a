"""Shots: the camera's aim, and values carried from the vertices to the pixels."""

from dataclasses import replace

import numpy as np
import pytest

from portraits import Person
from portraits.picture.shot import Interpolation, Shot
from portraits.shape.mesh import Material


def test_interpolation_is_the_weighted_mean_of_the_corners():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(9, 4)).astype(np.float32)
    corners = rng.integers(0, 9, (3, 20))
    weights = rng.dirichlet(np.ones(3), 20).T.astype(np.float32)
    expected = np.einsum("cn,cnk->kn", weights, values[corners])
    np.testing.assert_allclose(Interpolation(corners, weights)(values), expected, atol=1e-5)


def test_eyes_are_where_celebas_are():
    """In 178 x 218, 39 pixels apart around row 111: pictures with the eyes painted green."""
    person = Person.sample(0, 4)
    camera = replace(
        person.photo, shift_x=0.0, shift_y=0.0, zoom=1.0, tilt=0.0, blur=0.0, exposure=1.0
    )
    straight = replace(person.pose, yaw=0.0, pitch=0.0, roll=0.0, gaze_x=0.0, gaze_y=0.0)
    person = replace(person, photo=camera, pose=straight)
    person = replace(person, outfit=replace(person.outfit, glasses=False))
    shot = Shot.of(person, 178, 218)
    for eye, expected in ((Material.EYE_RIGHT, 69.5), (Material.EYE_LEFT, 108.5)):
        rows, columns = np.divmod(shot.body.pixels[shot.body.material == eye], 178)
        assert columns.mean() == pytest.approx(expected, abs=3)
        assert rows.mean() == pytest.approx(111, abs=4)
