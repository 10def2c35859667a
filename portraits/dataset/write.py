"""The data set: labelled portraits on disk in CelebA's layout, drawn by parallel processes."""

import io
import json
import math
import os
import re
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

from PIL import Image

from groundwork.files import (
    ASIDE,
    DiskFull,
    check_room,
    remove_leftovers,
    sync,
    write_all_whole,
    write_whole,
)
from groundwork.locks import Locked, locked
from groundwork.places import data_folder
from groundwork.processes import in_processes
from groundwork.progress import Progress
from portraits.errors import PortraitsError
from portraits.labelling.labels import ATTRIBUTES, label
from portraits.labelling.survey import render_and_survey, survey
from portraits.maths import Array
from portraits.person import Person
from portraits.picture.render import Size, check_size, width_and_height
from portraits.version import DRAWING_VERSION

MOST = 999_999  # as many as six digits can number
AT_ONCE = 20  # of 64 x 64 pixels: drawn, and then written, together

IMAGES = "img_align_celeba"
ATTRIBUTE_TABLE = "list_attr_celeba.txt"
PARTITION_TABLE = "list_eval_partition.txt"
TABLES = {ATTRIBUTE_TABLE: 2, PARTITION_TABLE: 0}  # lines before the first picture's
MANIFEST = "manifest.json"
PARTIAL_MANIFEST = "manifest.partial.json"

