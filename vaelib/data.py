"""From a folder of faces and its attribute table to arrays and pipelines, joined by file name."""

import difflib
import hashlib
import io
import math
import os
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import tensorflow as tf

from groundwork.files import (
    check_room,
    full_disk_explained,
    remove_leftovers,
    reserve,
    sync,
    write_whole,
)
from groundwork.locks import locked
from groundwork.places import data_folder
from groundwork.progress import Progress
from vaelib.images import CELEBA_BOX, load_alike, load_image

DATA = data_folder()  # where "portraits" and "celeba" are
IMAGES = "img_align_celeba"
CACHE = ".cache"  # beside the images: what is made from them
SPLITS = ("train", "val", "test")  # 0, 1, 2 in CelebA's partition file
TOGETHER = 200  # faces that are decoded at a time
THREADS = 2 * (os.cpu_count() or 1)  # while some wait for Python's lock, the others decode
MARKED_EVERY = 5  # seconds: the most that decoding loses when it is killed
PIXELS_VERSION = 3  # goes up when the same file gives other pixels, so that caches are made anew


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

    def names(self, split: str | None = None) -> list[str]:
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
        table = self.attributes.loc[self.names(split)]
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


def read_attributes(path: str | Path) -> pd.DataFrame:
    """CelebA's attribute table, text (LF or CRLF) or Kaggle's CSV -> boolean DataFrame.

    Returns:
        One row an image, indexed by file name; one column an attribute.

    Raises:
        ValueError: the count on the first line is not the number of rows, a value is neither
            -1 nor 1, or a file name comes twice.
    """
    path = Path(path)
    has_count = not _has_commas(path)
    table = _read_csv(path, skiprows=1) if has_count else _read_csv(path, index_col=0)
    if has_count:
        with path.open(encoding="utf-8-sig") as file:
            first = file.readline().strip()
        if not first.isdecimal() or int(first) != len(table):
            raise ValueError(
                f"{path} promises {first!r} faces on its first line and lists {len(table)}: "
                "it was cut short or edited, fetch it again."
            )
    wrong = ~table.isin([-1, 1]).all(axis=1)
    if wrong.any():
        raise ValueError(
            f"{path}: the row of {table.index[wrong][0]} does not hold "
            f"{table.shape[1]} values of -1 or 1: fetch it again."
        )
    return table == 1


def read_partition(path: str | Path) -> pd.Series:
    """CelebA's partition file, text or CSV -> Series of "train", "val", "test" by file name.

    Raises:
        ValueError: a value is none of 0, 1, 2, or a file name comes twice.
    """
    path = Path(path)
    options = {} if _has_commas(path) else {"header": None, "names": ["name", "partition"]}
    table = _read_csv(path, index_col=0, **options).iloc[:, 0]
    wrong = ~table.isin([0, 1, 2])
    if wrong.any():
        raise ValueError(
            f"{path}: the row of {table.index[wrong][0]} is none of 0, 1 and 2: fetch it again."
        )
    return table.map(dict(enumerate(SPLITS)))


def load_images(faces: Faces, names: list[str] | None = None, image_size: int = 64) -> np.ndarray:
    """Images by file name, in the order asked for: float32 (n, size, size, 3) in [0, 1].

    Raises:
        KeyError: a name that `faces` does not have.
    """
    rows = np.arange(len(faces)) if names is None else _rows(faces, names)
    return load_pixels(faces, image_size)[rows].astype("float32") / 255


def make_dataset(
    faces: Faces,
    split: str,
    image_size: int = 64,
    batch_size: int = 128,
    shuffle: bool | None = None,
    labels: bool = False,
    seed: int = 0,
    flip: bool = False,
    repeat: bool = False,
    skip: int = 0,
) -> tf.data.Dataset:
    """A pipeline over one split: batches of float32 images (b, size, size, 3) in [0, 1].

    Args:
        split: "train", "val" or "test".
        shuffle: over the whole split, anew each epoch; None shuffles "train" alone.
        labels: batches are (images, labels), labels float32 (b, n_attributes) of 0 and 1 in the
            order of `faces.attributes.columns`.
        seed: of the shuffle and the flips.
        flip: mirror half of the faces, others each epoch; in "train" alone.
        repeat: epoch after epoch, without end.
        skip: batches to leave out first, which costs next to nothing: no image is read for them.
    """
    pixels = load_pixels(faces, image_size)
    values = faces.attributes.to_numpy("float32")
    rows = _rows(faces, faces.names(split))

    def fetch(batch, draws):
        # The pixels stay in their file as uint8; only this batch is read and made float32.
        images = tf.numpy_function(lambda i: pixels[i], [batch], tf.uint8, stateful=False)
        images = tf.ensure_shape(images, (None, image_size, image_size, 3))
        images = tf.cast(images, tf.float32) / 255
        if flip and split == "train":
            mirrored = tf.reshape(draws % 2 == 1, (-1, 1, 1, 1))
            images = tf.where(mirrored, images[:, :, ::-1], images)
        return (images, tf.gather(values, batch)) if labels else images

    dataset = tf.data.Dataset.from_tensor_slices(rows)
    if shuffle if shuffle is not None else split == "train":
        dataset = dataset.shuffle(len(rows), seed=seed)
    draws = tf.data.Dataset.random(seed, rerandomize_each_iteration=True)  # a number for each face
    batches = tf.data.Dataset.zip(dataset, draws).batch(batch_size)
    batches = batches.repeat() if repeat else batches
    return batches.skip(skip).map(fetch).prefetch(tf.data.AUTOTUNE)


