"""The learning rate over a training: it rises for a tenth of the steps, then falls to zero."""

import math

import keras

LEARNING_RATE = 9e-3  # at its peak, for `vaelib.optimizer.Muon`


def warmup_cosine(
    steps: int, peak: float = LEARNING_RATE
) -> keras.optimizers.schedules.CosineDecay:
    """A learning rate that rises to `peak` over the first tenth of `steps` and falls to zero.

    Raises:
        ValueError: the peak is not above zero.
    """
    check_learning_rate(peak)
    warmup = max(1, steps // 10)
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=peak / 100,
        warmup_target=peak,
        warmup_steps=warmup,
        decay_steps=max(1, steps - warmup),
    )


def check_learning_rate(rate: float) -> None:
    """Raise a ValueError unless a learning rate is finite and above zero."""
    if not 0 < rate < math.inf:
        raise ValueError(
            f"The learning rate is {rate}: it must be a number above zero, such as {LEARNING_RATE}."
        )
