"""The order of faces in shards: every face, processes, lanes, and how far a shuffle reaches."""

import numpy as np
import pytest

from vaelib.data.order import ShardOrder
from vaelib.data.shards import shard_of

ROWS = np.arange(1000)[np.arange(1000) % 10 < 9]  # 900 faces of a split


def read(order: ShardOrder, numbers) -> np.ndarray:
    """The rows of some batches: (batches, n)."""
    return np.stack([order.batch(number)[0] for number in numbers])


def test_few_faces_are_left_out_of_many():
    for rows in (np.arange(100_000), np.arange(9, 400_000, 10), np.arange(0, 300_000, 7)):
        order = ShardOrder(rows, 16, 64)
        assert order.batches * 64 > 0.97 * len(rows)


def test_a_pass_has_every_face_once_but_for_the_last_few():
    order = ShardOrder(ROWS, 16, 40)
    rows = read(order, range(order.batches)).ravel()
    assert len(set(rows)) == len(rows) >= 700
    assert set(rows) <= set(ROWS)


def test_other_faces_are_left_out_in_another_pass():
    order = ShardOrder(ROWS, 16, 40)
    left = [
        set(ROWS) - set(read(order, np.arange(order.batches) + epoch * order.batches).ravel())
        for epoch in range(3)
    ]
    assert all(left)
    assert left[0] != left[1] != left[2]


@pytest.mark.parametrize("processes", [2, 4, 8])
@pytest.mark.parametrize("shuffle", [True, False])
def test_processes_together_have_the_batches_of_one(processes, shuffle):
    one = ShardOrder(ROWS, 16, 40, 3, shuffle)
    shares = [ShardOrder(ROWS, 16, 40, 3, shuffle, i, processes) for i in range(processes)]
    assert {share.batches for share in shares} == {one.batches}
    for number in (0, 7, one.batches, 5 * one.batches - 1):
        parts = [share.batch(number) for share in shares]
        assert {part.shape for part in parts} == {(2, 40 // processes)}
        together = np.concatenate(parts, axis=1)
        whole = one.batch(number)
        by_row = np.argsort(whole[0])
        np.testing.assert_array_equal(together[:, np.argsort(together[0])], whole[:, by_row])


def test_process_i_reads_the_shards_i_and_i_plus_n():
    for process in range(4):
        order = ShardOrder(ROWS, 16, 40, process=process, processes=4)
        rows = read(order, range(order.batches)).ravel()
        assert set(shard_of(rows, 16)) == {process, process + 4, process + 8, process + 12}


def test_a_batch_depends_only_on_the_seed_and_its_number():
    numbers = [0, 1, 30, 31, 70]
    forth = ShardOrder(ROWS, 16, 40, 3)
    back = ShardOrder(ROWS, 16, 40, 3)
    there = [forth.batch(number) for number in numbers]
    again = [back.batch(number) for number in numbers[::-1]][::-1]
    np.testing.assert_array_equal(there, again)
    assert (ShardOrder(ROWS, 16, 40, 4).batch(0) != there[0]).any()


def test_the_state_stays_small():
    order = ShardOrder(ROWS, 64, 8)
    for number in range(3 * order.batches):
        order.batch(number)
    assert len(order._kept) <= 16


def test_without_shuffling_every_pass_is_the_same():
    order = ShardOrder(ROWS, 16, 40, shuffle=False)
    first = read(order, range(order.batches))
    np.testing.assert_array_equal(first, read(order, np.arange(order.batches) + order.batches))
    assert (
        np.diff(first[:, 0]) > 0
    ).sum() >= order.batches - 2  # each lane goes through its shards


def test_each_face_comes_anywhere_in_a_pass():
    order = ShardOrder(np.arange(160), 16, 16)
    places = [
        int(np.argmax((read(order, np.arange(10) + 10 * epoch) == 7).any(axis=1)))
        for epoch in range(200)
    ]
    counts = np.bincount(places, minlength=10)
    assert counts.min() > 5  # 20 are expected; its standard deviation is 4.2


def test_half_of_the_faces_are_mirrored_and_others_each_pass():
    order = ShardOrder(ROWS, 16, 40)
    flips = []
    for epoch in range(2):
        both = np.concatenate(
            [order.batch(number + epoch * order.batches) for number in range(order.batches)], 1
        )
        flips.append(dict(zip(*both)))
        assert both[1].mean() == pytest.approx(0.5, abs=0.09)  # five deviations
    common = set(flips[0]) & set(flips[1])
    assert np.mean([flips[0][row] != flips[1][row] for row in common]) == pytest.approx(
        0.5, abs=0.1
    )


@pytest.mark.parametrize(
    ("shards", "batch_size", "processes", "part"),
    [
        (16, 40, 3, "16 shards"),
        (16, 36, 8, "batch of 36"),
        (48, 96, 12, "8 lanes"),
        (16, 2000, 1, "smaller batch"),
    ],
)
def test_what_can_not_be_shared_is_refused(shards, batch_size, processes, part, one_sentence):
    if processes == 12:  # more processes than lanes have a lane each
        assert ShardOrder(ROWS, shards, batch_size, processes=processes).batches
        return
    with pytest.raises(ValueError) as error:
        ShardOrder(ROWS, shards, batch_size, processes=processes)
    one_sentence(error.value, part)
