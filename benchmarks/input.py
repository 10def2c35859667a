"""Measure how fast faces are read, compared with how fast the model trains on them."""

import json
import os
import shutil
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Annotated, Literal

import vaelib  # noqa: F401  # isort: skip  # before keras: it starts TensorFlow without its log lines
import keras
from PIL import Image
from typer import Option, Typer

from benchmarks.contenders import BATCH_SIZE, PORTRAITS, contender
from benchmarks.worker import Worker, serve
from groundwork.files import check_room
from groundwork.processes import usable_cores
from groundwork.progress import Progress
from vaelib.__main__ import main
from vaelib.data.faces import IMAGES, Faces, read_faces
from vaelib.data.images import CELEBA_SIZE
from vaelib.data.pipeline import make_dataset
from vaelib.data.tables import SPLITS
from vaelib.model import IMAGE_SIZES

TARGETS = {"first_epoch": 3.0, "later_epochs": 10.0}  # times as fast as training
NAMES = {
    "training": "training",
    "first_epoch": "first epoch",
    "later_epochs": "later epochs",
    "image_dataset": "image_dataset_from_directory",
}

app = Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def measure(
    faces: Annotated[Path, Option(help="A folder in CelebA's layout.")] = PORTRAITS,
    count: Annotated[
        int,
        Option(
            min=3, max=10_000_000, help="Images to read; if there are fewer, some are read again."
        ),
    ] = 200_000,
    enlarge: Annotated[
        bool, Option(help="Enlarge smaller images to CelebA's 178 x 218 pixels.")
    ] = True,
    turns: Annotated[int, Option(min=1, max=1000, help="Turns; the result is their median.")] = 3,
    seconds: Annotated[
        float, Option(min=0.0, max=3600.0, help="Seconds of training per turn, about.")
    ] = 4.0,
    batch_size: Annotated[int, Option(min=2, max=4096, help="Images per batch.")] = BATCH_SIZE,
    image_size: Annotated[Literal[IMAGE_SIZES], Option(help="In pixels.")] = 64,
    figure: Annotated[Path, Option(help="The picture to write.")] = Path(
        "build/benchmarks/input.png"
    ),
) -> None:
    """Read a folder of many faces several times, and train in between; the last line is JSON.

    The folder is temporary, beside the figure, and has links to the images. The first epoch
    reads the tables and the JPGs; later epochs read vaelib's cache. An epoch is a pass over the
    faces of all splits.
    """
    source = read_faces(faces)
    figure.parent.mkdir(parents=True, exist_ok=True)
    _check_disk(source, count, enlarge, image_size, figure.parent)
    workers = []
    with tempfile.TemporaryDirectory(prefix="input-", dir=figure.parent) as folder:
        try:
            pixels = copy_faces(source, Path(folder), count, enlarge)
            shape = "x".join(map(str, pixels))
            print(f"{count} images of {shape} pixels, links to {min(count, len(source))} files.")
            training = contender("ours", faces, batch_size, image_size, seconds)
            workers.append(training)
            rates, found = _take_turns(workers, folder, turns, batch_size, image_size)
        finally:
            for worker in workers:
                worker.stop()
    result = summary(rates, found["peak_private_mb"])
    result |= {"count": count, "file_pixels": shape, "batch_size": batch_size}
    result |= {"device": training.facts["device"], "cores": usable_cores(), "turns": turns}
    print(as_text(result))
    draw(result, figure)
    print(f"The figure is {figure}.")
    print(json.dumps(result))


def _take_turns(
    workers: list[Worker], folder: str, turns: int, batch_size: int, image_size: int
) -> tuple[dict[str, list[float]], dict]:
    """Measure the rates of each turn; training has a turn before or after every other one."""
    options = ("benchmarks.input", folder, batch_size, image_size)
    (training,) = workers
    rates = {name: [] for name in NAMES}

    def turn(name: str, worker: Worker) -> None:
        answer = worker.work()
        rates[name].append(answer["rate"])
        parts = answer.get("parts", "")
        print(f"{NAMES[name]}: {answer['rate']:.0f} images per second{parts}", flush=True)

    turn("training", training)
    ours = Worker("the input", *options[:1], "ours", *options[1:])
    workers.append(ours)
    with PeakMemory(ours.pid) as memory:
        turn("first_epoch", ours)
        for _ in range(turns):
            turn("training", training)
            turn("later_epochs", ours)
    ours.stop()
    theirs = Worker(NAMES["image_dataset"], *options[:1], "image_dataset", *options[1:])
    workers.append(theirs)
    for _ in range(turns):
        turn("image_dataset", theirs)
        turn("training", training)
    return rates, {"peak_private_mb": memory.peak / 1e6}


