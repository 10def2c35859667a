"""One person: sampled, drawn, labelled, and drawn again with one thing changed."""

from collections.abc import Mapping
from dataclasses import dataclass

from portraits.labelling.survey import attributes
from portraits.labelling.switches import switch
from portraits.maths import Array
from portraits.people.dials import read_dial, turn_dial
from portraits.people.population import sample_traits
from portraits.people.traits import Traits
from portraits.picture.render import render


@dataclass(frozen=True, slots=True)
class Person(Traits):
    """All parameters of one portrait. They never change; two with the same ones are equal.

    person = Person.sample(seed=0, index=7)
    picture = person.render(128)
    with_glasses = person.with_attribute("Eyeglasses", True)
    """

    @classmethod
    def sample(cls, seed: int, index: int = 0) -> "Person":
        """Sample person number `index` (from 0) of population `seed`.

        The same two numbers always give the same person.

        Raises:
            ValueError: `seed` or `index` is negative.
        """
        return cls(**sample_traits(seed, index))

    def render(self, size: int | tuple[int, int] = 64) -> Array:
        """Draw the portrait: uint8 (height, width, 3); see `portraits.render`."""
        return render(self, size)

    def attributes(self) -> dict[str, bool]:
        """Tell for each of CelebA's 40 attributes whether it can be seen in the picture."""
        return attributes(self)

    def with_attribute(self, name: str, on: bool) -> "Person":
        """Return the same person with one attribute switched on or off.

        Nothing else changes that can stay. `attributes()` of the result tells which other labels
        changed; see `portraits.labelling.switches.switch`.

        Raises:
            PortraitsError: there is no such attribute, or it can't be switched.
        """
        return switch(self, {name: on})

    def with_attributes(self, wanted: Mapping[str, bool]) -> "Person":
        """Return the same person with several attributes switched on or off.

        Raises:
            PortraitsError: there is no such attribute, or some exclude each other.
        """
        return switch(self, wanted)

    def dial(self, name: str) -> float:
        """Read the value of one of the `DIALS`.

        Raises:
            PortraitsError: there is no such dial.
        """
        return read_dial(self, name)

    def with_dial(self, name: str, value: float) -> "Person":
        """Return the same person with one of the `DIALS` turned to a value.

        Raises:
            PortraitsError: there is no such dial, or the value is out of its range.
        """
        return turn_dial(self, name, value)
