"""CelebA's tables, from every source: their names, rows and columns."""

import numpy as np
import pytest

from portraits.labelling.labels import ATTRIBUTES
from tests.vaelib.celeba.hand_outs import (
    SPLIT,
    CelebA,
    archive_of_kaggle,
    check,
    name_of,
    plain,
    refused,
)
from vaelib import read_faces
from vaelib.celeba import prepare, tables


@pytest.mark.parametrize("beside", [True, False])
@pytest.mark.parametrize(
    "name, kaggle",
    [
        ("LIST_ATTR_CELEBA.TXT", False),
        ("list_attr_celeba", False),
        ("list_attr_celeba.txt.txt", False),
        ("list_attr_celeba (1).csv", True),
        ("list_attr_celeba.Csv", True),
        ("list_attr_celeba.txt", True),
    ],
)
def test_a_table_may_have_another_ending_or_none(files, tmp_path, name, kaggle, beside):
    source = plain(files, tmp_path / "got")
    for path in source.parent.glob("list_*"):
        path.unlink()
    folder = source.parent if beside else source
    partition = name.lower().replace("attr_celeba", "eval_partition")
    (folder / name).write_bytes(files.attributes_csv if kaggle else files.attributes)
    (folder / partition).write_bytes(files.partition_csv if kaggle else files.partition)
    prepare(source, tmp_path / "celeba")
    check(files, tmp_path / "celeba")


@pytest.mark.parametrize("form", [plain, archive_of_kaggle])
@pytest.mark.parametrize(
    "old, new, part",
    [
        (b"Eyeglasses", b"Spectacles", "Eyeglasses"),
        (b"-1", b"5", "-1 or 1"),
    ],
)
def test_a_table_with_other_columns_or_values_is_one_sentence(
    files, tmp_path, one_sentence, form, old, new, part
):
    changed = CelebA(files.images, files.labels, files.split)
    changed.attributes = files.attributes.replace(old, new)
    changed.attributes_csv = files.attributes_csv.replace(old, new)
    message = refused(form(changed, tmp_path / "got"), tmp_path / "celeba")
    one_sentence(message, tmp_path / "got", "list_attr_celeba", part)


def test_tables_of_other_faces_are_one_sentence(files, tmp_path, one_sentence):
    source = plain(files, tmp_path / "got")
    table = files.attributes.replace(b"\r\n0000", b"\r\n9000")
    (source.parent / "list_attr_celeba.txt").write_bytes(table)
    message = refused(source, tmp_path / "celeba")
    one_sentence(message, source.parent / "list_attr_celeba.txt", "another set of faces")


def test_tables_far_from_celebas_size_are_refused_before_they_are_read(
    files, tmp_path, one_sentence, monkeypatch
):
    source = plain(files, tmp_path / "got")
    table = source.parent / "list_attr_celeba.txt"

    def not_read(path):
        raise AssertionError(path)

    monkeypatch.setattr(tables, "read_attributes", not_read)
    for content in (b"1\n" + b"x " * 10**5, b"1\n" * 300_001):
        table.write_bytes(content)
        one_sentence(refused(source, tmp_path / "celeba"), table, "rows in 0.")
    with table.open("wb") as file:
        file.truncate(98 * 10**6)
    one_sentence(refused(source, tmp_path / "celeba"), table, "98 MB")


@pytest.mark.parametrize("table", ["list_attr_celeba.txt", "list_eval_partition.txt"])
def test_one_table_may_name_the_faces_without_endings(files, tmp_path, table):
    source = plain(files, tmp_path / "got")
    path = source.parent / table
    path.write_bytes(path.read_bytes().replace(b".jpg", b""))
    prepare(source, tmp_path / "celeba")
    faces = read_faces(tmp_path / "celeba")
    np.testing.assert_array_equal(faces.attributes[list(ATTRIBUTES)].to_numpy(), files.labels)
    assert list(faces.splits) == [("train", "val", "test")[k] for k in SPLIT]


def test_a_name_may_have_a_dot(files, tmp_path):
    source = plain(files, tmp_path / "got")
    (source / name_of(3)).rename(source / "a.b.jpg")
    for path in source.parent.glob("list_*"):
        path.write_bytes(path.read_bytes().replace(b"000004.jpg", b"a.b"))
    assert prepare(source, tmp_path / "celeba").left_out == {}
    assert read_faces(tmp_path / "celeba").path("a.b").name == "a.b.jpg"


def test_a_face_that_stands_twice_in_a_table_is_one_sentence(files, tmp_path, one_sentence):
    source = plain(files, tmp_path / "got")
    table = source.parent / "list_attr_celeba.txt"
    table.write_bytes(table.read_bytes().replace(b"000002.jpg", b"000001.png"))
    message = refused(source, tmp_path / "celeba")
    one_sentence(message, table, "000001.jpg and 000001.png", "fetch it again")
