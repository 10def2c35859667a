"""Dials turn one thing by any amount, and say where they stand."""

import numpy as np
import pytest

from portraits import DIALS, Person, PortraitsError


@pytest.mark.parametrize("name", DIALS)
def test_a_dial_stands_where_it_was_turned(name):
    person = Person.sample(0, 1)
    for value in np.linspace(DIALS[name].low, DIALS[name].high, 5):
        assert person.with_dial(name, value).dial(name) == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize("name", DIALS)
def test_a_dial_changes_the_picture_little_by_little(name):
    person = Person.sample(0, 1)
    low, high = DIALS[name].low, DIALS[name].high
    pictures = [
        person.with_dial(name, value).render(48).astype(float)
        for value in (low, low + 0.02 * (high - low), high)
    ]
    step, whole = (np.abs(picture - pictures[0]).mean() for picture in pictures[1:])
    assert 0 < step < 0.6 * whole


def test_a_dial_leaves_the_rest():
    person = Person.sample(0, 1)
    turned = person.with_dial("smile", 0.5)
    assert turned.hair is person.hair and turned.build is person.build
    assert turned.expression.opening == person.expression.opening


def test_hair_color_goes_from_black_to_blond():
    person = Person.sample(0, 0).with_attribute("Bald", False).with_attribute("Wearing_Hat", False)
    for value, name in ((0.0, "Black_Hair"), (0.4, "Brown_Hair"), (1.0, "Blond_Hair")):
        assert person.with_dial("hair_color", value).attributes()[name]


@pytest.mark.parametrize("value", [-9.0, 9.0, float("nan")])
def test_too_far_is_refused(value):
    with pytest.raises(PortraitsError, match=r"smile goes from 0.0 to 1.1, not to"):
        Person.sample(0).with_dial("smile", value)


def test_an_unknown_dial_is_refused():
    with pytest.raises(PortraitsError, match="There is no dial 'smirk'; there are turn, nod"):
        Person.sample(0).with_dial("smirk", 0.5)
    with pytest.raises(PortraitsError, match="There is no dial"):
        Person.sample(0).dial("smirk")
