"""What is worn can be seen, whoever wears it; what is not worn leaves no trace."""

import pytest

from portraits.labelling.labels import _ENOUGH
from portraits.labelling.survey import survey
from portraits.people.traits import EARRINGS, NECKLACES, NECKLINES
from tests.portraits.dressed import PEOPLE, dressed


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
