"""The 40 attributes of CelebA: how often they come, and that they can be seen."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.labels import CELEBA_RATES
from portraits import ATTRIBUTES, Person
from portraits.labelling.labels import label
from portraits.labelling.survey import render_and_survey, survey

CELEBA = {name: rate for name, rate in CELEBA_RATES.items() if name != "Attractive"}


@pytest.fixture(scope="module")
def table():
    """Attributes of 1,200 people, as columns by name."""
    rows = [Person.sample(0, index).attributes() for index in range(1200)]
    return {name: np.array([row[name] for row in rows]) for name in ATTRIBUTES}


def test_names_are_celebas():
    assert len(ATTRIBUTES) == len(set(ATTRIBUTES)) == 40
    assert list(ATTRIBUTES) == sorted(ATTRIBUTES)  # CelebA's order is alphabetical
    assert ATTRIBUTES[0] == "5_o_Clock_Shadow" and ATTRIBUTES[-1] == "Young"


def test_values_are_plain_booleans_in_order():
    found = Person.sample(0, 0).attributes()
    assert tuple(found) == ATTRIBUTES
    assert all(type(value) is bool for value in found.values())


@pytest.mark.parametrize(
    "names",
    [
        ("Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair"),
        ("Straight_Hair", "Wavy_Hair"),
        ("Bald", "Bangs"),
        ("Bald", "Receding_Hairline"),
        ("Bald", "Wearing_Hat"),
        ("Bangs", "Wearing_Hat"),
        ("Bangs", "Receding_Hairline"),
        ("No_Beard", "Goatee"),
        ("No_Beard", "5_o_Clock_Shadow"),
        ("No_Beard", "Mustache"),
        ("Bald", "Brown_Hair"),
    ],
)
def test_exclusive_attributes(table, names):
    assert sum(table[name].astype(int) for name in names).max() == 1


@pytest.mark.parametrize(
    ("special", "general"),
    [("Wearing_Necktie", "Male"), ("Goatee", "Male"), ("5_o_Clock_Shadow", "Male")],
)
def test_implied_attributes(table, special, general):
    assert not (table[special] & ~table[general]).any()


@pytest.mark.parametrize("name", CELEBA)
def test_rates_are_within_a_factor_of_two_of_celebas(table, name):
    assert 0.5 < 100 * table[name].mean() / CELEBA[name] < 2


def test_attractive_is_never_given(table):
    assert not table["Attractive"].any()


@pytest.mark.parametrize(
    ("one", "other", "sign"),
    [
        ("Wearing_Lipstick", "Heavy_Makeup", 1),
        ("Wearing_Lipstick", "Male", -1),
        ("Smiling", "High_Cheekbones", 1),
        ("Smiling", "Mouth_Slightly_Open", 1),
        ("No_Beard", "Male", -1),
        ("Chubby", "Double_Chin", 1),
        ("Gray_Hair", "Young", -1),
        ("Wearing_Earrings", "Male", -1),
        ("Arched_Eyebrows", "Male", -1),
        ("Big_Nose", "Male", 1),
        ("Wearing_Necktie", "Male", 1),
    ],
)
def test_main_correlations_are_celebas(table, one, other, sign):
    assert sign * np.corrcoef(table[one], table[other])[0, 1] > 0.15


def _first(condition, seed=0):
    people = (Person.sample(seed, index) for index in range(5000))
    return next(person for person in people if condition(person))


def _changed(person, group, **changes):
    return replace(person, **{group: replace(getattr(person, group), **changes)})


def test_an_earring_under_hair_is_not_labelled():
    person = _first(lambda p: p.outfit.earrings and p.hair.style == "long" and not p.hair.bangs)
    tucked = _changed(person, "hair", tucked=True)
    seen = survey(tucked)
    assert label(tucked, seen)["Wearing_Earrings"]
    hidden = _changed(person, "hair", tucked=False, volume=1.2)
    assert survey(hidden).earrings < seen.earrings
    assert not label(hidden, replace(seen, earrings=3))["Wearing_Earrings"]


def test_hair_under_a_hat_is_not_labelled():
    person = _first(lambda p: p.hair.style == "crop" and p.hair.color_name == "Black")
    person = _changed(person, "outfit", hat="none")
    seen = survey(person)
    assert label(person, seen)["Black_Hair"]
    hatted = _changed(person, "outfit", hat="beanie")
    assert survey(hatted).hair < seen.hair
    assert not label(hatted, replace(seen, hair=20))["Black_Hair"]


def test_a_tie_below_the_frame_is_not_labelled():
    person = _first(lambda p: p.outfit.tie)
    assert person.attributes()["Wearing_Necktie"]
    below = _changed(person, "photo", shift_y=0.45)
    assert not below.attributes()["Wearing_Necktie"]


def test_labels_do_not_depend_on_what_is_not_seen():
    """A tie with a neckline that takes none is not drawn, so it is not labelled."""
    person = _first(lambda p: p.outfit.neckline == "crew")
    assert not _changed(person, "outfit", tie=True).attributes()["Wearing_Necktie"]


def test_labels_are_those_of_the_data_set_whatever_its_size():
    for index in range(10):
        person = Person.sample(0, index)
        for size in (32, 64, 100):
            _, seen = render_and_survey(person, size)
            assert label(person, seen) == person.attributes()
