"""CelebA, in any form in which it is handed out, to a folder that `read_faces` reads: checked."""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from groundwork.files import (
    check_room,
    full_disk_explained,
    remove_leftovers,
    sync,
    write_all_whole,
    write_whole,
)
from groundwork.locks import locked
from groundwork.progress import Progress
from vaelib.celeba.attributes import ATTRIBUTES
from vaelib.celeba.sources import File, bytes_of, find, images_of, printable, tables_of
from vaelib.data.faces import DATA, IMAGES
from vaelib.data.images import load_image
from vaelib.data.tables import SPLITS, read_attributes, read_partition

COUNT = 202_599  # faces of the whole of CelebA
TOLERATED = 0.01  # share of the faces that may be missing or broken
LOOKED_AT = 1000  # images that are decoded before all is called well
TOGETHER = (500, 5 * 10**7)  # images that wait for the disk together, at most; and their bytes
MOST_ROWS, LONGEST_ROW = 300_000, 200  # of a table; CelebA's rows have up to 135 bytes
MARK = "source.txt"  # in a half-made folder: what it is made of
MD5 = {  # as published by the authors of CelebA
    "img_align_celeba.zip": "00d2c5bc6d35e252742224ab0c1e8fcb",
    "list_attr_celeba.txt": "75e246fa4810816ffd6ee81facbd244c",
    "list_eval_partition.txt": "d32c9cbf5e040fd4025c592c306e6668",
}


@dataclass(frozen=True)
class Prepared:
    """What a folder was made of.

    Attributes:
        folder: it.
        splits: "train", "val", "test" -> number of faces in CelebA's own partition.
        left_out: file name -> why it is not there.
        remarks: sentences about what is unusual, but does no harm.
    """

    folder: Path
    splits: dict[str, int]
    left_out: dict[str, str]
    remarks: list[str]


def prepare(
    source: str | Path, out: str | Path = DATA / "celeba", subset: bool = False
) -> Prepared:
    """Make a folder in CelebA's layout from whatever one has got; stopped, it goes on from there.

    Args:
        source: `img_align_celeba.zip`, Kaggle's `archive.zip`, or a folder with the images or one
            of these archives somewhere in it. The tables are in it, or beside it. The portraits
            of this course are passed over; where several things may be CelebA, none is chosen.
        out: the folder to make. It appears when all of it has been checked, and not before.
        subset: the images are only some of those in the tables, on purpose.

    Raises:
        FileNotFoundError: the source, its images or its attribute table are not there.
        FileExistsError: `out` is there already.
        ValueError: the source is not CelebA, is broken, or too much of it is missing.
        OSError: the disk is full, `out` can't be made, or another process is preparing it.
    """
    source, out = Path(source), Path(out)
    _refuse_existing(out)
    with full_disk_explained(out, "what was copied is safe"):
        _make_parent(out)
        busy = f"Another process is preparing {out}: wait until it has finished."
        with locked(out.with_name(f".{out.name}.lock"), refused=busy), ExitStack() as stack:
            _refuse_existing(out)  # that process may just have finished it
            return _prepare(source, out, subset, stack)


def _refuse_existing(out: Path) -> None:
    if not out.exists():
        return
    paths = [Path(folder, name) for folder, _, names in os.walk(out) for name in names]
    empty = [p for p in paths if not p.name.startswith(".") and p.lstat().st_size == 0]
    if empty:
        raise FileExistsError(
            f"{out} is there already and damaged, as a power cut leaves it: {len(empty):,} of its "
            f"files are empty, such as {empty[0]}; delete {out}, and give the same command again."
        )
    raise FileExistsError(
        f"{out} is there already, and nothing in it is overwritten: use it as it is, delete "
        "it, or name another folder with --out."
    )


def _make_parent(out: Path) -> None:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError, PermissionError) as error:
        raise OSError(
            f"{out.parent} can't be made ({error.strerror}): name another folder with --out."
        ) from error
    if not os.access(out.parent, os.W_OK):
        raise PermissionError(f"{out.parent} can't be written to: name another folder with --out.")


