"""One person, who can be sampled, drawn, labelled, and drawn again with one thing changed."""

from dataclasses import dataclass

from portraits.labels import label
from portraits.maths import Array
from portraits.population import sample_traits
from portraits.render import render, survey
from portraits.traits import Traits


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
        return label(self, survey(self))
