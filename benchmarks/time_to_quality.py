"""Measure the quality of our recipe and of the baseline over seconds of training."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import vaelib  # noqa: F401  # isort: skip  # before keras: TensorFlow starts without log lines
import keras
import matplotlib.pyplot as plt
import pandas as pd
from tqdm import tqdm
from typer import Option, Typer

from benchmarks.baseline import BATCH_SIZE as BASELINE_BATCH_SIZE
from benchmarks.baseline import build_baseline
from groundwork.progress import on_terminal
from vaelib.__main__ import main
from vaelib.classifier import FaceFeatures
from vaelib.data.faces import Faces, read_faces
from vaelib.data.pipeline import make_dataset
from vaelib.data.pixels import load_pixels
from vaelib.metrics import evaluate
from vaelib.model import VAE
from vaelib.runs import without_optimizer
from vaelib.schedule import warmup_cosine
from vaelib.training import BATCH_SIZE, compile_recipe, fit_gaussian, fit_sharpness, new_vae

MARKS = (0.03, 0.05, 0.08, 0.12, 0.17, 0.25, 0.35, 0.5, 0.7, 0.85, 1.0)
"""When to measure, as shares of the budget."""

CURVE_SAMPLES = 2000  # new faces for a point of the curve; the last point has them all

app = Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


# ------------------------------------------------------------------ training against the clock


class Clock(keras.callbacks.Callback):
    """Train for a number of seconds, set the learning rate, and measure in between.

    Only training counts: the clock starts after the first step, which builds the graph, and stops
    while a point is measured. `vaelib.callbacks.TimeBudget` does neither: it gives a run its
    time with all that comes after an epoch.

    Args:
        seconds: of training.
        rate: gives the learning rate for the share of the seconds that has passed, in [0, 1].
        marks: shares at which `measure` is called.
        measure: called with the seconds of training so far.
        now: gives the time in seconds.
    """

    def __init__(
        self,
        seconds: float,
        rate: Callable[[float], float],
        marks: list[float],
        measure: Callable[[float], None],
        now: Callable[[], float] = time.monotonic,
    ):
        super().__init__()
        self.seconds, self.rate, self.measure, self.now = seconds, rate, measure, now
        self.marks = sorted(marks)
        self.start = None
        bar = {"total": round(seconds), "unit": "s", "leave": False}
        self.bar = tqdm(desc="Training", disable=not on_terminal(), **bar)

    def on_train_batch_begin(self, batch, logs=None):
        share = 0.0 if self.start is None else (self.now() - self.start) / self.seconds
        self.model.optimizer.learning_rate.assign(self.rate(min(share, 1.0)))

    def on_train_batch_end(self, batch, logs=None):
        if self.start is None:
            self.start = self.now()
        elapsed = self.now() - self.start
        self.bar.n = round(elapsed)
        self.bar.refresh()
        if self.marks and elapsed >= self.marks[0] * self.seconds:
            while self.marks and elapsed >= self.marks[0] * self.seconds:
                self.marks.pop(0)
            self.measure(elapsed)
            self.start = self.now() - elapsed
        if elapsed >= self.seconds:
            self.model.stop_training = True
            self.bar.close()


def train_for(
    vae: VAE,
    faces: Faces,
    seconds: float,
    batch_size: int,
    rate: Callable[[float], float],
    marks: list[float],
    measure: Callable[[float], None],
    flip: bool = False,
) -> None:
    """Train `vae` on the training split for `seconds`, and measure at `marks`."""
    load_pixels(faces, vae.image_size)  # decoded once, before the clock starts
    clock = Clock(seconds, rate, marks, measure)
    vae.fit(
        make_dataset(faces, "train", vae.image_size, batch_size, flip=flip).repeat(),
        steps_per_epoch=10**9,  # the clock ends it
        shuffle=False,  # the pipeline shuffles
        callbacks=[clock],
        verbose=0,
    )


def train_ours(faces: Faces, seconds: float, marks, measure, image_size: int = 64) -> VAE:
    """Train by the course's recipe, with its learning-rate schedule over `seconds`."""
    vae = new_vae(image_size)
    compile_recipe(vae, steps=None)  # the clock sets the learning rate
    schedule = warmup_cosine(1000)

    def rate(share: float) -> float:
        return float(schedule(1000 * share))

    def measure_sharpened(elapsed: float) -> None:
        fit_sharpness(vae, faces)
        measure(vae, elapsed)

    train_for(vae, faces, seconds, BATCH_SIZE, rate, marks, measure_sharpened, flip=True)
    return vae


def train_baseline(faces: Faces, seconds: float, marks, measure, image_size: int = 64) -> VAE:
    """Train the baseline, whose learning rate is constant."""
    keras.utils.set_random_seed(0)
    vae = build_baseline(image_size)
    constant = float(vae.optimizer.learning_rate.numpy())
    run = {"batch_size": BASELINE_BATCH_SIZE, "rate": lambda share: constant}
    train_for(vae, faces, seconds, marks=marks, measure=lambda s: measure(vae, s), **run)
    return vae


# ------------------------------------------------------------------ what is measured


