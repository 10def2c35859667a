"""Every pixel gets a colour, whatever people wear."""

from dataclasses import replace

import numpy as np
import pytest

from portraits import Person
from portraits.people.traits import HAIR_STYLES, HATS, NECKLACES, NECKLINES
from portraits.picture.paint import paint
from portraits.picture.shot import Shot
from portraits.shape.mesh import Material

PERSON = Person.sample(0, 8).with_attributes({"Eyeglasses": True, "Wearing_Earrings": True})


def painted(person: Person) -> dict[Material, int]:
    """Paint a person; return how many of 36 x 36 pixels show each material."""
    shot = Shot.of(person, 36, 36)
    light = paint(person, shot)
    assert np.isfinite(light).all() and light.min() >= 0 and light.std() > 0.02
    counts = np.bincount(shot.body.material, minlength=len(Material))
    return {material: int(counts[material]) for material in Material}


@pytest.mark.parametrize("hat", HATS)
def test_a_hat_is_seen_on_every_style_of_hair(hat):
    """Sampling draws many of these pairs only rarely."""
    outfit = replace(PERSON.outfit, hat=hat)
    for style in HAIR_STYLES:
        for bangs in (False, True):
            hair = replace(PERSON.hair, style=style, bangs=bangs, waviness=0.9)
            seen = painted(replace(PERSON, hair=hair, outfit=outfit))
            assert (seen[Material.HAT] > 40) == (hat != "none")
            assert seen[Material.SKIN] > 200


@pytest.mark.parametrize("neckline", NECKLINES)
def test_clothes_are_seen_with_every_necklace(neckline):
    hair = replace(PERSON.hair, style="crop")
    for style in NECKLACES:
        outfit = replace(
            PERSON.outfit, neckline=neckline, tie=True, necklace=True, necklace_style=style
        )
        seen = painted(replace(PERSON, hair=hair, outfit=outfit))
        assert seen[Material.CLOTH] > 20
        assert (seen[Material.TIE] > 0) == outfit.tied
        assert seen[Material.NECKLACE] > 0
