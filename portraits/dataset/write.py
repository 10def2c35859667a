"""Write the data set: labelled portraits in CelebA's layout, drawn by parallel processes."""

import io
import math
import os
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from PIL import Image

from groundwork.files import DiskFull, check_room, remove_leftovers, sync, write_all_whole
from groundwork.locks import Locked, locked
from groundwork.places import data_folder
from groundwork.processes import in_processes
from groundwork.progress import Progress
from portraits.dataset.folder import (
    IMAGES,
    LOCK,
    MOST,
    TABLES,
    damaged,
    foreign_entries,
    image_path,
    numbers_drawn,
    refuse_foreign,
    write_tables,
)
from portraits.dataset.manifest import (
    MANIFEST,
    PARTIAL_MANIFEST,
    DamagedManifest,
    Manifest,
    read_manifest,
    spelled,
    write_manifest,
)
from portraits.errors import PortraitsError
from portraits.labelling.labels import label
from portraits.labelling.survey import render_and_survey, survey
from portraits.maths import Array
from portraits.picture.render import Size, check_size, width_and_height
from portraits.version import DRAWING_VERSION

AT_ONCE = 20  # of 64 x 64 pixels: drawn, and then written, together

_UNKNOWN = 0  # the version of what a damaged manifest describes
JPG_QUALITY = 95  # of the JPGs


def write_dataset(
    out: str | os.PathLike[str] | None = None,
    count: int = 20_000,
    size: Size = 64,
    seed: int = 0,
    jobs: int | None = None,
    switched: Mapping[str, bool] | None = None,
) -> Path:
    """Draw `count` labelled portraits into the folder `out`, or those that are missing there.

    Writes the pictures `img_align_celeba/000001.jpg` and so on, the tables `list_attr_celeba.txt`
    and `list_eval_partition.txt` as CelebA has them, and last `manifest.json`: a folder that has
    it is complete. Portrait number i is the same at any `count` and `jobs`. If it is interrupted,
    killed or loses power, no half-written file stands under its final name; the next call draws
    what is missing, and replaces damaged files. Prints its progress, and at the end one line.

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
        PortraitsError: an argument is out of its range, the folder holds something else, another
            process is writing to it, or the disk is full. Its message is one sentence.
        KeyboardInterrupt: after the processes have ended.
    """
    out = data_folder() / "portraits" if out is None else Path(out)
    width, height = width_and_height(size)
    wanted = Manifest(DRAWING_VERSION, seed, width, height, count, spelled(switched or {}))
    _check_arguments(wanted, jobs)
    try:
        if _is_complete(out, wanted):
            print(f"{out} is complete: {count} portraits", flush=True)
            return out
        _check_disk_space(out, wanted)
        (out / IMAGES).mkdir(parents=True, exist_ok=True)
        waiting = f"Another process is drawing into {out}; wait until it has finished."
        with locked(out / LOCK, refused=waiting):
            if not _is_complete(out, wanted):  # another process may have changed it just now
                _prepare(out, wanted)
                _write(out, wanted, jobs)
    except (DiskFull, Locked, ChildProcessError) as error:
        raise PortraitsError(str(error)) from error
    except OSError as error:
        raise PortraitsError(f"{out} could not be written: {error.strerror or error}.") from error
    print(f"{out} is complete: {count} portraits", flush=True)
    return out


# ------------------------------------------------------------------ what may be written where


def _check_arguments(wanted: Manifest, jobs: int | None) -> None:
    """Raise a `PortraitsError` for numbers out of their ranges."""
    check_size((wanted.width, wanted.height))
    if not 1 <= wanted.count <= MOST:
        raise PortraitsError(f"The count must be 1 to {MOST}, not {wanted.count}.")
    if wanted.seed < 0:
        raise PortraitsError(f"The seed must not be negative, but is {wanted.seed}.")
    if jobs is not None and jobs < 1:
        raise PortraitsError(f"The number of jobs must be at least 1, not {jobs}.")


def _is_complete(out: Path, wanted: Manifest) -> bool:
    """Whether `out` holds just what is wanted; raise if it holds what must not be changed."""
    if out.exists() and not out.is_dir():
        raise PortraitsError(f"{out} is a file; choose another folder with --out.")
    found = _find_manifest(out, wanted)
    if found is None:
        refuse_foreign(out, foreign_entries(out))
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
    drawn = numbers_drawn(out)
    held = found.count if whole else max(drawn, default=0)
    if held > wanted.count:
        raise PortraitsError(
            f"{out} holds {held} portraits already, more than the {wanted.count} asked for; "
            "choose another folder with --out, or delete this one."
        )
    tables = all((out / name).exists() for name in TABLES)
    complete = found == wanted and whole and tables and drawn.issuperset(_numbers(wanted))
    return complete and not damaged(out, found.count)


