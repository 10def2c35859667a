"""Blur and grain."""

from dataclasses import replace

import numpy as np
import pytest

from portraits import Person, render
from portraits.picture.film import _blur


def test_film_grain_is_the_only_difference_of_a_changed_grain():
    person = Person.sample(0, 0)
    state, increment = person.photo.grain
    other = replace(person, photo=replace(person.photo, grain=(state + 1, increment)))
    difference = render(person, 64).astype(float) - render(other, 64)
    assert 1 < difference.std() < 6


def test_blur_is_gaussian():
    point = np.zeros((41, 41, 3), np.float32)
    point[20, 20] = 1
    blurred = _blur(point, 2.0)
    assert blurred.sum() == pytest.approx(3, rel=1e-5)
    offset = np.arange(41) - 20.0
    for axis in (0, 1):
        profile = blurred[..., 0].sum(axis)
        assert np.sqrt((profile * offset**2).sum()) == pytest.approx(2.0, rel=0.01)


def test_blur_keeps_a_flat_picture_flat():
    flat = np.full((9, 9, 3), 0.25, np.float32)
    np.testing.assert_allclose(_blur(flat, 3.0), flat, atol=1e-6)
