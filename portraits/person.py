"""One person, who can be sampled, drawn, labelled, and drawn again with one thing changed."""

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
    """Everything that decides one portrait. A value: it never changes, and equals its twin.

    person = Person.sample(seed=0, index=7)
    picture = person.render(128)
    with_glasses = person.with_attribute("Eyeglasses", True)
    """

    @classmethod
    def sample(cls, seed: int, index: int = 0) -> "Person":
        """Draw the person number `index` (from 0) of the population `seed`.

        The same two numbers always give the same person, whoever else is drawn.

        Raises:
            ValueError: `seed` or `index` is negative.
        """
        return cls(**sample_traits(seed, index))

    def render(self, size: int | tuple[int, int] = 64) -> Array:
        """Draw the portrait: uint8 (height, width, 3); see `portraits.render.render`."""
        return render(self, size)

    def attributes(self) -> dict[str, bool]:
        """Tell which of CelebA's 40 attributes can be seen in the picture."""
        return attributes(self)

    def with_attribute(self, name: str, on: bool) -> "Person":
        """The same person with one of the 40 attributes, or without; see `switches.switch`.

        Everything else stays as it is: `attributes()` of the result tells what it took.

        Raises:
            PortraitsError: no such attribute, or one that can't be switched.
        """
        return switch(self, {name: on})

    def with_attributes(self, wanted: Mapping[str, bool]) -> "Person":
        """The same person with several attributes switched.

        Raises:
            PortraitsError: no such attribute, or some that exclude each other.
        """
        return switch(self, wanted)

    def dial(self, name: str) -> float:
        """Where one of the `DIALS` stands.

        Raises:
            PortraitsError: there is no such dial.
        """
        return read_dial(self, name)

    def with_dial(self, name: str, value: float) -> "Person":
        """The same person with one of the `DIALS` turned.

        Raises:
            PortraitsError: there is no such dial, or it can't be turned that far.
        """
        return turn_dial(self, name, value)
