"""Batches of rows, and the mean of a batch."""

import keras
import numpy as np
import pytest

from vaelib.checks import in_batches, mean_over_batch


def test_rows_go_through_the_function_in_batches_and_come_back_in_order():
    seen = []

    def double(batch):
        seen.append(len(batch))
        return [2 * batch, keras.ops.convert_to_tensor(-batch)]

    rows = np.arange(14, dtype="float64").reshape(7, 2)
    doubled, negative = in_batches(double, rows, (2,), 3)
    assert seen == [3, 3, 1]
    np.testing.assert_array_equal(doubled, 2 * rows)
    np.testing.assert_array_equal(negative, -rows)
    assert isinstance(negative, np.ndarray) and negative.dtype == np.float32


def test_the_mean_over_a_batch_is_that_of_the_second_argument():
    mean = mean_over_batch(np.array([1.0, 2.0, 3.0, 6.0]))
    assert float(mean) == pytest.approx(3)
