"""Run a model over many rows in batches, once their shape is checked."""

import numpy as np
from keras import ops


def in_batches(function, inputs, shape: tuple, batch_size: int) -> np.ndarray:
    inputs = np.asarray(inputs, "float32")
    if inputs.size == 0 or inputs.shape[1:] != shape:
        wanted = ", ".join(map(str, shape))
        raise ValueError(
            f"The input has shape {inputs.shape} and the model reads (n, {wanted}): "
            "give an array of that shape, of at least one row."
        )
    starts = range(0, len(inputs), batch_size)
    batches = [function(inputs[i : i + batch_size]) for i in starts]
    return np.concatenate([ops.convert_to_numpy(batch) for batch in batches])
