"""Callbacks: what happens after each step and each epoch."""

import errno
import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from groundwork.files import DiskFull
from tests.vaelib.event_files import with_model
from vaelib.callbacks import (
    FiniteLoss,
    HowLong,
    ImageGenerator,
    ResumedEarlyStopping,
    TimeBudget,
    run_callbacks,
)
from vaelib.schedule import warmup_cosine

# Pictures


class Constant:
    """Stands in for a model whose decoder makes one grey."""

    def __init__(self, grey: float):
        self.grey = grey
        self.asked = []

    def decode(self, latents):
        self.asked.append(np.array(latents))
        return np.full((len(latents), 32, 32, 3), self.grey, "float32")


def test_the_generator_decodes_the_same_latents_after_each_epoch(tmp_path):
    model = Constant(0.5)
    generator = with_model(ImageGenerator(tmp_path, 4, count=6, columns=3, seed=5), model)
    for epoch in range(3):
        generator.on_epoch_end(epoch)
    first, second, third = model.asked
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first, third)
    assert first.shape == (6, 4)
    again = ImageGenerator(None, 4, count=6, seed=5).latents
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, ImageGenerator(None, 4, count=6, seed=6).latents)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "epoch_001.png",
        "epoch_002.png",
        "epoch_003.png",
    ]


@pytest.mark.parametrize(
    ("grey", "level"), [(0.5, (127, 128)), (0.0, (0,)), (0.2, (51,)), (1, (255,))]
)
def test_the_generators_picture_has_true_contrast(tmp_path, grey, level):
    generator = ImageGenerator(tmp_path / "new" / "folder", 4, count=6, columns=3)
    with_model(generator, Constant(grey)).on_epoch_end(0)
    picture = np.asarray(Image.open(tmp_path / "new" / "folder" / "epoch_001.png"))
    assert picture.shape == (2 * 32 + 2, 3 * 32 + 2 * 2, 3)
    assert set(picture[:32, :32].ravel().tolist()) <= set(level)
    assert (picture[32:34] == 255).all()  # the gap


def test_a_picture_is_whole_or_not_there(tmp_path, monkeypatch):
    def half(image, path):
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", half)
    with pytest.raises(DiskFull, match=r"epoch_001\.png"):
        with_model(ImageGenerator(tmp_path, 4), Constant(0.5)).on_epoch_end(0)
    assert list(tmp_path.iterdir()) == []


def test_the_generator_can_write_to_tensorboard_alone(tmp_path):
    with_model(ImageGenerator(None, 4, log_dir=tmp_path / "log"), Constant(0.5)).on_epoch_end(0)
    assert [path.name for path in tmp_path.iterdir()] == ["log"]


# How long it will take


def say_how_long(seconds_a_step: float, epochs: int, steps: int, monkeypatch, capsys) -> str:
    clock = iter(seconds_a_step * np.arange(1000))
    monkeypatch.setattr("vaelib.callbacks.time.monotonic", lambda: next(clock))
    callback = HowLong(measured=1)
    callback.set_params({"epochs": epochs, "steps": steps})
    for step in range(20):
        callback.on_train_batch_end(step)
    return capsys.readouterr().out


@pytest.mark.parametrize(
    "seconds, expected",
    [(0.1, "less than a minute"), (0.2, "about 2 minutes"), (0.12, "about 1 minute ")],
)
def test_it_says_how_long_a_training_will_take(seconds, expected, monkeypatch, capsys):
    said = say_how_long(seconds, 5, 100, monkeypatch, capsys)
    assert said.startswith("500 steps will take") and expected in said
    assert said.count("\n") == 1


# The best epoch, stopping early, and in time


def test_the_best_checkpoint_remembers_the_epochs_before(vae, faces, tmp_path):
    done = pd.DataFrame({"val_loss": [5.0, 3.0, 4.0]}, index=[1, 2, 3])
    callbacks = [run_callbacks(vae, faces, tmp_path, table)[1] for table in (done, None)]
    assert [callback.best for callback in callbacks] == [3.0, None]


@pytest.mark.parametrize("done", range(6))
def test_early_stopping_counts_the_epochs_before_a_resume(done):
    losses = [5.0, 3.0, 4.0, 3.5, 3.0, 2.0]  # with a patience of 3, the fifth is the last
    stopper = ResumedEarlyStopping(3, pd.DataFrame({"val_loss": losses[:done]}))
    stopper.set_model(SimpleNamespace(stop_training=False, optimizer=None))
    stopper.on_train_begin()
    last = done
    while not stopper.model.stop_training:
        stopper.on_epoch_end(last, {"val_loss": losses[last]})
        last += 1
    assert last == max(5, done)


