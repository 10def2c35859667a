"""The processes of the training benchmark: each trains one model, or multiplies matrices."""

import sys
import time
from pathlib import Path

import vaelib  # noqa: F401  # isort: skip  # before keras: TensorFlow starts without log lines
import keras

from benchmarks import arithmetic
from benchmarks.baseline import build_baseline
from benchmarks.operations import one_at_a_time, profile
from benchmarks.speed import (
    IN_MEMORY,
    Work,
    default_model,
    in_memory,
    platform,
    product,
    timed,
    times_in,
)
from benchmarks.worker import Worker, serve
from groundwork.places import data_folder
from groundwork.processes import usable_cores
from vaelib.data.faces import Faces, read_faces

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
        work, facts = _prepare_training(name, read_faces(folder), batch_size, image_size)
    facts["cores"] = usable_cores()
    work(3)  # traces, compiles, chooses kernels
    if name == "profile":
        serve({**facts, "seconds": profile(work, PROFILED)}, dict)
        return
    times = times_in(work, seconds)
    each = facts["side"] ** 3 if name == "limit" else batch_size

    def turn() -> dict:
        busy = time.process_time()
        taken = work(times)
        used = (time.process_time() - busy) / taken
        return {"rate": times * each / taken, "cores_used": used}

    serve(facts, turn)


def _prepare_training(
    name: str, faces: Faces, batch_size: int, image_size: int
) -> tuple[Work, dict]:
    count = len(faces.file_names("train")[:IN_MEMORY])
    if count < batch_size:
        raise ValueError(
            f"{faces.folder} has {count} faces to train on, and a batch needs {batch_size}."
        )
    if name == "baseline":
        vae = build_baseline(image_size)
    else:
        vae = default_model(image_size)
        if name == "adam":
            vae.compile(keras.optimizers.Adam(1e-4))
        vae.jit_compile = name == "ours_xla"
    data = in_memory(faces, image_size, batch_size)

    @timed
    def train(steps: int) -> None:
        vae.fit(data, steps_per_epoch=steps, verbose=0, shuffle=False)

    counts = arithmetic.of_training(vae)
    has_muon = name not in ("baseline", "adam")
    shapes = [weight.shape for weight in vae.trainable_variables] if has_muon else []
    per_step = arithmetic.of_muon(shapes)
    convolutions = {k: n * batch_size for k, n in counts["convolutions"].items()}
    dense = sum(counts["dense layers"].values())
    return train, {
        "batch_size": batch_size,
        "per_image": arithmetic.total(counts),
        "per_step": per_step,
        "counted": {**convolutions, "dense": dense * batch_size, "products": per_step},
        **_platform(),
    }


def _prepare_product() -> tuple[Work, dict]:
    """The product of two square matrices, in the size that this machine multiplies fastest."""

    def speed(side: int) -> float:
        multiply = product(side)
        multiply(1)
        return side**3 / min(multiply(1) for _ in range(5))

    side = max(SIDES, key=speed)
    return product(side), {"side": side, **_platform()}


def _platform() -> dict:
    found = platform()
    return {"framework": found["backend"], "version": found["version"], "device": found["device"]}


if __name__ == "__main__":
    _contend(*sys.argv[2:4], int(sys.argv[4]), int(sys.argv[5]), float(sys.argv[6]))
