"""Train a few steps as one of several processes, and print the time and the loss of each: JSON."""

import json
import time
from statistics import median
from typing import Annotated, Literal

import keras
import numpy as np
from keras.callbacks import LambdaCallback
from typer import Option, Typer

from benchmarks.contenders import PORTRAITS
from vaelib import read_faces
from vaelib.__main__ import main
from vaelib.data.pipeline import make_dataset
from vaelib.model import IMAGE_SIZES
from vaelib.parallel import device_count, spread
from vaelib.processes import Group, joined
from vaelib.schedule import LEARNING_RATE
from vaelib.training import compiled, new_vae, reseed

app = Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def work(
    processes: Annotated[int, Option(min=1, max=1000)] = 1,
    process: Annotated[int, Option(min=0, max=999)] = 0,
    coordinator: Annotated[str | None, Option()] = None,
    faces: Annotated[str, Option()] = str(PORTRAITS),
    image_size: Annotated[Literal[IMAGE_SIZES], Option()] = 64,
    batch_size: Annotated[int, Option(min=1, max=100_000)] = 64,
    steps: Annotated[int, Option(min=3, max=1000)] = 12,
) -> None:
    """The default recipe's first steps; process 0 prints, as its last line, what it measured.

    `seconds` and `loss` (the mean since the first step) have a number per step; `reduce` is the
    median time of an all-reduce of as many numbers as the model has weights, alone.
    """
    with joined(processes, process, coordinator) as group:
        vae = new_vae(image_size)
        settings = {"epochs": 8, "steps_per_epoch": 70, "minutes": None}
        settings |= {"learning_rate": LEARNING_RATE, "precision": "float32"}
        compiled(vae, settings)
        images = make_dataset(
            read_faces(faces),
            "train",
            image_size,
            batch_size,
            flip=True,
            repeat=True,
            whole=True,
            part=(group.index, group.count),
        )
        seconds, losses, start = [], [], time.monotonic()

        def note(batch: int, logs: dict) -> None:
            nonlocal start
            losses.append(float(keras.ops.convert_to_numpy(logs["loss"])))  # waits for the step
            seconds.append(time.monotonic() - start)
            start = time.monotonic()

        with spread(vae, group, lambda copy: compiled(copy, settings)) as model:
            reseed(model, 0, 0)
            model.fit(
                images,
                steps_per_epoch=steps,
                shuffle=False,
                verbose=0,
                callbacks=[LambdaCallback(on_train_batch_end=note)],
            )
        weights = sum(int(np.prod(weight.shape)) for weight in vae.trainable_variables)
        result = {
            "processes": group.count,
            "devices": device_count(group),
            "batch_size": batch_size,
            "trained_weights": weights,
            "seconds": [round(second, 5) for second in seconds],
            "loss": losses,
            "reduce": reduce_seconds(group, weights),
        }
        if group.is_chief:
            print(json.dumps(result), flush=True)


def reduce_seconds(group: Group, weights: int, times: int = 9) -> float:
    """The median time in which all processes add up `weights` float32 numbers."""
    if group.count == 1:
        return 0.0
    import jax

    mesh = jax.sharding.Mesh(np.array(jax.devices()), "process")
    rows, whole = (jax.sharding.PartitionSpec(axis) for axis in ("process", None))
    own = np.ones((1, weights), "float32")
    numbers = jax.make_array_from_process_local_data(jax.sharding.NamedSharding(mesh, rows), own)
    add = jax.jit(lambda x: x.sum(0), out_shardings=jax.sharding.NamedSharding(mesh, whole))
    taken = []
    for _ in range(times):
        start = time.monotonic()
        add(numbers).block_until_ready()
        taken.append(time.monotonic() - start)
    return round(median(taken), 5)


if __name__ == "__main__":
    main(app)
