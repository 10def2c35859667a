"""Decode all faces once, keep them in a file, and read them from there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from groundwork.files import full_disk_explained, remove_leftovers, sync, write_whole
from groundwork.locks import locked
from groundwork.progress import Progress
from vaelib.data import decoding
from vaelib.data.decoding import (
    decode_all,
    image_paths,
    map_pixels,
    pixels_key,
    reserve_pixels,
)
from vaelib.data.faces import Faces
from vaelib.data.shards import ShardedPixels, has_shards

CACHE = ".cache"  # a folder beside the images, for what is made from them


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


def load_pixels(
    faces: Faces,
    image_size: int = 64,
    sharded: bool | None = None,
    process: int = 0,
    processes: int = 1,
) -> np.ndarray | ShardedPixels:
    """Load all faces as uint8 (n, image_size, image_size, 3), decoded once, then read from a file.

    Each image is cropped to a square and resized with anti-aliasing (`vaelib.data.images`). The
    file is in `.cache/` beside the images. It is mapped into memory, so that only the faces that
    are used take memory; if the folder is read-only, all faces are kept in memory instead. After
    a stop, decoding continues where it was. If an image's name, size or date changes, all faces
    are decoded again.

    Args:
        sharded: keep the faces in many files instead, see `ShardedPixels`; None uses what is there,
            and else makes one file.
        process, processes: prepare only the shards of process i of N: i, i + N, ...; the others
            are made when a face of theirs is asked for.

    Raises:
        ValueError: images are broken (the message names the first, and their number), or there is
            no process i of N.
        DiskFull: there is no room for the file.
        PermissionError: shards are wanted, some are missing, and the folder is read-only.
    """
    cache = faces.folder / CACHE / f"{pixels_key(faces, image_size)}.npy"
    shape = (len(faces), int(image_size), int(image_size), 3)
    shards = cache.with_suffix(".shards")
    pixels = None if sharded else map_pixels(cache, shape)
    if pixels is not None:
        return pixels
    if sharded or (sharded is None and has_shards(shards)):
        return ShardedPixels(shards, faces, image_size, process, processes)
    if cache.exists():
        print(f"{cache} is damaged, so the faces are decoded again.", flush=True)
    if not os.access(cache.parent if cache.parent.exists() else faces.folder, os.W_OK):
        pixels = np.empty(shape, "uint8")
        with Progress("Reading faces", len(faces), "face") as progress:
            decode_all(image_paths(faces), image_size, pixels, progress)
        return pixels
    with full_disk_explained(cache):
        cache.parent.mkdir(exist_ok=True)
        with cache_locked(cache.parent):
            if map_pixels(cache, shape) is None:  # another program may just have made it
                _make_cache(faces, image_size, cache, shape)
    return map_pixels(cache, shape)


@contextmanager
def cache_locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder's `.cache/`; other programs that write into it wait."""
    with locked(folder / ".lock", "Another program is reading these faces: waiting for it."):
        remove_leftovers(folder)
        yield


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
    parts = -(-len(faces) // decoding.TOGETHER)
    marks = mark.read_bytes() if mark.exists() else b""
    pixels = map_pixels(aside, shape, "r+") if len(marks) == parts else None
    if pixels is None:
        if aside.exists():
            print(f"{aside} is damaged, so the faces are decoded from the first on.", flush=True)
        for old in aside.parent.glob(f"{image_size}-*.part"):
            old.unlink()
        marks = bytes(parts)
        write_whole(mark, marks)  # first, so that old marks never belong to a new file
        reserve_pixels(aside, shape)
        pixels = map_pixels(aside, shape, "r+")
    done = np.frombuffer(marks, "uint8").copy()

    def keep() -> None:
        marks = done.tobytes()  # before the flush, so that it covers their pixels
        pixels.flush()
        write_whole(mark, marks)

    before = min(len(faces), decoding.TOGETHER * int(done.sum()))
    try:
        with Progress("Reading faces", len(faces), "face", before) as progress:
            decode_all(image_paths(faces), image_size, pixels, progress, done, keep)
    except KeyboardInterrupt:
        keep()
        raise
    pixels.flush()