def load_pixels(faces: Faces, image_size: int = 64) -> np.ndarray:
    """All faces as uint8 (n, image_size, image_size, 3), decoded once, then read from a file.

    Each image is cropped to a square and resized with anti-aliasing (`vaelib.images`). The result
    is kept beside the images in `.cache/` and mapped into memory, so that it costs no memory of
    its own; in a folder that cannot be written to, it is kept in memory. Decoding that was stopped
    goes on where it was. A change of the images' names, sizes or dates makes a new one.

    Raises:
        ValueError: images that are broken (it names the first, and their number).
        DiskFull: there is no room for the file.
    """
    cache = faces.folder / CACHE / f"{fingerprint(faces, image_size)}.npy"
    shape = (len(faces), int(image_size), int(image_size), 3)
    pixels = _map(cache, shape)
    if pixels is not None:
        return pixels
    if cache.exists():
        print(f"{cache} is damaged, so the faces are decoded again.", flush=True)
    if not os.access(cache.parent if cache.parent.exists() else faces.folder, os.W_OK):
        pixels = np.empty(shape, "uint8")
        _decode_all(faces, image_size, pixels)
        return pixels
    with full_disk_explained(cache):
        cache.parent.mkdir(exist_ok=True)
        with cache_locked(cache.parent):
            if _map(cache, shape) is None:  # another program may just have made it
                _make_cache(faces, image_size, cache, shape)
    return _map(cache, shape)


@contextmanager
def cache_locked(folder: Path) -> Iterator[None]:
    """Of all programs that write into a folder's `.cache/`, one goes on and the others wait."""
    with locked(folder / ".lock", "Another program is reading these faces: waiting for it."):
        remove_leftovers(folder)
        yield


def _map(path: Path, shape: tuple[int, ...], mode: str = "r") -> np.memmap | None:
    """Map an .npy file of uint8 into memory; None if it is not there, or damaged."""
    header, status = _header(shape), None
    with suppress(FileNotFoundError), path.open("rb") as file:
        status = file.read(len(header)) == header, os.fstat(file.fileno()).st_size
    if status != (True, len(header) + math.prod(shape)):
        return None
    return np.memmap(path, "uint8", mode, len(header), shape)


def _header(shape: tuple[int, ...]) -> bytes:
    """What an .npy file of uint8 in this shape begins with."""
    file = io.BytesIO()
    fields = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, fields)
    return file.getvalue()


def _make_cache(faces: Faces, image_size: int, cache: Path, shape: tuple[int, ...]) -> None:
    """Decode all faces into a file; stopped in the middle, go on from there the next time."""
    aside, mark = cache.with_suffix(".part"), cache.with_suffix(".done")
    try:
        _decode_into(aside, mark, faces, image_size, shape)
    except ValueError:  # some image is broken: a better one will have another fingerprint
        aside.unlink()
        mark.unlink()
        raise
    sync(aside)
    os.replace(aside, cache)
    sync(cache.parent)
    for old in set(cache.parent.glob(f"{image_size}-*")) - {cache}:
        with suppress(OSError):  # another program may still read it
            old.unlink()


