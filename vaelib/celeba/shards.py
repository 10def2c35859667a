"""Find Parquet files of CelebA in a folder, and see that none of their set is missing."""

import hashlib
import os
import re
from collections import Counter
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from groundwork.progress import Progress
from vaelib.celeba.attributes import ATTRIBUTES
from vaelib.celeba.files import File, Unreadable, explained, listed, printable
from vaelib.celeba.given import Given
from vaelib.celeba.parquet import MOST_ROWS, Images, Rows, open_file, read_rows
from vaelib.celeba.sources import files_below
from vaelib.data.faces import split_ending
from vaelib.data.tables import SPLITS

ENDING = ".parquet"
# As in train-00000-of-00019.parquet, or train/0000.parquet.
SPLIT = re.compile(r"(?<![a-z])(train|val|test)(?:id|idation|ing)?(?![a-z])")
NUMBER = re.compile(r"-(\d{1,6})-of-(\d{1,6})(?!\d)")
ONLY_NUMBER = re.compile(r"(\d{1,6})\.parquet", re.IGNORECASE)
LIST = 2**16  # bytes at the end of a file: the list of what is where in it
NAME = re.compile(r"[^\W_][\w.+-]{0,99}")  # of an image; no folder, no space, not hidden
ADVICE = "fetch it, or add --subset, if you want only some of the faces"


@dataclass(frozen=True)
class Shard:
    """One Parquet file of a set.

    Attributes:
        path: of the file.
        split: "train", "val" or "test", by its name or its folder's; "" if they do not tell.
        number: its number in its split, from 0; -1 if its name does not tell.
        of: how many files its split has; -1 if its name does not tell.
    """

    path: Path
    split: str
    number: int
    of: int


def find_shards(source: Path, subset: bool) -> list[Shard]:
    """The Parquet files of a source, in the order of the faces: train, val, test.

    Args:
        source: a Parquet file, or a folder. An archive has none.
        subset: some of the files may be missing.

    Returns:
        The files; an empty list if there are none.

    Raises:
        ValueError: files are missing or there twice, or there are other things that may be CelebA.
    """
    if source.is_dir():
        there = list(files_below(source))
        paths = [path for path in there if path.name.lower().endswith(ENDING)]
        _refuse_others(source, paths, there)
    else:
        paths = [source] if _is_parquet(source) else []
    shards = [_shard(path, source) for path in paths]
    shards.sort(key=lambda shard: ((*SPLITS, "").index(shard.split), shard.number, str(shard.path)))
    for split in dict.fromkeys(shard.split for shard in shards):
        _check_split(source, [shard for shard in shards if shard.split == split], subset)
    _check_splits(source, shards, subset)
    _refuse_equal(shards)
    return shards


def read_shards(shards: list[Shard], source: Path, stack: ExitStack) -> Given:
    """Read everything but the images from Parquet files.

    Args:
        shards: in the order of the faces.
        source: what holds them, for messages.
        stack: closes, at its end, the file from which images were read last.

    Raises:
        ValueError: a file is damaged, or has other columns or values than CelebA.
    """
    total = 0
    for shard in shards:  # a file that was cut short is found before time is spent on others
        with closing(open_file(shard.path)) as file:
            total += file.metadata.num_rows
    if not 0 < total <= MOST_ROWS:
        raise Unreadable(
            f"{source} holds {total:,} rows, and CelebA 202,599: it is another data set, name "
            "CelebA's with --from."
        )
    rows = []
    with Progress("Reading labels", total, "face") as progress:
        for shard in shards:
            with closing(open_file(shard.path)) as file:
                rows.append(read_rows(shard.path, file, progress))
    names, remarks = _names(shards, rows)
    labels = pd.DataFrame(
        np.concatenate([each.labels for each in rows]), pd.Index(names), list(ATTRIBUTES)
    )
    images = Images()
    stack.callback(images.close)
    files, position = {}, 0
    for shard, each in zip(shards, rows):
        for row in range(len(each.paths)):
            name = names[position]
            read = images.reading(shard.path, row, each.layout.image)
            files[split_ending(name)[0]] = File(f"{shard.path}/{name}", each.size, read, False)
            position += 1
    counts = [len(each.paths) for each in rows]
    splits = np.repeat([shard.split for shard in shards], counts)
    people = None
    if all(each.people is not None for each in rows):
        people = pd.Series(np.concatenate([each.people for each in rows]), labels.index)
    elif any(each.people is not None for each in rows):
        remarks.append("Only some of the files say who is who: identity_CelebA.txt is not written.")
    return Given(
        source=source,
        images=files,
        labels=labels,
        where=str(source),
        splits=pd.Series(splits, labels.index) if shards[0].split else None,
        people=people,
        remarks=remarks,
    )


def fingerprint(shards: list[Shard]) -> bytes:
    """Tells whether a later run has the same files, so that a number means the same face.

    Raises:
        ValueError: a file can't be read.
    """
    found = hashlib.sha256()
    for shard in shards:
        found.update(os.fsencode(shard.path) + b"\n" + _list_in(shard.path))
    return found.digest()


def _list_in(path: Path) -> bytes:
    with explained(str(path), "fetch it again", Unreadable), path.open("rb") as file:
        size = path.stat().st_size
        file.seek(max(0, size - LIST))
        return b"%d\n" % size + file.read()


# ------------------------------------------------------------------ which files


def _is_parquet(path: Path) -> bool:
    if not path.is_file():
        return False
    if path.name.lower().endswith(ENDING):
        return True
    with suppress(OSError), path.open("rb") as file:
        return file.read(4) == b"PAR1"
    return False


