"""Splits by person."""

import numpy as np
import pandas as pd

from vaelib.celeba.splits import split_people


def test_nobody_is_in_two_splits_and_5_percent_are_held_out():
    people = pd.Series(np.random.default_rng(0).integers(0, 1000, 20_000)).add_prefix("face ")
    splits = split_people(people)
    assert (splits.groupby(people).nunique() == 1).all()
    assert list(splits.index) == list(people.index)
    for split, share in (("train", 0.9), ("val", 0.05), ("test", 0.05)):
        assert people[splits == split].nunique() == share * 1000
        assert abs((splits == split).mean() - share) < 0.01
    shuffled = people.sample(frac=1, random_state=0)
    assert split_people(shuffled)[people.index].equals(splits)  # whatever the order of the faces


def test_of_three_people_each_split_has_one():
    people = pd.Series([7, 7, 8, 9], list("abcd"))
    assert sorted(split_people(people).groupby(people).first()) == ["test", "train", "val"]
