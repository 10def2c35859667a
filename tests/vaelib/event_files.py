"""Read what TensorBoard's files hold."""

import io

import numpy as np
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def events(folder) -> EventAccumulator:
    accumulator = EventAccumulator(str(folder), size_guidance={"tensors": 0, "images": 0})
    accumulator.Reload()
    return accumulator


def event_images(accumulator, tag: str) -> list[np.ndarray]:
    """The pictures of a tag, by epoch; TensorFlow 2 writes them as (width, height, png)."""
    return [
        np.asarray(Image.open(io.BytesIO(event.tensor_proto.string_val[2])))
        for event in accumulator.Tensors(tag)
    ]


def scalars(folder) -> dict[str, list[float]]:
    from tensorboard.util import tensor_util

    log = events(folder)
    return {
        tag: [float(tensor_util.make_ndarray(event.tensor_proto)) for event in log.Tensors(tag)]
        for tag in log.Tags()["tensors"]
    }


def with_model(callback, model):
    callback.set_model(model)
    return callback
