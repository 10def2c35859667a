"""Hats: the hair is inside."""

from dataclasses import replace

import numpy as np
import pytest

from portraits.people.traits import HAIR_STYLES, HATS
from portraits.shape.hats import hat_meshes
from portraits.shape.head import head_vertices, landmarks
from portraits.shape.scene import build_scene
from tests.portraits.dressed import PEOPLE, dressed


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
