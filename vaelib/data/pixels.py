"""Decode all faces once, keep them in a file, and read them from there."""

import hashlib
import io
import math
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import numpy as np

from groundwork.files import (
    check_room,
    full_disk_explained,
    remove_leftovers,
    reserve,
    sync,
    write_whole,
)
from groundwork.locks import locked
from groundwork.processes import usable_cores
from groundwork.progress import Progress
from vaelib.data.faces import IMAGES, Faces
from vaelib.data.images import CELEBA_BOX, load_alike, load_image

CACHE = ".cache"  # a folder beside the images, for what is made from them
TOGETHER = 200  # faces that a thread decodes at a time
MOST_BYTES = 10**8  # of their files; larger ones are read one by one
THREADS_PER_CORE = 2  # while one waits for Python's lock, another decodes
MARKED_EVERY = 5  # seconds: the most work that is lost when decoding is killed
PIXELS_VERSION = 3  # count it up when the same file gives other pixels: caches are made again


def load_images(
    faces: Faces, file_names: list[str] | None = None, image_size: int = 64
) -> np.ndarray:
    """Load images by file name, in the given order: float32 (n, size, size, 3) in [0, 1].

    Args:
        file_names: None for all faces.
        image_size: width and height in pixels.

    Raises:
        KeyError: a name that `faces` does not have.
    """
    rows = np.arange(len(faces)) if file_names is None else faces.rows(file_names)
    return load_pixels(faces, image_size)[rows].astype("float32") / 255


def load_pixels(faces: Faces, image_size: int = 64) -> np.ndarray:
    """Load all faces as uint8 (n, image_size, image_size, 3), decoded once, then read from a file.

    Each image is cropped to a square and resized with anti-aliasing (`vaelib.data.images`). The
    file is in `.cache/` beside the images. It is mapped into memory, so that only the faces that
    are used take memory; if the folder is read-only, all faces are kept in memory instead. After
    a stop, decoding continues where it was. If an image's name, size or date changes, all faces
    are decoded again.

    Raises:
        ValueError: images are broken (the message names the first, and their number).
        DiskFull: there is no room for the file.
    """
    cache = faces.folder / CACHE / f"{pixels_key(faces, image_size)}.npy"
    shape = (len(faces), int(image_size), int(image_size), 3)
    pixels = _map(cache, shape)
    if pixels is not None:
        return pixels
    if cache.exists():
        print(f"{cache} is damaged, so the faces are decoded again.", flush=True)
    if not os.access(cache.parent if cache.parent.exists() else faces.folder, os.W_OK):
        pixels = np.empty(shape, "uint8")
        _decode_all(faces, image_size, pixels)
        return pixels
    with full_disk_explained(cache):
        cache.parent.mkdir(exist_ok=True)
        with cache_locked(cache.parent):
            if _map(cache, shape) is None:  # another program may just have made it
                _make_cache(faces, image_size, cache, shape)
    return _map(cache, shape)


@contextmanager
def cache_locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder's `.cache/`; other programs that write into it wait."""
    with locked(folder / ".lock", "Another program is reading these faces: waiting for it."):
        remove_leftovers(folder)
        yield


def _map(path: Path, shape: tuple[int, ...], mode: str = "r") -> np.memmap | None:
    """Map an .npy file of uint8 into memory; None if it does not exist or is damaged."""
    header, status = _header(shape), None
    with suppress(FileNotFoundError), path.open("rb") as file:
        status = file.read(len(header)) == header, os.fstat(file.fileno()).st_size
    if status != (True, len(header) + math.prod(shape)):
        return None
    return np.memmap(path, "uint8", mode, len(header), shape)


def _header(shape: tuple[int, ...]) -> bytes:
    """The first bytes of an .npy file of uint8 in this shape."""
    file = io.BytesIO()
    fields = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, fields)
    return file.getvalue()


