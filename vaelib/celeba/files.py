"""A file of a source of CelebA, and the sentences about files that can't be read."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

# Limits in bytes, far above CelebA's own sizes: its largest table has 27 MB, and an image 10 kB
# (one of its PNGs 100 kB).
LARGEST_IMAGE = 10**7
LARGEST_TABLE = 6 * 10**7


class Unreadable(ValueError):
    """A file that holds many faces can't be read; the message is one sentence."""


@dataclass(frozen=True)
class File:
    """A file of a source, on disk or in an archive."""

    where: str  # for messages
    size: int  # in bytes
    read: Callable[[], bytes]
    exact: bool = True  # in a Parquet file, `size` is the mean of many

    @property
    def name(self) -> str:
        """The name of the file without its folders."""
        return os.path.basename(self.where)


def bytes_of(file: File) -> bytes:
    """The content of a file.

    Raises:
        ValueError: it is larger than any file of CelebA, or can't be read.
    """
    if file.size > LARGEST_TABLE:
        raise ValueError(
            f"{file.where} has {file.size / 1e6:,.0f} MB, and no file of CelebA is so large: it is "
            "something else, take it away."
        )
    with explained(file.where, "it is damaged; fetch it again"):
        return file.read()


def printable(text: str, length: int = 200) -> str:
    """Make text from outside, such as a name in an archive, fit into one line of a message."""
    text = text if text.isprintable() else ascii(text)[1:-1]
    return text if len(text) <= length else text[:length] + "…"


def listed(names: list[str]) -> str:
    """The first four of some names, and how many more there are."""
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return ", ".join(names[:4]) + more


@contextmanager
def explained(what: str, advice: str, kind: type[ValueError] = ValueError) -> Iterator[None]:
    """Turn every error of reading into one sentence.

    Damaged archives raise errors of many kinds: BadZipFile, zlib.error, LZMAError, OSError (a seek
    to a negative place), RuntimeError, NotImplementedError, struct.error, UnicodeDecodeError,
    OverflowError, MemoryError and others. What is `Unreadable` already passes.
    """
    try:
        yield
    except Unreadable:
        raise
    except Exception as error:
        reason = printable(" ".join(str(error).split()), 100) or type(error).__name__
        raise kind(f"{what} can't be read ({reason}): {advice}.") from error
