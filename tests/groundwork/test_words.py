"""The end of a sentence about an unknown name."""

from groundwork.words import suggestion

KNOWN = ("Smiling", "Eyeglasses", "Male")


def test_the_nearest_name_is_suggested():
    assert suggestion("smilling", KNOWN) == ": did you mean Smiling?"


def test_a_name_like_none_ends_the_sentence():
    assert suggestion("Zzz", KNOWN) == "."
    assert suggestion("Zzz", KNOWN, "; see the list.") == "; see the list."
