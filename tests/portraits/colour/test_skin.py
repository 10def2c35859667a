"""The face: each of its traits shows, is a dial, and leaves the rest of the picture alone."""

from dataclasses import replace

import numpy as np
import pytest

from portraits import Person
from portraits.maths import Array
from portraits.people.traits import Traits
from portraits.picture.render import render
from portraits.shape.head import head_vertices, vertices_of
from portraits.shape.mesh import EYES

FACE = ("oval", "nose_size", "nose_point", "lips", "cheekbones", "eyes_narrow", "eye_bags")
FACE += ("brow_thickness", "brow_arch")
PAINT = {
    "facial_hair": ("stubble", "mustache", "goatee", "beard"),
    "make_up": ("eyes", "lipstick", "blush"),
}
DIALS = [("face", name) for name in FACE]
DIALS += [(group, name) for group, names in PAINT.items() for name in names]


def plain(index: int = 4) -> Traits:
    """A person whose face nothing hides."""
    person = Person.sample(3, index)
    bare = replace(person.facial_hair, stubble=0, mustache=0, goatee=0, beard=0, sideburns=0)
    return replace(
        person,
        facial_hair=bare,
        outfit=replace(person.outfit, hat="none", glasses=False),
        photo=replace(person.photo, blur=0.0),
    )


def turned(person: Traits, group: str, name: str, value: float) -> Traits:
    return replace(person, **{group: replace(getattr(person, group), **{name: value})})


def difference(a: Array, b: Array) -> float:
    return float(np.abs(a.astype(float) - b).mean())


@pytest.mark.parametrize(("group", "name"), DIALS)
def test_a_dial_shows_at_64_pixels(group: str, name: str) -> None:
    low, high = (render(turned(plain(), group, name, value)) for value in (0.1, 0.9))
    assert np.abs(low.astype(int) - high).max() > 12


@pytest.mark.parametrize(("group", "name"), DIALS)
def test_a_small_turn_of_a_dial_changes_little(group: str, name: str) -> None:
    low, near, high = (render(turned(plain(), group, name, value)) for value in (0.45, 0.50, 0.95))
    assert difference(low, near) < 0.5 * difference(low, high) + 0.05


@pytest.mark.parametrize("name", FACE)
def test_eyes_stay_where_they_are(name: str) -> None:
    for eye in EYES:
        low, high = (
            head_vertices(turned(plain(), "face", name, value))[vertices_of(eye)].mean(0)
            for value in (0.0, 1.0)
        )
        assert np.abs(low - high).max() < 0.02


def test_pale_skin_is_less_colourful_than_light_skin() -> None:
    pale, light = (
        render(turned(plain(), "build", "melanin", melanin))[30:46, 20:44].astype(float)
        for melanin in (0.03, 0.17)
    )
    assert pale.mean() > light.mean()
    assert pale[..., 2].mean() / pale[..., 0].mean() > light[..., 2].mean() / light[..., 0].mean()
    assert np.mean(pale.max(-1) == 255) < 0.02  # no burnt areas


def test_wrinkles_come_with_age() -> None:
    def detail(age: float) -> float:
        picture = render(turned(plain(1), "build", "age", age), 192)[50:150, 60:130]
        return float(np.abs(np.diff(picture.astype(float), axis=0)).mean())

    assert detail(0.1) < detail(0.6) < detail(0.95)
