"""The processes of the training benchmark: each trains one model, or multiplies matrices."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.operations import one_at_a_time, profile
from benchmarks.worker import Worker, serve
from groundwork.places import data_folder
from groundwork.processes import usable_cores

NAMES = {
    "ours": "ours",
    "ours_xla": "ours with XLA",
    "adam": "ours with Adam",
    "baseline": "the baseline",
    "limit": "product of matrices",
    "profile": "the profile",
}
PORTRAITS = data_folder() / "portraits"
BATCH_SIZE = 64  # the default of vaelib.training.train
BASELINE_BATCH_SIZE = 128
FACES = 1024  # in memory, trained on repeatedly
SIDES = (1024, 2048, 4096)  # of square matrices; the fastest size is the limit
PROFILED = 30  # steps


def contender(name: str, faces: Path, batch_size: int, image_size: int, seconds: float) -> Worker:
    """Start a process for one of `NAMES`, which works for about `seconds` per turn.

    Raises:
        ChildProcessError: it can't start.
    """
    size = BASELINE_BATCH_SIZE if name == "baseline" else batch_size
    values = (name, faces.resolve(), size, image_size, seconds)
    return Worker(NAMES[name], "benchmarks.contenders", *values)


def _contend(name: str, folder: str, batch_size: int, image_size: int, seconds: float) -> None:
    """Warm up, then work for a turn for each line read; the body of the process."""
    if name == "profile":
        one_at_a_time()  # before faces are read, which TensorFlow may do
    if name == "limit":
        work, facts = _prepare_product()
    else:
        work, facts = _prepare_training(name, _batches(folder, batch_size, image_size))
        facts["batch_size"] = batch_size
    facts["cores"] = usable_cores()
    work(3)  # traces, compiles, chooses kernels
    if name == "profile":
        serve({**facts, "seconds": profile(work, PROFILED)}, dict)
        return
    times = 3
    while (taken := _time(work, times)) < min(1.0, seconds):
        times *= 2
    times = max(2, round(times / taken * seconds))
    each = facts["side"] ** 3 if name == "limit" else batch_size

    def turn() -> dict:
        busy = time.process_time()
        taken = _time(work, times)
        used = (time.process_time() - busy) / taken
        return {"rate": times * each / taken, "cores_used": used}

    serve(facts, turn)


def _time(work: Callable[[int], None], times: int) -> float:
    start = time.perf_counter()
    work(times)
    return time.perf_counter() - start


def _batches(folder: str, batch_size: int, image_size: int) -> list:
    from vaelib.data.faces import read_faces
    from vaelib.data.pixels import load_images

    faces = read_faces(folder)
    images = load_images(faces, faces.file_names("train")[:FACES], image_size)
    batches = [images[i : i + batch_size] for i in range(0, len(images), batch_size)]
    batches = [batch for batch in batches if len(batch) == batch_size]
    if not batches:
        raise ValueError(
            f"{folder} has {len(images)} faces to train on, and a batch needs {batch_size}."
        )
    return batches


def _prepare_training(name: str, batches: list) -> tuple[Callable[[int], None], dict]:
    import vaelib  # noqa: F401  # isort: skip  # before keras: TensorFlow starts without log lines
    import keras
    import numpy as np
    import tensorflow as tf

    from benchmarks import arithmetic
    from benchmarks.baseline import build_baseline
    from vaelib.training import compile_recipe, new_vae

    image_size = batches[0].shape[1]
    if name == "baseline":
        vae = build_baseline(image_size)
    else:
        vae = new_vae(image_size)
        compile_recipe(vae, None, 1e-4)  # a low rate: the faces are few, and are seen often
        if name == "adam":
            vae.compile(keras.optimizers.Adam(1e-4))
        vae.jit_compile = name == "ours_xla"
    data = tf.data.Dataset.from_tensor_slices(np.stack(batches)).repeat().prefetch(2)

    def train(steps: int) -> None:
        vae.fit(data, steps_per_epoch=steps, verbose=0, shuffle=False)

    counts = arithmetic.of_training(vae)
    has_muon = name not in ("baseline", "adam")
    shapes = [weight.shape for weight in vae.trainable_variables] if has_muon else []
    per_step = arithmetic.of_muon(shapes)
    convolutions = {k: n * len(batches[0]) for k, n in counts["convolutions"].items()}
    dense = sum(counts["dense layers"].values())
    return train, {
        "per_image": sum(sum(family.values()) for family in counts.values()),
        "per_step": per_step,
        "counted": {**convolutions, "dense": dense * len(batches[0]), "products": per_step},
        **_platform(tf),
    }


def _prepare_product() -> tuple[Callable[[int], None], dict]:
    """The product of two square matrices, in the size that this machine multiplies fastest."""
    import vaelib  # noqa: F401  # isort: skip  # TensorFlow starts without log lines
    import tensorflow as tf

    def products(side: int) -> Callable[[int], None]:
        a, b = (tf.random.stateless_normal((side, side), (0, i)) for i in range(2))

        def multiply(times: int) -> None:
            for _ in range(times):
                c = tf.linalg.matmul(a, b)
            c[0, 0].numpy()  # waits for a GPU to finish

        return multiply

    def speed(side: int) -> float:
        multiply = products(side)
        multiply(1)
        return side**3 / min(_time(multiply, 1) for _ in range(5))

    side = max(SIDES, key=speed)
    return products(side), {"side": side, **_platform(tf)}


def _platform(tf) -> dict:
    device = "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
    return {"framework": "tensorflow", "version": tf.__version__, "device": device}


if __name__ == "__main__":
    _contend(*sys.argv[2:4], int(sys.argv[4]), int(sys.argv[5]), float(sys.argv[6]))
