"""The 40 attributes of CelebA, and how often they come."""

from dataclasses import replace

import numpy as np
import pytest

from portraits import ATTRIBUTES, Person, attributes


@pytest.fixture(scope="module")
def table():
    """Attributes of 2,000 people, as columns by name."""
    rows = [attributes(Person.sample(0, index)) for index in range(2000)]
    return {name: np.array([row[name] for row in rows]) for name in ATTRIBUTES}


def test_names_are_celebas():
    assert len(ATTRIBUTES) == len(set(ATTRIBUTES)) == 40
    assert list(ATTRIBUTES) == sorted(ATTRIBUTES)  # CelebA's order is alphabetical
    assert ATTRIBUTES[0] == "5_o_Clock_Shadow" and ATTRIBUTES[-1] == "Young"


def test_values_are_plain_booleans_in_order():
    found = attributes(Person.sample(0, 0))
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


def test_rates_are_of_use_for_learning(table):
    """Enough faces with and without each attribute; `Attractive` is never given."""
    rates = {name: column.mean() for name, column in table.items()}
    assert rates.pop("Attractive") == 0
    assert {name: rate for name, rate in rates.items() if not 0.01 < rate < 0.95} == {}
    for name, low, high in (
        ("Male", 0.40, 0.50),
        ("Smiling", 0.47, 0.57),
        ("Young", 0.70, 0.90),
        ("Eyeglasses", 0.08, 0.22),
        ("Wearing_Hat", 0.03, 0.09),
        ("Blurry", 0.02, 0.06),
    ):
        assert low < rates[name] < high, name


@pytest.mark.parametrize(
    ("group", "changes", "name"),
    [
        ("outfit", {"glasses": True}, "Eyeglasses"),
        ("outfit", {"hat": "cap"}, "Wearing_Hat"),
        ("hair", {"style": "bald"}, "Bald"),
        ("hair", {"color_name": "Blond"}, "Blond_Hair"),
        ("expression", {"smiling": True}, "Smiling"),
        ("photo", {"blur": 1.0}, "Blurry"),
    ],
)
def test_a_parameter_decides_its_label(group, changes, name):
    plain = Person.sample(0, 19)
    assert not attributes(plain)[name]
    changed = replace(plain, **{group: replace(getattr(plain, group), **changes)})
    assert attributes(changed)[name]
