"""Rehearse training on millions of faces: shards, killed processes, resumes, and memory."""

import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import vaelib  # noqa: F401  # isort: skip  # before keras: it starts TensorFlow without its log lines
import numpy as np
import pandas as pd
from typer import Option, Typer

from benchmarks.contenders import PORTRAITS
from benchmarks.input import PeakMemory, copy_faces
from groundwork.files import check_room
from groundwork.processes import usable_cores
from vaelib.__main__ import main
from vaelib.data.faces import read_faces
from vaelib.data.pipeline import make_dataset
from vaelib.data.shards import MANIFEST, shard_count
from vaelib.model import IMAGE_SIZES

TARGET = 4000  # MB of private memory
STEPS = {
    "killed": "shards: killed after a third",
    "shards": "shards: the same command again",
    "epoch": "an epoch, from the first batch on",
    "half": "an epoch: killed in the middle",
    "rest": "an epoch: the rest, a shard damaged",
    "train": "training, two epochs",
    "train_killed": "training: killed in the second",
    "train_resumed": "training: the same command again",
}
ROOT = Path(__file__).resolve().parents[1]

app = Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def rehearse(
    faces: Annotated[Path, Option(help="A folder in CelebA's layout.")] = PORTRAITS,
    count: Annotated[
        int, Option(min=1000, max=100_000_000, help="Faces; those of the folder are repeated.")
    ] = 200_000,
    image_size: Annotated[Literal[IMAGE_SIZES], Option(help="In pixels.")] = 64,
    batch_size: Annotated[int, Option(min=8, max=4096, help="Faces per batch.")] = 64,
    steps: Annotated[int, Option(min=2, max=10_000, help="Of training, per epoch.")] = 25,
    work: Annotated[Path, Option(help="Where the temporary folder is made.")] = Path(
        "build/benchmarks"
    ),
) -> None:
    """Keep many faces in shards, read an epoch, train; kill each in the middle, and go on.

    The last line is JSON. The folder is temporary and has links to the images. The same batches
    must come from a process that was never stopped, from two that share the work, and from one
    that was killed and began again in the middle of the epoch, with a damaged shard.
    """
    work = work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    size = count * image_size**2 * 3
    advice = "make room, or use a smaller --count"
    check_room(work, size + 10**9, f"{count} faces, with 1 GB to spare,", advice)
    with tempfile.TemporaryDirectory(prefix="shards-", dir=work) as place:
        folder, runs = Path(place) / "faces", Path(place)
        folder.mkdir()
        copy_faces(read_faces(faces), folder, count, enlarge=False)
        measured, facts = _prepare(folder, image_size)
        read, checks = _read_epoch(folder, image_size, batch_size, runs)
        trained, alike = _train(folder, image_size, batch_size, steps, runs)
    measured |= read | trained
    result = facts | checks | alike
    result |= {"count": count, "image_size": image_size, "decoded_gb": round(size / 1e9, 2)}
    result |= {"shards": shard_count(count, size), "batch_size": batch_size}
    result |= {"peak_private_mb": max(step["peak_private_mb"] for step in measured.values())}
    result |= {"cores": usable_cores(), "steps": measured}
    print(as_text(result))
    print(json.dumps(result))


def _prepare(folder: Path, image_size: int) -> tuple[dict, dict]:
    """Make the shards; kill the command when a third of them is there, and give it again."""
    command = ["vaelib", "shards", "--faces", folder, "--image-size", image_size]

    def files() -> dict[str, int]:
        return {path.name: path.stat().st_ino for path in folder.glob(".cache/*/[!.]*.npy")}

    def a_third(_: Path) -> bool:
        (manifest,) = [*folder.glob(f".cache/*/{MANIFEST}")] or [None]
        entries = json.loads(manifest.read_text("utf-8"))["shards"] if manifest else [None]
        return 3 * sum(entry is not None for entry in entries) >= len(entries)

    killed = run("killed", command, folder.parent, a_third)
    before = files()
    made = run("shards", command, folder.parent)
    after = files()
    kept = [name for name, number in before.items() if after[name] == number]
    (manifest,) = folder.glob(f".cache/*/{MANIFEST}")
    entries = json.loads(manifest.read_text("utf-8"))["shards"]
    new = sum(entry["count"] for entry in entries if entry["file"] not in kept)
    made["images_per_second"] = round(new / made["seconds"])
    return {"killed": killed, "shards": made}, {
        "shards_kept": len(kept),
        "shards_before": len(before),
    }


