"""Read and check a folder of faces: its images, their labels and their splits."""

import os
import warnings
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from groundwork.places import data_folder
from groundwork.words import suggestion
from vaelib.data.tables import (
    ATTRIBUTE_TABLE,
    SPLIT_TABLE,
    SPLITS,
    find_table,
    read_attributes,
    read_partition,
)

DATA = data_folder()  # where "portraits" and "celeba" are
IMAGES = "img_align_celeba"
IMAGE_ENDINGS = ("jpg", "jpeg", "png")  # lower case


@dataclass(frozen=True)
class Faces:
    """A checked folder of faces: its images, their attributes and their splits.

    Attributes:
        folder: where `img_align_celeba/` and the tables are.
        attributes: boolean DataFrame, one row per image, indexed by file name.
        splits: Series of "train", "val" or "test" with the same index.
        files: Series of paths in `img_align_celeba/`, with the same index.
    """

    folder: Path
    attributes: pd.DataFrame
    splits: pd.Series
    files: pd.Series

    def __len__(self) -> int:
        return len(self.attributes)

    def file_names(self, split: str | None = None) -> list[str]:
        """File names of a split ("train", "val", "test"), or of all faces, in file order."""
        if split is None:
            return list(self.attributes.index)
        if split not in SPLITS:
            raise ValueError(f"There is no split {split!r}: choose one of {', '.join(SPLITS)}.")
        return list(self.splits.index[self.splits == split])

    def path(self, name: str) -> Path:
        """The path of the image with this file name."""
        return self.folder / IMAGES / self.files[name]

    def rows(self, file_names: Sequence[str]) -> np.ndarray:
        """The rows of `attributes` that belong to these file names: int (n,).

        Raises:
            KeyError: a name that the folder does not have.
        """
        rows = self.attributes.index.get_indexer(file_names)
        if (rows < 0).any():
            missing = file_names[int(np.argmin(rows))]
            raise KeyError(f"{self.folder / IMAGES} has no face {missing!r}.")
        return rows

    def columns(self, attribute_names: Iterable[str]) -> list[int]:
        """The columns of `attributes` that belong to these names.

        Raises:
            ValueError: an attribute that the table does not have (it suggests the nearest name).
        """
        known = list(self.attributes.columns)
        for name in attribute_names:
            if name not in known:
                end = suggestion(name, known)
                raise ValueError(f"{self.folder} has no attribute {name!r}{end}")
        return [known.index(name) for name in attribute_names]

    def find(self, split: str | None = None, **wanted: bool) -> list[str]:
        """File names of the faces that have (True) or lack (False) the wanted attributes.

        Example: `faces.find("test", Smiling=True, Eyeglasses=False)`.

        Raises:
            ValueError: an attribute that the table does not have (it suggests the nearest name).
        """
        table = self.attributes.loc[self.file_names(split)]
        fits = table.iloc[:, self.columns(wanted)] == list(wanted.values())
        return list(table.index[fits.all(axis=1)])


def faces_folder(name: str | Path = "portraits") -> Path:
    """The folder of the faces `name`: "portraits" or "celeba" (both in DATA), or any folder.

    Raises:
        FileNotFoundError: the folder does not exist (the message says how to get it).
    """
    known = {
        "portraits": "draw it with `python -m portraits`",
        "celeba": "`python -m vaelib celeba` says how to get CelebA",
    }
    folder = DATA / name if name in known else Path(name)
    if not folder.is_dir():
        advice = known.get(str(name), "name a folder in CelebA's layout, or portraits, or celeba")
        what = (
            f"{folder} is no folder" if folder.exists() else f"The folder {folder} does not exist"
        )
        raise FileNotFoundError(f"{what}: {advice}.")
    return folder


