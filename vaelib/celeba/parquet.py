"""Read CelebA's images, labels and people from one Parquet file, as Hugging Face hands it out."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from groundwork.progress import Progress
from vaelib.celeba.attributes import ATTRIBUTES
from vaelib.celeba.columns import ADVICE, Layout, find_layout
from vaelib.celeba.files import LARGEST_IMAGE, Unreadable, explained, printable

TOGETHER = 20  # images that are decompressed together: 2 MB of PNGs, at most 200
LONGEST_ROW = 1000  # bytes of a row without its image
SQUEEZED = 50  # a file of photographs never unpacks to so many times its size
MOST_ROWS = 500_000  # CelebA has 202,599
AGAIN = "fetch it again"


@dataclass(frozen=True)
class Rows:
    """What a file holds besides its images.

    Attributes:
        layout: its columns.
        paths: the path of each image; None where it has none.
        labels: bool (n_rows, 40).
        people: int (n_rows,); None if the file does not say who is who.
        size: mean size of an image in bytes.
        ending: "png" or "jpg", that of the first image.
    """

    layout: Layout
    paths: list[str | None]
    labels: np.ndarray
    people: np.ndarray | None
    size: int
    ending: str


def open_file(path: Path) -> Any:
    """Open a Parquet file: a `pyarrow.parquet.ParquetFile`, to be closed by the caller.

    Raises:
        ValueError: pyarrow is not installed, or the file is damaged or something else.
    """
    try:
        import pyarrow.parquet as parquet
    except ModuleNotFoundError:
        raise ValueError(
            f"{path} is a Parquet file, and the package that reads it is not installed: "
            "`pip install pyarrow`, then give the same command again."
        ) from None
    advice = f"look at its permissions, or {AGAIN}"
    with explained(str(path), advice, Unreadable), path.open("rb") as file:
        head = file.read(1024)
        file.seek(max(0, path.stat().st_size - 4))
        tail = file.read()
    if not head:
        raise Unreadable(f"{path} is empty: {AGAIN}.")
    if head.lstrip().lower().startswith((b"<!doctype", b"<html")):
        raise Unreadable(
            f"{path} is a web page, not a Parquet file: the site sent a page (a login, an error) "
            "in place of the file; open it to see which, and fetch the file in a browser."
        )
    if head.startswith(b"version https://git-lfs"):
        raise Unreadable(
            f"{path} is only the note that Git keeps in the place of a large file: give "
            "`git lfs pull` in its folder, or fetch the file in a browser."
        )
    if not head.startswith(b"PAR1"):
        raise Unreadable(f"{path} is no Parquet file, whatever its name says: {AGAIN}.")
    if tail != b"PAR1":
        raise Unreadable(f"{path} was cut short: {AGAIN}.")
    with explained(str(path), f"it is damaged; {AGAIN}", Unreadable):
        # So, a column is read a little at a time, however long it is.
        return parquet.ParquetFile(
            path, buffer_size=2**20, pre_buffer=False, page_checksum_verification=True
        )


def read_rows(path: Path, file: Any, progress: Progress) -> Rows:
    """Read all of a file but its images.

    Args:
        path: of the file, for messages.
        file: the file that `open_file` opened.
        progress: counts the rows.

    Raises:
        ValueError: the file is damaged, or has other columns or values than CelebA.
    """
    with explained(str(path), f"it is damaged; {AGAIN}", Unreadable):
        layout = find_layout(path, file.schema_arrow)
        size = _check_sizes(path, file.metadata, layout)
        columns = [name for name in (layout.path, layout.people, *layout.labels) if name]
        paths, labels, people = [], [], []
        for batch in file.iter_batches(10_000, columns=columns, use_threads=False):
            paths += _leaf(batch, layout.path).to_pylist() if layout.path else [None] * len(batch)
            labels.append(_labels_of(path, batch, layout))
            if layout.people:
                people.append(_people_of(path, batch, layout))
            progress.advance(len(batch))
        first = next(file.iter_batches(1, columns=[layout.image], use_threads=False))
        ending = "png" if (_leaf(first, layout.image)[0].as_py() or b"")[:1] == b"\x89" else "jpg"
    if len(paths) != file.metadata.num_rows:
        raise Unreadable(
            f"{path} promises {file.metadata.num_rows:,} rows and holds {len(paths):,}: it is "
            f"damaged, {AGAIN}."
        )
    everybody = np.concatenate(people) if people else None
    return Rows(layout, paths, np.concatenate(labels), everybody, size, ending)


class Images:
    """The images of Parquet files, read in the order of their rows, a few at a time.

    Going back, or on by more than a group of rows, is possible and takes longer.
    """

    def __init__(self) -> None:
        self._path: Path | None = None
        self._file: Any = None
        self._starts: list[int] = []  # the first row of each group, and the end
        self._batches: Any = None  # what is still to be read
        self._batch: Any = ()  # the images before `_next`
        self._next = 0
        self._left = 0  # bytes that the images of the file may still have together

    def reading(self, path: Path, row: int, column: str) -> Callable[[], bytes]:
        """A function that reads the image in a row of a file; without one, it gives b"".

        That function raises `Unreadable` if the file is damaged there.
        """
        return lambda: self._image(path, row, column)

    def close(self) -> None:
        """Close the file that was read last."""
        if self._file is not None:
            self._file.close()
        self._path, self._file = None, None

    def _image(self, path: Path, row: int, column: str) -> bytes:
        if path != self._path:
            self.close()
            self._file = open_file(path)
            self._path = path
            self._left = SQUEEZED * path.stat().st_size + 10**6
            groups = range(self._file.num_row_groups)
            counts = [self._file.metadata.row_group(i).num_rows for i in groups]
            self._starts = [0, *np.cumsum(counts).tolist()]
            self._seek(0, column)
        with explained(str(path), f"it is damaged; {AGAIN}", Unreadable):
            group = bisect_right(self._starts, row) - 1
            if row < self._next - len(self._batch) or self._starts[group] > self._next:
                self._seek(group, column)
            while row >= self._next:
                self._batch = _leaf(next(self._batches), column)
                self._next += len(self._batch)
            data = self._batch[row - self._next + len(self._batch)].as_py() or b""
        if len(data) > LARGEST_IMAGE:
            raise Unreadable(
                f"{path} holds an image of {len(data) / 1e6:,.0f} MB, and none of CelebA has more "
                "than 10: it is something else, take it away."
            )
        self._left -= len(data)
        if self._left < 0:  # many rows may share one image in the file, which its sizes don't tell
            raise Unreadable(
                f"{path} unpacks to more than {SQUEEZED} times its size, which photographs never "
                "do: it is not CelebA, throw it away."
            )
        return data

    def _seek(self, group: int, column: str) -> None:
        groups = list(range(group, self._file.num_row_groups))
        self._batches = self._file.iter_batches(
            TOGETHER, row_groups=groups, columns=[column], use_threads=False
        )
        self._next, self._batch = self._starts[group], ()


def _check_sizes(path: Path, metadata: Any, layout: Layout) -> int:
    """Refuse a file that would fill the memory; the mean size of an image in bytes."""
    rows, packed, unpacked, others = metadata.num_rows, 0, 0, 0
    if not 0 < rows <= MOST_ROWS:
        raise Unreadable(f"{path} holds {rows:,} rows, and CelebA 202,599: {AGAIN}.")
    for i in range(metadata.num_row_groups):
        group = metadata.row_group(i)
        for j in range(group.num_columns):
            column = group.column(j)
            if column.path_in_schema == layout.image:
                packed += column.total_compressed_size
                unpacked += column.total_uncompressed_size
            else:
                others += column.total_uncompressed_size
    if unpacked > min(rows * LARGEST_IMAGE, SQUEEZED * packed + 10**6):
        raise Unreadable(
            f"{path} would unpack to {unpacked / 1e6:,.0f} MB, which {rows:,} photographs never "
            "do: it is not CelebA, throw it away."
        )
    if others > rows * LONGEST_ROW + 10**6:
        raise Unreadable(
            f"{path} holds {others / 1e6:,.0f} MB besides the images of {rows:,} faces: it is not "
            "CelebA, throw it away."
        )
    return unpacked // rows


# ------------------------------------------------------------------ values


def _leaf(batch: Any, column: str) -> Any:
    """A column of a batch; with the name "a.b", the part b of its structs."""
    if column in batch.schema.names:
        return batch.column(column)
    name, _, part = column.partition(".")
    import pyarrow.compute as compute

    return compute.struct_field(batch.column(name), part)


def _labels_of(path: Path, batch: Any, layout: Layout) -> np.ndarray:
    if len(layout.labels) > 1:
        return np.stack([_flags(path, _leaf(batch, name), name) for name in layout.labels], axis=1)
    (name,) = layout.labels
    import pyarrow.compute as compute

    column = batch.column(name)
    lengths = compute.list_value_length(column).to_pylist()
    wrong = [length for length in lengths if length != len(ATTRIBUTES)]
    if wrong:
        raise Unreadable(
            f"{path} has a row with {wrong[0] or 'no'} values in its column {printable(name, 40)}, "
            f"and CelebA has 40 attributes: it is another data set; {ADVICE}."
        )
    return _flags(path, column.flatten(), name).reshape(len(batch), len(ATTRIBUTES))


def _flags(path: Path, values: Any, name: str) -> np.ndarray:
    """Labels as bool, from False and True, 0 and 1, or -1 and 1."""
    kind = str(values.type)
    if values.null_count == 0 and kind == "bool":
        return values.to_numpy(zero_copy_only=False)
    if values.null_count == 0 and kind.startswith(("int", "uint", "float", "double", "string")):
        numbers = values.cast("float64").to_numpy()
        if {*np.unique(numbers)} <= {0, 1} or {*np.unique(numbers)} <= {-1, 1}:
            return numbers == 1
    raise Unreadable(
        f"{path} has other values in its column {printable(name, 40)} than False and True, 0 and "
        f"1, or -1 and 1: it is damaged or edited, {AGAIN}."
    )


def _people_of(path: Path, batch: Any, layout: Layout) -> np.ndarray:
    values = batch.column(layout.people)
    if values.null_count or not str(values.type).startswith(("int", "uint")):
        raise Unreadable(
            f"{path} has other values in its column {layout.people} than whole numbers, one for "
            f"each person: it is damaged or edited, {AGAIN}."
        )
    return values.cast("int64").to_numpy()
