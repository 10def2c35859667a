"""From a folder of faces and its attribute table to arrays and pipelines, joined by file name."""

import difflib
import os
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from groundwork.places import data_folder
from vaelib.data.tables import SPLITS, _table, read_attributes, read_partition

DATA = data_folder()  # where "portraits" and "celeba" are
IMAGES = "img_align_celeba"


@dataclass(frozen=True)
class Faces:
    """A checked folder of faces: which images there are, their attributes, and their split.

    Attributes:
        folder: where `img_align_celeba/` and the tables are.
        attributes: boolean DataFrame, one row an image, indexed by file name.
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
        """Where the image of this name is."""
        return self.folder / IMAGES / self.files[name]

    def find(self, split: str | None = None, **wanted: bool) -> list[str]:
        """File names of the faces that have (True) and lack (False) the wanted attributes.

        Example: `faces.find("test", Smiling=True, Eyeglasses=False)`.

        Raises:
            ValueError: an attribute that the table does not have (it suggests the nearest name).
        """
        table = self.attributes.loc[self.file_names(split)]
        for attribute, value in wanted.items():
            if attribute not in table:
                near = difflib.get_close_matches(attribute, table.columns, n=1, cutoff=0.4)
                hint = f": did you mean {near[0]}?" if near else "."
                raise ValueError(f"{self.folder} has no attribute {attribute!r}{hint}")
            table = table[table[attribute] == value]
        return list(table.index)


def faces_folder(name: str | Path = "portraits") -> Path:
    """Where the faces called `name` are: "portraits", "celeba" (both in DATA), or any folder.

    Raises:
        FileNotFoundError: the folder is not there (it says how to get it).
    """
    known = {
        "portraits": "draw it with `python -m portraits`",
        "celeba": "`python -m vaelib celeba` says how to get CelebA",
    }
    folder = DATA / name if name in known else Path(name)
    if not folder.is_dir():
        advice = known.get(str(name), "name a folder in CelebA's layout, or portraits, or celeba")
        raise FileNotFoundError(f"The folder {folder} does not exist: {advice}.")
    return folder


def read_faces(name: str | Path = "portraits") -> Faces:
    """Read and check a folder in CelebA's layout; no image is decoded yet.

    The folder holds `img_align_celeba/` with the images (.jpg, .jpeg or .png, in whatever folders),
    `list_attr_celeba.txt` (or .csv), and optionally `list_eval_partition.txt` (or .csv). Images
    and labels are joined by file name, which may have another ending in the tables, or none.
    Hidden files and folders are no faces.
    What is in the tables and not on disk, or the other way round, is left out with a warning.
    Without a partition file, or for a split that it leaves empty, the split is a seeded 90/5/5.

    Args:
        name: "portraits", "celeba", or a folder.

    Raises:
        FileNotFoundError: the folder, its images or its attribute table are not there.
        ValueError: a table is not what its first lines promise, or two images have one name.
    """
    folder = faces_folder(name)
    images = folder / IMAGES
    files = _find_images(images)
    if not files:
        raise FileNotFoundError(
            f"{images} holds no .jpg or .png image: put the faces there, or name another folder."
        )
    attributes_path = _table(folder, "list_attr_celeba")
    if attributes_path is None:
        raise FileNotFoundError(
            f"{folder / 'list_attr_celeba.txt'} does not exist: it labels the faces, "
            "put it beside the folder of images."
        )
    attributes = read_attributes(attributes_path)
    stems = _stems(attributes.index, files, attributes_path)
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

    partition_path = _table(folder, "list_eval_partition")
    splits = _seeded_splits(attributes.index)
    if partition_path is not None:
        partition = read_partition(partition_path)
        named = _stems(partition.index, files, partition_path)
        absent = partition.index[~named.isin(stems)]
        _warn_left_out(absent, f"{partition_path} names", f"{images} lacks")
        # A face that the partition does not name trains: it may be anybody's.
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


def _find_images(images: Path) -> dict[str, str]:
    """Name without its ending -> path in `images`; of a .jpg and a .png of one face, the .jpg."""
    found: dict[str, dict[str, str]] = {"jpg": {}, "png": {}}
    for folder, folders, names in os.walk(images):
        folders[:] = [name for name in folders if not name.startswith((".", "__MACOSX"))]
        inside = os.path.relpath(folder, images)
        for name in names:
            stem, ending = _split(name)
            if not ending or name.startswith("."):  # ._000001.jpg is what macOS notes of a file
                continue
            path = name if inside == "." else os.path.join(inside, name)
            other = found["png" if ending == "png" else "jpg"].setdefault(stem, path)
            if other != path:
                raise ValueError(
                    f"{images / other} and {images / path} go by the same name: take one of "
                    "the two away."
                )
    return found["png"] | found["jpg"]


def _split(name: str) -> tuple[str, str]:
    """A file's name and its ending in small letters; without one where it is not an image's."""
    stem, _, ending = name.rpartition(".")
    ending = ending.lower()
    return (stem, ending) if ending in ("jpg", "jpeg", "png") else (name, "")


def _stems(names: pd.Index, files: dict[str, str], table: Path) -> pd.Index:
    """The names in a table as the keys of `files`, whatever their endings."""
    stems = [_split(name)[0] for name in names]
    # A dot may be a part of the name (a.b), or begin an ending of another kind (a.bmp).
    stems = [stem if stem in files else stem.rpartition(".")[0] or stem for stem in stems]
    stems = pd.Index(stems)
    if stems.has_duplicates:
        one, other = names[stems == stems[stems.duplicated()][0]][:2]
        raise ValueError(f"{table} lists {one} and {other}, which are one face: fetch it again.")
    return stems


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
