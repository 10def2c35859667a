"""Train the default model on one device, and print its speed: JSON, a line for each setting."""

import json
import time
from collections.abc import Callable
from statistics import median
from typing import Annotated, Literal

import vaelib  # noqa: F401  # isort: skip  # before keras: TensorFlow starts without log lines
import keras
import numpy as np
from keras import ops
from typer import Option, Typer

from benchmarks import arithmetic
from benchmarks.contenders import PORTRAITS
from benchmarks.processes import whole_numbers
from vaelib import read_faces
from vaelib.__main__ import main
from vaelib.data.faces import Faces
from vaelib.data.pipeline import make_dataset
from vaelib.data.pixels import load_images
from vaelib.data.reader import tf
from vaelib.model import IMAGE_SIZES
from vaelib.training import compile_recipe, new_vae, set_precision

TURNS = 3  # the result is their median
IN_MEMORY = 1024  # faces, or two batches, trained on repeatedly
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
    vae = new_vae(image_size)
    compile_recipe(vae, None, 1e-4)  # a low rate: the faces are few, and are seen often
    set_precision(vae, precision)
    if keras.backend.backend() == "tensorflow":
        vae.jit_compile = jit
    batches = make_dataset(
        data, "train", image_size, batch_size, flip=True, repeat=True, whole=True
    )

    def training(images: tf.data.Dataset) -> Callable[[int], float]:
        def train(steps: int) -> float:
            clock = AfterFirstStep()
            options = {"steps_per_epoch": 1 + steps, "verbose": 0, "shuffle": False}
            vae.fit(images, callbacks=[clock], **options)
            return time.perf_counter() - clock.start

        return train

    reader = iter(batches)

    def read(steps: int) -> float:
        start = time.perf_counter()
        for _ in range(steps):
            next(reader)
        return time.perf_counter() - start

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
        "multiply_adds": sum(sum(family.values()) for family in counts.values())
        + arithmetic.of_muon([w.shape for w in vae.trainable_variables]) // batch_size,
    }


class AfterFirstStep(keras.callbacks.Callback):
    """Notes when the first step was given to the device: before it, the pipeline starts."""

    def on_train_batch_end(self, batch, logs=None):
        if batch == 0:
            self.start = time.perf_counter()


def in_memory(data: Faces, image_size: int, batch_size: int) -> tf.data.Dataset:
    """Batches of the same faces again and again."""
    count = max(2, IN_MEMORY // batch_size) * batch_size
    names = np.resize(data.file_names("train"), count)
    images = load_images(data, list(names), image_size).reshape(
        -1, batch_size, *[image_size] * 2, 3
    )
    return tf.data.Dataset.from_tensor_slices(images).repeat().prefetch(2)


def rate(work: Callable[[int], float], seconds: float) -> float:
    """Steps per second: the median of `TURNS` turns of `seconds`; `work` returns its seconds."""
    steps = 3
    while (passed := work(steps)) < min(0.5, seconds):
        steps *= 2
    steps = max(2, round(steps / passed * seconds))
    return median(steps / work(steps) for _ in range(TURNS))


def product_rate(precision: str, seconds: float) -> float:
    """Multiply-adds per second of a large product of matrices: what the device can do at most."""
    side = SIDE[platform()["device"]]
    a, b = (keras.random.normal((side, side), seed=seed) for seed in range(2))
    a, b = (ops.cast(matrix, precision) for matrix in (a, b))

    def multiply(times: int) -> float:
        start = time.perf_counter()
        for _ in range(times):
            c = ops.matmul(a, b)
        float(ops.convert_to_numpy(ops.cast(c[0, 0], "float32")))  # waits for a GPU to finish
        return time.perf_counter() - start

    multiply(1)
    return round(side**3 * rate(multiply, min(1.0, seconds)))


def platform() -> dict:
    """The backend of Keras, its version, and the device that computes."""
    if keras.backend.backend() == "jax":
        import jax

        device = jax.devices()[0]
        kind = {"device": "CPU" if device.platform == "cpu" else "GPU", "name": device.device_kind}
        return {"backend": "jax", "version": jax.__version__, **kind}
    gpus = tf.config.list_physical_devices("GPU")
    names = [tf.config.experimental.get_device_details(gpu)["device_name"] for gpu in gpus]
    kind = {"device": "GPU" if gpus else "CPU", "name": names[0] if names else "cpu"}
    return {"backend": "tensorflow", "version": tf.__version__, **kind}


if __name__ == "__main__":
    main(app)
