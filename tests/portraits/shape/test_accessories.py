"""What is worn can be seen, whoever wears it, and what is not worn leaves no trace."""

from dataclasses import replace

import numpy as np
import pytest

from portraits import Person
from portraits.labelling.labels import _ENOUGH
from portraits.labelling.survey import survey
from portraits.people.traits import EARRINGS, HAIR_STYLES, HATS, NECKLACES, NECKLINES
from portraits.shape.hats import hat_meshes
from portraits.shape.head import head_vertices, landmarks
from portraits.shape.scene import build_scene
from portraits.shape.torso import Torso

PEOPLE = [Person.sample(3, i) for i in range(8)]


def dressed(person: Person, **outfit: object) -> Person:
    """The person with another outfit, and short hair that hides none of it."""
    bare = {"hat": "none", "earrings": False, "necklace": False, "tie": False, "glasses": False}
    hair = replace(person.hair, style="crop")
    return replace(person, hair=hair, outfit=replace(person.outfit, **{**bare, **outfit}))


@pytest.mark.parametrize("neckline", ["shirt", "suit"])
def test_ties_are_seen(neckline: str):
    for person in PEOPLE:
        tied = dressed(person, neckline=neckline, tie=True)
        assert survey(tied).tie >= _ENOUGH.tie


@pytest.mark.parametrize("style", NECKLACES)
@pytest.mark.parametrize("neckline", ["crew", "scoop", "straps", "turtleneck", "v"])
def test_necklaces_are_seen(neckline: str, style: str):
    for person in PEOPLE:
        worn = dressed(person, neckline=neckline, necklace=True, necklace_style=style)
        assert survey(worn).necklace >= 2 * _ENOUGH.necklace


@pytest.mark.parametrize("size", [0.0, 1.0])
@pytest.mark.parametrize("style", EARRINGS)
def test_earrings_are_seen(style: str, size: float):
    for person in PEOPLE:
        worn = dressed(person, earrings=True, earring_style=style, earring_size=size)
        assert survey(worn).earrings >= _ENOUGH.earrings


@pytest.mark.parametrize("neckline", NECKLINES)
def test_nothing_is_seen_of_what_is_not_worn(neckline: str):
    for person in PEOPLE[:5]:
        seen = survey(dressed(person, neckline=neckline))
        assert (seen.tie, seen.necklace, seen.earrings) == (0, 0, 0)


@pytest.mark.parametrize("hat", HATS[1:])
def test_hair_stays_inside_hats(hat: str):
    """Seen from the front, nothing of the head stands out above a hat, whatever the hair."""
    for i, style in enumerate(HAIR_STYLES):
        person = dressed(PEOPLE[i % len(PEOPLE)], hat=hat)
        person = replace(person, hair=replace(person.hair, style=style, volume=1.25))
        bare = head_vertices(person)
        crown = hat_meshes(person, landmarks(bare, bare))[0].vertices
        scene = build_scene(person)
        hair = [] if scene.hair is None else [scene.hair.vertices]
        head = np.concatenate([scene.mesh.vertices[: len(bare)], *hair])
        assert head[:, 1].max() < crown[:, 1].max()


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


def test_the_torso_is_symmetric_enough_and_goes_down():
    torso = Torso.of(head_vertices(PEOPLE[0]))
    level = np.linspace(0, 1, 11)
    front, stiffness = torso.at(np.zeros(11), level)
    assert (np.diff(front[:, 1]) < 0).all()
    assert (np.diff(stiffness) <= 1e-6).all()
    left, right = (torso.at(np.full(11, side), level)[0] for side in (0.8, -0.8))
    assert np.abs(left[:, 0] + right[:, 0]).max() < 0.15