_LOCK = ".portraits.lock"
_UNKNOWN = 0  # the version of what a damaged manifest describes
_FORMAT = "latent-faces portraits"
_QUALITY = 95  # of the JPGs
_NAME = re.compile(r"(\d{6})\.jpg")
_CLUTTER = {".DS_Store", ".gitignore", ".gitkeep", "Thumbs.db", "desktop.ini", _LOCK}


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a folder of portraits holds. While it is being drawn, `count` is what is wanted."""

    version: int
    seed: int
    width: int
    height: int
    count: int
    switched: str = ""
    """The attributes that every portrait was given: "+Smiling -Eyeglasses"."""

    @property
    def size(self) -> str:
        """The size as one writes it: 64, or 178x218."""
        square = self.width == self.height
        return str(self.width) if square else f"{self.width}x{self.height}"

    def __str__(self) -> str:
        return f"portraits of seed {self.seed} and size {self.size}" + (
            f" switched to {self.switched}" if self.switched else ""
        )


def write_dataset(
    out: str | os.PathLike[str] | None = None,
    count: int = 20_000,
    size: Size = 64,
    seed: int = 0,
    jobs: int | None = None,
    switched: Mapping[str, bool] | None = None,
) -> Path:
    """Draw `count` labelled portraits into the folder `out`, or those that are missing there.

    Writes `img_align_celeba/000001.jpg` on, the tables `list_attr_celeba.txt` and
    `list_eval_partition.txt` as CelebA has them, and last `manifest.json`, so where that stands,
    the set is whole. Portrait number i is the same at any `count` and `jobs`. Interrupted, killed,
    or without power, it leaves no half-written file under its final name; the next call goes on
    from there, and makes damaged files anew. Prints its progress, and at the end one line.

    It starts processes, so a script that calls it needs `if __name__ == "__main__":`.

    Args:
        out: by default `portraits` in the course's `groundwork.places.data_folder`.
        count: how many; more than before adds to the folder, fewer is refused.
        size: width and height in pixels, 16 to 1024; one number for both, or two.
        seed: another seed is another population.
        jobs: number of processes; by default one per core that this process may use.
        switched: attributes that every person is given (or not), as by `Person.with_attributes`.

    Returns:
        The folder.

    Raises:
        PortraitsError: the arguments make no sense, the folder holds something else, another
            process is writing to it, or the disk is full. Its message is one sentence.
        KeyboardInterrupt: after the processes have ended.
    """
    out = data_folder() / "portraits" if out is None else Path(out)
    width, height = width_and_height(size)
    wanted = Manifest(DRAWING_VERSION, seed, width, height, count, _spelled(switched or {}))
    _check_arguments(wanted, jobs)
    try:
        if _is_complete(out, wanted):
            print(f"{out} is complete: {count} portraits", flush=True)
            return out
        _check_disk_space(out, wanted)
        (out / IMAGES).mkdir(parents=True, exist_ok=True)
        waiting = f"Another process is drawing into {out}; wait until it has finished."
        with locked(out / _LOCK, refused=waiting):
            if not _is_complete(out, wanted):  # another process may have changed it just now
                _prepare(out, wanted)
                _write(out, wanted, jobs)
    except (DiskFull, Locked, ChildProcessError) as error:
        raise PortraitsError(str(error)) from error
    except OSError as error:
        raise PortraitsError(f"{out} could not be written: {error.strerror or error}.") from error
    print(f"{out} is complete: {count} portraits", flush=True)
    return out


def partition(number: int) -> int:
    """The split that picture `number` (from 1) belongs to: 0 train, 1 validation, 2 test.

    Of every twenty pictures the last two are for validation and test. Other than with CelebA's
    three blocks, a picture stays in its split when the set grows.
    """
    return {19: 1, 0: 2}.get(number % 20, 0)


def _spelled(switched: Mapping[str, bool]) -> str:
    """Attributes as one string: "+Smiling -Eyeglasses"."""
    return " ".join(("+" if on else "-") + name for name, on in switched.items())


def _read_spelled(switched: str) -> dict[str, bool]:
    return {name[1:]: name[0] == "+" for name in switched.split()}


# ------------------------------------------------------------------ what may be written where


def _check_arguments(wanted: Manifest, jobs: int | None) -> None:
    """Raise a `PortraitsError` for numbers that make no sense."""
    check_size((wanted.width, wanted.height))
    if not 1 <= wanted.count <= MOST:
        raise PortraitsError(f"The count must be 1 to {MOST}, not {wanted.count}.")
    if wanted.seed < 0:
        raise PortraitsError(f"The seed must not be negative, but is {wanted.seed}.")
    if jobs is not None and jobs < 1:
        raise PortraitsError(f"The number of jobs must be at least 1, not {jobs}.")


def _is_complete(out: Path, wanted: Manifest) -> bool:
    """Tell whether `out` holds just what is wanted; raise if it holds what must not be changed."""
    if out.exists() and not out.is_dir():
        raise PortraitsError(f"{out} is a file; choose another folder with --out.")
    found = _read_manifest(out, wanted)
    if found is None:
        strange = _foreign_entries(out)
        if strange:
            raise PortraitsError(
                f"{out} holds something else ({strange[0]}), and is left as it is; "
                "choose another folder with --out."
            )
        return False
    if found.version == _UNKNOWN:
        return False
    if str(found) != str(wanted):
        raise PortraitsError(
            f"{out} holds {found}; choose another folder with --out, or delete this one."
        )
    if found.version > wanted.version:
        raise PortraitsError(
            f"{out} was drawn by a newer version of this program; "
            "choose another folder with --out, or delete this one."
        )
    whole = (out / MANIFEST).exists()
    drawn = _numbers_drawn(out)
    held = found.count if whole else max(drawn, default=0)
    if held > wanted.count:
        raise PortraitsError(
            f"{out} holds {held} portraits already, more than the {wanted.count} asked for; "
            "choose another folder with --out, or delete this one."
        )
    tables = all((out / name).exists() for name in TABLES)
    complete = found == wanted and whole and tables and drawn.issuperset(_numbers(wanted))
    return complete and not _damaged(out, found)


def _read_manifest(out: Path, wanted: Manifest) -> Manifest | None:
    """Read what the folder says it holds; None if it says nothing.

    A manifest may be damaged, by a power cut for example. In a folder that this program has drawn
    into before (its lock is there), that gives what is wanted, in a version that is drawn again.
    """
    for name in (MANIFEST, PARTIAL_MANIFEST):
        path = out / name
        if not path.exists():
            continue
        try:
            entries = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            if not (out / _LOCK).exists():
                raise _not_ours(path) from error
            return replace(wanted, version=_UNKNOWN)
        try:
            if entries.pop("format") != _FORMAT:
                raise ValueError(entries)
            if "size" in entries:  # written by version 1, which knew squares only
                entries["width"] = entries["height"] = entries.pop("size")
            manifest = Manifest(**entries)
            numbers = asdict(manifest)
            if type(numbers.pop("switched")) is not str or not all(
                type(number) is int for number in numbers.values()
            ):
                raise ValueError(entries)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _not_ours(path) from error
        return manifest
    return None


def _not_ours(path: Path) -> PortraitsError:
    return PortraitsError(
        f"{path} is not readable as this program's; choose another folder with --out."
    )


def _foreign_entries(out: Path) -> list[str]:
    """Names in a folder without a manifest that this program has not written."""
    if not out.exists():
        return []
    names = [name for name in os.listdir(out) if name not in _CLUTTER]
    names = [name for name in names if not name.startswith(ASIDE)]
    if names == [IMAGES] and not any((out / IMAGES).iterdir()):
        return []
    return sorted(names)


def _numbers(wanted: Manifest) -> range:
    """The numbers of the pictures wanted."""
    return range(1, wanted.count + 1)


def _numbers_drawn(out: Path) -> set[int]:
    """Numbers of the pictures that are there."""
    try:
        names = os.listdir(out / IMAGES)
    except FileNotFoundError:
        return set()
    return {int(match[1]) for match in map(_NAME.fullmatch, names) if match}


def _damaged(out: Path, found: Manifest) -> list[Path]:
    """Pictures and tables that are there and not whole, such as a power cut may leave."""
    count = found.count if (out / MANIFEST).exists() else 0  # tables come before the manifest
    tables = [
        out / name
        for name, lines in TABLES.items()
        if (out / name).exists() and not _is_whole_table(out / name, lines + count)
    ]
    pictures = (_image_path(out, number) for number in sorted(_numbers_drawn(out)))
    return tables + [path for path in pictures if not _is_whole_picture(path)]


def _is_whole_table(path: Path, lines: int) -> bool:
    content = path.read_bytes()
    return content.count(b"\n") >= lines and b"\0" not in content


def _is_whole_picture(path: Path) -> bool:
    """Tell whether a file begins and ends as a JPG does, without reading the rest."""
    with open(path, "rb", buffering=0) as file:
        if file.read(3) != b"\xff\xd8\xff":
            return False
        file.seek(-2, os.SEEK_END)
        return file.read() == b"\xff\xd9"


def _check_disk_space(out: Path, wanted: Manifest) -> None:
    """Raise `DiskFull` if the missing pictures won't fit."""
    missing = wanted.count - len(_numbers_drawn(out))
    pixels = wanted.width * wanted.height
    each = 4096 * math.ceil((800 + 6 * pixels**0.75) / 4096)  # measured; in whole blocks
    needed = missing * each + 200 * wanted.count  # and the tables
    check_room(out, needed, f"{wanted.count} portraits of size {wanted.size}")


