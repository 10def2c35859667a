"""Hold a lock across processes, where the file system has locks."""

import errno
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EACCES, errno.EPERM, errno.EINVAL)


class Locked(OSError):
    """Another process holds the lock; the message is one sentence."""


@contextmanager
def locked(path: str | Path, waiting: str = "", refused: str = "") -> Iterator[None]:
    """Hold the lock of a file; the system releases it if this process dies.

    On a file system without locks (some network homes) it prints a sentence and continues.

    Args:
        path: the lock file; its folder must exist. It is never removed, since then two waiting
            processes could both hold the lock.
        waiting: printed if another process holds the lock; then it waits for the lock.
        refused: the message of the error; if given, it does not wait.

    Raises:
        Locked: another process holds the lock, and `refused` says what to do.
    """
    path = Path(path)
    if not has_locks(path.parent):
        print(
            f"The disk of {path.parent} has no file locks: let only one program at a time write "
            "there.",
            flush=True,
        )
        yield
        return
    lock = FileLock(path, mode=0o666)  # all users may lock it, so a class can share a folder
    try:
        lock.acquire(blocking=False)
    except Timeout:
        if refused:
            raise Locked(refused) from None
        print(waiting, flush=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def has_locks(folder: str | Path) -> bool:
    """Whether the file system of a folder can lock files; it tries a new file.

    filelock would wait for ever where a system reports "no locks" with the error for "locked".
    """
    try:
        import fcntl
    except ImportError:  # Windows always can
        return True
    probe = Path(folder) / f".lock-{uuid.uuid4().hex[:8]}"
    handle = os.open(probe, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in NO_LOCKS:
            return False
        raise
    finally:
        os.close(handle)
        with suppress(OSError):
            probe.unlink()
    return True
