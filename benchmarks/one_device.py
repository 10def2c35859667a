"""Train the default model on one device, and print its speed: JSON, a line for each setting."""

import json
import time
from statistics import median
from typing import Annotated, Literal

import vaelib  # noqa: F401  # isort: skip  # before keras: TensorFlow starts without log lines
import keras
from typer import Option, Typer

from benchmarks import arithmetic
from benchmarks.contenders import PORTRAITS
from benchmarks.processes import whole_numbers
from benchmarks.speed import Work, default_model, in_memory, platform, product, timed, times_in
from vaelib import read_faces
from vaelib.__main__ import main
from vaelib.data.faces import Faces
from vaelib.data.pipeline import make_dataset
from vaelib.data.reader import tf
from vaelib.model import IMAGE_SIZES
from vaelib.training import set_precision

TURNS = 3  # the result is their median
SIDE = {"CPU": 2048, "GPU": 8192}  # of the square matrices whose product is the limit

app = Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def work(
    faces: Annotated[str, Option()] = str(PORTRAITS),
    image_size: Annotated[Literal[IMAGE_SIZES], Option()] = 64,
    batch_sizes: Annotated[str, Option()] = "64",
    precisions: Annotated[str, Option()] = "float32",
    seconds: Annotated[float, Option(min=0.0, max=600.0)] = 4.0,
    jit: Annotated[bool, Option("--jit")] = False,
) -> None:
    """Each line has the setting, and three rates in images per second.

    `from_memory` trains on batches that are there already, `from_folder` on those of the pipeline,
    mirrored and shuffled, as `vaelib train` does; `reading` is the pipeline without a training.
    """
    data = read_faces(faces)
    for precision in precisions.split(","):
        limit = product_rate(precision, seconds)
        for batch_size in whole_numbers(batch_sizes, "--batch-sizes"):
            found = of_setting(data, image_size, batch_size, precision, seconds, jit)
            print(json.dumps({**found, "limit": limit, **platform()}), flush=True)


def of_setting(
    data: Faces, image_size: int, batch_size: int, precision: str, seconds: float, jit: bool
) -> dict:
    """Images per second of one batch size and precision, and the multiply-adds of an image."""
    vae = default_model(image_size)
    set_precision(vae, precision)
    if keras.backend.backend() == "tensorflow":
        vae.jit_compile = jit
    batches = make_dataset(
        data, "train", image_size, batch_size, flip=True, repeat=True, whole=True
    )

    def training(images: tf.data.Dataset) -> Work:
        def train(steps: int) -> float:
            clock = AfterFirstStep()
            options = {"steps_per_epoch": 1 + steps, "verbose": 0, "shuffle": False}
            vae.fit(images, callbacks=[clock], **options)
            return time.perf_counter() - clock.start

        return train

    reader = iter(batches)

    @timed
    def read(steps: int) -> None:
        for _ in range(steps):
            next(reader)

    start = time.perf_counter()
    in_turns = training(in_memory(data, image_size, batch_size))
    in_turns(1)
    compiling = time.perf_counter() - start
    works = {"from_memory": in_turns, "from_folder": training(batches), "reading": read}
    rates = {name: batch_size * rate(work, seconds) for name, work in works.items()}
    counts = arithmetic.of_training(vae)
    return {
        "batch_size": batch_size,
        "precision": precision,
        "jit": jit or keras.backend.backend() == "jax",
        "first_steps": round(compiling, 2),
        **{name: round(value, 1) for name, value in rates.items()},
        "multiply_adds": arithmetic.total(counts)
        + arithmetic.of_muon([w.shape for w in vae.trainable_variables]) // batch_size,
    }


class AfterFirstStep(keras.callbacks.Callback):
    """Notes when the first step was given to the device: before it, the pipeline starts."""

    def on_train_batch_end(self, batch, logs=None):
        if batch == 0:
            self.start = time.perf_counter()


def rate(work: Work, seconds: float) -> float:
    """Steps per second: the median of `TURNS` turns of `seconds`."""
    steps = times_in(work, seconds)
    return median(steps / work(steps) for _ in range(TURNS))


def product_rate(precision: str, seconds: float) -> float:
    """Multiply-adds per second of a large product of matrices: what the device can do at most."""
    side = SIDE[platform()["device"]]
    multiply = product(side, precision)
    multiply(1)
    return round(side**3 * rate(multiply, min(1.0, seconds)))


if __name__ == "__main__":
    main(app)
