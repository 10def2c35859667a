"""CelebA in every form in which it is handed out, rehearsed with portraits."""

import importlib
import io
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest

from portraits.labelling.labels import ATTRIBUTES
from vaelib import read_faces
from vaelib.celeba import prepare
from vaelib.data.images import load_image
from vaelib.data.pixels import load_images

PEOPLE = 12
SPLIT = [0] * 7 + [1] * 2 + [2] * 3
FOLDER = "img_align_celeba"
# The module; `vaelib.celeba.prepare` is the function of this name.
PREPARE = importlib.import_module("vaelib.celeba.prepare")


def name_of(i: int, end: str = "jpg") -> str:
    return f"{i + 1:06}.{end}"


def text(lines: list[str], newline: str = "\r\n") -> bytes:
    return "".join(line + newline for line in lines).encode()


class CelebA:
    """Some portraits of 178 x 218 pixels, and the files that come with them."""

    def __init__(self, images: list[bytes], labels: np.ndarray, split: list[int]):
        self.images, self.labels, self.split = images, labels, split
        values = np.where(labels, "1", "-1")
        rows = [(name_of(i), values[i]) for i in range(len(images))]
        # As the authors publish it: a count, two spaces before a 1, Windows line ends.
        self.attributes = text(
            [
                str(len(rows)),
                " ".join(ATTRIBUTES) + " ",
                *(f"{name} " + " ".join(f"{value:>2}" for value in row) for name, row in rows),
            ]
        )
        self.partition = text([f"{name_of(i)} {k}" for i, k in enumerate(split)])
        self.attributes_csv = text(
            [
                ",".join(["image_id", *ATTRIBUTES]),
                *(",".join([name, *row]) for name, row in rows),
            ],
            "\n",
        )
        self.partition_csv = text(
            ["image_id,partition", *(f"{name_of(i)},{k}" for i, k in enumerate(split))], "\n"
        )

    def write_images(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for i, image in enumerate(self.images):
            (folder / name_of(i)).write_bytes(image)
        return folder

    def write_tables(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "list_attr_celeba.txt").write_bytes(self.attributes)
        (folder / "list_eval_partition.txt").write_bytes(self.partition)

    def write_archive(
        self,
        path: Path,
        inside: str = FOLDER,
        more: dict | None = None,
        method: int = zipfile.ZIP_STORED,
    ) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w", method) as archive:
            archive.mkdir(inside)
            for i, image in enumerate(self.images):
                archive.writestr(f"{inside}/{name_of(i)}", image)
            for name, data in (more or {}).items():
                archive.writestr(name, data)
        return path


def plain(files: CelebA, root: Path) -> Path:
    files.write_tables(root)
    return files.write_images(root / FOLDER)


def all_in_one_folder(files: CelebA, root: Path) -> Path:
    plain(files, root)
    return root


def nested_by_kaggle(files: CelebA, root: Path) -> Path:
    files.write_images(root / FOLDER / FOLDER)
    (root / "list_attr_celeba.csv").write_bytes(files.attributes_csv)
    (root / "list_eval_partition.csv").write_bytes(files.partition_csv)
    (root / "list_bbox_celeba.csv").write_text("image_id,x_1\n000001.jpg,95\n")
    return root


def archive(files: CelebA, root: Path) -> Path:
    files.write_tables(root)
    return files.write_archive(root / f"{FOLDER}.zip")


def archive_of_kaggle(files: CelebA, root: Path) -> Path:
    more = {
        "list_attr_celeba.csv": files.attributes_csv,
        "list_eval_partition.csv": files.partition_csv,
        "list_landmarks_align_celeba.csv": b"image_id,lefteye_x\n000001.jpg,69\n",
        "__MACOSX/._list_attr_celeba.csv": b"\0\0",
    }
    return files.write_archive(root / "archive.zip", f"{FOLDER}/{FOLDER}", more)


def as_the_authors_keep_it(files: CelebA, root: Path) -> Path:
    files.write_archive(root / "Img" / f"{FOLDER}.zip")
    (root / "Anno").mkdir()
    (root / "Anno" / "list_attr_celeba.txt").write_bytes(files.attributes)
    (root / "Eval").mkdir()
    (root / "Eval" / "list_eval_partition.txt").write_bytes(files.partition)
    return root


def the_authors_archive(files: CelebA, root: Path) -> Path:
    as_the_authors_keep_it(files, root)
    return root / "Img" / f"{FOLDER}.zip"


def kaggle_in_a_folder_of_downloads(files: CelebA, root: Path) -> Path:
    archive_of_kaggle(files, root)
    (root / "invoice.txt").write_text("something else")
    return root


FORMS = [
    plain,
    all_in_one_folder,
    nested_by_kaggle,
    archive,
    archive_of_kaggle,
    as_the_authors_keep_it,
    the_authors_archive,
    kaggle_in_a_folder_of_downloads,
]


def check(files: CelebA, out: Path) -> None:
    """The folder holds all faces with their labels, splits and pixels, and reads silently."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        faces = read_faces(out)
    assert faces.file_names() == [name_of(i) for i in range(len(files.images))]
    np.testing.assert_array_equal(faces.attributes[list(ATTRIBUTES)].to_numpy(), files.labels)
    assert list(faces.splits) == [("train", "val", "test")[k] for k in files.split]
    expected = np.stack([load_image(io.BytesIO(image), 64) for image in files.images])
    assert abs(load_images(faces, image_size=64) * 255 - expected).max() < 2.5
    assert not list(out.parent.glob(".*.part"))


def refused(source: Path, out: Path, kind=ValueError) -> str:
    with pytest.raises(kind) as error:
        prepare(source, out)
    assert not out.exists()
    return str(error.value)