def _decode_into(
    aside: Path, mark: Path, faces: Faces, image_size: int, shape: tuple[int, ...]
) -> None:
    """Decode into the file `aside` the faces that the file `mark` does not say are there.

    `mark` has a byte for each TOGETHER faces. It is written when their pixels are on the disk, so
    that it is right after a power cut, too.
    """
    parts = -(-len(faces) // TOGETHER)
    marks = mark.read_bytes() if mark.exists() else b""
    pixels = _map(aside, shape, "r+") if len(marks) == parts else None
    if pixels is None:
        if aside.exists():
            print(f"{aside} is damaged, so the faces are decoded from the first on.", flush=True)
        for old in aside.parent.glob(f"{image_size}-*.part"):
            old.unlink()
        marks = bytes(parts)
        write_whole(mark, marks)  # first, so that old marks never stand beside a new file
        _reserve(aside, shape)
        pixels = _map(aside, shape, "r+")
    done = np.frombuffer(marks, "uint8").copy()

    def keep() -> None:
        marks = done.tobytes()  # first, so that their pixels are among those that are flushed
        pixels.flush()
        write_whole(mark, marks)

    try:
        _decode_all(faces, image_size, pixels, done, keep)
    except KeyboardInterrupt:
        keep()
        raise
    pixels.flush()


def _reserve(path: Path, shape: tuple[int, ...]) -> None:
    """Make an .npy file of zeros whose room on the disk is its own."""
    check_room(path.parent, math.prod(shape), "the decoded faces")
    header = _header(shape)
    reserve(path, len(header) + math.prod(shape))
    with path.open("r+b") as file:
        file.write(header)


def _decode_all(
    faces: Faces,
    image_size: int,
    pixels: np.ndarray,
    done: np.ndarray | None = None,
    keep: Callable[[], None] | None = None,
) -> None:
    """Decode all faces into `pixels`, TOGETHER at a time.

    Args:
        done: says which were decoded before, a byte for each TOGETHER faces; it is kept up to date.
        keep: called every few seconds.
    """
    paths = [os.path.join(faces.folder, IMAGES, file) for file in faces.files]
    if done is None:
        done = np.zeros(-(-len(paths) // TOGETHER), "uint8")
    broken = []

    def decode(part: int) -> int:
        rows = range(part * TOGETHER, min((part + 1) * TOGETHER, len(paths)))
        together = load_alike([_read(paths[row]) for row in rows], image_size)
        if together is not None:
            pixels[rows.start : rows.stop] = together
        else:
            for row in rows:
                try:
                    pixels[row] = load_image(paths[row], image_size)
                except ValueError as error:
                    broken.append(error)
        done[part] = 1
        return len(rows)

    # TensorFlow and Pillow let go of Python's lock while they decode, so threads do help here.
    # Each takes some faces at a time: a task for each of 200,000 would fill half a gigabyte.
    left = np.flatnonzero(done == 0)
    before = min(len(paths), TOGETHER * int(done.sum()))
    progress = Progress("Reading faces", len(paths), "face", before)
    kept = time.monotonic()
    with ThreadPoolExecutor(THREADS) as pool, progress, closing(pool.map(decode, left)) as counts:
        for count in counts:
            progress.advance(count)
            if keep and time.monotonic() - kept > MARKED_EVERY:
                keep()
                kept = time.monotonic()
    if broken:
        count = f" ({len(broken)} files in all are broken.)" if len(broken) > 1 else ""
        raise ValueError(f"{broken[0]}{count}")


def _read(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:  # half the time of a Path's read_bytes
        return file.read()


def fingerprint(faces: Faces, image_size: int) -> str:
    """What the decoded faces depend on, in a few letters: names, sizes and dates of the files."""
    images = str(faces.folder / IMAGES)
    parts = [f"{image_size} {CELEBA_BOX} {PIXELS_VERSION}"]
    # As tight as it goes: for 200,000 faces it takes half a second.
    for name, file in zip(faces.files.index.to_list(), faces.files.to_list()):
        status = os.stat(f"{images}/{file}")
        parts.append(f"{name} {status.st_size} {status.st_mtime_ns}")
    digest = hashlib.sha256("\n".join(parts).encode())
    return f"{image_size}-{digest.hexdigest()[:16]}"


def _rows(faces: Faces, names: list[str]) -> np.ndarray:
    rows = faces.attributes.index.get_indexer(names)
    if (rows < 0).any():
        missing = names[int(np.argmin(rows))]
        raise KeyError(f"{faces.folder / IMAGES} has no face {missing!r}.")
    return rows


def _seeded_splits(names: pd.Index) -> pd.Series:
    order = np.random.default_rng(0).permutation(len(names))
    held_out = max(1, len(names) // 20)
    splits = np.full(len(names), "train", dtype=object)
    splits[order[:held_out]] = "val"
    splits[order[held_out : 2 * held_out]] = "test"
    return pd.Series(splits, index=names)


def _table(folder: Path, stem: str) -> Path | None:
    """The table of this name: a .txt, else a .csv, else one without an ending or with another."""
    found = {path.name.lower(): path for path in sorted(folder.iterdir()) if path.is_file()}
    others = [name for name in found if name.rpartition(".")[0] == stem]
    wanted = [f"{stem}.txt", f"{stem}.csv", stem, *others]
    return next((found[name] for name in wanted if name in found), None)


def _has_commas(path: Path) -> bool:
    """Whether a table is like Kaggle's, which begins with a line of column names and commas."""
    with path.open("rb") as file:
        return b"," in file.readline(10_000)


def _read_csv(path: Path, **options) -> pd.DataFrame:
    separator = "," if _has_commas(path) else r"\s+"
    try:
        table = pd.read_csv(path, sep=separator, dtype={0: str}, **options)  # names may be numbers
    except (ValueError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise ValueError(
            f"{path} is not a table like CelebA's: fetch it again ({str(error).strip()})."
        ) from error
    if not len(table):
        raise ValueError(f"{path} lists no face: fetch it again.")
    # pandas makes another index where a row has more values than there are names, or as many.
    if not table.shape[1] or not all(isinstance(name, str) for name in table.index):
        raise ValueError(f"{path} has rows that do not fit its column names: fetch it again.")
    table.columns = table.columns.str.strip()
    if table.index.has_duplicates:
        twice = table.index[table.index.duplicated()][0]
        raise ValueError(f"{path} lists {twice} twice: fetch it again.")
    return table


def _warn_left_out(names, here: str, there: str) -> None:
    if len(names):
        warnings.warn(
            f"{here} {len(names)} faces that {there} (the first is {names[0]}): "
            "they are left out; complete the folder if you want them.",
            stacklevel=3,
        )