def _prepare(source: Path, out: Path, subset: bool, stack: ExitStack) -> Prepared:
    source, files = find(source, stack)
    images = images_of(files, source)
    tables = tables_of(files, source)
    aside = out.with_name(f".{out.name}.part")
    _begin(aside, source)
    attributes, remarks = _read_attributes(tables["list_attr_celeba"], aside), []
    wanted, left_out, others = _join(attributes, images, tables["list_attr_celeba"].where)
    if others:
        remarks.append(f"{others} images have no row in the table of attributes: left out.")
    _check_share(left_out, len(attributes), source, aside, forgiven=subset)
    broken = _copy(wanted, aside)
    broken |= _look_at([name for name in wanted if name not in broken], aside)
    left_out |= broken
    _check_share(broken if subset else left_out, len(attributes), source, aside)
    kept = attributes.loc[[row for name, (row, _) in wanted.items() if name not in broken]]
    splits = _write_tables(kept, tables, aside)
    if not all(splits.values()):
        empty = " and ".join(split for split in SPLITS if not splits[split])
        remarks.append(
            f"No face here is for {empty}, so the faces will be split 90/5/5 by chance, not as "
            "CelebA's authors did: numbers can't be compared with published ones."
        )
    remarks += _compare_checksums(source, tables)
    if len(kept) != COUNT:
        remarks.append(f"These are {len(kept):,} of CelebA's {COUNT:,} faces.")
    if left_out:
        _list(left_out, aside / "left_out.txt")
    _put_in_place(aside, out)
    return Prepared(out, splits, left_out, remarks)


# ------------------------------------------------------------------ what there is


def _read_table(read: Callable, file: File, aside: Path) -> pd.DataFrame | pd.Series:
    data = bytes_of(file)
    rows = max(data.count(b"\n"), data.count(b"\r"))
    if rows > MOST_ROWS or len(data) > LONGEST_ROW * (rows + 20):  # before pandas fills the memory
        raise ValueError(
            f"{file.where} has {rows:,} rows in {len(data) / 1e6:.1f} MB: it is no table of "
            "CelebA, fetch it again."
        )
    # Its ending may be any; Kaggle's tables have commas, the authors' have none.
    copy = aside / ("table.csv" if b"," in data[:4096] else "table.txt")
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


def _read_attributes(file: File, aside: Path) -> pd.DataFrame:
    table = _read_table(read_attributes, file, aside)
    lacking = [name for name in ATTRIBUTES if name not in table]
    unknown = [name for name in table if name not in ATTRIBUTES]
    if lacking or unknown:
        what = (
            f"lacks {lacking[0]}"
            if lacking
            else f"has {printable(unknown[0], 40)}, which CelebA has not"
        )
        raise ValueError(
            f"{file.where} {what}: it is not the table of CelebA's 40 attributes, fetch that."
        )
    return table[list(ATTRIBUTES)]


def _join(
    attributes: pd.DataFrame, images: dict[str, File], where: str
) -> tuple[dict[str, tuple[str, File]], dict[str, str], int]:
    """Rows and images by name, whatever their endings.

    Returns:
        name of an image -> its row's name, and the file; name of a row without an image -> why;
        number of images without a row.
    """
    by_stem = {name[:-4]: name for name in images}
    wanted, left_out = {}, {}
    for row in attributes.index:
        name = by_stem.pop(PurePosixPath(row).stem, None)
        if name is None:
            left_out[row] = "missing"
        else:
            wanted[name] = (row, images[name])
    if not wanted:
        raise ValueError(
            f"{where} labels {attributes.index[0]} and others, and none of the images (the first "
            f"is {min(images)}): it belongs to another set of faces."
        )
    return wanted, left_out, len(by_stem)


def _check_share(
    left_out: dict[str, str], count: int, source: Path, aside: Path, forgiven: bool = False
) -> None:
    if forgiven or len(left_out) <= TOLERATED * count:
        return
    report = aside.with_name(f"{aside.stem.strip('.')}_left_out.txt")
    _list(left_out, report)
    first = ", ".join(f"{printable(name, 40)} ({why})" for name, why in list(left_out.items())[:3])
    only_missing = set(left_out.values()) == {"missing"}
    advice = " (or add --subset, if you want only some of the faces)" if only_missing else ""
    raise ValueError(
        f"{source} lacks {len(left_out):,} of {count:,} faces, more than 1 in 100: {first} and so "
        f"on, see {report}; fetch it again{advice}."
    )


def _list(left_out: dict[str, str], path: Path) -> None:
    write_whole(path, "".join(f"{name} {why}\n" for name, why in sorted(left_out.items())))


# ------------------------------------------------------------------ the new folder


def _begin(aside: Path, source: Path) -> None:
    """The folder beside the new one; what an earlier run left in it is used again."""
    mark, name = aside / MARK, os.fsencode(source.resolve())
    same = mark.exists() and mark.read_bytes() == name
    if aside.exists() and not same:
        shutil.rmtree(aside)
    (aside / IMAGES).mkdir(parents=True, exist_ok=True)
    remove_leftovers(aside / IMAGES)
    write_whole(mark, name)


