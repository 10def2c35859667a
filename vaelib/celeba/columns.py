"""Find the columns of a Parquet file that holds CelebA, by their types and names.

`flwrlabs/celeba` has a column for each of the 40 attributes and one `celeb_id`; `eurecom-ds/celeba`
has one column of 40 numbers, `attributes`, and one `identity`. Both keep an image as a structure of
its bytes and its path, which may be empty.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vaelib.celeba.attributes import ATTRIBUTES
from vaelib.celeba.files import Unreadable, listed, printable

PEOPLE = ("celeb_id", "identity")  # columns with the number of the person
ADVICE = "fetch flwrlabs/celeba or eurecom-ds/celeba"


@dataclass(frozen=True)
class Layout:
    """Which columns of a file hold what.

    Attributes:
        image: the column of the images' bytes, such as "image.bytes".
        path: the column of their paths, such as "image.path"; "" if there is none.
        labels: the columns of the 40 attributes in CelebA's order, or the one column with all 40.
        people: the column of the people's numbers; "" if there is none.
    """

    image: str
    path: str
    labels: tuple[str, ...]
    people: str


def find_layout(path: Path, schema: Any) -> Layout:
    """Find the columns of images, labels and people in a file's schema (`pyarrow.Schema`).

    Raises:
        ValueError: there are no images, or not CelebA's 40 attributes.
    """
    image, image_path = _find_images(path, schema)
    people = next((name for name in PEOPLE if name in schema.names), "")
    return Layout(image, image_path, _find_labels(path, schema), people)


def _find_images(path: Path, schema: Any) -> tuple[str, str]:
    found = {}
    for field in schema:
        if _is_bytes(field.type):
            found[field.name] = (field.name, "")
        elif _is_struct(field.type):
            inside = {child.name: child.type for child in field.type}
            if "bytes" in inside and _is_bytes(inside["bytes"]):
                has_path = "path" in inside and str(inside["path"]).endswith("string")
                found[field.name] = (
                    f"{field.name}.bytes",
                    f"{field.name}.path" if has_path else "",
                )
    if len(found) > 1 and "image" in found:
        found = {"image": found["image"]}
    if len(found) != 1:
        what = f"several columns of bytes ({_names(found)})" if found else "no column of images"
        raise Unreadable(
            f"{path} has {what}: its columns are {_names(schema.names)}, and one called image is "
            f"needed, with the bytes of a JPG or PNG; {ADVICE}."
        )
    return next(iter(found.values()))


def _find_labels(path: Path, schema: Any) -> tuple[str, ...]:
    names = {_plain(name): name for name in schema.names}
    flat = [name for name in ATTRIBUTES if _plain(name) in names]
    if len(flat) == len(ATTRIBUTES):
        return tuple(names[_plain(name)] for name in ATTRIBUTES)
    for field in schema:
        if _is_struct(field.type):
            inside = {_plain(child.name): child.name for child in field.type}
            if all(_plain(name) in inside for name in ATTRIBUTES):
                return tuple(f"{field.name}.{inside[_plain(name)]}" for name in ATTRIBUTES)
    lists = [field.name for field in schema if "list<" in str(field.type)[:16]]
    called = [name for name in lists if name.lower().startswith("attr")]
    if len(called or lists) == 1:
        return tuple(called or lists)
    lacking = next(name for name in ATTRIBUTES if name not in flat)
    what = f"lacks the column {lacking}" if flat else "has no labels"
    raise Unreadable(
        f"{path} {what}: CelebA's 40 attributes are needed, as columns or as lists of 40 in one "
        f"column called attributes, and its columns are {_names(schema.names)}; {ADVICE}."
    )


def _plain(name: str) -> str:
    return name.lower().replace(" ", "_")


def _names(names: Iterable[str]) -> str:
    return listed([printable(name, 40) for name in names]) or "none"


def _is_bytes(kind: Any) -> bool:
    return str(kind) in ("binary", "large_binary", "binary_view")


def _is_struct(kind: Any) -> bool:
    return str(kind).startswith("struct<")
