"""Decide which faces of CelebA are for training, for validation and for testing."""

from pathlib import Path

import numpy as np
import pandas as pd

from vaelib.celeba.given import Given
from vaelib.celeba.tables import write_people, write_splits
from vaelib.data.tables import SPLITS


def decide_splits(given: Given, names: pd.Index, aside: Path) -> tuple[dict[str, int], list[str]]:
    """Write the splits of the faces that are kept, and who is who, if the source tells.

    Args:
        given: what the source gives.
        names: the file names of these faces.
        aside: the folder to write to.

    Returns:
        Number of faces in each of CelebA's own splits; remarks.
    """
    counts, remarks = dict.fromkeys(SPLITS, 0), []
    if given.splits is not None:
        splits = given.splits.reindex(names).dropna()
        counts = {split: int((splits == split).sum()) for split in SPLITS}
    people = None if given.people is None else given.people[names]
    if people is not None:
        write_people(people, aside)
    empty = " and ".join(split for split in SPLITS if not counts[split])
    by_person = people is not None and people.nunique() >= len(SPLITS)
    if empty and by_person:
        splits = split_people(people)
    if empty:
        how = "by chance, all faces of a person in one split," if by_person else "by chance,"
        remarks.append(
            f"No face here is for {empty}, so the faces will be split 90/5/5 {how} not as CelebA's "
            "authors did: numbers can't be compared with published ones."
        )
    elif people is not None:
        several = int((splits.groupby(people).nunique() > 1).sum())
        if several:
            remarks.append(f"{several:,} people have faces in more than one split.")
    if by_person or not empty:
        write_splits(splits, aside)
    return counts, remarks


def split_people(people: pd.Series) -> pd.Series:
    """Split faces so that nobody is in two splits: 5% of the people for val, 5% for test.

    Args:
        people: int by file name, of at least three people.

    Returns:
        Series of "train", "val" or "test" with the same index; drawn with a fixed seed.
    """
    everybody = np.sort(people.unique())
    order = np.random.default_rng(0).permutation(everybody)
    held_out = max(1, len(order) // 20)
    splits = pd.Series("train", people.index)
    splits[people.isin(order[:held_out])] = "val"
    splits[people.isin(order[held_out : 2 * held_out])] = "test"
    return splits