# ------------------------------------------------------------------ writing


def _prepare(out: Path, wanted: Manifest) -> None:
    """Make the folder say what it is going to hold, and remove what does not belong to that."""
    for folder in (out, out / IMAGES):
        remove_leftovers(folder)
    found = _read_manifest(out, wanted)
    if found and found.version < wanted.version:
        why = f"was drawn by an older version ({found.version}, now {wanted.version})"
        if found.version == _UNKNOWN:
            why = f"has a damaged {MANIFEST} or {PARTIAL_MANIFEST}"
        print(f"{out} {why} and is drawn again.", flush=True)
        # until the last old picture is gone, the folder says that it holds old ones
        _write_manifest(out, PARTIAL_MANIFEST, found)
        (out / MANIFEST).unlink(missing_ok=True)
        for number in _numbers_drawn(out):
            _image_path(out, number).unlink()
        sync(out / IMAGES)
    elif found:
        damaged = _damaged(out, found)
        for path in damaged:
            path.unlink()
        if damaged:
            others = f" (and {len(damaged) - 1} other files)" if len(damaged) > 1 else ""
            print(f"{damaged[0]}{others} is damaged and is made anew.", flush=True)
    _write_manifest(out, PARTIAL_MANIFEST, wanted)
    (out / MANIFEST).unlink(missing_ok=True)
    sync(out)