def read_faces(name: str | Path = "portraits") -> Faces:
    """Read and check a folder in CelebA's layout; no image is decoded yet.

    The folder holds `img_align_celeba/` with the images (.jpg, .jpeg or .png, also in folders
    within it), `list_attr_celeba.txt` (or .csv), and optionally `list_eval_partition.txt` (or
    .csv). Images and labels are joined by file name, which may have another ending in the tables,
    or none. Hidden files and folders are ignored. A face that only the tables or only the images
    have is left out, with a warning. Without a partition file, or if it leaves a split empty, the
    split is 90/5/5, drawn with a fixed seed.

    Args:
        name: "portraits", "celeba", or a folder.

    Raises:
        FileNotFoundError: the folder, its images or its attribute table do not exist.
        ValueError: a table is damaged, or two images have the same name.
    """
    folder = faces_folder(name)
    images = folder / IMAGES
    files = one_per_face(_files_below(images), images)
    if not files:
        raise FileNotFoundError(
            f"{images} holds no .jpg or .png image: put the faces there, or name another folder."
        )
    attributes_path = find_table(folder, ATTRIBUTE_TABLE)
    if attributes_path is None:
        raise FileNotFoundError(
            f"{folder / ATTRIBUTE_TABLE}.txt does not exist: it labels the faces, "
            "put it beside the folder of images."
        )
    attributes = read_attributes(attributes_path)
    stems = match_stems(attributes.index, files, attributes_path)
    there = stems.isin(files)
    _warn_left_out(attributes.index[~there], f"{attributes_path} lists", f"{images} lacks")
    extra = sorted(os.path.basename(files[stem]) for stem in set(files) - set(stems))
    _warn_left_out(extra, f"{images} holds", f"{attributes_path} lacks")
    if not there.any():
        raise ValueError(f"{attributes_path} lists none of the images in {images}.")
    attributes, stems = attributes[there], stems[there]
    if len(attributes) < len(SPLITS):
        raise ValueError(
            f"{images} holds {len(attributes)} labelled faces: put at least {len(SPLITS)} there, "
            "one for each split."
        )

    partition_path = find_table(folder, SPLIT_TABLE)
    splits = _seeded_splits(attributes.index)
    if partition_path is not None:
        partition = read_partition(partition_path)
        named = match_stems(partition.index, files, partition_path)
        absent = partition.index[~named.isin(stems)]
        _warn_left_out(absent, f"{partition_path} names", f"{images} lacks")
        # A face without a split is for training, so that the other splits are as published.
        partition = partition.set_axis(named).reindex(stems).fillna("train")
        partition = partition.set_axis(attributes.index)
        empty = [split for split in SPLITS if not (partition == split).any()]
        if empty:
            warnings.warn(
                f"{partition_path} leaves the split {' and '.join(empty)} empty here: "
                "a seeded split of 90/5/5 takes its place.",
                stacklevel=2,
            )
        else:
            splits = partition
    paths = pd.Series([files[stem] for stem in stems], attributes.index)
    return Faces(folder, attributes, splits, paths)


def one_per_face(paths: Iterable[str], folder: str | Path = "") -> dict[str, str]:
    """The images among some files: file name without its ending -> path.

    Of a .jpg and a .png of one face, it takes the .jpg.

    Args:
        paths: of files of any kind.
        folder: where the paths begin, for messages.

    Raises:
        ValueError: two images have the same name.
    """
    found: dict[str, dict[str, str]] = {"jpg": {}, "png": {}}
    for path in paths:
        stem, ending = split_ending(os.path.basename(path))
        if not ending:
            continue
        same_kind = found["png" if ending == "png" else "jpg"]
        if stem in same_kind:
            one, other = os.path.join(folder, same_kind[stem]), os.path.join(folder, path)
            raise ValueError(f"{one} and {other} have the same name: take one of the two away.")
        same_kind[stem] = path
    return found["png"] | found["jpg"]


def split_ending(file_name: str) -> tuple[str, str]:
    """Split the ending of an image, in lower case, from its name; other names have none.

    Examples: "a.JPG" -> ("a", "jpg"); "a.b" -> ("a.b", "").
    """
    stem, _, ending = file_name.rpartition(".")
    ending = ending.lower()
    return (stem, ending) if ending in IMAGE_ENDINGS else (file_name, "")


def match_stems(names: pd.Index, files: Container[str], table: str | Path) -> pd.Index:
    """Remove the endings from the names in a table, so that they match `files`.

    Args:
        names: the names of images, with any ending or none.
        files: the names of the images that exist, without endings.
        table: where the names stand, for messages.

    Raises:
        ValueError: two names mean the same image.
    """
    stems = [split_ending(name)[0] for name in names]
    # A dot may be a part of the name (a.b), or begin an ending of another kind (a.bmp).
    stems = [stem if stem in files else stem.rpartition(".")[0] or stem for stem in stems]
    stems = pd.Index(stems)
    if stems.has_duplicates:
        one, other = names[stems == stems[stems.duplicated()][0]][:2]
        raise ValueError(f"{table} lists {one} and {other}, which are one face: fetch it again.")
    return stems


def hidden(name: str) -> bool:
    """Whether a file or folder is one that programs hide: ._000001.jpg, .cache, __MACOSX."""
    return name.startswith(".") or name == "__MACOSX"


def _files_below(folder: Path) -> Iterator[str]:
    """The paths, from `folder` on, of all files in it and in its folders that are not hidden."""
    for place, folders, names in os.walk(folder, onerror=_stop):
        folders[:] = [name for name in folders if not hidden(name)]
        inside = os.path.relpath(place, folder)
        for name in names:
            if not hidden(name):
                yield name if inside == "." else os.path.join(inside, name)


def _stop(error: OSError) -> None:
    # `os.walk` would pass over a folder that can't be read, and its faces would be "missing".
    if not isinstance(error, FileNotFoundError):
        raise error


def _seeded_splits(names: pd.Index) -> pd.Series:
    order = np.random.default_rng(0).permutation(len(names))
    held_out = max(1, len(names) // 20)
    splits = np.full(len(names), "train", dtype=object)
    splits[order[:held_out]] = "val"
    splits[order[held_out : 2 * held_out]] = "test"
    return pd.Series(splits, index=names)


def _warn_left_out(names: pd.Index, here: str, there: str) -> None:
    if len(names):
        warnings.warn(
            f"{here} {len(names)} faces that {there} (the first is {names[0]}): "
            "they are left out; complete the folder if you want them.",
            stacklevel=3,
        )
