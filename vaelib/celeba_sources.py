"""Where CelebA is, in a folder or an archive: its images and tables, before they are trusted."""

import os
import stat
import zipfile
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

LARGEST = {".jpg": 10**7, ".png": 10**7, ".txt": 10**8, ".csv": 10**8}  # bytes of one file
SQUEEZED = 50  # an archive that unpacks to so many times its size is no archive of photographs
TABLES = ("list_attr_celeba", "list_eval_partition")


@dataclass(frozen=True)
class File:
    """A file of a source, on disk or in an archive."""

    where: str  # for messages
    size: int  # in bytes
    read: Callable[[], bytes]

    @property
    def name(self) -> str:
        """Without folders, its ending in small letters."""
        path = PurePosixPath(self.where.replace("\\", "/"))
        return path.stem + path.suffix.lower().replace(".jpeg", ".jpg")


def find(source: Path, stack: ExitStack) -> list[File]:
    """The files of a folder or an archive; of the archive, if a folder has no images but one."""
    if not source.exists():
        raise FileNotFoundError(f"{source} does not exist: name the archive or the folder you got.")
    if source.is_file():
        return _in_archive(source, stack)
    files, archives = [], []
    for folder, folders, names in os.walk(source):
        folders[:] = sorted(f for f in folders if not f.startswith((".", "__MACOSX")))
        for name in sorted(names):
            path = Path(folder, name)
            if path.suffix.lower() == ".zip":
                archives.append(path)
            elif not name.startswith(".") and path.suffix.lower() in (*LARGEST, ".jpeg"):
                files.append(File(str(path), path.stat().st_size, path.read_bytes))
    if any(_is_image(file) for file in files):
        return files
    known = [path for path in archives if path.name == "img_align_celeba.zip"] or archives
    if len(known) != 1:
        found = f"{len(known)} archives" if known else "no archive"
        raise FileNotFoundError(
            f"{source} holds no .jpg or .png image and {found}: name the archive itself, or the "
            "folder of images."
        )
    return files + _in_archive(known[0], stack)


def _in_archive(path: Path, stack: ExitStack) -> list[File]:
    with path.open("rb") as file:
        head = file.read(1024)
    if head.lstrip().lower().startswith((b"<!doctype", b"<html")):
        raise ValueError(
            f"{path} is a web page, not an archive: the site sent a page (a quota, a login) in "
            "place of the file; open it to see which, and fetch the archive in a browser."
        )
    if not head.startswith(b"PK"):
        raise ValueError(
            f"{path} is no .zip archive: unpack it with the program that it belongs to, and name "
            "the folder."
        )
    try:
        archive = stack.enter_context(zipfile.ZipFile(path))
    except (zipfile.BadZipFile, OSError) as error:
        raise ValueError(
            f"{path} was cut short or damaged, so its list of files can't be read: fetch it again."
        ) from error
    members = archive.infolist()
    for member in members:
        _check_member(path, member)
    if sum(member.file_size for member in members) > SQUEEZED * path.stat().st_size + 10**6:
        raise ValueError(
            f"{path} would unpack to more than {SQUEEZED} times its size, which photographs never "
            "do: it is not CelebA, throw it away."
        )
    return [
        File(f"{path}/{member.filename}", member.file_size, lambda m=member: archive.read(m))
        for member in members
        if not member.is_dir() and not member.filename.startswith("__MACOSX")
    ]


def _check_member(path: Path, member: zipfile.ZipInfo) -> None:
    name = member.filename.replace("\\", "/")
    outside = name.startswith("/") or ".." in name.split("/") or ":" in name.split("/")[0]
    if outside or stat.S_ISLNK(member.external_attr >> 16):
        what = "a place outside its folder" if outside else "a link"
        raise ValueError(
            f"{path} holds {member.filename!r}, {what}: an archive of photographs has none, throw "
            "it away."
        )
    if member.flag_bits & 1:
        raise ValueError(f"{path} is locked with a password: unpack it, and name the folder.")


def _is_image(file: File) -> bool:
    return file.name.endswith((".jpg", ".png"))


def images_of(files: Iterable[File]) -> dict[str, File]:
    """The images by name. Of a .jpg and a .png of the same face, the .jpg."""
    images: dict[str, File] = {}
    for file in filter(_is_image, files):
        other = images.setdefault(file.name, file)
        if other is not file:
            raise ValueError(
                f"{other.where} and {file.where} have the same name: take one of the two away, or "
                "name the folder of the images that you want."
            )
        if file.size > LARGEST[file.name[-4:]]:
            raise ValueError(
                f"{file.where} has {file.size / 1e6:,.0f} MB, and no image of CelebA has more "
                "than 10: it is something else, take it away."
            )
    for name in [name for name in images if name.endswith(".png")]:
        if f"{name[:-4]}.jpg" in images:
            del images[name]
    if not images:
        raise FileNotFoundError(
            "There is no .jpg or .png image in what you named: name img_align_celeba.zip, "
            "Kaggle's archive.zip, or a folder of images."
        )
    return images


def tables_of(files: list[File], source: Path) -> dict[str, File]:
    """The tables of attributes and of splits: from the source, or from beside it."""
    near = []
    for folder in (source.parent, source.parent.parent):
        for place in (folder, folder / "Anno", folder / "Eval"):
            near += [place / f"{stem}{end}" for stem in TABLES for end in (".txt", ".csv")]
    beside = [
        File(str(path), path.stat().st_size, path.read_bytes) for path in near if path.is_file()
    ]
    tables: dict[str, File] = {}
    for stem in TABLES:
        for end in (".txt", ".csv"):
            found = [file for file in (*files, *beside) if file.name == f"{stem}{end}"]
            if found:
                tables.setdefault(stem, found[0])
    if "list_attr_celeba" not in tables:
        raise FileNotFoundError(
            f"There is no list_attr_celeba.txt (or .csv) in {source} or beside it: it labels the "
            "faces, put it there."
        )
    return tables


def bytes_of(file: File) -> bytes:
    try:
        return file.read()
    except (zipfile.BadZipFile, zipfile.zlib.error, EOFError) as error:
        raise ValueError(f"{file.where} is damaged: fetch the archive again.") from error
