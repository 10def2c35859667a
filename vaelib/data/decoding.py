"""Decode many faces into one array, which may be a file that is mapped into memory."""

import hashlib
import io
import math
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import numpy as np

from groundwork.files import check_room, reserve
from groundwork.processes import usable_cores
from groundwork.progress import Progress
from vaelib.data.faces import IMAGES, Faces
from vaelib.data.images import CELEBA_BOX, load_alike, load_image

TOGETHER = 200  # faces that a thread decodes at a time
MOST_BYTES = 10**8  # of their files; larger ones are read one by one
THREADS_PER_CORE = 2  # while one waits for Python's lock, another decodes
MARKED_EVERY = 5  # seconds: the most work that is lost when decoding is killed
PIXELS_VERSION = 3  # count it up when the same file gives other pixels: caches are made again


def decode_all(
    paths: Sequence[str],
    image_size: int,
    pixels: np.ndarray,
    progress: Progress,
    done: np.ndarray | None = None,
    keep: Callable[[], None] | None = None,
) -> None:
    """Decode image files into `pixels`, TOGETHER at a time.

    Args:
        paths: of the n files.
        image_size: width and height in pixels.
        pixels: uint8 (n, image_size, image_size, 3), to write to.
        progress: it counts the faces.
        done: 1 for each TOGETHER faces that were decoded before, else 0; it is updated.
        keep: called every few seconds, to save what is done.

    Raises:
        ValueError: images are broken (the message names the first, and their number).
    """
    if done is None:
        done = np.zeros(-(-len(paths) // TOGETHER), "uint8")
    broken = []

    def decode(part: int) -> int:
        rows = range(part * TOGETHER, min((part + 1) * TOGETHER, len(paths)))
        together = None
        if sum(os.path.getsize(paths[row]) for row in rows) <= MOST_BYTES:
            together = load_alike([_read(paths[row]) for row in rows], image_size)
        if together is not None:
            pixels[rows.start : rows.stop] = together
        else:
            for row in rows:
                try:
                    pixels[row] = load_image(paths[row], image_size)
                except ValueError as error:
                    broken.append(error)
        done[part] = 1
        return len(rows)

    # TensorFlow and Pillow release Python's lock while they decode, so threads help here.
    # Each takes many faces at a time: 200,000 tasks would take half a gigabyte of memory.
    left = np.flatnonzero(done == 0)
    kept = time.monotonic()
    pool = ThreadPoolExecutor(THREADS_PER_CORE * usable_cores())
    with pool, closing(pool.map(decode, left)) as counts:
        for count in counts:
            progress.advance(count)
            if keep and time.monotonic() - kept > MARKED_EVERY:
                keep()
                kept = time.monotonic()
    if broken:
        count = f" ({len(broken)} files in all are broken.)" if len(broken) > 1 else ""
        raise ValueError(f"{broken[0]}{count}")


def image_paths(faces: Faces, rows: np.ndarray | slice = slice(None)) -> list[str]:
    """The paths of all images, or of some rows, in the order of the table."""
    return [os.path.join(faces.folder, IMAGES, file) for file in faces.files.iloc[rows]]


def _read(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:  # twice as fast as Path.read_bytes
        return file.read()


def map_pixels(path: Path, shape: tuple[int, ...], mode: str = "r") -> np.memmap | None:
    """Map an .npy file of uint8 into memory; None if it does not exist or is damaged."""
    header, status = _header(shape), None
    with suppress(FileNotFoundError), path.open("rb") as file:
        status = file.read(len(header)) == header, os.fstat(file.fileno()).st_size
    if status != (True, len(header) + math.prod(shape)):
        return None
    return np.memmap(path, "uint8", mode, len(header), shape)


def reserve_pixels(path: Path, shape: tuple[int, ...]) -> None:
    """Make an .npy file of zeros whose room on the disk is its own."""
    check_room(path.parent, math.prod(shape), "the decoded faces")
    header = _header(shape)
    reserve(path, len(header) + math.prod(shape))
    with path.open("r+b") as file:
        file.write(header)


def _header(shape: tuple[int, ...]) -> bytes:
    """The first bytes of an .npy file of uint8 in this shape."""
    file = io.BytesIO()
    fields = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, fields)
    return file.getvalue()


def pixels_key(faces: Faces, image_size: int) -> str:
    """Identify decoded faces: a hash of the files' names, sizes and dates, and the image size."""
    images = str(faces.folder / IMAGES)
    digest = hashlib.sha256(f"{image_size} {CELEBA_BOX} {PIXELS_VERSION}".encode())
    # Plain strings, not paths: for 200,000 faces this takes half a second.
    for name, file in zip(faces.files.index, faces.files):
        status = os.stat(f"{images}/{file}")
        digest.update(f"\n{name} {status.st_size} {status.st_mtime_ns}".encode())
    return f"{image_size}-{digest.hexdigest()[:16]}"
