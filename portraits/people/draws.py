"""The random numbers of a person."""

import itertools
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from portraits.people.traits import Build

_FAR = 0x9E3779B97F4A7C15F39CC0605CEDC835  # numbers that no group needs: see `PCG64.jumped`


class Draws:
    """Random numbers of the kinds that a person needs."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def uniform(self, low: float, high: float) -> float:
        return low + (high - low) * self.rng.random()

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def normal(self, spread: float) -> float:
        """Normally distributed, cut off at 2.2 standard deviations."""
        return limit(self.rng.normal() * spread, -2.2 * spread, 2.2 * spread)

    def choose(self, odds: Mapping | Sequence) -> object:
        """Pick a key of a mapping by its odds, or an element of a sequence."""
        if not isinstance(odds, Mapping):
            return odds[int(self.rng.integers(len(odds)))]
        at = self.rng.random() * sum(odds.values())
        for option, share in odds.items():
            at -= share
            if at < 0:
                return option
        return option

    def trait(self, probability: float) -> float:
        """0.75 to 1 with this probability, else 0 to 0.25: clearly so, or clearly not."""
        high = self.chance(probability)
        return self.uniform(0.75, 1) if high else self.uniform(0, 0.25)


def draws_by_group(seed: int, index: int) -> Iterator[Draws]:
    """Random numbers for one group after the other, from places far apart in one sequence."""
    numbers = np.random.PCG64([seed, index])
    start, generator = numbers.state, np.random.Generator(numbers)
    for group in itertools.count():
        numbers.state = start
        numbers.advance(group * _FAR)
        yield Draws(generator)


def rate(build: Build, man: float, woman: float, old_man: float, old_woman: float) -> float:
    """Pick the rate of one of four kinds of people."""
    if build.young:
        return man if build.male else woman
    return old_man if build.male else old_woman


def limit(x: float, low: float, high: float) -> float:
    return min(max(x, low), high)
