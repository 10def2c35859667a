"""CelebA as Hugging Face hands it out, in Parquet files, rehearsed with portraits."""

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet
from PIL import Image

from portraits.labelling.labels import ATTRIBUTES
from tests.vaelib.celeba.hand_outs import CelebA, name_of

PEOPLE_OF = [5, 5, 9, 9, 9, 3, 3, 7, 7, 1, 1, 2]  # who is on each of the 12 portraits
IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def as_png(image: bytes) -> bytes:
    file = io.BytesIO()
    with Image.open(io.BytesIO(image)) as opened:
        opened.save(file, "PNG")
    return file.getvalue()


def images_column(files: CelebA, rows: list[int], named: bool) -> pa.Array:
    paths = [name_of(i) if named else None for i in rows]
    values = [{"bytes": files.images[i], "path": path} for i, path in zip(rows, paths)]
    return pa.array(values, IMAGE)


def like_flwrlabs(files: CelebA, rows: list[int], named: bool = False) -> pa.Table:
    """40 columns of bool, and `celeb_id`."""
    columns = {"image": images_column(files, rows, named)}
    columns["celeb_id"] = pa.array([PEOPLE_OF[i] for i in rows], pa.int64())
    for k, name in enumerate(ATTRIBUTES):
        columns[name] = pa.array(files.labels[rows, k])
    return pa.table(columns)


def like_eurecom(files: CelebA, rows: list[int], named: bool = False) -> pa.Table:
    """One column of 40 numbers, `attributes`, and `identity`; and lists that are no labels."""
    labels = [[int(value) for value in files.labels[i]] for i in rows]
    return pa.table(
        {
            "image": images_column(files, rows, named),
            "attributes": pa.array(labels, pa.list_(pa.int64())),
            "identity": pa.array([PEOPLE_OF[i] for i in rows], pa.int64()),
            "landmarks": pa.array([[69, 111, 108]] * len(rows), pa.list_(pa.int64())),
        }
    )


def rows_of(files: CelebA, split: int) -> list[int]:
    return [i for i, k in enumerate(files.split) if k == split]


def write(table: pa.Table, path: Path, group: int = 2, **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(table, path, row_group_size=group, **options)
    return path


def flwrlabs(files: CelebA, root: Path, named: bool = False) -> Path:
    """Three files of `train`, one of `valid` and two of `test`."""
    folder = root / "img_align+identity+attr"
    for split, name, count in ((0, "train", 3), (1, "valid", 1), (2, "test", 2)):
        rows = rows_of(files, split)
        size = -(-len(rows) // count)
        for k in range(count):
            part = like_flwrlabs(files, rows[k * size : (k + 1) * size], named)
            write(part, folder / f"{name}-{k:05}-of-{count:05}.parquet")
    (root / "README.md").write_text("license: other")
    return root


def eurecom(files: CelebA, root: Path, named: bool = False) -> Path:
    """One file of each of `train`, `validation` and `test`."""
    for split, name in enumerate(("train", "validation", "test")):
        table = like_eurecom(files, rows_of(files, split), named)
        write(table, root / "data" / f"{name}-00000-of-00001.parquet", group=100)
    return root


def converted(files: CelebA, root: Path) -> Path:
    """As Hugging Face's own converter writes them: the split is the name of a folder."""
    for split, name in enumerate(("train", "valid", "test")):
        write(like_flwrlabs(files, rows_of(files, split)), root / "all" / name / "0000.parquet")
    return root


def in_one_file(files: CelebA, root: Path) -> Path:
    """All faces in a file that does not tell the splits."""
    return write(like_flwrlabs(files, list(range(len(files.images)))), root / "celeba.parquet")
