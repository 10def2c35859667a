"""The learning rate over a training."""

import math

import numpy as np
import pytest

from vaelib.schedule import warmup_cosine


def test_the_learning_rate_climbs_to_its_peak_and_falls_to_zero():
    schedule = warmup_cosine(200, 2e-3)
    rate = np.array([float(schedule(step)) for step in range(201)])
    assert rate[0] == pytest.approx(2e-5)
    assert rate[10] == pytest.approx((2e-5 + 2e-3) / 2)
    assert rate[20] == pytest.approx(2e-3)
    assert rate.argmax() == 20
    assert rate[110] == pytest.approx(1e-3)
    assert rate[200] == pytest.approx(0, abs=1e-9)
    assert (np.diff(rate[:21]) > 0).all()
    assert (np.diff(rate[20:]) < 0).all()
    expected = [1e-3 * (1 + math.cos(math.pi * (step - 20) / 180)) for step in range(20, 201)]
    np.testing.assert_allclose(rate[20:], expected, atol=1e-8)


@pytest.mark.parametrize("steps", [1, 2, 9])
def test_a_very_short_run_has_a_learning_rate_too(steps):
    rates = [float(warmup_cosine(steps, 1e-3)(step)) for step in range(steps + 1)]
    assert np.isfinite(rates).all()
    assert min(rates) >= 0
    assert max(rates) <= 1e-3 * 1.0001
