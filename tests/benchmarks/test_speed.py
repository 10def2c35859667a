"""What the benchmarks of speed time: how often, which faces, which products."""

import keras
import numpy as np
import pytest
from keras import ops

from benchmarks import speed
from vaelib import load_images, read_faces


def test_work_returns_its_seconds(monkeypatch):
    now = [10.0]
    monkeypatch.setattr(speed.time, "perf_counter", lambda: now[0])

    @speed.timed
    def work(times: int) -> None:
        now[0] += 0.5 * times

    assert work(3) == 1.5


@pytest.mark.parametrize(
    "seconds, tried, times",
    [(4.0, [3, 6, 12], 40), (0.5, [3, 6], 5), (0.1, [3], 2), (0.0, [3], 2)],
)
def test_a_turn_lasts_as_long_as_asked(seconds, tried, times):
    calls = []

    def work(times: int) -> float:
        calls.append(times)
        return 0.1 * times

    assert speed.times_in(work, seconds) == times
    assert calls == tried


def test_few_faces_fill_two_batches(colour_faces):
    faces = read_faces(colour_faces)
    batch = next(iter(speed.in_memory(faces, 32, 640)))
    assert batch.shape == (640, 32, 32, 3)
    assert speed.in_memory(faces, 32, 64).cardinality() < 0  # without end


def test_batches_are_the_first_faces_again_and_again(colour_faces, monkeypatch):
    monkeypatch.setattr(speed, "IN_MEMORY", 100)
    faces = read_faces(colour_faces)
    first, second, third, fourth = speed.in_memory(faces, 32, 32).take(4).as_numpy_iterator()
    images = load_images(faces, faces.file_names("train")[:96], 32)
    assert np.array_equal(np.concatenate([first, second, third]), images)
    assert np.array_equal(fourth, first)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_products_are_made_in_their_precision(precision, monkeypatch):
    made = []
    cast = ops.cast
    monkeypatch.setattr(speed.ops, "cast", lambda *given: made.append(given[1]) or cast(*given))
    multiply = speed.product(16, precision)
    assert multiply(2) > 0
    assert made == [precision] * 2


def test_the_platform_is_that_of_keras():
    assert {"backend", "version", "device", "name"} == set(speed.platform())
    assert speed.platform()["backend"] == keras.backend.backend()
