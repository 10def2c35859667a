"""Reading the tables of attributes and of splits, and every bad one."""

import gc
import warnings

import pandas as pd
import pytest

from tests.vaelib.data.folders import write
from vaelib.data.tables import find_table, read_attributes, read_partition, table_kind

TABLE = ["3", "Smiling Male", "000001.jpg 1 -1", "000002.jpg -1 1", "000003.jpg -1 -1"]
PARTITION = ["000001.jpg 0", "000002.jpg 1", "000003.jpg 2"]


def expected_table() -> pd.DataFrame:
    return pd.DataFrame(
        {"Smiling": [True, False, False], "Male": [False, True, False]},
        index=["000001.jpg", "000002.jpg", "000003.jpg"],
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda line: line,
        lambda line: line + "  ",
        lambda line: line.replace(" ", "  "),
        lambda line: line.replace(" ", "\t"),
        lambda line: " " + line,
    ],
    ids=["plain", "trailing spaces", "double spaces", "tabs", "leading spaces"],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_the_attribute_table_reads_however_it_is_spaced(tmp_path, change, newline):
    path = write(tmp_path / "list_attr_celeba.txt", [change(line) for line in TABLE], newline)
    table = read_attributes(path)
    assert table.dtypes.map(str).tolist() == ["bool", "bool"]
    pd.testing.assert_frame_equal(table, expected_table(), check_names=False)


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("tail", ["", " "], ids=["plain", "trailing spaces"])
def test_the_attribute_table_reads_as_kaggle_serves_it(tmp_path, newline, tail):
    lines = ["image_id,Smiling,Male", "000001.jpg,1,-1", "000002.jpg,-1,1", "000003.jpg,-1,-1"]
    path = write(tmp_path / "list_attr_celeba.csv", [line + tail for line in lines], newline)
    pd.testing.assert_frame_equal(read_attributes(path), expected_table(), check_names=False)


def test_a_byte_order_mark_does_no_harm(tmp_path):
    path = write(tmp_path / "list_attr_celeba.txt", ["\ufeff3", *TABLE[1:]])
    pd.testing.assert_frame_equal(read_attributes(path), expected_table(), check_names=False)


def test_an_attribute_may_be_named_5_o_clock_shadow(tmp_path):
    lines = ["image_id,5_o_Clock_Shadow,Male", "000001.jpg,1,-1", "000002.jpg,-1,1"]
    table = read_attributes(write(tmp_path / "list_attr_celeba.csv", lines))
    assert table["5_o_Clock_Shadow"].tolist() == [True, False]


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize(
    "change",
    [lambda x: x, lambda x: x + "  ", lambda x: x.replace(" ", "   ")],
    ids=["plain", "trailing spaces", "many spaces"],
)
def test_the_partition_reads_however_it_is_spaced(tmp_path, change, newline):
    path = write(tmp_path / "list_eval_partition.txt", [change(x) for x in PARTITION], newline)
    assert read_partition(path).to_dict() == {
        "000001.jpg": "train",
        "000002.jpg": "val",
        "000003.jpg": "test",
    }


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_the_partition_reads_as_kaggle_serves_it(tmp_path, newline):
    lines = ["image_id,partition", *(line.replace(" ", ",") for line in PARTITION)]
    path = write(tmp_path / "list_eval_partition.csv", lines, newline)
    assert read_partition(path).tolist() == ["train", "val", "test"]


@pytest.mark.parametrize(
    "lines",
    [
        ["4", *TABLE[1:]],
        ["2", *TABLE[1:]],
        ["", *TABLE[1:]],
        ["three", *TABLE[1:]],
        TABLE[:-1],
        TABLE[1:],
        [*TABLE[:3], "000001.jpg -1 1", TABLE[4]],
        [*TABLE[:4], "000003.jpg -1"],
        [*TABLE[:4], "000003.jpg -1 -1 1"],
        [*TABLE[:2], "000001.jpg 1 -1 1", "000002.jpg -1 1 1", "000003.jpg -1 -1 1"],
        ["3", "image_id Smiling Male", *TABLE[2:]],
        [*TABLE[:4], "000003.jpg -1 0"],
        [*TABLE[:4], "000003.jpg -1 yes"],
        [*TABLE[:4], "000003.jpg"],
        ["3"],
        ["3", "Smiling Male"],
        [],
        ["<html>", "<body>Too many requests</body>", "</html>"],
    ],
    ids=[
        "count too high",
        "count too low",
        "no count",
        "count in words",
        "cut short",
        "first line gone",
        "a name twice",
        "row too short",
        "row too long",
        "all rows too long",
        "names the first column",
        "a zero",
        "a word",
        "name alone",
        "count alone",
        "no rows",
        "empty",
        "a web page",
    ],
)
def test_a_bad_attribute_table_is_one_sentence(tmp_path, lines, one_sentence):
    path = write(tmp_path / "list_attr_celeba.txt", lines)
    with pytest.raises(ValueError) as error:
        read_attributes(path)
    one_sentence(error.value, path, "fetch it again")