def _read_epoch(folder: Path, image_size: int, batch_size: int, place: Path) -> tuple[dict, dict]:
    """Read an epoch; again, killed in the middle, and the rest of it with a damaged shard."""
    whole, part, rest = (place / name for name in ("whole", "part", "rest"))
    command = ["benchmarks.shards", "--work", folder, image_size, batch_size]
    epoch = run("epoch", [*command, 0, 0, whole], place)
    batches = len(digests(whole))
    shared = json.loads(whole.with_suffix(".json").read_text("utf-8"))
    epoch["images_per_second"] = round(batches * batch_size / shared["seconds"])

    def in_the_middle(_: Path) -> bool:
        return part.exists() and len(digests(part)) >= batches // 2

    half = run("half", [*command, 0, batches - 1, part, "wait"], place, in_the_middle)
    done = len(digests(part))
    damaged = sorted(folder.glob(".cache/*/[!.]*.npy"))[1]
    with damaged.open("r+b") as file:
        file.seek(-1000, os.SEEK_END)
        byte = file.read(1)
        file.seek(-1000, os.SEEK_END)
        file.write(bytes([byte[0] ^ 1]))
    again = run("rest", [*command, done, batches, rest], place)
    output = (place / "rest.log").read_text("utf-8", "replace")
    joined = np.concatenate([digests(part), digests(rest)])
    checks = {
        "batches": batches,
        "killed_at_batch": done,
        "resumed_batches_equal": bool(np.array_equal(joined, digests(whole))),
        "two_processes_equal": shared["two_processes_equal"],
        "damaged_shard_named": f"{damaged.name} is damaged" in output,
    }
    return {"epoch": epoch, "half": half, "rest": again}, checks


def _train(
    folder: Path, image_size: int, batch_size: int, steps: int, place: Path
) -> tuple[dict, dict]:
    """Train two short epochs of the default recipe; again, killed in the second, and resumed."""
    command = ["vaelib", "train", "--faces", folder, "--image-size", image_size]
    command += ["--batch-size", batch_size, "--epochs", 2, "--steps-per-epoch", steps]

    def in_the_second(log: Path) -> bool:
        return "epoch 1" in log.read_text("utf-8", "replace").lower()

    measured = {
        "train": run("train", [*command, "--out", place / "one"], place),
        "train_killed": run(
            "train_killed", [*command, "--out", place / "two"], place, in_the_second
        ),
        "train_resumed": run("train_resumed", [*command, "--out", place / "two"], place),
    }
    one, two = (pd.read_csv(place / name / "history.csv") for name in ("one", "two"))
    apart = (two / one - 1).drop(columns=["epoch", "seconds"]).abs().to_numpy().max()
    return measured, {"history_difference": float(f"{apart:.2g}")}


