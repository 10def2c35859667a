"""Measure how much faster several processes train than one, each on a core of its own."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Annotated, Literal

from typer import Option, Typer

from benchmarks.contenders import PORTRAITS
from vaelib.__main__ import main
from vaelib.model import IMAGE_SIZES

TARGET = 1.7  # times one process, for two
HOSTS = 8  # of the network that is computed
SPEEDS = (1, 10, 100)  # Gbit/s
COMPARED = 10  # steps whose losses are compared

app = Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def measure(
    faces: Annotated[Path, Option(help="A folder in CelebA's layout.")] = PORTRAITS,
    image_size: Annotated[Literal[IMAGE_SIZES], Option(help="In pixels.")] = 64,
    steps: Annotated[int, Option(min=4, max=1000, help="Of each measurement.")] = 14,
    batch_sizes: Annotated[str, Option(help="Of all processes together.")] = "64,512",
    most: Annotated[
        int | None, Option(min=2, max=8, help="Processes; by default one for each core.")
    ] = None,
) -> None:
    """Train the default recipe's first steps with 1, 2 (and 4) processes; the last line is JSON.

    One process has one core, and two processes have one each, so that the machine is not slower for
    one of them. The time of a step is the median after the first three, which compile.
    """
    cores = sorted(os.sched_getaffinity(0))
    counts = [count for count in (1, 2, 4) if count <= (most or len(cores))]
    results = []
    for batch_size in whole_numbers(batch_sizes, "--batch-sizes"):
        # Half a batch in one process: what each of two has to do, without the network.
        runs = [(1, batch_size // 2), *((count, batch_size) for count in counts)]
        found = [run(count, cores, faces, image_size, size, steps) for count, size in runs]
        results.append(summary(batch_size, found[0], found[1:]))
        print(as_text(results[-1]), flush=True)
    network = network_model(results[0])
    print(network_text(network))
    print(json.dumps({**last_line(results), "batches": results, "network": network}))


def whole_numbers(text: str, option: str) -> list[int]:
    """Read the numbers of an option: "64,512"."""
    parts = text.split(",")
    if not all(part.isascii() and part.isdigit() and 1 < int(part) <= 100_000 for part in parts):
        raise ValueError(f"{option} is {text}: give numbers from 2 to 100000, such as 2 or 2,4.")
    return [int(part) for part in parts]


def run(
    count: int, cores: list[int], faces: Path, image_size: int, batch_size: int, steps: int
) -> dict:
    """Start `count` processes of `benchmarks.one_process`, and return what the first measured."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = {
        "processes": count,
        "coordinator": f"127.0.0.1:{port}",
        "faces": faces,
        "image-size": image_size,
        "batch-size": batch_size,
        "steps": steps,
    }
    command = [sys.executable, "-m", "benchmarks.one_process"]
    command += [f"--{name}={value}" for name, value in options.items()]
    started = []
    before = os.sched_getaffinity(0)
    for index in range(count):
        os.sched_setaffinity(0, {cores[index % len(cores)]})  # a process inherits it
        started.append(
            subprocess.Popen(
                [*command, f"--process={index}"],
                env={**os.environ, "KERAS_BACKEND": "jax"},
                stdout=subprocess.PIPE,
                text=True,
            )
        )
    os.sched_setaffinity(0, before)
    outputs = [process.communicate()[0] for process in started]
    if any(process.returncode for process in started):
        raise ChildProcessError("A process of the benchmark ended with an error: see above.")
    return json.loads(outputs[0].splitlines()[-1])


def summary(batch_size: int, half: dict, found: list[dict]) -> dict:
    """The table of one batch size.

    Args:
        half: one process with half of the batch.
        found: what `run` returned for 1, 2 (and 4) processes; the first is the one to compare with.
    """
    step = {result["processes"]: median(result["seconds"][3:]) for result in found}
    reduce = {result["processes"]: result["reduce"] for result in found}
    predicted = median(half["seconds"][3:]) + reduce[2]
    return {
        "batch_size": batch_size,
        "trained_weights": found[0]["trained_weights"],
        "seconds_per_step": {str(count): round(seconds, 4) for count, seconds in step.items()},
        "images_per_second": {
            str(count): round(batch_size / seconds, 1) for count, seconds in step.items()
        },
        "speedup": {str(count): round(step[1] / seconds, 3) for count, seconds in step.items()},
        "reduce_share": {
            str(count): round(reduce[count] / seconds, 4) for count, seconds in step.items()
        },
        "history_difference": {
            str(result["processes"]): difference(found[0]["loss"], result["loss"])
            for result in found[1:]
        },
        "predicted_seconds_2": round(predicted, 4),
        "reduce_seconds_2": reduce[2],
        "half_batch_seconds": round(median(half["seconds"][3:]), 4),
    }


def difference(one: list[float], other: list[float]) -> float:
    """The largest relative difference of two lists of losses, over the first ten steps."""
    pairs = list(zip(one, other))[:COMPARED]
    return float(f"{max(abs(a - b) / abs(a) for a, b in pairs):.2g}")


def network_model(result: dict) -> dict:
    """What a network between `HOSTS` hosts would have to do, each with one such core or device.

    In a ring, each host sends 2 (n - 1) / n times the gradients of a step. The step of a host is
    taken to last as long as that of one process with half a batch; a faster device is `faster`
    times quicker, and then the network matters more.
    """
    sent = 2 * (HOSTS - 1) / HOSTS * 4 * result["trained_weights"]
    seconds = {str(speed): round(8 * sent / (speed * 1e9), 5) for speed in SPEEDS}
    step = result["half_batch_seconds"]
    return {
        "hosts": HOSTS,
        "bytes_per_step": round(sent),
        "seconds_per_step": seconds,
        "efficiency": {
            speed: {
                str(faster): round(step / faster / (step / faster + taken), 3)
                for faster in (1, 10, 100)
            }
            for speed, taken in seconds.items()
        },
    }


def last_line(results: list[dict]) -> dict:
    """The figures with a target, of the first batch size."""
    first = results[0]
    return {
        "speedup_2": first["speedup"]["2"],
        "target": TARGET,
        "history_difference": first["history_difference"]["2"],
        "predicted_over_measured_2": round(
            first["predicted_seconds_2"] / first["seconds_per_step"]["2"], 3
        ),
    }


def as_text(result: dict) -> str:
    """Format the table of one batch size."""
    lines = [
        f"\nbatch of {result['batch_size']}",
        f"{'processes':>9} {'images/s':>9} {'speed-up':>9} {'all-reduce':>11} {'loss differs':>13}",
    ]
    for count, rate in result["images_per_second"].items():
        differs = result["history_difference"].get(count)
        shown = "" if differs is None else f"{differs:.1e}"
        lines.append(
            f"{count:>9} {rate:9.1f} {result['speedup'][count]:8.2f}x "
            f"{result['reduce_share'][count]:11.1%} {shown:>13}"
        )
    return "\n".join(lines)


def network_text(network: dict) -> str:
    """Format what the network would have to do."""
    lines = [
        f"\n{network['hosts']} hosts, each sends {network['bytes_per_step'] / 1e6:.1f} MB per step",
        f"{'Gbit/s':>9} {'ms per step':>12}  efficiency, and with devices 10 and 100 times faster",
    ]
    for speed, seconds in network["seconds_per_step"].items():
        shares = ", ".join(f"{share:.0%}" for share in network["efficiency"][speed].values())
        lines.append(f"{speed:>9} {1000 * seconds:12.1f}  {shares}")
    return "\n".join(lines)


if __name__ == "__main__":
    main(app)
