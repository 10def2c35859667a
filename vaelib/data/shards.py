"""Keep decoded faces in many files of at most 1 GB, the shards, and read them like one array.

Shards are for sets that are too large for one file, or for one machine's disk: each is made,
checked and mended alone, and a process can read some of them only. Faces are dealt to the shards
like cards, so every shard has its part of every split, see `shard_of`.

A folder of shards has `manifest.json`: for each shard its file, the number of faces, and the size
and the SHA-256 checksum of the file.
"""

import hashlib
import json
import math
import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from typing import Any

import numpy as np

from groundwork.files import ASIDE, check_room, full_disk_explained, write_whole, written_whole
from groundwork.locks import Locked, locked
from groundwork.progress import Progress
from vaelib.data.decoding import decode_all, image_paths, map_pixels, reserve_pixels
from vaelib.data.faces import Faces

MANIFEST = "manifest.json"
SHARD_BYTES = 10**9  # of pixels in a shard, at most
FEWEST, MANY = 8, 64  # a number of shards is a power of two from 8 to 64, or a multiple of 64


class ShardedPixels:
    """All faces as uint8 (n, image_size, image_size, 3), in shards: `pixels[rows]` reads some.

    Shards are mapped into memory, so that only the faces that are used take memory. Each shard is
    decoded into another file, which gets its name when it is whole; after a stop, the shards that
    are whole stay. The first time that a shard is used, its checksum is compared; a shard that is
    missing or damaged is named, and decoded again.

    Args:
        folder: for the shards; it is made.
        faces: the n faces.
        image_size: width and height in pixels.
        process, processes: decode only the missing shards of process i of N: i, i + N, ...

    Attributes:
        shape: that of all faces together.
        shards: the number of shards.

    Raises:
        ValueError: images are broken (the message names the first, and their number), or there is
            no process i of N.
        DiskFull: there is no room for the shards.
        PermissionError: shards are missing, and the folder is read-only.
    """

    dtype = np.dtype("uint8")

    def __init__(
        self,
        folder: Path,
        faces: Faces,
        image_size: int,
        process: int = 0,
        processes: int = 1,
    ):
        self.folder, self._faces = folder, faces
        self.shape = (len(faces), int(image_size), int(image_size), 3)
        self.shards = shard_count(len(faces), math.prod(self.shape))
        check_process(process, processes, self.shards)
        self._maps: dict[int, np.memmap] = {}  # those that were checked
        self._opening = threading.RLock()
        self._make_missing(range(process, self.shards, processes))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: int | slice | Sequence[int] | np.ndarray) -> np.ndarray:
        if isinstance(rows, slice):
            rows = np.arange(*rows.indices(len(self)))
        rows = np.asarray(rows)
        if rows.dtype == bool:
            rows = np.flatnonzero(rows)
        rows = rows.astype(np.int64)
        if ((rows < -len(self)) | (rows >= len(self))).any():
            raise IndexError(f"There are {len(self)} faces, and one of these rows is beyond them.")
        rows = rows % len(self)
        result = np.empty((*rows.shape, *self.shape[1:]), "uint8")
        of = shard_of(rows, self.shards)
        for shard in np.unique(of):
            here = of == shard
            result[here] = self._open(int(shard))[rows[here] // self.shards]
        return result

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self[:].astype(dtype or "uint8", copy=False)

    def path(self, shard: int) -> Path:
        """The file of a shard."""
        return self.folder / f"{shard:05}.npy"

    def _open(self, shard: int) -> np.memmap:
        """Map a shard; make it first if it is missing or damaged."""
        with self._opening:
            if shard not in self._maps:
                if not self._is_whole(shard):
                    self._say_fault(shard)
                    with Progress("Reading faces", self._shape(shard)[0], "face") as progress:
                        self._make(shard, progress, wait=True)
                pixels = map_pixels(self.path(shard), self._shape(shard))
                if pixels is None:
                    raise FileNotFoundError(
                        f"{self.path(shard)} was just there, and is gone: give the same command "
                        "again."
                    )
                self._maps[shard] = pixels
            return self._maps[shard]

    def _make_missing(self, wanted: Sequence[int]) -> None:
        """Make those of the wanted shards that are not there; their checksums are not compared."""
        entries = _read_manifest(self.folder, self.shards)
        missing = [shard for shard in wanted if not self._has_size(shard, entries)]
        total = sum(self._shape(shard)[0] for shard in wanted)
        left = sum(self._shape(shard)[0] for shard in missing)
        check_room(self.folder, left * math.prod(self.shape[1:]), "the decoded faces")
        if not missing:
            return
        if has_shards(self.folder) and not any(entries):
            print(
                f"{self.folder / MANIFEST} is damaged, so all faces are decoded again.", flush=True
            )
        for shard in missing:
            if entries[shard]:  # it was there
                self._say_fault(shard)
        with Progress("Reading faces", total, "face", total - left) as progress:
            # Another program may be making some: it takes those, and this one the others.
            busy = [shard for shard in missing if not self._make(shard, progress, wait=False)]
            for shard in busy:
                self._make(shard, progress, wait=True)

    def _say_fault(self, shard: int) -> None:
        fault = "is damaged" if self.path(shard).exists() else "is missing"
        print(f"{self.path(shard)} {fault}, so the faces in it are decoded again.", flush=True)

    def _make(self, shard: int, progress: Progress, wait: bool) -> bool:
        """Decode a shard, unless it is whole; False if another program does and `wait` is false."""
        path, shape = self.path(shard), self._shape(shard)
        self._make_folder()
        refused = "" if wait else f"{path} is being made."
        waiting = "Another program is reading these faces: waiting for it."
        try:
            with locked(self.folder / f".lock-{path.stem}", waiting, refused):
                for left in self.folder.glob(f"{ASIDE}*-{path.name}"):  # of a killed program
                    left.unlink()
                if self._is_whole(shard):
                    progress.advance(shape[0])
                    return True
                with written_whole(path) as aside:
                    reserve_pixels(aside, shape)
                    pixels = map_pixels(aside, shape, "r+")
                    rows = rows_of(shard, self.shards, len(self))
                    decode_all(image_paths(self._faces, rows), self.shape[1], pixels, progress)
                    pixels.flush()
                    del pixels  # Windows renames no file that is mapped
                    entry = {"file": path.name, "count": shape[0], "bytes": aside.stat().st_size}
                    entry["sha256"] = _checksum(aside)
                with locked(self.folder / ".lock", waiting):
                    entries = _read_manifest(self.folder, self.shards)
                    entries[shard] = entry
                    _write_manifest(self.folder, entries)
        except Locked:
            return False
        return True

    def _make_folder(self) -> None:
        there = next(p for p in (self.folder, *self.folder.parents) if p.exists())
        if not os.access(there, os.W_OK):
            raise PermissionError(
                f"{there} is read-only, so the missing shards of {self.folder} can't be made: "
                "copy the faces to a folder of your own."
            )
        if self.folder.exists():
            return
        with full_disk_explained(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        size = self.folder.name.partition("-")[0]
        for old in self.folder.parent.glob(f"{size}-*"):
            if old.stem != self.folder.stem:  # of images that have changed since
                rmtree(old, ignore_errors=True) if old.is_dir() else old.unlink()

    def _is_whole(self, shard: int) -> bool:
        """Whether a shard has the size and the checksum that the manifest says."""
        entries = _read_manifest(self.folder, self.shards)
        if not self._has_size(shard, entries):
            return False
        return _checksum(self.path(shard)) == (entries[shard] or {}).get("sha256")

    def _has_size(self, shard: int, entries: list[dict | None]) -> bool:
        entry, size = entries[shard], None
        with suppress(FileNotFoundError):
            size = self.path(shard).stat().st_size
        return (
            entry is not None
            and entry.get("bytes") == size
            and map_pixels(self.path(shard), self._shape(shard)) is not None
        )

    def _shape(self, shard: int) -> tuple[int, ...]:
        return (len(rows_of(shard, self.shards, len(self))), *self.shape[1:])


def shard_count(faces: int, size: int) -> int:
    """The number of shards for some faces and `size` bytes of their pixels.

    Example: 2,000,000 faces of 64 pixels, 24.6 GB, are in 32 shards of 0.77 GB.
    """
    needed = -(-size // SHARD_BYTES)
    if needed > MANY:
        return -(-needed // MANY) * MANY
    return min(max(FEWEST, 1 << (needed - 1).bit_length()), 1 << (faces.bit_length() - 1))


def shard_of(rows: np.ndarray, shards: int) -> np.ndarray:
    """The shards of some faces, which are their faces `rows // shards`.

    Each round deals one face to each shard. It begins with another shard, which looks random, so
    that "every tenth face" is not in half of the shards.
    """
    return (rows + _first(rows // shards)) % shards


def rows_of(shard: int, shards: int, faces: int) -> np.ndarray:
    """The faces of a shard: int64 (n,)."""
    rounds = np.arange(-(-faces // shards))
    rows = rounds * shards + (shard - _first(rounds)) % shards
    return rows[rows < faces]


def _first(rounds: np.ndarray) -> np.ndarray:
    mixed = rounds * 0x9E3779B1 & 0xFFFFFFFF
    return mixed ^ mixed >> 15


def check_process(process: int, processes: int, shards: int) -> None:
    """Raise a ValueError unless `processes` can share the shards and `process` is one of them."""
    if processes < 1 or shards % processes:
        raise ValueError(
            f"{processes} processes can't share {shards} shards evenly: choose a number of "
            f"processes that divides {shards}."
        )
    if not 0 <= process < processes:
        raise ValueError(
            f"There is no process {process} of {processes}: the first is 0 and the last is "
            f"{processes - 1}."
        )


def has_shards(folder: Path) -> bool:
    """Whether somebody began to make shards in a folder."""
    return (folder / MANIFEST).exists()


def _read_manifest(folder: Path, shards: int) -> list[dict | None]:
    """What the manifest says of each shard; None of a shard that is not listed."""
    entries: object = None
    with suppress(FileNotFoundError, ValueError, TypeError, KeyError, RecursionError):
        entries = json.loads((folder / MANIFEST).read_text("utf-8"))["shards"]
    if not isinstance(entries, list) or len(entries) != shards:
        return [None] * shards
    return [entry if isinstance(entry, dict) else None for entry in entries]


def _write_manifest(folder: Path, entries: list[dict | None]) -> None:
    lines = ",\n".join(f"  {json.dumps(entry)}" for entry in entries)
    write_whole(folder / MANIFEST, f'{{"shards": [\n{lines}\n]}}\n')


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
