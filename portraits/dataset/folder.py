"""A folder of portraits: where its pictures and tables stand, and which are missing or damaged."""

import os
import re
from pathlib import Path

from groundwork.files import ASIDE, write_whole
from portraits.dataset.manifest import MANIFEST
from portraits.errors import PortraitsError
from portraits.labelling.labels import ATTRIBUTES

IMAGES = "img_align_celeba"
ATTRIBUTE_TABLE = "list_attr_celeba.txt"
PARTITION_TABLE = "list_eval_partition.txt"
TABLES = {ATTRIBUTE_TABLE: 2, PARTITION_TABLE: 0}  # lines before the first picture's
LOCK = ".portraits.lock"
MOST = 999_999  # as many as six digits can number

_NAME = re.compile(r"(\d{6})\.jpg")
_CLUTTER = {".DS_Store", ".gitignore", ".gitkeep", "Thumbs.db", "desktop.ini", LOCK}


def image_path(out: Path, number: int) -> Path:
    """The file of picture `number`, from 1."""
    return out / IMAGES / f"{number:06d}.jpg"


def partition(number: int) -> int:
    """The split that picture `number` (from 1) belongs to: 0 train, 1 validation, 2 test.

    Of every twenty pictures the last two are for validation and test. CelebA has three blocks;
    here a picture stays in its split when the set grows.
    """
    return {19: 1, 0: 2}.get(number % 20, 0)


def numbers_drawn(out: Path) -> set[int]:
    """Numbers of the pictures that are there."""
    try:
        names = os.listdir(out / IMAGES)
    except FileNotFoundError:
        return set()
    return {int(match[1]) for match in map(_NAME.fullmatch, names) if match}


def foreign_entries(out: Path) -> list[str]:
    """Names in a folder without a manifest that this program has not written, sorted."""
    if not out.exists():
        return []
    names = [name for name in os.listdir(out) if name not in _CLUTTER]
    names = [name for name in names if not name.startswith(ASIDE)]
    if names == [IMAGES] and not any((out / IMAGES).iterdir()):
        return []
    return sorted(names)


def refuse_foreign(out: Path, names: list[str]) -> None:
    """Raise a `PortraitsError` if there are names that this program has not written."""
    if names:
        raise PortraitsError(
            f"{out} holds something else ({names[0]}), and is left as it is; "
            "choose another folder with --out."
        )


def damaged(out: Path, count: int) -> list[Path]:
    """List the pictures and tables that are incomplete, as a power cut leaves them.

    Args:
        out: the folder.
        count: how many pictures it holds if it is complete.
    """
    count = count if (out / MANIFEST).exists() else 0  # tables come before the manifest
    tables = [
        out / name
        for name, lines in TABLES.items()
        if (out / name).exists() and not _is_whole_table(out / name, lines + count)
    ]
    pictures = (image_path(out, number) for number in sorted(numbers_drawn(out)))
    return tables + [path for path in pictures if not _is_whole_picture(path)]


def _is_whole_table(path: Path, lines: int) -> bool:
    content = path.read_bytes()
    return content.count(b"\n") >= lines and b"\0" not in content


def _is_whole_picture(path: Path) -> bool:
    """Whether a file begins and ends as a JPG does; the rest is not read."""
    with open(path, "rb", buffering=0) as file:
        if file.read(3) != b"\xff\xd8\xff":
            return False
        file.seek(-2, os.SEEK_END)
        return file.read() == b"\xff\xd9"


def write_tables(out: Path, rows: list[str]) -> None:
    """Write the attribute table and the partition table.

    Args:
        out: the folder.
        rows: the values of each picture as the attribute table has them, " 1 -1 ...".
    """
    names = [image_path(out, number).name for number in range(1, len(rows) + 1)]
    lines = [str(len(rows)), " ".join(ATTRIBUTES)]
    lines += [f"{name} {row}" for name, row in zip(names, rows, strict=True)]
    write_whole(out / ATTRIBUTE_TABLE, "\n".join(lines) + "\n")
    lines = [f"{name} {partition(number)}\n" for number, name in enumerate(names, start=1)]
    write_whole(out / PARTITION_TABLE, "".join(lines))