def run(
    name: str, command: list[object], place: Path, until: Callable[[Path], bool] | None = None
) -> dict:
    """Run `python -m ...`, and kill it when `until` says so.

    Args:
        name: of the step; its output is kept under it.
        command: the module and its arguments.
        place: for the output.
        until: whether to kill it now, from the file of its output; None waits for its end.

    Returns:
        Its seconds and its peak of private memory, in MB.

    Raises:
        ChildProcessError: it failed, or it ended before it could be killed.
    """
    log, start = place / f"{name}.log", time.perf_counter()
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", *map(str, command)], stdout=file, stderr=file, cwd=ROOT
        )
    try:
        with PeakMemory(process.pid) as memory:
            while process.poll() is None and not (until and until(log)):
                time.sleep(0.01)  # a small run is soon over
    finally:
        ended = process.poll()
        process.kill()
        process.wait()
    if ended if until is None else ended is not None:
        last = (log.read_text("utf-8", "replace").strip().splitlines() or ["it gave no reason."])[
            -1
        ]
        raise ChildProcessError(f"{STEPS[name]}: it ended too early: {last}")
    seconds = time.perf_counter() - start
    peak = round(memory.peak / 1e6)
    print(f"{STEPS[name]}: {seconds:.1f} s, {peak} MB of private memory", flush=True)
    return {"seconds": round(seconds, 1), "peak_private_mb": peak}


def digests(path: Path) -> np.ndarray:
    """The digests of the batches that a process has read, uint64 (n,)."""
    data = path.read_bytes()
    return np.frombuffer(data[: len(data) // 8 * 8], "<u8")


def digest(images: np.ndarray) -> int:
    """A number of a batch, whatever its order; those of shares of a batch add up to it."""
    return sum(zlib.crc32(image.tobytes()) for image in images[:, ::8, ::8])


def as_text(result: dict) -> str:
    """Format the result as a table."""
    lines = [f"{'':38} {'seconds':>8} {'images/s':>9} {'private MB':>11}"]
    for name, step in result["steps"].items():
        rate = step.get("images_per_second", "")
        lines.append(
            f"{STEPS[name]:38} {step['seconds']:8.1f} {rate:>9} {step['peak_private_mb']:11}"
        )
    lines.append(f"peak of private memory: {result['peak_private_mb']} MB (target: < {TARGET})")
    lines.append(
        f"shards kept after the kill: {result['shards_kept']} of {result['shards_before']}; "
        f"the damaged one named: {result['damaged_shard_named']}"
    )
    lines.append(
        f"the same batches after a kill at batch {result['killed_at_batch']} of "
        f"{result['batches']}: {result['resumed_batches_equal']}; "
        f"of two processes: {result['two_processes_equal']}"
    )
    lines.append(
        "largest relative difference of the history after a kill: "
        f"{result['history_difference']:.1g}"
    )
    return "\n".join(lines)


# ------------------------------------------------------------------ what a process does


def read(
    folder: Path, image_size: int, batch_size: int, start: int, stop: int, out: Path, then: str = ""
) -> None:
    """Read the training batches from `start` to `stop`, and write a digest of each to `out`.

    If `stop` is 0, read a whole pass, and then the shares of two processes of 100 batches; `out`
    with the ending .json says how long the pass took, and whether they were the same. If `then` is
    "wait", wait at the end to be killed: a small set is read before anybody can do it.
    """
    faces = read_faces(folder)
    options = {"image_size": image_size, "batch_size": batch_size, "flip": True, "sharded": True}
    whole = stop == 0
    if whole:
        stop = len(make_dataset(faces, "train", **options))
    began = time.perf_counter()
    with out.open("wb", buffering=0) as file:
        dataset = make_dataset(faces, "train", **options, repeat=True, skip=start)
        for batch in dataset.take(stop - start).as_numpy_iterator():
            file.write(digest(batch).to_bytes(8, "little"))
    if then == "wait":
        time.sleep(600)
    if not whole:
        return
    seconds = time.perf_counter() - began
    shares = [make_dataset(faces, "train", **options, part=(i, 2)) for i in range(2)]
    together = [
        sum(digest(share) for share in pair)
        for pair in itertools.islice(zip(*(s.as_numpy_iterator() for s in shares)), 100)
    ]
    same = bool(np.array_equal(together, digests(out)[: len(together)]))
    answer = {"seconds": seconds, "two_processes_equal": same}
    out.with_suffix(".json").write_text(json.dumps(answer), "utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        read(Path(sys.argv[2]), *map(int, sys.argv[3:7]), Path(sys.argv[7]), *sys.argv[8:])
    else:
        main(app)