def _shard(path: Path, source: Path) -> Shard:
    inside = [] if path == source else path.relative_to(source).parent.parts
    splits: set[str] = set()
    for name in (path.name, *reversed(inside)):
        splits = splits if len(splits) == 1 else set(SPLIT.findall(name.lower()))
    number = NUMBER.search(path.name)
    numbers = (int(number[1]), int(number[2])) if number else (-1, -1)
    if alone := ONLY_NUMBER.fullmatch(path.name):
        numbers = (int(alone[1]), -1)
    return Shard(path, splits.pop() if len(splits) == 1 else "", *numbers)


def _refuse_others(source: Path, shards: list[Path], there: list[Path]) -> None:
    others = [str(path) for path in there if path.name.lower().endswith(".zip")]
    folders = Counter(str(path.parent) for path in there if split_ending(path.name)[1])
    others += [f"{folder} ({count:,} images)" for folder, count in folders.most_common()]
    if shards and others:
        raise ValueError(
            f"{source} holds more than one thing that may be CelebA: {shards[0]} "
            f"({len(shards):,} .parquet files), {listed(others)}; name the one that you want with "
            "--from."
        )


def _check_split(source: Path, shards: list[Shard], subset: bool) -> None:
    """Refuse the files of one split if some are missing, or if they are of several sets."""
    folders = list(dict.fromkeys(str(shard.path.parent) for shard in shards))
    if len(folders) > 1:
        raise ValueError(
            f"{source} holds more than one thing that may be CelebA, in {listed(folders)}: name "
            "the one that you want with --from."
        )
    first = shards[0]
    for shard in shards[1:]:
        if shard.of != first.of:
            raise ValueError(
                f"{first.path} and {shard.path} can't be of one set, since their names count "
                "other files: take away those that you do not want."
            )
    for one, other in pairwise(shards):
        if one.number == other.number >= 0:
            raise ValueError(
                f"{one.path} and {other.path} have the same number: take one of the two away."
            )
    numbers = {shard.number for shard in shards}
    # Where names do not tell how many files there are, only a gap between two can be seen.
    count = first.of if first.of >= 0 or -1 in numbers else max(numbers)
    missing = sorted(set(range(count)) - numbers)
    if missing and not subset:
        if source.is_file():
            raise _only_one(source)
        name = first.path.name
        if first.of >= 0:
            begin, number, of, _ = NUMBER.split(name, maxsplit=1)
            names = [f"{begin}-{i:0{len(number)}}-of-{of}{ENDING}" for i in missing]
        else:
            names = [f"{i:0{len(name) - len(ENDING)}}{ENDING}" for i in missing]
        raise ValueError(f"{first.path.parent} lacks {listed(names)}: {ADVICE}.")


def _refuse_equal(shards: list[Shard]) -> None:
    """Refuse two files with the same content: each of its faces would be there twice."""
    seen: dict[bytes, Path] = {}
    for shard in shards:
        other = seen.setdefault(_list_in(shard.path), shard.path)
        if other != shard.path:
            raise Unreadable(
                f"{other} and {shard.path} have the same content: take one of the two away."
            )


def _check_splits(source: Path, shards: list[Shard], subset: bool) -> None:
    found = {shard.split: shard for shard in shards}
    missing = [split for split in SPLITS if split not in found]
    if len(found) > 1 and "" in found:
        raise ValueError(
            f"{found[''].path} does not say in its name whether it is for train, valid or test, as "
            "others do: take it away, or begin its name so."
        )
    if shards and missing and "" not in found and not subset:
        if source.is_file():
            raise _only_one(source)
        names = " and ".join(split.replace("val", "valid") for split in missing)
        raise ValueError(f"{source} has no .parquet file of the split {names}: {ADVICE}.")


def _only_one(source: Path) -> ValueError:
    return ValueError(
        f"{source} is only one of CelebA's files: name the folder that holds all of them, or add "
        "--subset, if you want only some of the faces."
    )


# ------------------------------------------------------------------ names


def _names(shards: list[Shard], rows: list[Rows]) -> tuple[list[str], list[str]]:
    """A name for each image: its own, or a number as CelebA has; and remarks about them."""
    own = [[_own_name(path, each.ending) for path in each.paths] for each in rows]
    endings = [each.ending for each in rows for _ in each.paths]
    numbers = [f"{i:06}.{ending}" for i, ending in enumerate(endings, 1)]
    remark = "The images are numbered in the order of the files, as CelebA's are"
    flat = [name for names in own for name in names]
    if not any(flat):
        return numbers, [f"{remark}: they have no names of their own."]
    names = [name or number for name, number in zip(flat, numbers)]
    if len({split_ending(name)[0] for name in names}) == len(names):
        return names, []
    _refuse_copies(shards, own)
    return numbers, [f"{remark}: some of their own names stand there twice."]


def _own_name(path: str | None, ending: str) -> str | None:
    name = (path or "").replace("\\", "/").rpartition("/")[2]
    if not NAME.fullmatch(name):
        return None
    return name if split_ending(name)[1] else f"{name}.{ending}"


def _refuse_copies(shards: list[Shard], own: list[list[str | None]]) -> None:
    """Refuse two files of one split that hold the same names, each of them once."""
    where: dict[tuple[str, str], Path] = {}
    for shard, names in zip(shards, own):
        known = [name for name in names if name]
        if len(set(known)) < len(known):
            return
        for name in known:
            other = where.setdefault((shard.split, name), shard.path)
            if other != shard.path:
                raise Unreadable(
                    f"{other} and {shard.path} both hold {printable(name, 40)}: one is a copy of "
                    "the other, take it away."
                )
