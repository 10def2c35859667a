"""The order of faces in shards: batch k depends only on the seed and on k.

A batch takes as many faces from each of several lanes. Lane v reads the shards v, v + V, ... one
after the other, where V is the number of lanes. A process takes every N-th lane, so it reads the
shards i, i + N, ..., and N processes together have the batches that one has. To resume, the number
of the batch is enough.
"""

import math
from collections import OrderedDict

import numpy as np

from vaelib.data.shards import FEWEST, check_process, shard_of


class ShardOrder:
    """Which faces are in the share of process i of N in each batch.

    In each pass over the faces, the shards of a lane come in a new order, and so do the faces of a
    shard. The last faces of a pass, which don't fill a batch, are left out.

    Args:
        rows: of the faces to use, int (n,).
        shards: their number.
        batch_size: faces of a batch, all processes together.
        seed: of the orders and of the draws.
        shuffle: else every pass goes through the shards and their faces in the same order.
        process, processes: i and N.

    Attributes:
        batches: of a pass.

    Raises:
        ValueError: the processes can't share the shards or the batch, or there are too few faces.
    """

    def __init__(
        self,
        rows: np.ndarray,
        shards: int,
        batch_size: int,
        seed: int = 0,
        shuffle: bool = True,
        process: int = 0,
        processes: int = 1,
    ):
        check_process(process, processes, shards)
        if batch_size % processes:
            raise ValueError(
                f"{processes} processes can't share a batch of {batch_size} faces evenly: choose "
                f"a number of processes that divides {batch_size}."
            )
        lanes = max(math.gcd(batch_size, shards, FEWEST), processes)
        if lanes % processes:
            raise ValueError(
                f"{processes} processes can't share {lanes} lanes of shards evenly: choose a "
                f"number of processes that divides {lanes}."
            )
        self.seed, self.shuffle, self._each = seed, shuffle, batch_size // lanes
        self._lanes = [
            list(range(lane, shards, lanes)) for lane in range(process, lanes, processes)
        ]
        of = shard_of(rows, shards)
        counts = np.bincount(of, minlength=shards)
        self.batches = int(min(counts[v::lanes].sum() for v in range(lanes)) // self._each)
        if not self.batches:
            raise ValueError(
                f"{len(rows)} faces in {shards} shards don't fill a batch of {batch_size}: "
                "choose a smaller batch."
            )
        mine = {shard for lane in self._lanes for shard in lane}
        order = np.argsort(of, kind="stable")
        parts = np.split(rows[order], np.cumsum(counts)[:-1])
        self._rows = {shard: part for shard, part in enumerate(parts) if shard in mine}
        self._kept: OrderedDict[tuple[int, int], np.ndarray] = OrderedDict()

    def batch(self, number: int) -> np.ndarray:
        """The share of a batch, where `number` counts on from pass to pass.

        Returns:
            int64 (2, n): the rows of the faces, and a random number of each, 0 or 1.
        """
        epoch, number = divmod(number, self.batches)
        start = number * self._each
        parts = [self._of_lane(lane, epoch, start, start + self._each) for lane in self._lanes]
        return np.concatenate(parts, axis=1)

    def _of_lane(self, lane: list[int], epoch: int, start: int, stop: int) -> np.ndarray:
        if self.shuffle:
            lane = np.random.default_rng([self.seed, epoch, 0, lane[0]]).permutation(lane).tolist()
        parts, first = [], 0
        for shard in lane:
            last = first + len(self._rows[shard])
            if first < stop and start < last:
                inside = slice(max(start - first, 0), stop - first)
                parts.append(self._of_shard(shard, epoch)[:, inside])
            first = last
        return np.concatenate(parts, axis=1)

    def _of_shard(self, shard: int, epoch: int) -> np.ndarray:
        """The faces of a shard in the order of a pass; those of the last shards are kept."""
        key = shard, epoch
        found = self._kept.get(key)
        if found is None:
            rows, random = self._rows[shard], np.random.default_rng([self.seed, epoch, 1, shard])
            order = random.permutation(len(rows)) if self.shuffle else np.arange(len(rows))
            found = np.stack([rows[order], random.integers(2, size=len(rows))])
            self._kept[key] = found
            while len(self._kept) > 2 * len(self._lanes):
                self._kept.popitem(last=False)
        return found
