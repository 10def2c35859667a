"""Find, read and check CelebA's tables of attributes and of splits."""

import re
from pathlib import Path
from typing import Any

import pandas as pd

SPLITS = ("train", "val", "test")  # 0, 1, 2 in CelebA's partition file
ATTRIBUTE_TABLE, SPLIT_TABLE = "list_attr_celeba", "list_eval_partition"  # without endings
# As systems and browsers rename them: LIST_ATTR_CELEBA.TXT, list_attr_celeba (1).csv, or no ending.
TABLE_NAME = re.compile(
    rf"({ATTRIBUTE_TABLE}|{SPLIT_TABLE})( ?\(\d+\))?(\.(txt|text|csv|tsv|tab|dat|data))*",
    re.IGNORECASE,
)


def table_kind(file_name: str) -> str:
    """ATTRIBUTE_TABLE or SPLIT_TABLE if a file is one, judged by its name; else ""."""
    match = TABLE_NAME.fullmatch(file_name)
    return match[1].lower() if match else ""


def find_table(folder: Path, kind: str) -> Path | None:
    """The table of one kind in a folder: a .txt, else a .csv, else one with another name.

    Args:
        kind: ATTRIBUTE_TABLE or SPLIT_TABLE.

    Returns:
        Its path, or None if the folder has no such table.
    """
    found = [path for path in sorted(folder.iterdir()) if table_kind(path.name) == kind]
    usual = [f"{kind}.txt", f"{kind}.csv", kind]

    def rank(path: Path) -> int:
        name = path.name.lower()
        return usual.index(name) if name in usual else len(usual)

    return min((path for path in found if path.is_file()), key=rank, default=None)


def read_attributes(path: str | Path) -> pd.DataFrame:
    """Read CelebA's table of attributes, as text (LF or CRLF) or as Kaggle's CSV.

    Returns:
        Boolean DataFrame (n_faces, n_attributes), indexed by file name.

    Raises:
        ValueError: the count on the first line is not the number of rows, a value is neither
            -1 nor 1, or a file name occurs twice.
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
    """Read CelebA's partition file, as text or as CSV.

    Returns:
        Series of "train", "val" or "test", indexed by file name.

    Raises:
        ValueError: a value is none of 0, 1, 2, or a file name occurs twice.
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


def _has_commas(path: Path) -> bool:
    """Whether a table has commas, as Kaggle's have; whatever the ending of its name."""
    with path.open("rb") as file:
        return b"," in file.readline(10_000)


def _read_csv(path: Path, **options: Any) -> pd.DataFrame:
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
