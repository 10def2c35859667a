"""Write files atomically: under another name, synced to the disk, then renamed.

If the program is killed or the computer loses power, the old file or the new one is there, and
never a part of either. A full disk is one sentence.
"""

import errno
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import repeat
from pathlib import Path

ASIDE = ".part-"  # begins the name of a file that is being written
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)  # the disk is full, or the user's share of it


class DiskFull(OSError):
    """There is no room for a file; the message is one sentence.

    Attributes:
        path: the file that could not be written, if one was begun.
    """

    path: Path | None = None


@contextmanager
def written_whole(path: str | Path, safe: str = "") -> Iterator[Path]:
    """Give a temporary path to write to; at the end, sync that file and rename it to `path`.

    After an error `path` is unchanged, and the temporary file is gone. The temporary file has the
    ending of `path`, since some libraries choose a format by it.

    Args:
        path: the file to write or replace.
        safe: a part of the sentence about a full disk: what is not lost.

    Raises:
        DiskFull: there is no room for it.
    """
    path = Path(path)
    aside = path.with_name(f"{ASIDE}{uuid.uuid4().hex[:8]}-{path.name}")
    try:
        with full_disk_explained(path, safe):
            yield aside
            sync(aside)
            os.replace(aside, path)
            sync(path.parent)
    finally:
        with suppress(OSError):
            aside.unlink()


def write_whole(path: str | Path, content: str | bytes, safe: str = "") -> None:
    """Write text (as UTF-8, with LF) or bytes atomically; see `written_whole`."""
    data = content.encode() if isinstance(content, str) else content
    with written_whole(path, safe) as aside:
        aside.write_bytes(data)


def write_all_whole(files: Mapping[Path, bytes], safe: str = "") -> None:
    """Write several files as `write_whole` does, and wait for the disk once for all of them.

    Each file appears whole or not at all; a power cut may leave some of them and not others.

    Args:
        files: path -> its content.
        safe: as for `written_whole`.

    Raises:
        DiskFull: there is no room; some of the files may be there.
    """
    asides = {path: path.with_name(f"{ASIDE}{uuid.uuid4().hex[:8]}-{path.name}") for path in files}
    try:
        for path, aside in asides.items():
            with full_disk_explained(path, safe):
                aside.write_bytes(files[path])
        with ThreadPoolExecutor(16) as pool:  # a disk serves many requests in the time of one
            list(pool.map(_sync_for, files, asides.values(), repeat(safe)))
        for path, aside in asides.items():
            os.replace(aside, path)
        for folder in {path.parent for path in files}:
            sync(folder)
    finally:
        for aside in asides.values():
            with suppress(OSError):
                aside.unlink()


def sync(path: str | Path) -> None:
    """Wait until a file, or the list of names in a folder, is on the disk."""
    path = Path(path)
    if path.is_dir():
        if os.name == "nt":
            return  # Windows can't open folders, and syncs renamed names itself
        handle = os.open(path, os.O_RDONLY)
    else:
        handle = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # a file system that can't sync this
            raise
    finally:
        os.close(handle)


def _sync_for(path: Path, aside: Path, safe: str) -> None:
    with full_disk_explained(path, safe):
        sync(aside)


def remove_leftovers(folder: str | Path) -> None:
    """Delete the temporary files of killed programs in a folder; the caller holds its lock."""
    for path in Path(folder).glob(f"{ASIDE}*"):
        with suppress(OSError):
            path.unlink()


@contextmanager
def full_disk_explained(path: str | Path, safe: str = "") -> Iterator[None]:
    """Turn the system's error about a full disk into a sentence that names the file.

    Args:
        path: what is being written.
        safe: what is not lost, such as "epochs 1 to 3 are safe".

    Raises:
        DiskFull: in the place of that error.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in NO_ROOM or isinstance(error, DiskFull):
            raise
        raise disk_full(path, safe) from error


def disk_full(path: str | Path, safe: str = "") -> DiskFull:
    """Make the error of `full_disk_explained`, for libraries whose own error means the same."""
    kept = f" ({safe})" if safe else ""
    error = DiskFull(
        f"The disk is full, or your share of it, so {path} could not be written{kept}: "
        "make room, and give the same command again."
    )
    error.path = Path(path)
    return error


def check_room(folder: str | Path, needed: int, what: str, advice: str = "make room") -> None:
    """Raise unless the disk of a folder, which need not exist yet, has `needed` bytes left.

    Args:
        folder: where something will be written.
        needed: bytes.
        what: for the message, such as "the decoded faces".
        advice: what to do, the last part of the message.

    Raises:
        DiskFull: one sentence.
    """
    folder = Path(folder).absolute()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free
    if needed > free:
        raise DiskFull(
            f"{folder} needs {_size(needed)} for {what} and the disk has {_size(free)} left: "
            f"{advice}."
        )


def reserve(path: str | Path, size: int) -> None:
    """Make a file of `size` zeros, and allocate its blocks on the disk.

    A sparse file gets its blocks when it is written to; if the disk is full then, a write through a
    memory map ends the process (SIGBUS), with no error to catch.

    Raises:
        DiskFull: there is no room; the file is gone again.
    """
    path = Path(path)
    try:
        with full_disk_explained(path), path.open("wb") as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
            else:  # macOS, Windows: written zeros allocate blocks
                for start in range(0, size, 2**20):
                    file.write(bytes(min(2**20, size - start)))
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        with suppress(OSError):
            path.unlink()
        raise


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 10**8 else f"{count / 1e6:.1f} MB"
