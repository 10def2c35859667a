"""Run a model in batches; check models, numbers and arrays."""

import math
from collections.abc import Callable

import keras
import numpy as np
from keras import ops


def in_batches(
    function: Callable, inputs: np.ndarray, shape: tuple, batch_size: int
) -> list[np.ndarray]:
    """Call a function on batches of rows and join its outputs.

    Args:
        function: from (b, *shape) to a list of tensors, each of b rows.
        inputs: (n, *shape), n >= 1.
        shape: of one row.
        batch_size: rows at a time.

    Returns:
        The outputs, each of n rows.

    Raises:
        ValueError: inputs of another shape, or none.
    """
    inputs = np.asarray(inputs, "float32")
    if len(shape) == 3 and inputs.ndim == 4 and inputs.shape[1:3] != shape[:2]:
        raise ValueError(
            f"These images are {inputs.shape[2]} x {inputs.shape[1]} pixels and the model reads "
            f"{shape[1]} x {shape[0]}: load them with image_size={shape[0]}."
        )
    if inputs.size == 0 or inputs.shape[1:] != shape:
        wanted = ", ".join(map(str, shape))
        raise ValueError(
            f"The input has shape {inputs.shape} and the model reads (n, {wanted}): "
            "give an array of that shape, of at least one row."
        )
    starts = range(0, len(inputs), batch_size)
    outputs = [function(inputs[i : i + batch_size]) for i in starts]
    return [np.concatenate([ops.convert_to_numpy(o) for o in part]) for part in zip(*outputs)]


def check_above_zero(**numbers: float) -> None:
    """Raise a ValueError that names the number which is not above zero, or not finite."""
    for name, number in numbers.items():
        if not 0 < number < math.inf:
            raise ValueError(f"{name} is {number}: give a number above zero.")


def check_parts(encoder: keras.Model, decoder: keras.Model) -> None:
    """Raise a ValueError unless encoder and decoder have the same image size and latent size."""
    if encoder.input_shape != decoder.output_shape:
        raise ValueError(
            f"The encoder reads images of shape {encoder.input_shape[1:]} and the decoder "
            f"makes {decoder.output_shape[1:]}: build both with the same image_size."
        )
    if encoder.output_shape[-1] != decoder.input_shape:
        raise ValueError(
            f"The encoder makes z of length {encoder.output_shape[-1][-1]} and the decoder "
            f"reads {decoder.input_shape[-1]}: build both with the same latent_dim."
        )


class Identity(keras.losses.Loss):
    """Take `y_pred` as the loss of each sample."""

    def call(self, y_true, y_pred):
        return y_pred


def mean_over_batch(values):
    """Mean of one number per sample, (b,) -> (), over the whole batch.

    Where several devices share a batch, Keras adds up their losses. It first divides each `Loss`
    by the number of devices, so the sum is the mean over the batch.
    """
    return Identity()(values, values)
