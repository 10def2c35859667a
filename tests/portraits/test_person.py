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


@pytest.mark.parametrize("index", range(40))
def test_parameters_make_sense(index):
    person = Person.sample(5, index)
    build, hair, outfit = person.build, person.hair, person.outfit
    assert 0 <= build.age <= 1
    assert sum(build.ancestry) == pytest.approx(1)
    assert all(0 <= part <= 1 for part in hair.color + outfit.cloth_color + outfit.hat_color)
    assert not (hair.bangs and outfit.hat != "none")
    assert not (outfit.sunglasses and not outfit.glasses)
    assert not (outfit.tie and not outfit.suit)
    beard = person.facial_hair
    assert build.male or not (beard.stubble or beard.mustache or beard.goatee or beard.beard)
