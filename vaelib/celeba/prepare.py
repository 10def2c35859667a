"""Copy CelebA, in any form in which it is published, to a folder that `read_faces` reads."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

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
from groundwork.processes import usable_cores
from groundwork.progress import Progress
from vaelib.celeba.files import File, Unreadable, bytes_of, printable
from vaelib.celeba.given import Given
from vaelib.celeba.shards import find_shards, fingerprint, read_shards
from vaelib.celeba.sources import find, images_of, tables_of
from vaelib.celeba.splits import decide_splits
from vaelib.celeba.tables import read_labels, read_splits, write_labels
from vaelib.data.faces import DATA, IMAGES, match_stems, split_ending
from vaelib.data.images import load_image
from vaelib.data.tables import ATTRIBUTE_TABLE, SPLIT_TABLE

COUNT = 202_599  # faces in all of CelebA
TOLERATED = 0.01  # share of the faces that may be missing or broken
LOOKED_AT = 1000  # images that are decoded as a sample
TOGETHER = (500, 5 * 10**7)  # the most images that are written together, and the most bytes
MARK = "source.txt"  # names the source in a folder that is not finished
MD5 = {  # as published by the authors of CelebA
    "img_align_celeba.zip": "00d2c5bc6d35e252742224ab0c1e8fcb",
    "list_attr_celeba.txt": "75e246fa4810816ffd6ee81facbd244c",
    "list_eval_partition.txt": "d32c9cbf5e040fd4025c592c306e6668",
}


@dataclass(frozen=True)
class Prepared:
    """The result of `prepare`.

    Attributes:
        folder: the folder that was made.
        splits: "train", "val", "test" -> number of faces in CelebA's own partition.
        left_out: file name -> why it was left out.
        remarks: sentences about what is unusual and harmless.
    """

    folder: Path
    splits: dict[str, int]
    left_out: dict[str, str]
    remarks: list[str]


def prepare(
    source: str | Path, out: str | Path = DATA / "celeba", subset: bool = False
) -> Prepared:
    """Make a folder in CelebA's layout from any published form; after a stop, continue.

    Args:
        source: `img_align_celeba.zip`, Kaggle's `archive.zip`, or a folder with the images or one
            of these archives somewhere in it. The tables are in it, or beside it. Or a folder
            with Hugging Face's .parquet files, or one of them. The portraits of this course are
            ignored.
        out: the folder to make. It appears only when all of it has been checked.
        subset: the images are only some of those in the tables, on purpose.

    Raises:
        FileNotFoundError: the source, its images or its attribute table do not exist.
        FileExistsError: `out` exists already.
        ValueError: the source is not CelebA, is damaged, lacks too many faces, or holds several
            things that may be CelebA.
        OSError: the disk is full, `out` can't be made, or another process is preparing it.
    """
    source, out = Path(source), Path(out)
    _refuse_existing(out)
    with full_disk_explained(out, "what was copied is safe"):
        _make_parent(out)
        busy = f"Another process is preparing {out}: wait until it has finished."
        with locked(out.with_name(f".{out.name}.lock"), refused=busy), ExitStack() as stack:
            _refuse_existing(out)  # another process may just have finished it
            return _prepare(source, out, subset, stack)


def _refuse_existing(out: Path) -> None:
    if not out.exists():
        return
    paths = [Path(folder, name) for folder, _, names in os.walk(out) for name in names]
    damaged = [path for path in paths if not path.name.startswith(".") and _is_damaged(path)]
    if damaged:
        raise FileExistsError(
            f"{out} is there already and damaged, as a power cut leaves it: {len(damaged):,} of "
            f"its files are empty or not whole, such as {damaged[0]}; delete {out}, and give the "
            "same command again."
        )
    raise FileExistsError(
        f"{out} is there already, and nothing in it is overwritten: use it as it is, delete "
        "it, or name another folder with --out."
    )


def _is_damaged(path: Path) -> bool:
    is_image = path.suffix in (".jpg", ".png")
    return path.lstat().st_size == 0 or (is_image and bool(_complaint(path.read_bytes())))


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
    aside = out.with_name(f".{out.name}.part")
    shards = find_shards(source, subset)
    if shards:
        given = read_shards(shards, source, stack)  # first: a damaged source replaces nothing
        _begin(aside, source, fingerprint(shards))
    else:
        given = _read_files(source, aside, stack)
    labels, remarks = given.labels, []
    wanted, left_out, others = _join(labels, given.images, given.where)
    if others:
        remarks.append(f"{others} images have no row in the table of attributes: left out.")
    _check_share(left_out, len(labels), given.source, aside, forgiven=subset)
    broken = _copy(wanted, aside)
    broken |= _look_at([name for name in wanted if name not in broken], aside)
    left_out |= broken
    _check_share(broken if subset else left_out, len(labels), given.source, aside)
    kept = labels.loc[[row for name, (row, _) in wanted.items() if name not in broken]]
    write_labels(kept, aside)
    counts, remark = decide_splits(given, kept.index, aside)
    remarks += [*remark, *given.remarks]
    if len(kept) != COUNT:
        remarks.append(f"These are {len(kept):,} of CelebA's {COUNT:,} faces.")
    if left_out:
        _list(left_out, aside / "left_out.txt")
    _put_in_place(aside, out)
    return Prepared(out, counts, left_out, remarks)


def _read_files(source: Path, aside: Path, stack: ExitStack) -> Given:
    """Read what images and tables give, in a folder or an archive."""
    source, files = find(source, stack)
    images = images_of(files, source)
    tables = tables_of(files, source)
    _begin(aside, source)
    where, splits = tables[ATTRIBUTE_TABLE].where, None
    labels = read_labels(tables[ATTRIBUTE_TABLE], aside)
    if SPLIT_TABLE in tables:
        match_stems(labels.index, images, where)  # if a name stands there twice, it is named first
        splits = read_splits(tables[SPLIT_TABLE], labels.index, images, aside)
    remarks = _compare_checksums(source, tables)
    return Given(source, images, labels, where, splits, remarks=remarks)


# ------------------------------------------------------------------ which faces


def _join(
    labels: pd.DataFrame, images: dict[str, File], where: str
) -> tuple[dict[str, tuple[str, File]], dict[str, str], int]:
    """Join rows and images by name, whatever their endings.

    Returns:
        name of a copy to make -> the name of its row, and its file; name of a row without an
        image -> "missing"; number of images without a row.
    """
    wanted, left_out = {}, {}
    for row, stem in zip(labels.index, match_stems(labels.index, images, where)):
        if stem in images:
            file = images[stem]
            png = split_ending(file.name)[1] == "png"
            wanted[f"{stem}.{'png' if png else 'jpg'}"] = (row, file)
        else:
            left_out[row] = "missing"
    if not wanted:
        raise ValueError(
            f"{where} labels {printable(labels.index[0], 40)} and others, and none of the images "
            f"(the first is {images[min(images)].name}): it belongs to another set of faces."
        )
    return wanted, left_out, len(images) - len(wanted)


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


def _begin(aside: Path, source: Path, files: bytes = b"") -> None:
    """Make the folder that is filled, or keep it if an earlier run began it from this source.

    Args:
        files: a fingerprint of the files of the source, if its images have numbers by these.
    """
    mark, name = aside / MARK, os.fsencode(source.resolve()) + files
    same = mark.exists() and mark.read_bytes() == name
    if aside.exists() and not same:
        shutil.rmtree(aside)
    (aside / IMAGES).mkdir(parents=True, exist_ok=True)
    remove_leftovers(aside / IMAGES)
    write_whole(mark, name)


def _copy(wanted: dict[str, tuple[str, File]], aside: Path) -> dict[str, str]:
    """Copy all images that look whole.

    Returns:
        Name of an image that does not -> why.
    """
    folder = aside / IMAGES
    there = {entry.name: entry.stat().st_size for entry in os.scandir(folder)}
    left = [
        (name, file) for name, (_, file) in wanted.items() if not _is_there(there.get(name), file)
    ]
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
                except Unreadable:
                    raise
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


def _is_there(size: int | None, file: File) -> bool:
    # A file has its name only when it is whole; one without a byte is what a power cut leaves.
    return size == file.size if file.exact else bool(size)


def _batches(files: list[tuple[str, File]]) -> Iterator[list[tuple[str, File]]]:
    """Split a list into parts of at most TOGETHER files and bytes."""
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
    """What is wrong with an image file, judged by its first and last bytes, or ""."""
    if data.startswith(b"\xff\xd8\xff"):
        return "" if b"\xff\xd9" in data[-64:] else "cut short"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "" if b"IEND" in data[-64:] else "cut short"
    return "no image"


def _look_at(names: list[str], aside: Path) -> dict[str, str]:
    """Decode a random sample of the images; remove those that are damaged.

    Returns:
        Name of a damaged image -> "damaged".
    """
    some = np.random.default_rng(0).permutation(len(names))[:LOOKED_AT]

    def look(i: int) -> str | None:
        try:
            load_image(aside / IMAGES / names[i])
        except ValueError:
            return names[i]
        return None

    with ThreadPoolExecutor(usable_cores()) as pool:
        broken = [name for name in pool.map(look, some) if name]
    for name in broken:
        (aside / IMAGES / name).unlink()
    return dict.fromkeys(broken, "damaged")


def _put_in_place(aside: Path, out: Path) -> None:
    """Rename the folder when all of it is on the disk, so that it is whole after a power cut."""
    for folder in (aside / IMAGES, aside):  # their files are on the disk already
        sync(folder)
    os.replace(aside, out)
    sync(out.parent)
    (out / MARK).unlink()
    sync(out)


def _compare_checksums(source: Path, tables: dict[str, File]) -> list[str]:
    """List, in sentences, the files that differ from those that CelebA's authors published."""
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
