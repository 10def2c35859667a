"""What the benchmarks of speed time: training from memory, a product of matrices, in turns.

Both are a `Work`, so that the limit is measured as the training is. They run on Keras' backend.
"""

import time
from collections.abc import Callable

import vaelib  # noqa: F401  # isort: skip  # before keras: TensorFlow starts without log lines
import keras
import numpy as np
from keras import ops

from vaelib.data.faces import Faces
from vaelib.data.pixels import load_images
from vaelib.data.reader import tf
from vaelib.model import VAE
from vaelib.training import compile_recipe, new_vae

IN_MEMORY = 1024  # faces, or two batches, trained on repeatedly

Work = Callable[[int], float]
"""Does a thing so many times, and returns the seconds that took."""


def timed(action: Callable[[int], None]) -> Work:
    """Make a `Work` of what does a thing so many times."""

    def work(times: int) -> float:
        start = time.perf_counter()
        action(times)
        return time.perf_counter() - start

    return work


def times_in(work: Work, seconds: float) -> int:
    """How many times, two at least, fill about `seconds`; `work` has been done before."""
    times = 3
    while (passed := work(times)) < min(1.0, seconds):
        times *= 2
    return max(2, round(times / passed * seconds))


def default_model(image_size: int) -> VAE:
    """The default model, untrained, with the recipe's optimizer."""
    vae = new_vae(image_size)
    compile_recipe(vae, None, 1e-4)  # a low rate: the faces are few, and are seen often
    return vae


def in_memory(faces: Faces, image_size: int, batch_size: int) -> tf.data.Dataset:
    """Batches of the same training faces again and again: float32 (b, size, size, 3) in [0, 1].

    They are the first `IN_MEMORY` faces. Where these, or those of the folder, don't fill two
    batches, more are taken, or some twice.
    """
    count = max(2, IN_MEMORY // batch_size) * batch_size
    names = np.resize(faces.file_names("train"), count)
    images = load_images(faces, list(names), image_size).reshape(
        -1, batch_size, *[image_size] * 2, 3
    )
    return tf.data.Dataset.from_tensor_slices(images).repeat().prefetch(2)


def product(side: int, precision: str = "float32") -> Work:
    """The product of two square matrices: `side` cubed multiply-adds each time."""
    a, b = (keras.random.normal((side, side), seed=seed) for seed in range(2))
    a, b = (ops.cast(matrix, precision) for matrix in (a, b))

    @timed
    def multiply(times: int) -> None:
        for _ in range(times):
            c = a @ b
        float(c[0, 0])  # waits for a GPU to finish

    return multiply


def platform() -> dict[str, str]:
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