def _make_cache(faces: Faces, image_size: int, cache: Path, shape: tuple[int, ...]) -> None:
    """Decode all faces into a file, or continue after a stop."""
    aside, mark = cache.with_suffix(".part"), cache.with_suffix(".done")
    try:
        _decode_into(aside, mark, faces, image_size, shape)
    except ValueError:  # an image is broken: a whole one will have another key
        aside.unlink()
        mark.unlink()
        raise
    sync(aside)
    os.replace(aside, cache)
    sync(cache.parent)
    for old in set(cache.parent.glob(f"{image_size}-*")) - {cache}:
        with suppress(OSError):  # another program may still read it
            old.unlink()


def _decode_into(
    aside: Path, mark: Path, faces: Faces, image_size: int, shape: tuple[int, ...]
) -> None:
    """Decode into the file `aside` those faces that the file `mark` does not list as done.

    `mark` has a byte for each TOGETHER faces. It is written after their pixels are on the disk, so
    that it is right even after a power cut.
    """
    parts = -(-len(faces) // TOGETHER)
    marks = mark.read_bytes() if mark.exists() else b""
    pixels = _map(aside, shape, "r+") if len(marks) == parts else None
    if pixels is None:
        if aside.exists():
            print(f"{aside} is damaged, so the faces are decoded from the first on.", flush=True)
        for old in aside.parent.glob(f"{image_size}-*.part"):
            old.unlink()
        marks = bytes(parts)
        write_whole(mark, marks)  # first, so that old marks never belong to a new file
        _reserve(aside, shape)
        pixels = _map(aside, shape, "r+")
    done = np.frombuffer(marks, "uint8").copy()

    def keep() -> None:
        marks = done.tobytes()  # before the flush, so that it covers their pixels
        pixels.flush()
        write_whole(mark, marks)

    try:
        _decode_all(faces, image_size, pixels, done, keep)
    except KeyboardInterrupt:
        keep()
        raise
    pixels.flush()


def _reserve(path: Path, shape: tuple[int, ...]) -> None:
    """Make an .npy file of zeros whose room on the disk is its own."""
    check_room(path.parent, math.prod(shape), "the decoded faces")
    header = _header(shape)
    reserve(path, len(header) + math.prod(shape))
    with path.open("r+b") as file:
        file.write(header)


def _decode_all(
    faces: Faces,
    image_size: int,
    pixels: np.ndarray,
    done: np.ndarray | None = None,
    keep: Callable[[], None] | None = None,
) -> None:
    """Decode all faces into `pixels`, TOGETHER at a time.

    Args:
        done: 1 for each TOGETHER faces that were decoded before, else 0; it is updated.
        keep: called every few seconds, to save what is done.
    """
    paths = [os.path.join(faces.folder, IMAGES, file) for file in faces.files]
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
    before = min(len(paths), TOGETHER * int(done.sum()))
    progress = Progress("Reading faces", len(paths), "face", before)
    kept = time.monotonic()
    pool = ThreadPoolExecutor(THREADS_PER_CORE * usable_cores())
    with pool, progress, closing(pool.map(decode, left)) as counts:
        for count in counts:
            progress.advance(count)
            if keep and time.monotonic() - kept > MARKED_EVERY:
                keep()
                kept = time.monotonic()
    if broken:
        count = f" ({len(broken)} files in all are broken.)" if len(broken) > 1 else ""
        raise ValueError(f"{broken[0]}{count}")


def _read(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:  # twice as fast as Path.read_bytes
        return file.read()


def pixels_key(faces: Faces, image_size: int) -> str:
    """Identify decoded faces: a hash of the files' names, sizes and dates, and the image size."""
    images = str(faces.folder / IMAGES)
    parts = [f"{image_size} {CELEBA_BOX} {PIXELS_VERSION}"]
    # Plain strings, not paths: for 200,000 faces this takes half a second.
    for name, file in zip(faces.files.index.to_list(), faces.files.to_list()):
        status = os.stat(f"{images}/{file}")
        parts.append(f"{name} {status.st_size} {status.st_mtime_ns}")
    digest = hashlib.sha256("\n".join(parts).encode())
    return f"{image_size}-{digest.hexdigest()[:16]}"
