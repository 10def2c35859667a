"""The hairline."""

from dataclasses import replace

import numpy as np

from portraits import Person
from portraits.shape.hair_shell import hairline


def test_hair_begins_higher_where_it_recedes():
    person = Person.sample(0, 0)
    ahead = np.linspace(-0.9, 0.9, 19)
    receded, usual = (
        hairline(ahead, replace(person, hair=replace(person.hair, recession=r, bangs=False)))
        for r in (0.9, 0.0)
    )
    assert (receded > usual + 0.05).all()
