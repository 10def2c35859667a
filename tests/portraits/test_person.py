"""A person is a value, decided by two numbers."""

import pickle
from dataclasses import FrozenInstanceError, replace

import pytest

from portraits import Person


def test_same_numbers_same_person():
    assert Person.sample(1, 7) == Person.sample(1, 7)
    assert hash(Person.sample(1, 7)) == hash(Person.sample(1, 7))


def test_other_numbers_other_person():
    people = {Person.sample(seed, index) for seed in range(3) for index in range(20)}
    assert len(people) == 60


def test_a_person_is_frozen():
    person = Person.sample(0, 0)
    with pytest.raises(FrozenInstanceError):
        person.hair.style = "bald"
    with pytest.raises(FrozenInstanceError):
        person.hair = None


def test_a_person_survives_pickling():
    person = Person.sample(0, 3)
    assert pickle.loads(pickle.dumps(person)) == person


def test_a_changed_copy_leaves_the_first_as_it_was():
    person = Person.sample(0, 0)
    other = replace(person, outfit=replace(person.outfit, glasses=not person.outfit.glasses))
    assert other != person
    assert other.hair is person.hair
    assert person == Person.sample(0, 0)


def test_negative_numbers_are_refused():
    with pytest.raises(ValueError):
        Person.sample(-1, 0)
    with pytest.raises(ValueError):
        Person.sample(0, -1)


@pytest.mark.parametrize("index", range(15))
def test_parameters_make_sense(index):
    person = Person.sample(5, index)
    build, face, hair, outfit = person.build, person.face, person.hair, person.outfit
    assert 0 <= build.age <= 1
    assert sum(build.ancestry) == pytest.approx(1)
    assert all(0 <= part <= 1 for part in hair.color + outfit.cloth_color + outfit.hat_color)
    assert not (hair.bangs and outfit.hat != "none")
    assert not (outfit.tie and outfit.neckline not in ("shirt", "suit"))
    beard = person.facial_hair
    assert build.male or not (beard.stubble or beard.mustache or beard.goatee or beard.beard)
    traits = (face.oval, face.nose_size, face.nose_point, face.lips, face.cheekbones)
    assert not any(0.25 < trait < 0.75 for trait in traits)


def test_groups_are_drawn_independently():
    """One's hair does not depend on how many numbers the face took."""
    groups = ("hair", "pose", "lighting", "backdrop", "strands")
    people = [Person.sample(0, index) for index in range(50)]
    for group in groups:
        assert len({getattr(person, group) for person in people}) == 50
