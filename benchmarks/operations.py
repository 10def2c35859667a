"""Where the time of a training step goes: TensorFlow's operations, by kind."""

import re
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median

KINDS = {
    "forward": "convolutions, forward",
    "weights": "convolutions, gradients of weights",
    "inputs": "convolutions, gradients of inputs",
    "dense": "dense layers, forward and backward",
    "products": "Muon's products of matrices",
    "optimizer": "the optimizer's other operations",
    "normalisation": "batch normalisation",
    "activations": "activations",
    "input": "fetching the batch",
    "rest": "the loss and the rest",
}

_OPERATION = re.compile(r"(?P<path>[^:\s]+):(?P<type>\w+)")  # "vae/encoder/dense/MatMul:MatMul"
_OPTIMIZER = re.compile(r"(muon|adam)(_\d+)?")  # the second one in a process is "muon_1"
_CONTAINERS = {"StatefulPartitionedCall", "PartitionedCall", "While", "StatelessWhile", "If"}


def one_at_a_time() -> None:
    """Let TensorFlow run operations one after the other, so that their times add up.

    Call it before TensorFlow does anything. Each operation still uses all cores.
    """
    import vaelib  # noqa: F401  # isort: skip  # TensorFlow starts without log lines
    import tensorflow as tf

    tf.config.threading.set_inter_op_parallelism_threads(1)


def profile(train: Callable[[int], object], steps: int) -> dict[str, float]:
    """Seconds per step by `KINDS`, with TensorFlow's profiler.

    An operation counts with the median of its times, so a program that interrupts a few steps
    changes little.

    Args:
        train: trains for so many steps; it did so before, so nothing is traced any more.
        steps: to train.
    """
    import tensorflow as tf
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        try:
            train(steps)
        finally:
            tf.profiler.experimental.stop()
        traces = [
            xplane_pb2.XSpace.FromString(path.read_bytes())
            for path in Path(folder).rglob("*.xplane.pb")
        ]
    events = (
        (plane.event_metadata[event.metadata_id].name, event.duration_ps / 1e12)
        for trace in traces
        for plane in trace.planes
        for line in plane.lines
        for event in line.events
    )
    return by_kind(events, steps)


def by_kind(events: Iterable[tuple[str, float]], steps: int) -> dict[str, float]:
    """Add up the times of operations: seconds per step by `KINDS`.

    Args:
        events: names and seconds; those that are no operations are ignored.
        steps: in which they happened.
    """
    times = defaultdict(list)
    for name, seconds in events:
        found = _OPERATION.fullmatch(name)
        if found and found["type"] not in _CONTAINERS:
            times[name].append(seconds)
    seconds = dict.fromkeys(KINDS, 0.0)
    for name, values in times.items():
        seconds[kind_of(name)] += median(values) * len(values) / steps
    return seconds


def kind_of(operation: str) -> str:
    """The kind, of `KINDS`, of an operation "PATH:TYPE", as TensorFlow's profiler names it."""
    path, _, type_ = operation.rpartition(":")
    parts = path.split("/")
    if any(_OPTIMIZER.fullmatch(part) for part in parts):
        return "products" if "MatMul" in type_ else "optimizer"
    if "batch_normalization" in path:
        return "normalisation"
    if "Conv2D" in type_:
        if "gradient_tape" not in parts:
            return "forward"
        return "weights" if "BackpropFilter" in type_ else "inputs"
    if "MatMul" in type_:
        return "dense"
    if any(word in type_ for word in ("Relu", "Sigmoid")):
        return "activations"
    return "input" if "Iterator" in type_ else "rest"
