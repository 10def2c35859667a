"""Random numbers for sampling a person."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from portraits.people.traits import Build

_FAR = 0x9E3779B97F4A7C15F39CC0605CEDC835  # steps from one group to the next, as in `PCG64.jumped`


class Draws:
    """Random numbers from one generator."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def uniform(self, low: float, high: float) -> float:
        """Draw from the uniform distribution on [low, high)."""
        return low + (high - low) * self.rng.random()

    def chance(self, probability: float) -> bool:
        """Return True with this probability."""
        return bool(self.rng.random() < probability)

    def normal(self, spread: float) -> float:
        """Draw from the normal distribution around 0, limited to 2.2 standard deviations."""
        return limit(self.rng.normal() * spread, -2.2 * spread, 2.2 * spread)

    def choose(self, odds: Mapping | Sequence) -> Any:
        """Pick a key of a mapping, with its value as weight, or any element of a sequence."""
        if not isinstance(odds, Mapping):
            return odds[int(self.rng.integers(len(odds)))]
        at = self.rng.random() * sum(odds.values())
        for option, share in odds.items():
            at -= share
            if at < 0:
                return option
        return option

    def trait(self, probability: float) -> float:
        """Draw from [0.75, 1) with this probability, else from [0, 0.25): never in between."""
        high = self.chance(probability)
        return self.uniform(0.75, 1) if high else self.uniform(0, 0.25)


def draws_by_group(seed: int, index: int) -> Iterator[Draws]:
    """Yield the random numbers of each group, from places far apart in one sequence."""
    numbers = np.random.PCG64([seed, index])
    start, generator = numbers.state, np.random.Generator(numbers)
    for group in itertools.count():
        numbers.state = start
        numbers.advance(group * _FAR)
        yield Draws(generator)


def rate(build: Build, man: float, woman: float, old_man: float, old_woman: float) -> float:
    """Pick the rate that applies to this sex and age."""
    if build.young:
        return man if build.male else woman
    return old_man if build.male else old_woman


def limit(x: float, low: float, high: float) -> float:
    """Limit a number to [low, high]."""
    return min(max(x, low), high)