def _write(out: Path, wanted: Manifest, jobs: int | None) -> None:
    """Draw what is missing, then write the tables, then the manifest."""
    drawn = _numbers_drawn(out).intersection(_numbers(wanted))
    calls = [partial(_work, task) for task in _tasks(out, wanted, drawn)]
    rows: dict[int, str] = {}
    with (
        Progress("Drawing portraits", wanted.count, "portrait", len(drawn)) as progress,
        closing(in_processes(calls, jobs)) as results,  # an interruption ends the processes
    ):
        for new_rows, n_drawn in results:
            rows.update(new_rows)
            progress.advance(n_drawn)
    _write_tables(out, [rows[number] for number in _numbers(wanted)])
    _write_manifest(out, MANIFEST, wanted)
    (out / PARTIAL_MANIFEST).unlink()


@dataclass(frozen=True, slots=True)
class _Task:
    """A few portraits for a worker to draw."""

    out: Path
    seed: int
    size: tuple[int, int]
    switched: dict[str, bool]
    numbers: range
    drawn: frozenset[int]
    """Those that are there already, and only need labels."""


def _tasks(out: Path, wanted: Manifest, drawn: set[int]) -> list[_Task]:
    """Divide the work into tasks of about half a second."""
    numbers = _numbers(wanted)
    size = wanted.width, wanted.height
    step = max(1, min(AT_ONCE, AT_ONCE * 64**2 // (wanted.width * wanted.height)))
    parts = (numbers[start : start + step] for start in range(0, len(numbers), step))
    switched = _read_spelled(wanted.switched)
    return [
        _Task(out, wanted.seed, size, switched, part, frozenset(drawn.intersection(part)))
        for part in parts
    ]


def _work(task: _Task) -> tuple[dict[int, str], int]:
    """Draw the missing portraits; return the table row of each, and how many were missing."""
    rows, pictures = {}, {}
    for number in task.numbers:
        person = Person.sample(task.seed, number - 1)
        if task.switched:
            person = person.with_attributes(task.switched)
        if number in task.drawn:
            seen = survey(person)
        else:
            picture, seen = render_and_survey(person, task.size)
            pictures[_image_path(task.out, number)] = _jpg(picture)
        values = label(person, seen).values()
        rows[number] = " ".join(" 1" if value else "-1" for value in values)
    write_all_whole(pictures)
    return rows, len(task.numbers) - len(task.drawn)


def _jpg(picture: Array) -> bytes:
    """A picture (height, width, 3) as a JPG file."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()


def _write_tables(out: Path, rows: list[str]) -> None:
    """Write the attribute table, from its rows of values, and the partition table."""
    names = [_image_path(out, number).name for number in range(1, len(rows) + 1)]
    lines = [str(len(rows)), " ".join(ATTRIBUTES)]
    lines += [f"{name} {row}" for name, row in zip(names, rows, strict=True)]
    write_whole(out / ATTRIBUTE_TABLE, "\n".join(lines) + "\n")
    lines = [f"{name} {partition(number)}\n" for number, name in enumerate(names, start=1)]
    write_whole(out / PARTITION_TABLE, "".join(lines))


def _write_manifest(out: Path, name: str, manifest: Manifest) -> None:
    entries = {"format": _FORMAT, **asdict(manifest)}
    write_whole(out / name, json.dumps(entries, indent=2) + "\n")


def _image_path(out: Path, number: int) -> Path:
    return out / IMAGES / f"{number:06d}.jpg"