@pytest.mark.parametrize(
    "lines",
    [
        ["image_id,Smiling,Male", "000001.jpg,1"],
        ["image_id,Smiling,Male", "000001.jpg,1,-1", "000002.jpg,1,-1,1"],
        ["image_id,Smiling,Male", "000001.jpg,1,-1", "000001.jpg,1,-1"],
        ["image_id,Smiling,Male", "000001.jpg,1,2"],
        ["image_id"],
        [],
    ],
    ids=["row too short", "row too long", "a name twice", "a two", "no attributes", "empty"],
)
def test_a_bad_attribute_csv_is_one_sentence(tmp_path, lines, one_sentence):
    path = write(tmp_path / "list_attr_celeba.csv", lines)
    with pytest.raises(ValueError) as error:
        read_attributes(path)
    one_sentence(error.value, path, "fetch it again")


def test_bytes_that_are_no_text_are_one_sentence(tmp_path, one_sentence):
    path = tmp_path / "list_attr_celeba.txt"
    path.write_bytes(bytes(range(256)) * 8)
    with pytest.raises(ValueError) as error:
        read_attributes(path)
    one_sentence(error.value, path, "fetch it again")


@pytest.mark.parametrize(
    ("suffix", "lines"),
    [
        ("txt", [*PARTITION[:2], "000003.jpg 3"]),
        ("txt", [*PARTITION[:2], "000003.jpg x"]),
        ("txt", [*PARTITION[:2], "000003.jpg"]),
        ("txt", [*PARTITION[:2], "000003.jpg 2 2"]),
        ("txt", [*PARTITION[:2], "000001.jpg 2"]),
        ("csv", ["image_id,partition", "000001.jpg,5"]),
        ("csv", ["image_id", "000001.jpg"]),
        ("csv", []),
        ("txt", []),
        ("csv", ["image_id,partition"]),
    ],
)
def test_a_bad_partition_is_one_sentence(tmp_path, suffix, lines, one_sentence):
    path = write(tmp_path / f"list_eval_partition.{suffix}", lines)
    with pytest.raises(ValueError) as error:
        read_partition(path)
    one_sentence(error.value, path, "fetch it again")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("list_attr_celeba.txt", "list_attr_celeba"),
        ("LIST_ATTR_CELEBA.TXT", "list_attr_celeba"),
        ("list_eval_partition", "list_eval_partition"),
        ("list_eval_partition (1).csv", "list_eval_partition"),
        ("list_eval_partition.txt.txt", "list_eval_partition"),
        ("list_attr_celeba.bak", ""),
        ("my_list_attr_celeba.txt", ""),
        ("list_bbox_celeba.csv", ""),
    ],
)
def test_a_table_is_known_by_its_name(name, kind):
    assert table_kind(name) == kind


def test_of_several_tables_the_usual_one_is_taken(tmp_path):
    names = ["list_attr_celeba (1).txt", "list_attr_celeba", "List_Attr_CelebA.csv", "a.txt"]
    for name in [*names, "list_attr_celeba.txt"]:
        (tmp_path / name).touch()
    found = []
    while (path := find_table(tmp_path, "list_attr_celeba")) is not None:
        found.append(path.name)
        path.unlink()
    assert found == ["list_attr_celeba.txt", names[2], names[1], names[0]]


def test_reading_the_tables_leaves_no_file_open(folder):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        read_attributes(folder / "list_attr_celeba.txt")
        read_partition(folder / "list_eval_partition.txt")
        gc.collect()
    assert [str(warning.message) for warning in caught] == []