def _find_manifest(out: Path, wanted: Manifest) -> Manifest | None:
    """Read what the folder says it holds; None if it says nothing.

    A manifest may be damaged, by a power cut for example. In a folder that this program has drawn
    into before (its lock is there), that gives what is wanted, in a version that is drawn again.
    """
    for name in (MANIFEST, PARTIAL_MANIFEST):
        try:
            return read_manifest(out / name)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except DamagedManifest:
            if not (out / LOCK).exists():
                raise
            return replace(wanted, version=_UNKNOWN)
    return None


def _numbers(wanted: Manifest) -> range:
    """The numbers of the pictures wanted."""
    return range(1, wanted.count + 1)


def _check_disk_space(out: Path, wanted: Manifest) -> None:
    """Raise `DiskFull` if the missing pictures won't fit."""
    missing = wanted.count - len(numbers_drawn(out))
    pixels = wanted.width * wanted.height
    each = 4096 * math.ceil((800 + 6 * pixels**0.75) / 4096)  # measured; in whole blocks
    needed = missing * each + 200 * wanted.count  # and the tables
    check_room(out, needed, f"{wanted.count} portraits of size {wanted.size}")


# ------------------------------------------------------------------ writing


def _prepare(out: Path, wanted: Manifest) -> None:
    """Write the partial manifest, and remove what does not belong to what it says."""
    for folder in (out, out / IMAGES):
        remove_leftovers(folder)
    found = _find_manifest(out, wanted)
    if found and found.version < wanted.version:
        why = f"was drawn by an older version ({found.version}, now {wanted.version})"
        if found.version == _UNKNOWN:
            why = f"has a damaged {MANIFEST} or {PARTIAL_MANIFEST}"
        print(f"{out} {why} and is drawn again.", flush=True)
        # until the last old picture is gone, the folder says that it holds old ones
        write_manifest(out / PARTIAL_MANIFEST, found)
        (out / MANIFEST).unlink(missing_ok=True)
        for number in numbers_drawn(out):
            image_path(out, number).unlink()
        sync(out / IMAGES)
    elif found:
        broken = damaged(out, found.count)
        for path in broken:
            path.unlink()
        if broken:
            others = f" (and {len(broken) - 1} other files)" if len(broken) > 1 else ""
            print(f"{broken[0]}{others} is damaged and is made anew.", flush=True)
    write_manifest(out / PARTIAL_MANIFEST, wanted)
    (out / MANIFEST).unlink(missing_ok=True)
    sync(out)


def _write(out: Path, wanted: Manifest, jobs: int | None) -> None:
    """Draw what is missing, then write the tables, then the manifest."""
    drawn = numbers_drawn(out).intersection(_numbers(wanted))
    calls = [partial(_work, task) for task in _tasks(out, wanted, drawn)]
    rows: dict[int, str] = {}
    with (
        Progress("Drawing portraits", wanted.count, "portrait", len(drawn)) as progress,
        closing(in_processes(calls, jobs)) as results,  # an interruption ends the processes
    ):
        for new_rows, n_drawn in results:
            rows.update(new_rows)
            progress.advance(n_drawn)
    write_tables(out, [rows[number] for number in _numbers(wanted)])
    write_manifest(out / MANIFEST, wanted)
    (out / PARTIAL_MANIFEST).unlink()


@dataclass(frozen=True, slots=True)
class _Task:
    """A few portraits for a process to draw."""

    out: Path
    wanted: Manifest
    numbers: range
    drawn: frozenset[int]
    """Those that are there already, and only need labels."""


def _tasks(out: Path, wanted: Manifest, drawn: set[int]) -> list[_Task]:
    """Divide the work into tasks of about half a second."""
    numbers = _numbers(wanted)
    step = max(1, min(AT_ONCE, AT_ONCE * 64**2 // (wanted.width * wanted.height)))
    parts = (numbers[start : start + step] for start in range(0, len(numbers), step))
    return [_Task(out, wanted, part, frozenset(drawn.intersection(part))) for part in parts]


def _work(task: _Task) -> tuple[dict[int, str], int]:
    """Draw the missing portraits; return the table row of each, and how many were missing."""
    rows, pictures = {}, {}
    for number in task.numbers:
        person = task.wanted.person(number)
        if number in task.drawn:
            seen = survey(person)
        else:
            picture, seen = render_and_survey(person, (task.wanted.width, task.wanted.height))
            pictures[image_path(task.out, number)] = _jpg(picture)
        values = label(person, seen).values()
        rows[number] = " ".join(" 1" if value else "-1" for value in values)
    write_all_whole(pictures)
    return rows, len(task.numbers) - len(task.drawn)


def _jpg(picture: Array) -> bytes:
    """Compress a picture (height, width, 3) into the content of a JPG file."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=JPG_QUALITY)
    return buffer.getvalue()
