"""People in chosen clothes, for several tests."""

from dataclasses import replace

from portraits import Person

PEOPLE = [Person.sample(3, i) for i in range(8)]


def dressed(person: Person, **outfit: object) -> Person:
    """The person in another outfit, with short hair that hides none of it."""
    bare = {"hat": "none", "earrings": False, "necklace": False, "tie": False, "glasses": False}
    hair = replace(person.hair, style="crop")
    return replace(person, hair=hair, outfit=replace(person.outfit, **{**bare, **outfit}))
