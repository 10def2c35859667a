"""Read CelebA's tables from any source, and write those of a prepared folder."""

from collections.abc import Callable, Container
from pathlib import Path

import numpy as np
import pandas as pd

from groundwork.files import full_disk_explained, write_whole
from vaelib.celeba.attributes import ATTRIBUTES
from vaelib.celeba.files import File, bytes_of, printable
from vaelib.data.faces import match_stems
from vaelib.data.tables import (
    ATTRIBUTE_TABLE,
    SPLIT_TABLE,
    SPLITS,
    read_attributes,
    read_partition,
)

PEOPLE_TABLE = "identity_CelebA.txt"
MOST_ROWS, LONGEST_ROW = 300_000, 200  # of a table; CelebA's rows have up to 135 bytes


def read_labels(file: File, aside: Path) -> pd.DataFrame:
    """Read CelebA's table of attributes.

    Args:
        file: the table.
        aside: a folder that may be written to.

    Returns:
        Boolean DataFrame (n_faces, 40), indexed by file name, its columns in CelebA's order.

    Raises:
        ValueError: it is damaged, or has other attributes than CelebA's 40.
    """
    table = _read(read_attributes, file, aside)
    lacking = [name for name in ATTRIBUTES if name not in table]
    unknown = [name for name in table if name not in ATTRIBUTES]
    if lacking or unknown:
        what = f"lacks {lacking[0]}" if lacking else f"has a column {printable(unknown[0], 40)}"
        raise ValueError(
            f"{file.where} {what}: it is not the table of CelebA's 40 attributes, fetch that."
        )
    return table[list(ATTRIBUTES)]


def read_splits(file: File, faces: pd.Index, images: Container[str], aside: Path) -> pd.Series:
    """Read CelebA's table of splits for some faces.

    Args:
        file: the table.
        faces: names of the faces; in the table they may have another ending, or none.
        images: the names of all images without their endings.
        aside: a folder that may be written to.

    Returns:
        Series of "train", "val" or "test", indexed by `faces`, without those that have no split.

    Raises:
        ValueError: it is damaged.
    """
    table = _read(read_partition, file, aside)
    table = table.set_axis(match_stems(table.index, images, file.where))
    return table.reindex(match_stems(faces, images, file.where)).set_axis(faces).dropna()


def write_labels(labels: pd.DataFrame, folder: Path) -> None:
    """Write the table of attributes: boolean DataFrame (n_faces, n_attributes) by file name."""
    lines = [str(len(labels)), " ".join(labels.columns)]
    for name, row in zip(labels.index, np.where(labels, "1", "-1")):
        lines.append(f"{name} {' '.join(row)}")
    _write(folder / f"{ATTRIBUTE_TABLE}.txt", lines)


def write_splits(splits: pd.Series, folder: Path) -> None:
    """Write the table of splits: Series of "train", "val" or "test" by file name."""
    lines = [f"{name} {SPLITS.index(split)}" for name, split in splits.items()]
    _write(folder / f"{SPLIT_TABLE}.txt", lines)


def write_people(people: pd.Series, folder: Path) -> None:
    """Write who is who, as CelebA's `identity_CelebA.txt`: Series of int by file name."""
    _write(folder / PEOPLE_TABLE, [f"{name} {person}" for name, person in people.items()])


def _read(
    read: Callable[[Path], pd.DataFrame | pd.Series], file: File, aside: Path
) -> pd.DataFrame | pd.Series:
    """Read a table through a copy in the folder `aside`, and name the original in every error."""
    data = bytes_of(file)
    rows = max(data.count(b"\n"), data.count(b"\r"))
    if rows > MOST_ROWS or len(data) > LONGEST_ROW * (rows + 20):  # pandas would fill the memory
        raise ValueError(
            f"{file.where} has {rows:,} rows in {len(data) / 1e6:.1f} MB: it is no table of "
            "CelebA, fetch it again."
        )
    copy = aside / "table.txt"
    try:
        with full_disk_explained(copy, "what was copied is safe"):
            copy.write_bytes(data)
        return read(copy)
    except ValueError as error:
        message = printable(" ".join(str(error).replace(str(copy), file.where).split()), 400)
        if file.where not in message:
            message = f"{file.where} is not a table like CelebA's: fetch it again ({message})."
        raise ValueError(message) from error
    finally:
        copy.unlink(missing_ok=True)


def _write(path: Path, lines: list[str]) -> None:
    write_whole(path, "\n".join(lines) + "\n", "the faces are copied and safe")
