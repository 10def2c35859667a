"""One attribute switched: the label follows, and nothing else changes that could stay."""

import numpy as np
import pytest

from portraits import ATTRIBUTES, Person, PortraitsError, render

SWITCHABLE = [name for name in ATTRIBUTES if name != "Attractive"]
TAKES_ALONG = {
    "5_o_Clock_Shadow": {"No_Beard", "Sideburns"},
    "Bald": {
        "Bangs",
        "Black_Hair",
        "Blond_Hair",
        "Brown_Hair",
        "Gray_Hair",
        "Receding_Hairline",
        "Sideburns",
        "Straight_Hair",
        "Wavy_Hair",
        "Wearing_Earrings",
        "Wearing_Hat",
    },
    "Goatee": {"No_Beard"},
    "Male": {
        "5_o_Clock_Shadow",
        "Goatee",
        "Heavy_Makeup",
        "Mustache",
        "No_Beard",
        "Rosy_Cheeks",
        "Wearing_Lipstick",
    },
    "Mustache": {"No_Beard"},
    "No_Beard": {"5_o_Clock_Shadow", "Goatee", "Mustache"},
}
"""The labels that may change with one, where that is more than a few."""


@pytest.mark.parametrize("name", SWITCHABLE)
def test_every_attribute_can_be_switched_on_and_off(name):
    for index in range(4):
        person = Person.sample(3, index)
        on, off = (person.with_attribute(name, value) for value in (True, False))
        assert on.attributes()[name] and not off.attributes()[name]
        assert person in (on, off)  # one of them changed nothing


def changes(name):
    """The labels that change when six people are switched."""
    for index in range(6):
        person = Person.sample(4, index)
        before = person.attributes()
        after = person.with_attribute(name, not before[name]).attributes()
        yield {other for other in ATTRIBUTES if before[other] != after[other]}


@pytest.mark.parametrize("name", TAKES_ALONG)
def test_few_other_labels_change(name):
    for changed in changes(name):
        assert changed - {name} <= TAKES_ALONG[name]


@pytest.mark.parametrize(
    "name", ["Smiling", "Big_Nose", "Blurry", "Wearing_Lipstick", "Young", "Pale_Skin"]
)
def test_no_other_label_changes(name):
    for changed in changes(name):
        assert changed == {name}


def test_hair_colours_change_together():
    person = Person.sample(0, 0).with_attribute("Black_Hair", True)
    blond = person.with_attribute("Blond_Hair", True).attributes()
    assert blond["Blond_Hair"] and not blond["Black_Hair"]


@pytest.mark.parametrize(
    ("name", "untouched"),
    [
        ("Eyeglasses", np.s_[52:, :]),
        ("Smiling", np.s_[:14, :]),
        ("Wearing_Lipstick", np.s_[:30, :]),
        ("Wearing_Necktie", np.s_[:34, :]),
        ("Wearing_Hat", np.s_[44:, 24:40]),
    ],
)
def test_pixels_stay_where_nothing_new_covers_them(name, untouched):
    for index in range(5):
        person = Person.sample(6, index).with_attribute("Blurry", False)
        on, off = (person.with_attribute(name, value).render(64) for value in (True, False))
        assert (on != off).any()
        np.testing.assert_array_equal(on[untouched], off[untouched])


def test_the_backdrop_stays():
    """Pixels far from the head are the same, whatever is switched."""
    person = Person.sample(0, 5).with_attribute("Blurry", False).with_attribute("Bald", True)
    plain = person.render(64)[:6, :6]
    for name in SWITCHABLE:
        if name not in ("Blurry", "Wearing_Hat", "Bald", "Wavy_Hair", "Straight_Hair"):
            switched = person.with_attribute(name, not person.attributes()[name])
            np.testing.assert_array_equal(switched.render(64)[:6, :6], plain)


def test_what_is_so_already_stays_as_it_is():
    person = Person.sample(0, 3)
    for name, value in person.attributes().items():
        if name != "Attractive":
            assert person.with_attribute(name, value) is person


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ({"Smilling": True}, "There is no attribute 'Smilling': did you mean Smiling?"),
        ({"Zzz": True}, "There is no attribute 'Zzz'; see portraits.ATTRIBUTES."),
        (
            {"Attractive": True},
            "Attractive is a judgement, not a fact about a drawing, so nothing here switches it.",
        ),
        (
            {"Bald": True, "Bangs": True},
            "Bald and Bangs exclude each other; ask for one of them.",
        ),
        (
            {"Black_Hair": True, "Blond_Hair": True},
            "Black_Hair and Blond_Hair exclude each other; ask for one of them.",
        ),
        (
            {"No_Beard": True, "Goatee": True},
            "No_Beard and Goatee exclude each other; ask for one of them.",
        ),
    ],
)
def test_bad_wishes_are_refused(wanted, sentence):
    with pytest.raises(PortraitsError) as error:
        Person.sample(0).with_attributes(wanted)
    assert str(error.value) == sentence


def test_several_at_once():
    wanted = {"Eyeglasses": True, "Smiling": True, "Blond_Hair": True, "Wearing_Hat": False}
    labels = Person.sample(0, 9).with_attributes(wanted).attributes()
    assert {name: labels[name] for name in wanted} == wanted


def test_a_switched_person_is_a_person():
    person = Person.sample(0, 2).with_attribute("Eyeglasses", True)
    assert type(person) is Person
    np.testing.assert_array_equal(person.render(32), render(person, 32))
