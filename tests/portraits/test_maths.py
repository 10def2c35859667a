"""The curves, against their formulas."""

import numpy as np
import pytest

from portraits.maths import smoothstep, table, value_noise


@pytest.mark.parametrize(("start", "stop"), [(0.2, 0.7), (0.7, 0.2)])
def test_smoothstep(start, stop):
    x = np.linspace(-1, 2, 301)
    t = np.clip((x - start) / (stop - start), 0, 1)
    expected = 3 * t**2 - 2 * t**3
    np.testing.assert_allclose(smoothstep(start, stop, x), expected, atol=1e-12)
    single = smoothstep(start, stop, x.astype(np.float32).reshape(7, 43))
    assert single.dtype == np.float32 and single.shape == (7, 43)
    np.testing.assert_allclose(single.ravel(), expected, atol=1e-5)
    assert smoothstep(start, stop, start) == 0 and smoothstep(start, stop, stop) == 1


def test_noise_goes_through_its_table_and_comes_round():
    numbers = table((0.5, 0.1, 0.9, 0.3))
    x = np.array([0, 1, 2, 3, 4, -1, 5], np.float32)
    np.testing.assert_allclose(value_noise(numbers, x), [0.5, 0.1, 0.9, 0.3, 0.5, 0.3, 0.1])
    np.testing.assert_allclose(value_noise(numbers, np.float32([0.5, 2.5])), [0.3, 0.6], atol=1e-6)
    assert value_noise(numbers, np.zeros((2, 3))).shape == (2, 3)


def test_noise_stays_between_its_numbers():
    numbers = table(tuple(np.random.default_rng(0).random(64).tolist()))
    noise = value_noise(numbers, np.linspace(-100, 100, 5001))
    assert numbers.min() <= noise.min() and noise.max() <= numbers.max()
