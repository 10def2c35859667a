"""Find CelebA's images and tables in a folder or an archive, and refuse what is not CelebA."""

import io
import json
import os
import stat
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

from vaelib.celeba.files import LARGEST_IMAGE, File, bytes_of, explained, listed, printable
from vaelib.data.faces import hidden, one_per_face, split_ending
from vaelib.data.tables import ATTRIBUTE_TABLE, SPLIT_TABLE, table_kind

LARGEST_LIST = 6 * 10**7  # bytes of the list of files in an archive; CelebA's has 20 MB
MOST_FILES = 500_000  # in an archive; CelebA has 202,599 images
SQUEEZED = 50  # an archive of photographs never unpacks to so many times its size

PACKED = {  # how the members of a .zip archive may be packed; Python reads the first four
    zipfile.ZIP_STORED: "stored",
    zipfile.ZIP_DEFLATED: "Deflate",
    zipfile.ZIP_BZIP2: "bzip2",
    zipfile.ZIP_LZMA: "LZMA",
    9: "Deflate64",
    93: "Zstandard",
    95: "XZ",
    98: "PPMd",
    99: "AES encryption",
}
READABLE = list(PACKED)[:4]
LOCKED = 0x1 | 0x40 | 0x2000  # flags: a password; strong encryption; an encrypted list of files
PATCH = 0x20  # a flag: the member is a change to another file


def find(source: Path, stack: ExitStack) -> tuple[Path, list[File]]:
    """Find what may be CelebA: `source` itself, or the one archive in it.

    Args:
        source: a folder or an archive.
        stack: closes the archive at its end.

    Returns:
        The folder or archive that holds the images, and all images and tables there.

    Raises:
        FileNotFoundError: `source` does not exist, or holds nothing that may be CelebA.
        ValueError: several things may be CelebA, or an archive can't be read.
    """
    if not source.exists():
        raise FileNotFoundError(f"{source} does not exist: name the archive or the folder you got.")
    if source.is_file():
        return source, _in_archive(source, stack)
    if any(_is_ours(folder) for folder in (source, *source.resolve().parents)):
        raise ValueError(
            f"{source} belongs to the portraits that this course draws, and they are not CelebA: "
            "name the archive or the folder that you got."
        )
    files, archives = [], []
    for path in files_below(source):
        if path.name.lower().endswith(".zip"):
            archives.append(path)
        elif split_ending(path.name)[1] or table_kind(path.name):
            files += _on_disk(path)
    folders = Counter(str(Path(file.where).parent) for file in filter(_is_image, files))
    if len(archives) + bool(folders) > 1:
        found = [str(path) for path in archives]
        found += [f"{folder} ({count:,} images)" for folder, count in folders.most_common()]
        raise ValueError(
            f"{source} holds more than one thing that may be CelebA: {listed(found)}; name the "
            "one that you want with --from."
        )
    if archives:
        return archives[0], files + _in_archive(archives[0], stack)
    if not folders:
        raise FileNotFoundError(
            f"{source} holds no .zip archive, no .parquet file and no .jpg or .png image (the "
            "portraits of this course don't count): name the archive itself, or the folder of "
            "images."
        )
    return source, files


def files_below(source: Path) -> Iterator[Path]:
    """The files in a folder that are not hidden, without the portraits of this course."""
    for folder, folders, names in os.walk(source, onerror=_stop):
        if _is_ours(Path(folder)):
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not hidden(name))
        yield from (Path(folder, name) for name in sorted(names) if not hidden(name))


def images_of(files: Iterable[File], source: Path) -> dict[str, File]:
    """The images by file name without its ending, one for each face.

    Raises:
        FileNotFoundError: there is none.
        ValueError: two have the same name, or one is too large to be CelebA's.
    """
    files = list(files)
    by_place = {file.where: file for file in files}
    places = one_per_face(file.where for file in files)
    images = {stem: by_place[place] for stem, place in places.items()}
    for file in images.values():
        if file.size > LARGEST_IMAGE:
            raise ValueError(
                f"{file.where} has {file.size / 1e6:,.0f} MB, and no image of CelebA has more "
                "than 10: it is something else, take it away."
            )
    if not images:
        raise FileNotFoundError(
            f"There is no .jpg or .png image in {source}: name img_align_celeba.zip, Kaggle's "
            "archive.zip, or a folder of images."
        )
    return images


def tables_of(files: list[File], source: Path) -> dict[str, File]:
    """The tables of attributes and of splits, from the source or from beside it.

    Returns:
        ATTRIBUTE_TABLE and, if there is one, SPLIT_TABLE -> the file.

    Raises:
        FileNotFoundError: there is no table of attributes.
        ValueError: there are several tables of one kind, and they differ.
    """
    above = source.absolute().parent
    places = (files, _beside(above), _beside(above.parent))
    tables = {}
    for kind in (ATTRIBUTE_TABLE, SPLIT_TABLE):
        for place in places:
            found = [file for file in place if table_kind(file.name) == kind]
            if found:
                if any(not _alike(found[0], file) for file in found[1:]):
                    raise ValueError(
                        f"There is more than one {kind}, and they differ: "
                        f"{listed([file.where for file in found])}; take all but one away."
                    )
                tables[kind] = found[0]
                break
    if ATTRIBUTE_TABLE not in tables:
        raise FileNotFoundError(
            f"There is no {ATTRIBUTE_TABLE}.txt (or .csv) in {source} or beside it: it labels the "
            "faces, put it there."
        )
    return tables