class FakeTraining:
    """Steps of 1 second, epochs of 4 steps, and 2.5 seconds for what comes after an epoch."""

    def __init__(self, used: float = 0.0):
        self.time = used
        self.stop_training = False
        self.optimizer = SimpleNamespace(learning_rate=None)
        self.rates = []

    def run(self, budget: TimeBudget) -> int:
        budget.set_model(self)
        budget.set_params({"epochs": 10**6})
        budget.on_train_begin()
        epoch = 0
        while not self.stop_training:
            for batch in range(4):
                budget.on_train_batch_begin(batch)
                self.rates.append(self.optimizer.learning_rate)
                self.time += 1
                budget.on_train_batch_end(batch)
                if self.stop_training:
                    break
            self.time += 2.5
            budget.on_epoch_end(epoch)
            epoch += 1
        return epoch


def test_a_time_budget_stops_in_time_and_leaves_time_for_the_validation():
    fake = FakeTraining()
    epochs = fake.run(TimeBudget(60, 1e-3, lambda: fake.time))
    assert epochs == 9
    assert fake.time == 9 * 6.5


def test_over_a_time_budget_the_learning_rate_is_that_of_the_steps():
    fake, times = FakeTraining(), []
    budget = TimeBudget(60, 1e-3, lambda: times.append(fake.time) or fake.time)
    fake.run(budget)
    rates = np.array(fake.rates)
    assert rates[0] == pytest.approx(1e-5)
    assert rates.max() == pytest.approx(1e-3, rel=0.02)
    assert rates[-1] < 0.04 * rates.max()
    peak = rates.argmax()
    assert (np.diff(rates[: peak + 1]) > 0).all()
    assert (np.diff(rates[peak:]) <= 0).all()
    schedule = warmup_cosine(60, 1e-3)
    expected = {float(schedule(step)) for step in np.arange(0, 60, 0.5)}
    assert all(min(abs(rate - e) for e in expected) < 1e-5 for rate in rates[8:])


def test_a_learning_rate_is_set_only_when_it_changes_by_a_hundredth_of_its_peak(monkeypatch):
    fake, touched = FakeTraining(), []
    budget = TimeBudget(10_000, 1e-3, lambda: fake.time)
    model = property(lambda self: touched.append(1) or fake)  # here JAX copies its state
    monkeypatch.setattr(TimeBudget, "model", model)
    fake.run(budget)
    assert len(fake.rates) > 5000
    assert 100 < len(touched) < 250
    schedule = warmup_cosine(10_000, 1e-3)
    expected = [float(schedule(step)) for step in range(0, 10_000, 100)]
    assert all(min(np.abs(np.array(fake.rates) - e)) < 1.1e-5 for e in expected)


def test_time_that_was_used_before_counts():
    fake = FakeTraining(used=50.0)
    assert fake.run(TimeBudget(60, 1e-3, lambda: fake.time)) == 2
    assert fake.rates[0] == pytest.approx(float(warmup_cosine(60, 1e-3)(50)), rel=1e-3)


# A loss that is not finite


@pytest.mark.parametrize(
    ("part", "value"), [("reconstruction", math.nan), ("kl", math.inf), ("kl", math.nan)]
)
def test_it_says_which_part_and_names_the_last_good_checkpoint(tmp_path, part, value, one_sentence):
    good = tmp_path / "checkpoints" / "epoch_002.keras"
    good.parent.mkdir()
    good.touch()
    callback = FiniteLoss(tmp_path)
    optimizer = SimpleNamespace(learning_rate=0.002, iterations=157)
    callback.set_model(SimpleNamespace(optimizer=optimizer))
    callback.on_epoch_begin(2)
    logs = {"loss": 3.0, "reconstruction": 1.0, "kl": 2.0}
    callback.on_train_batch_end(0, logs)
    with pytest.raises(FloatingPointError) as error:
        callback.on_train_batch_end(16, {**logs, part: value, "loss": value})
    one_sentence(error.value, "epoch 3", "batch 17", "step 157", f"its {part},", "0.002", good)
    validation = {f"val_{name}": logs[name] for name in logs}
    callback.on_epoch_end(2, {**logs, **validation})
    with pytest.raises(FloatingPointError) as error:
        callback.on_epoch_end(2, {**logs, **validation, f"val_{part}": value, "val_loss": value})
    one_sentence(error.value, "validation", f"its {part},")


def test_it_names_the_peak_of_a_rate_that_has_fallen(tmp_path):
    callback = FiniteLoss(tmp_path, peak=100.0)
    callback.set_model(SimpleNamespace(optimizer=SimpleNamespace(learning_rate=0.0, iterations=2)))
    callback.on_epoch_begin(0)
    with pytest.raises(FloatingPointError, match="at a learning rate of 1e\\+02"):
        callback.on_train_batch_end(1, {"loss": math.nan, "reconstruction": math.nan, "kl": 2.0})