def _copy(wanted: dict[str, tuple[str, File]], aside: Path) -> dict[str, str]:
    """Copy all images that are whole.

    Returns:
        Name of an image that is not -> why.
    """
    folder = aside / IMAGES
    there = {entry.name: entry.stat().st_size for entry in os.scandir(folder)}
    left = [(name, file) for name, (_, file) in wanted.items() if there.get(name) != file.size]
    needed = sum(file.size + 4096 for _, file in left)
    check_room(aside, needed, "the faces", "make room, or name a folder on another disk with --out")
    broken = {}
    with Progress("Copying faces", len(wanted), "face", len(wanted) - len(left)) as progress:
        for together in _batches(left):
            whole = {}
            for name, file in together:
                try:
                    data = bytes_of(file)
                    why = _complaint(data)
                except ValueError:
                    why = "damaged"
                if why:
                    broken[name] = why
                else:
                    whole[folder / name] = data
            safe = f"{progress.done:,} of {progress.total:,} faces are safe"
            write_all_whole(whole, safe)
            progress.advance(len(together))
    return broken


def _batches(files: list[tuple[str, File]]) -> Iterator[list[tuple[str, File]]]:
    most, largest = TOGETHER
    batch, size = [], 0
    for name, file in files:
        if batch and (len(batch) == most or size + file.size > largest):
            yield batch
            batch, size = [], 0
        batch.append((name, file))
        size += file.size
    if batch:
        yield batch


def _complaint(data: bytes) -> str:
    """What is wrong with the bytes of an image file at first sight, or ""."""
    if data.startswith(b"\xff\xd8\xff"):
        return "" if b"\xff\xd9" in data[-64:] else "cut short"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "" if b"IEND" in data[-64:] else "cut short"
    return "no image"


def _look_at(names: list[str], aside: Path) -> dict[str, str]:
    """Decode some of the images, chosen by chance; those that can't be are removed."""
    some = np.random.default_rng(0).permutation(len(names))[:LOOKED_AT]

    def look(i: int) -> str | None:
        try:
            load_image(aside / IMAGES / names[i])
        except ValueError:
            return names[i]
        return None

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        broken = [name for name in pool.map(look, some) if name]
    for name in broken:
        (aside / IMAGES / name).unlink()
    return dict.fromkeys(broken, "damaged")


def _write_tables(attributes: pd.DataFrame, tables: dict[str, File], aside: Path) -> dict[str, int]:
    """Both tables anew, of the images that are there; the number of faces of each split."""
    lines = [str(len(attributes)), " ".join(attributes.columns)]
    for name, row in zip(attributes.index, np.where(attributes, "1", "-1")):
        lines.append(f"{name} {' '.join(row)}")
    _write_table(aside / "list_attr_celeba.txt", "\n".join(lines) + "\n")
    if "list_eval_partition" not in tables:
        return dict.fromkeys(SPLITS, 0)
    partition = _read_table(read_partition, tables["list_eval_partition"], aside)
    partition = partition.reindex(attributes.index).dropna()
    numbers = partition.map({split: str(i) for i, split in enumerate(SPLITS)})
    counts = {split: int((partition == split).sum()) for split in SPLITS}
    if all(counts.values()):
        lines = [f"{name} {number}\n" for name, number in numbers.items()]
        _write_table(aside / "list_eval_partition.txt", "".join(lines))
    return counts


def _write_table(path: Path, text: str) -> None:
    write_whole(path, text, "the faces are copied and safe")


def _put_in_place(aside: Path, out: Path) -> None:
    """Give the folder its name when all of it is on the disk: after a power cut, it is whole."""
    for folder in (aside / IMAGES, aside):  # the files in them are there already
        sync(folder)
    os.replace(aside, out)
    sync(out.parent)
    (out / MARK).unlink()
    sync(out)


def _compare_checksums(source: Path, tables: dict[str, File]) -> list[str]:
    known = [Path(file.where) for file in tables.values()]
    if source.is_file():
        known.append(source)
    remarks = []
    for path in known:
        if path.name in MD5 and path.is_file():
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "md5").hexdigest()
            if found != MD5[path.name]:
                remarks.append(
                    f"{path} is not the file that CelebA's authors published (MD5 {found}): a "
                    "part of it, or another edition."
                )
    return remarks


# ------------------------------------------------------------------ from Kaggle