class Curve:
    """The metrics of one model during training, a row per measurement."""

    def __init__(self, name: str, faces: Faces, features: FaceFeatures, last: float, out: Path):
        self.name, self.faces, self.features, self.last, self.out = name, faces, features, last, out
        self.rows = []

    def __call__(self, vae: VAE, seconds: float) -> None:
        whole = seconds >= self.last
        fit_gaussian(vae, self.faces)
        samples = {} if whole else {"samples": CURVE_SAMPLES}
        numbers = evaluate(vae, self.faces, "test", self.features, **samples)
        numbers["fc_samples"] = min(numbers["fc_prior"], numbers["fc_gaussian"])
        self.rows.append({"recipe": self.name, "seconds": round(seconds, 1), **numbers})
        print(
            f"{self.name:9}{seconds:7.0f} s   {numbers['bpd']:.3f} bits per dimension,   "
            f"FC {numbers['fc_samples']:.2f} samples, {numbers['fc_reconstructions']:.2f} "
            "reconstructions",
            flush=True,
        )

    def keep(self, vae: VAE, name: str) -> None:
        self.out.mkdir(parents=True, exist_ok=True)
        without_optimizer(vae).save(self.out / name)


QUALITY = ("bpd", "fc_samples", "fc_reconstructions")
"""What "the same quality" means: all three; lower is better in each."""


def summary(ours: pd.DataFrame, baseline: pd.DataFrame, budget: float) -> dict:
    """Build the last line.

    Args:
        ours, baseline: the curves, with `seconds` and QUALITY in each row.
        budget: seconds that both were trained for; the baseline may have had more.

    Returns:
        fc_samples_ratio and fc_reconstructions_ratio: ours over the baseline's at `budget`;
        bpd_gain: how many bits lower ours is; speedup: the baseline's seconds over the seconds in
        which ours reached its final quality, None if it did not, or was measured once; and what
        they come from.
    """
    mine, theirs = ours.iloc[-1], baseline[baseline["seconds"] >= budget].iloc[0]
    final = baseline.iloc[-1]
    there = ours[(ours[list(QUALITY)] <= final[list(QUALITY)]).all(axis=1)]
    reached = None if there.empty or len(ours) == 1 else float(there["seconds"].iloc[0])
    return {
        "fc_samples_ratio": round(mine["fc_samples"] / theirs["fc_samples"], 3),
        "fc_reconstructions_ratio": round(
            mine["fc_reconstructions"] / theirs["fc_reconstructions"], 3
        ),
        "bpd_gain": round(theirs["bpd"] - mine["bpd"], 3),
        "speedup": None if reached is None else round(final["seconds"] / reached, 1),
        "seconds_to_final_quality_of_baseline": reached,
        "budget": budget,
        "baseline_budget": float(final["seconds"]),
    }


def as_text(curves: pd.DataFrame) -> str:
    """Format the last row of each recipe as a table, one metric per line."""
    last = curves.groupby("recipe", sort=False).tail(1).set_index("recipe")
    return last.T.to_string(float_format="{:.3f}".format)


def draw(curves: pd.DataFrame, path: Path) -> None:
    """Draw three curves over seconds, with both recipes in each."""
    titles = {
        "bpd": "bits per dimension",
        "fc_samples": "FC of samples",
        "fc_reconstructions": "FC of reconstructions",
    }
    figure, axes = plt.subplots(1, 3, figsize=(11, 3.2), layout="constrained")
    for axis, (column, title) in zip(axes, titles.items()):
        for (name, rows), style in zip(
            curves.groupby("recipe", sort=False), [("o-", "#0072B2"), ("s--", "#D55E00")]
        ):
            axis.plot(rows["seconds"], rows[column], style[0], color=style[1], label=name, ms=4)
        axis.set(title=title, xlabel="seconds of training", xscale="log")
        axis.set_ylim(*((None, None) if column == "bpd" else (0, None)))
        axis.grid(alpha=0.3)
    axes[0].legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    plt.close(figure)


# ------------------------------------------------------------------ the command


@app.command()
def measure(
    faces: Annotated[str, Option(help='"portraits", "celeba", or a folder.')] = "portraits",
    budget: Annotated[
        float, Option(min=1, max=1_000_000, help="Seconds of training for each recipe.")
    ] = 240,
    baseline_budget: Annotated[
        float | None,
        Option(
            min=1, max=1_000_000, help="Seconds for the baseline; if left out, as many as for ours."
        ),
    ] = None,
    out: Annotated[Path, Option(help="Folder for both models, the curves and the figure.")] = Path(
        "build/benchmarks/time_to_quality"
    ),
    curve: Annotated[
        bool,
        Option(
            help="Measure eleven times on the way, which takes as long as the training; else, at "
            "the end."
        ),
    ] = True,
) -> None:
    """Train our recipe and the baseline for a number of seconds; the last line is JSON."""
    data = read_faces(faces)
    features = FaceFeatures(data)
    longest = max(budget, baseline_budget or 0)
    marks = [share * budget for share in (MARKS if curve else MARKS[-1:])]
    ours = Curve("ours", data, features, budget, out)
    vae = train_ours(data, budget, [mark / budget for mark in marks], ours)
    ours.keep(vae, "ours.keras")

    baseline = Curve("baseline", data, features, budget, out)

    def at_budget(vae: VAE, seconds: float) -> None:
        baseline(vae, seconds)
        if seconds >= budget and not (out / "baseline.keras").exists():
            baseline.keep(vae, "baseline.keras")

    (out / "baseline.keras").unlink(missing_ok=True)
    if curve:
        marks += [2**power * budget for power in range(1, 20) if 2**power * budget < longest]
    vae = train_baseline(data, longest, [mark / longest for mark in {*marks, longest}], at_budget)
    if longest > budget:
        baseline.keep(vae, "baseline-final.keras")
    curves = pd.DataFrame(ours.rows + baseline.rows)
    curves.to_csv(out / "curves.csv", index=False)
    draw(curves, out / "curves.png")
    print(as_text(curves))
    both = (curves[curves["recipe"] == name] for name in ("ours", "baseline"))
    print(json.dumps({**summary(*both, budget), "faces": str(data.folder.name)}))


if __name__ == "__main__":
    main(app)