def summary(rates: dict[str, list[float]], peak_private_mb: float) -> dict:
    """Build the last line from the images per second of each turn, by name."""
    middle = {name: median(values) for name, values in rates.items()}
    return {
        "first_epoch_ratio": round(middle["first_epoch"] / middle["training"], 2),
        "later_epoch_ratio": round(middle["later_epochs"] / middle["training"], 2),
        "peak_private_mb": round(peak_private_mb),
        "ratio_to_image_dataset": round(middle["later_epochs"] / middle["image_dataset"], 2),
        "first_epoch_ratio_to_image_dataset": round(
            middle["first_epoch"] / middle["image_dataset"], 2
        ),
        "images_per_second": {name: round(value, 1) for name, value in middle.items()},
    }


def as_text(result: dict) -> str:
    """Format the result as a table."""
    rates = result["images_per_second"]
    lines = [f"{'':28} {'images/s':>9} {'of training':>11} {'target':>7}"]
    for name, rate in rates.items():
        target = f">= {TARGETS[name]:.0f}" if name in TARGETS else ""
        ratio = rate / rates["training"]
        lines.append(f"{NAMES[name]:28} {rate:9.1f} {ratio:11.2f} {target:>7}".rstrip())
    lines.append(f"peak of private memory: {result['peak_private_mb']} MB (target: < 2000)")
    return "\n".join(lines)


