"""The names of CelebA's attributes."""

import portraits.labelling.labels
from vaelib.celeba.attributes import ATTRIBUTES


def test_the_names_are_those_of_the_portraits():
    assert tuple(portraits.labelling.labels.ATTRIBUTES) == ATTRIBUTES
