"""Train one model on several devices: a copy that is spread over them, and what process 0 writes.

The copy has the same variables on every device. Each device gets an equal part of a batch, and one
compiled program computes the step: means over the batch, such as those of the normalisation, the
loss and the gradients, are means over all devices. The optimizer then does the same everywhere.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import keras
import numpy as np
from keras import ops
from keras.callbacks import Callback, CallbackList

from vaelib.data.pipeline import share_of
from vaelib.model import VAE
from vaelib.processes import Group


def device_count(group: Group) -> int:
    """The devices that train together: those of all processes.

    Without JAX it is one: TensorFlow chooses its device itself.
    """
    if keras.backend.backend() != "jax":
        return 1
    import jax

    return jax.device_count()


def check_parts(group: Group, batch_size: int, training_faces: int) -> None:
    """Raise a ValueError unless each device and process gets the same number of faces.

    Args:
        batch_size: faces of one step, of all processes together.
        training_faces: in the folder.
    """
    if group.count > training_faces:
        raise ValueError(
            f"{group.count} processes are more than the {training_faces} training faces: start "
            "fewer."
        )
    share_of(batch_size, group.count)
    share_of(batch_size, device_count(group))


@contextmanager
def spread(vae: VAE, group: Group, compiled: Callable[[VAE], None]) -> Iterator[VAE]:
    """Train `vae` on all devices of all processes: `fit` what this gives; `vae` has the result.

    With one device it is `vae` itself. Else it is a copy with the weights and the optimizer's state
    that `vae` has in process 0.

    Args:
        vae: compiled, with a built optimizer; it stays on one device.
        group: the processes.
        compiled: compiles the copy in the same way.
    """
    if device_count(group) == 1:
        yield vae
        return
    values = _from_chief(group, _values(vae))
    layout = keras.distribution.DataParallel(auto_shard_dataset=False)
    with layout.scope():
        copy = VAE.from_config(vae.get_config())
        compiled(copy)
        copy.optimizer.build(copy.trainable_variables)
        for variable, value in zip(_variables(copy), values, strict=True):
            _set_everywhere(variable, value)
        yield copy
    copy_state(copy, vae)


def copy_state(source: VAE, target: VAE) -> None:
    """Copy weights and the optimizer's state to a model on one device."""
    for variable, value in zip(_variables(target), _values(source), strict=True):
        variable.assign(value)


def _variables(vae: VAE) -> list:
    return [*vae.variables, *vae.optimizer.variables]


def _values(vae: VAE) -> list[np.ndarray]:
    return [np.array(ops.convert_to_numpy(variable)) for variable in _variables(vae)]


def _from_chief(group: Group, values: list[np.ndarray]) -> list[np.ndarray]:
    if group.count == 1:
        return values
    from jax.experimental import multihost_utils

    return multihost_utils.broadcast_one_to_all(values)


def _set_everywhere(variable: keras.Variable, value: np.ndarray) -> None:
    """Assign the same array in each process, without comparing it with those of the others."""
    import jax

    value = np.asarray(value, variable.dtype)
    there = variable.value.sharding
    variable.assign(jax.make_array_from_callback(value.shape, there, lambda part: value[part]))


class ByChief(Callback):
    """Run callbacks in process 0 on its own copy of the model, while the others wait.

    So callbacks may compute with the model and save it: nothing of that needs the other processes,
    which would wait for ever for a computation that they don't take part in.

    Args:
        vae: on one device; it gets the state of the trained model after each epoch.
        callbacks: of process 0; the others give none.
        group: the processes.
    """

    def __init__(self, vae: VAE, callbacks: list[Callback], group: Group):
        super().__init__()
        self.vae, self.callbacks, self.group = vae, callbacks, group
        self.inner = CallbackList([], add_history=False, add_progbar=False)

    def on_train_begin(self, logs=None):
        self.inner = CallbackList(
            self.callbacks, add_history=False, add_progbar=False, model=self.vae, **self.params
        )
        self.inner.on_train_begin(logs)

    def on_epoch_begin(self, epoch, logs=None):
        self.inner.on_epoch_begin(epoch, logs)

    def on_train_batch_begin(self, batch, logs=None):
        self.inner.on_train_batch_begin(batch, logs)

    def on_train_batch_end(self, batch, logs=None):
        self.inner.on_train_batch_end(batch, logs)

    def on_test_begin(self, logs=None):
        self.inner.on_test_begin(logs)

    def on_test_end(self, logs=None):
        self.inner.on_test_end(logs)

    def on_epoch_end(self, epoch, logs=None):
        with self.group.together():
            if self.group.is_chief:
                copy_state(self.model, self.vae)
                with _on_one_device():
                    self.inner.on_epoch_end(epoch, logs)

    def on_train_end(self, logs=None):
        self.inner.on_train_end(logs)


@contextmanager
def _on_one_device() -> Iterator[None]:
    layout = keras.distribution.distribution()
    keras.distribution.set_distribution(None)
    try:
        yield
    finally:
        keras.distribution.set_distribution(layout)
