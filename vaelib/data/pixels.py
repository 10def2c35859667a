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
from groundwork.progress import Progress
from vaelib.data.faces import IMAGES, Faces
from vaelib.data.images import CELEBA_BOX, load_alike, load_image

CACHE = ".cache"  # beside the images: what is made from them

TOGETHER = 200  # faces that are decoded at a time

THREADS = 2 * (os.cpu_count() or 1)  # while some wait for Python's lock, the others decode

MARKED_EVERY = 5  # seconds: the most that decoding loses when it is killed

PIXELS_VERSION = 3  # goes up when the same file gives other pixels, so that caches are made anew


def load_images(faces: Faces, file_names: list[str] | None = None, image_size: int = 64) -> np.ndarray:
    """Images by file name, in the order asked for: float32 (n, size, size, 3) in [0, 1].

    Raises:
        KeyError: a name that `faces` does not have.
    """
    rows = np.arange(len(faces)) if file_names is None else _rows(faces, file_names)
    return load_pixels(faces, image_size)[rows].astype("float32") / 255


def load_pixels(faces: Faces, image_size: int = 64) -> np.ndarray:
    """All faces as uint8 (n, image_size, image_size, 3), decoded once, then read from a file.

    Each image is cropped to a square and resized with anti-aliasing (`vaelib.images`). The result
    is kept beside the images in `.cache/` and mapped into memory, so that it costs no memory of
    its own; in a folder that cannot be written to, it is kept in memory. Decoding that was stopped
    goes on where it was. A change of the images' names, sizes or dates makes a new one.

    Raises:
        ValueError: images that are broken (it names the first, and their number).
        DiskFull: there is no room for the file.
    """
    cache = faces.folder / CACHE / f"{fingerprint(faces, image_size)}.npy"
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
    """Of all programs that write into a folder's `.cache/`, one goes on and the others wait."""
    with locked(folder / ".lock", "Another program is reading these faces: waiting for it."):
        remove_leftovers(folder)
        yield


def _map(path: Path, shape: tuple[int, ...], mode: str = "r") -> np.memmap | None:
    """Map an .npy file of uint8 into memory; None if it is not there, or damaged."""
    header, status = _header(shape), None
    with suppress(FileNotFoundError), path.open("rb") as file:
        status = file.read(len(header)) == header, os.fstat(file.fileno()).st_size
    if status != (True, len(header) + math.prod(shape)):
        return None
    return np.memmap(path, "uint8", mode, len(header), shape)


def _header(shape: tuple[int, ...]) -> bytes:
    """What an .npy file of uint8 in this shape begins with."""
    file = io.BytesIO()
    fields = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, fields)
    return file.getvalue()


def _make_cache(faces: Faces, image_size: int, cache: Path, shape: tuple[int, ...]) -> None:
    """Decode all faces into a file; stopped in the middle, go on from there the next time."""
    aside, mark = cache.with_suffix(".part"), cache.with_suffix(".done")
    try:
        _decode_into(aside, mark, faces, image_size, shape)
    except ValueError:  # some image is broken: a better one will have another fingerprint
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
    """Decode into the file `aside` the faces that the file `mark` does not say are there.

    `mark` has a byte for each TOGETHER faces. It is written when their pixels are on the disk, so
    that it is right after a power cut, too.
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
        write_whole(mark, marks)  # first, so that old marks never stand beside a new file
        _reserve(aside, shape)
        pixels = _map(aside, shape, "r+")
    done = np.frombuffer(marks, "uint8").copy()

    def keep() -> None:
        marks = done.tobytes()  # first, so that their pixels are among those that are flushed
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
        done: says which were decoded before, a byte for each TOGETHER faces; it is kept up to date.
        keep: called every few seconds.
    """
    paths = [os.path.join(faces.folder, IMAGES, file) for file in faces.files]
    if done is None:
        done = np.zeros(-(-len(paths) // TOGETHER), "uint8")
    broken = []

    def decode(part: int) -> int:
        rows = range(part * TOGETHER, min((part + 1) * TOGETHER, len(paths)))
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

    # TensorFlow and Pillow let go of Python's lock while they decode, so threads do help here.
    # Each takes some faces at a time: a task for each of 200,000 would fill half a gigabyte.
    left = np.flatnonzero(done == 0)
    before = min(len(paths), TOGETHER * int(done.sum()))
    progress = Progress("Reading faces", len(paths), "face", before)
    kept = time.monotonic()
    with ThreadPoolExecutor(THREADS) as pool, progress, closing(pool.map(decode, left)) as counts:
        for count in counts:
            progress.advance(count)
            if keep and time.monotonic() - kept > MARKED_EVERY:
                keep()
                kept = time.monotonic()
    if broken:
        count = f" ({len(broken)} files in all are broken.)" if len(broken) > 1 else ""
        raise ValueError(f"{broken[0]}{count}")


def _read(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:  # half the time of a Path's read_bytes
        return file.read()


def fingerprint(faces: Faces, image_size: int) -> str:
    """What the decoded faces depend on, in a few letters: names, sizes and dates of the files."""
    images = str(faces.folder / IMAGES)
    parts = [f"{image_size} {CELEBA_BOX} {PIXELS_VERSION}"]
    # As tight as it goes: for 200,000 faces it takes half a second.
    for name, file in zip(faces.files.index.to_list(), faces.files.to_list()):
        status = os.stat(f"{images}/{file}")
        parts.append(f"{name} {status.st_size} {status.st_mtime_ns}")
    digest = hashlib.sha256("\n".join(parts).encode())
    return f"{image_size}-{digest.hexdigest()[:16]}"


def _rows(faces: Faces, names: list[str]) -> np.ndarray:
    rows = faces.attributes.index.get_indexer(names)
    if (rows < 0).any():
        missing = names[int(np.argmin(rows))]
        raise KeyError(f"{faces.folder / IMAGES} has no face {missing!r}.")
    return rows