# ------------------------------------------------------------------ folders


def _is_ours(folder: Path) -> bool:
    """Whether a folder holds the portraits of this course, judged by its manifest."""
    for name in ("manifest.json", "manifest.partial.json"):
        with suppress(OSError, ValueError, RecursionError), open(folder / name, "rb") as file:
            manifest = json.loads(file.read(10_000))
            if isinstance(manifest, dict) and manifest.get("format") == "latent-faces portraits":
                return True
    return False


def _stop(error: OSError) -> None:
    """Raise the error of a folder that can't be read, which `os.walk` would pass over."""
    raise error


def _on_disk(path: Path) -> list[File]:
    """The file in a list; an empty list if it is a broken link or can't be accessed."""
    with suppress(OSError):
        status = path.stat()
        if stat.S_ISREG(status.st_mode):
            return [File(str(path), status.st_size, path.read_bytes)]
    return []


def _beside(folder: Path) -> list[File]:
    """The tables in a folder, and in the folders Anno and Eval that CelebA's authors use."""
    files = []
    for place in (folder, folder / "Anno", folder / "Eval"):
        with suppress(OSError):
            for name in sorted(os.listdir(place)):
                if table_kind(name):
                    files += _on_disk(place / name)
    return files


def _is_image(file: File) -> bool:
    return split_ending(file.name)[1] != ""


def _alike(one: File, other: File) -> bool:
    return one.size == other.size and bytes_of(one) == bytes_of(other)


# ------------------------------------------------------------------ archives


class _Bounded(io.FileIO):
    """A file that refuses to read a list of files much longer than CelebA's.

    `zipfile` reads the whole list at once, so a million files would fill gigabytes of memory
    before they can be counted.
    """

    def read(self, size: int = -1) -> bytes:
        if size > LARGEST_LIST:
            raise ValueError(f"{size / 1e6:,.0f} MB of it at once, and CelebA's has 20")
        data = super().read(size)
        if data.count(b"PK\x01\x02") > MOST_FILES:
            raise ValueError(f"more than {MOST_FILES:,} files, and CelebA has 202,599")
        return data


def _in_archive(path: Path, stack: ExitStack) -> list[File]:
    with explained(str(path), "look at its permissions, or fetch it again"):
        file = stack.enter_context(_Bounded(path))
        head = file.read(1024)
    if head.lstrip().lower().startswith((b"<!doctype", b"<html")):
        raise ValueError(
            f"{path} is a web page, not an archive: the site sent a page (a quota, a login) in "
            "place of the file; open it to see which, and fetch the archive in a browser."
        )
    if not head:
        raise ValueError(f"{path} is empty: fetch it again.")
    if not head.startswith(b"PK"):
        raise ValueError(
            f"{path} is no .zip archive: unpack it with the program that it belongs to, and name "
            "the folder."
        )
    with explained(
        f"The list of files in {path}",
        "it was cut short, damaged or encrypted, or is not CelebA's; fetch it again, or unpack it "
        "with another program and name the folder",
    ):
        archive = stack.enter_context(zipfile.ZipFile(file))
    members = archive.infolist()
    for member in members:
        member.filename = member.filename.replace("\\", "/")  # some programs write Windows' way
        _check_member(path, member)
    if sum(member.file_size for member in members) > SQUEEZED * path.stat().st_size + 10**6:
        raise ValueError(
            f"{path} would unpack to more than {SQUEEZED} times its size, which photographs never "
            "do: it is not CelebA, throw it away."
        )
    return [
        File(f"{path}/{printable(member.filename)}", member.file_size, _reading(archive, member))
        for member in members
        if not member.filename.endswith("/") and not any(map(hidden, member.filename.split("/")))
    ]


def _check_member(path: Path, member: zipfile.ZipInfo) -> None:
    name = member.filename
    shown = f"{path} holds {printable(member.filename)!r}"
    outside = name.startswith("/") or ".." in name.split("/") or ":" in name.split("/")[0]
    if outside or stat.S_ISLNK(member.external_attr >> 16):
        what = "a place outside its folder" if outside else "a link"
        raise ValueError(f"{shown}, {what}: an archive of photographs has none, throw it away.")
    if member.header_offset < 0:
        raise ValueError(
            f"{shown} where it has no bytes: some are missing in the middle, as after a download "
            "that was interrupted; fetch it again."
        )
    if member.flag_bits & LOCKED:
        raise ValueError(
            f"{shown}, which is locked with a password: unpack it, and name the folder."
        )
    if member.compress_type not in READABLE or member.flag_bits & PATCH:
        method = PACKED.get(member.compress_type, f"method {member.compress_type}")
        method = "a patch" if member.flag_bits & PATCH else method
        raise ValueError(
            f"{shown}, packed in a way that can't be read here ({method}): unpack it with the "
            "program that made it, and name the folder."
        )


def _reading(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Callable[[], bytes]:
    def read() -> bytes:
        # A little at a time: a hostile member could unpack to gigabytes in one read.
        with archive.open(member) as file:
            return b"".join(iter(lambda: file.read(4096), b""))

    return read
