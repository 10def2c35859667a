"""The broken runs that come with the task, and when a model counts as mended."""

import json

import numpy as np
import pandas as pd
import pytest
from keras import ops

from vaelib import task
from vaelib.model import VAE, build_decoder, build_encoder, kl_divergence
from vaelib.task import LEAST_FACES, ROWS, RUNS, SHOWN, SIZE, first_faces, measure, read_run, report

NEW = np.random.default_rng(0).random((24, SIZE, SIZE, 3), "float32")


def small_vae(kind=VAE):
    return kind(build_encoder(SIZE, 8), build_decoder(SIZE, 8), detail=1)


def loss_of(reduce):
    """A class whose squared errors are summed or averaged."""

    class OfTask(VAE):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            errors = reduce(ops.square(x - y_pred["reconstruction"]), axis=(1, 2, 3))
            return ops.mean(errors / 0.02 + kl_divergence(y_pred["z_mean"], y_pred["z_log_var"]))

    return OfTask


def decoding(part):
    """A class that decodes the means (0) or draws (2)."""

    class OfTask(VAE):
        def call(self, images, training=False):
            latents = self.encoder(images, training=training)
            decoded = self.decoder(latents[part], training=training)
            return {"reconstruction": decoded, "z_mean": latents[0], "z_log_var": latents[1]}

    return OfTask


def batches(count):
    """A function that yields `count` different faces, again and again."""
    faces = np.random.default_rng(1).random((count, SIZE, SIZE, 3), "float32")

    def endless():
        while True:
            for start in range(0, count - 63, 64):
                yield faces[start : start + 64]

    return endless


GOOD = {"RunA": loss_of(ops.sum), "RunB": decoding(2), "RunC": VAE, "batches_c": batches(2560)}
BROKEN = {"RunA": loss_of(ops.mean), "RunB": decoding(0), "RunC": VAE, "batches_c": batches(256)}


def found(names):
    return json.loads(report(names, NEW))


def test_good_code_has_no_fault_and_broken_code_has_one_each():
    good, broken = found(GOOD), found(BROKEN)
    assert [good[run]["code"] for run in RUNS] == [""] * 3
    assert "times a nat" in broken["a"]["code"]
    assert "the same z each time" in broken["b"]["code"]
    assert "256 different faces" in broken["c"]["code"]


@pytest.mark.parametrize("repair", [3072.0, 1e6])
def test_a_mean_times_the_number_of_values_is_a_sum(repair):
    def scaled(x, axis):
        return repair * ops.mean(x, axis=axis)

    assert found(GOOD | {"RunA": loss_of(scaled)})["a"]["code"] == ""


def test_mirrored_faces_are_no_new_faces():
    few = next(batches(64)())

    def mirrored():
        while True:
            yield few
            yield few[:, :, ::-1]

    assert "only 64 different" in found(GOOD | {"batches_c": mirrored})["c"]["code"]
    assert LEAST_FACES > 256


def test_what_is_missing_or_fails_is_named():
    def failing():
        raise RuntimeError("no\nfaces")

    names = {"RunA": VAE, "batches_a": failing, "model_a": small_vae()}
    told = found(names)
    assert told["b"] == {"code": "there is no RunB.", "trained": "there is no model_b."}
    assert told["a"]["trained"] == "it ends with RuntimeError: no"
    assert found({}) == {
        run: {
            "code": f"there is no {'batches_c' if run == 'c' else f'Run{run.upper()}'}.",
            "trained": f"there is no model_{run}.",
        }
        for run in RUNS
    }


HEALTHY = {"kl": 90, "deviation": 0.4, "error_draws": 16, "error_new": 15, "error_trained_on": 14}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({}, ""),
        ({"kl": 1}, "only 1 nats"),
        ({"deviation": 1.0}, "that of the prior"),
        ({"error_draws": 50}, "draws are off by 50"),
        ({"error_trained_on": 8}, "those it knows by 8"),
        ({"error_new": 40, "error_draws": 40, "error_trained_on": 40}, "off by 40 grey levels."),
    ],
)
def test_a_trained_model_has_to_be_good_in_everything(monkeypatch, change, fault):
    monkeypatch.setattr(task, "measure", lambda *_: HEALTHY | change)
    names = {"RunC": VAE, "batches_c": batches(256), "model_c": small_vae()}
    told = found(names)["c"]["trained"]
    assert fault in told and bool(told) == bool(fault)


def test_the_model_of_another_run_does_not_count(monkeypatch):
    monkeypatch.setattr(task, "measure", lambda *_: HEALTHY)
    names = GOOD | {"batches_a": batches(256), "model_a": small_vae()}
    assert found(names)["a"]["trained"] == "model_a is no RunA."


def test_an_untrained_model_is_measured():
    vae = small_vae()
    numbers = measure(vae, NEW[:8], NEW)
    assert set(numbers) == set(read_run("a").numbers)
    z_mean, z_log_var = vae.posterior(NEW)
    assert numbers["deviation"] == pytest.approx(np.exp(z_log_var / 2).mean(), abs=0.01)
    assert numbers["kl"] == pytest.approx(
        np.mean(ops.convert_to_numpy(kl_divergence(z_mean, z_log_var))), abs=0.01
    )
    assert numbers["error_trained_on"] != numbers["error_new"]


def test_first_faces_takes_whole_batches():
    assert first_faces(batches(256)(), 2).shape == (128, SIZE, SIZE, 3)


def test_an_unknown_run_is_refused():
    with pytest.raises(ValueError, match="the runs are a, b, c"):
        read_run("d")


# ------------------------------------------------------------------ the runs of the course


@pytest.mark.parametrize("name", RUNS)
def test_a_run_of_the_course_is_whole(name):
    run = read_run(name)
    assert set(run.history) == {
        p + n for p in ("", "val_") for n in ("loss", "reconstruction", "kl")
    }
    assert run.history.notna().all(axis=None) and len(run.kl) == 64
    assert list(run.pictures) == list(ROWS)
    assert all(rows.shape == (SHOWN, SIZE, SIZE, 3) for rows in run.pictures.values())


def test_each_fault_can_be_seen_and_nothing_else_is_wrong():
    a, b, c = (read_run(name) for name in RUNS)
    assert a.numbers["kl"] < 1 and a.numbers["error_new"] > 40
    assert b.numbers["error_new"] < 20 and b.numbers["error_draws"] > 2 * b.numbers["error_new"]
    assert b.numbers["deviation"] == pytest.approx(1, abs=0.02)
    assert c.numbers["error_new"] > 1.5 * c.numbers["error_trained_on"] and c.numbers["kl"] > 100
    lowest = c.history["val_loss"].idxmin()
    assert 1 < lowest < len(c.history) and (c.history["loss"].diff().dropna() < 0).all()
    for run in (a, b):
        assert run.history["val_loss"].iloc[-1] < run.history["val_loss"].min() + 0.1


def test_the_good_run_is_good():
    table = pd.read_csv(task.course_folder() / "task" / "numbers.csv", index_col="run")
    good = table.loc["good"]
    assert list(table.index) == [*RUNS, "good"]
    assert good["kl"] > task.LEAST_KL and good["deviation"] < task.LARGEST_DEVIATION
    assert good["error_new"] < task.LARGEST_ERROR
    for one, other in (("error_draws", "error_new"), ("error_new", "error_trained_on")):
        assert good[one] < task.LARGEST_RATIO * good[other]