def draw(result: dict, path: Path) -> None:
    """Draw bars of images per second, and lines at the targets."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    rates = result["images_per_second"]
    figure, axes = plt.subplots(figsize=(6.5, 2.8), layout="constrained")
    axes.barh([NAMES[name] for name in rates], list(rates.values()), color="#9ecae1")
    for name, target in TARGETS.items():
        row = list(rates).index(name)
        x = target * rates["training"]
        axes.plot([x, x], [row - 0.4, row + 0.4], color="#08519c")
        axes.annotate("target", (x, row - 0.4), ha="center", va="bottom", color="#08519c")
    axes.invert_yaxis()
    axes.set_xlabel("images per second")
    figure.savefig(path, dpi=150)
    plt.close(figure)


# ------------------------------------------------------------------ a folder of many faces


def copy_faces(source: Faces, folder: Path, count: int, enlarge: bool) -> tuple[int, int]:
    """Fill `folder` with `count` faces in CelebA's layout, repeating those of `source`.

    Args:
        source: the faces to copy.
        folder: where to; its images are links where the file system allows it.
        count: how many.
        enlarge: make images that are smaller than CelebA's 178 x 218 pixels.

    Returns:
        Width and height of the first image.
    """
    images = folder / IMAGES
    images.mkdir(parents=True)
    files = [source.folder / IMAGES / name for name in source.file_names()[:count]]
    with Image.open(files[0]) as image:
        enlarge = enlarge and image.width * image.height < CELEBA_SIZE[0] * CELEBA_SIZE[1]
    if enlarge:
        files = _enlarged(files, folder / "enlarged")
    files = [os.path.realpath(path) for path in files]  # a link to a link is no image
    with Progress("Linking", count, "face") as progress:
        for i in range(count):
            target = f"{images}/{i + 1:06}.jpg"
            try:
                os.link(files[i % len(files)], target)
            except OSError:  # another disk, or too many links to one file
                shutil.copyfile(files[i % len(files)], target)
            progress.advance(1)
    attributes = source.attributes.iloc[: len(files)]
    rows = [" ".join(row) for row in attributes.replace({True: "1", False: "-1"}).to_numpy()]
    splits = source.splits.map({split: str(i) for i, split in enumerate(SPLITS)}).to_list()
    names = [f"{i + 1:06}.jpg" for i in range(count)]
    lines = [f"{name} {rows[i % len(rows)]}" for i, name in enumerate(names)]
    header = [str(count), " ".join(attributes.columns)]
    (folder / "list_attr_celeba.txt").write_text("\n".join([*header, *lines]) + "\n", "utf-8")
    lines = [f"{name} {splits[i % len(rows)]}" for i, name in enumerate(names)]
    (folder / "list_eval_partition.txt").write_text("\n".join(lines) + "\n", "utf-8")
    with Image.open(images / names[0]) as image:
        return image.size


def _enlarged(paths: list[Path], folder: Path) -> list[Path]:
    folder.mkdir()

    def enlarge(path: Path) -> Path:
        with Image.open(path) as image:
            image.convert("RGB").resize(CELEBA_SIZE).save(folder / path.name, quality=95)
        return folder / path.name

    enlarged = []
    with (
        Progress("Enlarging", len(paths), "face") as progress,
        ThreadPoolExecutor(usable_cores()) as pool,
    ):
        for path in pool.map(enlarge, paths):
            enlarged.append(path)
            progress.advance(1)
    return enlarged


def _check_disk(source: Faces, count: int, enlarge: bool, image_size: int, folder: Path) -> None:
    # Room for the decoded faces, and for the images if they have to be copied.
    names = source.file_names()[:100]
    each = sum((source.folder / IMAGES / name).stat().st_size for name in names) / len(names)
    each = 20_000 if enlarge else max(each, 4096)
    needed = round(count * (image_size**2 * 3 + each)) + 10**9
    what = f"{count} faces, with 1 GB to spare,"
    check_room(folder, needed, what, "make room, or use a smaller --count")


# ------------------------------------------------------------------ memory


class PeakMemory:
    """Watch the private memory of a process.

    Memory-mapped files don't count: the system drops them when it needs memory.

    Attributes:
        peak: the largest so far, in bytes.
    """

    def __init__(self, pid: int, every: float = 0.05):
        self.peak = 0
        self._pid, self._every = pid, every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "PeakMemory":
        self._thread.start()
        return self

    def __exit__(self, *error) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            self.peak = max(self.peak, private_memory(self._pid))
            if self._stop.wait(self._every):
                return


def private_memory(pid: int) -> int:
    """The private memory of a process in bytes; 0 when it has ended."""
    import psutil

    try:
        lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    except ProcessLookupError:
        return 0
    except FileNotFoundError:  # not Linux, or it has ended
        try:
            return psutil.Process(pid).memory_full_info().uss
        except psutil.Error:
            return 0
    kinds = dict(line.split(":", 1) for line in lines)
    return 1024 * sum(int(kinds.get(kind, "0 kB").split()[0]) for kind in ("RssAnon", "RssShmem"))


# ------------------------------------------------------------------ what the processes do


class OurInput:
    """The course's input: the first call reads the folder, later calls read the cache."""

    def __init__(self, folder: str, batch_size: int, image_size: int):
        self.folder, self.options = folder, {"image_size": image_size, "batch_size": batch_size}
        self.datasets = None

    def __call__(self) -> dict:
        start, parts = time.perf_counter(), ""
        if self.datasets is None:
            faces = read_faces(self.folder)
            read = time.perf_counter()
            self.datasets = [make_dataset(faces, split, **self.options) for split in SPLITS]
            decoded = time.perf_counter()
            parts = f" (tables {read - start:.1f} s, images {decoded - read:.1f} s)"
        count = sum(len(batch) for dataset in self.datasets for batch in dataset)
        return {"rate": count / (time.perf_counter() - start), "parts": parts}


class ImageDataset:
    """The book's input: Keras lists the folder in the first call, and decodes in every call."""

    def __init__(self, folder: str, batch_size: int, image_size: int):
        self.options = {
            "directory": Path(folder) / IMAGES,
            "labels": None,
            "batch_size": batch_size,
            "image_size": (image_size, image_size),
            "seed": 0,
            "verbose": False,
        }
        self.dataset = None

    def __call__(self) -> dict:
        start = time.perf_counter()
        if self.dataset is None:
            dataset = keras.utils.image_dataset_from_directory(**self.options)
            self.dataset = dataset.map(lambda images: keras.ops.cast(images, "float32") / 255)
        count = sum(len(batch) for batch in self.dataset)
        return {"rate": count / (time.perf_counter() - start)}


def _work(name: str, folder: str, batch_size: int, image_size: int) -> None:
    kind = {"ours": OurInput, "image_dataset": ImageDataset}[name]
    serve({}, kind(folder, batch_size, image_size))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        _work(*sys.argv[2:4], int(sys.argv[4]), int(sys.argv[5]))
    else:
        main(app)
