"""Reading folders of faces: joins, splits, crops, caches, pipelines, and every bad input."""

import errno
import gc
import hashlib
import os
import shutil
import stat
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import vaelib
from groundwork import files
from groundwork.files import DiskFull
from vaelib import data
from vaelib.data.faces import read_faces
from vaelib.data.pipeline import make_dataset
from vaelib.data.pixels import load_images, load_pixels
from vaelib.data.tables import read_attributes, read_partition

COLOURS = ["Smiling", "Male", "Young"]
TABLE = ["3", "Smiling Male", "000001.jpg 1 -1", "000002.jpg -1 1", "000003.jpg -1 -1"]
PARTITION = ["000001.jpg 0", "000002.jpg 1", "000003.jpg 2"]


@pytest.fixture
def copy(folder, tmp_path):
    """A copy of the folder of 30 faces that a test may damage; no cache."""
    return Path(shutil.copytree(folder, tmp_path / "copy", ignore=shutil.ignore_patterns(".cache")))


@pytest.fixture
def small(draw_folder, tmp_path):
    """12 faces without a partition."""
    return draw_folder(tmp_path / "small", 12)


def write(path: Path, lines: list[str], newline: str = "\n") -> Path:
    path.write_bytes("".join(line + newline for line in lines).encode())
    return path


def edit_lines(path: Path, change) -> None:
    lines = path.read_text().splitlines()
    change(lines)
    write(path, lines)


# Tables


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


def test_reading_the_tables_leaves_no_file_open(folder):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        read_attributes(folder / "list_attr_celeba.txt")
        read_partition(folder / "list_eval_partition.txt")
        gc.collect()
    assert [str(warning.message) for warning in caught] == []


# Folders


def test_a_folder_is_read_with_its_labels_and_split(faces):
    assert len(faces) == 30
    assert list(faces.attributes.columns) == [*COLOURS, "Bald", "Eyeglasses"]
    assert [len(faces.file_names(split)) for split in ("train", "val", "test")] == [17, 7, 6]
    assert faces.file_names("val")[0] == "000018.jpg"
    assert faces.file_names() == [f"{i + 1:06}.jpg" for i in range(30)]


@pytest.mark.parametrize("form", ["txt", "csv"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_both_forms_of_a_folder_say_the_same(draw_folder, tmp_path, form, newline):
    partition = [0, 0, 1, 2]
    plain = read_faces(draw_folder(tmp_path / "plain", 4, partition=partition))
    other = read_faces(
        draw_folder(tmp_path / "other", 4, partition=partition, form=form, newline=newline)
    )
    pd.testing.assert_frame_equal(plain.attributes, other.attributes, check_names=False)
    assert plain.splits.to_dict() == other.splits.to_dict()


def test_the_labels_are_those_that_the_pixels_show(faces, images, read_colours):
    np.testing.assert_array_equal(read_colours(images), faces.attributes[COLOURS].to_numpy())


def test_labels_are_joined_by_name_not_by_order(copy, read_colours):
    """Rows in any order, images missing at any place: the colours still match."""

    def shuffle(lines):
        rows = lines[2:]
        np.random.default_rng(5).shuffle(rows)
        lines[2:] = rows

    edit_lines(copy / "list_attr_celeba.txt", shuffle)
    edit_lines(copy / "list_eval_partition.txt", lambda lines: lines.reverse())
    for name in ["000001.jpg", "000010.jpg", "000030.jpg"]:
        (copy / "img_align_celeba" / name).unlink()
    with pytest.warns(UserWarning, match="left out"):
        faces = read_faces(copy)
    assert len(faces) == 27
    images = load_images(faces, image_size=32)
    np.testing.assert_array_equal(read_colours(images), faces.attributes[COLOURS].to_numpy())
    assert {faces.splits[f"{i + 1:06}.jpg"] for i in range(1, 17) if i != 9} == {"train"}
    for batch, labels in make_dataset(faces, "train", 32, 4, labels=True):
        np.testing.assert_array_equal(read_colours(batch), labels[:, :3] == 1)


def test_rows_without_an_image_and_images_without_a_row_are_left_out_with_a_warning(copy):
    (copy / "img_align_celeba" / "000003.jpg").unlink()

    def without_the_seventh(lines):
        lines[0] = "29"
        del lines[2 + 6]

    edit_lines(copy / "list_attr_celeba.txt", without_the_seventh)
    with pytest.warns(UserWarning) as caught:
        faces = read_faces(copy)
    assert not {"000003.jpg", "000007.jpg"} & set(faces.file_names())
    assert len(faces) == 28
    messages = [str(warning.message) for warning in caught]
    assert any("list_attr_celeba.txt lists 1 " in m and "000003.jpg" in m for m in messages)
    assert any("img_align_celeba holds 1 " in m and "000007.jpg" in m for m in messages)
    assert all(warning.filename == __file__ for warning in caught)


def test_a_partition_that_names_absent_files_warns_and_goes_on(copy, one_sentence):
    edit_lines(copy / "list_eval_partition.txt", lambda lines: lines.append("000099.jpg 0"))
    with pytest.warns(UserWarning) as caught:
        faces = read_faces(copy)
    (warning,) = caught
    one_sentence(warning.message, copy / "list_eval_partition.txt", "000099.jpg", "left out")
    assert len(faces.file_names("train")) == 17
    assert len(faces) == 30


def test_a_good_folder_gives_no_warning(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_faces(folder)


def test_a_face_that_the_partition_does_not_name_trains(copy):
    edit_lines(copy / "list_eval_partition.txt", lambda lines: lines.pop())
    faces = read_faces(copy)
    assert faces.splits["000030.jpg"] == "train"
    assert len(faces.file_names("test")) == 5


def test_without_a_partition_the_split_is_90_5_5_and_always_the_same(draw_folder, tmp_path):
    folder = draw_folder(tmp_path / "many", 60, size=(16, 16))
    one, two = read_faces(folder), read_faces(folder)
    assert [len(one.file_names(split)) for split in ("train", "val", "test")] == [54, 3, 3]
    assert one.splits.to_dict() == two.splits.to_dict()
    everyone = [name for split in ("train", "val", "test") for name in one.file_names(split)]
    assert sorted(everyone) == one.file_names()
    assert (
        one.file_names("val") + one.file_names("test") != one.file_names()[-6:]
    )  # drawn, not cut off the end


def test_a_partition_that_leaves_a_split_empty_gives_way_to_a_seeded_one(copy):
    edit_lines(
        copy / "list_eval_partition.txt",
        lambda lines: lines.__setitem__(slice(None), [f"{line[:-1]}0" for line in lines]),
    )
    with pytest.warns(UserWarning, match="val and test"):
        faces = read_faces(copy)
    assert [len(faces.file_names(split)) for split in ("train", "val", "test")] == [28, 1, 1]


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_faces_for_three_splits_is_one_sentence(draw_folder, tmp_path, count, one_sentence):
    folder = draw_folder(tmp_path / "few", count)
    with pytest.raises(ValueError) as error:
        read_faces(folder)
    one_sentence(error.value, folder, "3")


def test_three_faces_are_enough(draw_folder, tmp_path):
    faces = read_faces(draw_folder(tmp_path / "three", 3))
    assert [len(faces.file_names(split)) for split in ("train", "val", "test")] == [1, 1, 1]


def test_a_missing_folder_is_one_sentence(tmp_path, one_sentence):
    with pytest.raises(FileNotFoundError) as error:
        read_faces(tmp_path / "nowhere")
    one_sentence(error.value, tmp_path / "nowhere", "does not exist", "folder")


@pytest.mark.parametrize(
    ("name", "advice"),
    [("portraits", "python -m portraits"), ("celeba", "python -m vaelib celeba")],
)
def test_a_missing_data_set_of_the_course_says_how_to_get_it(
    tmp_path, monkeypatch, name, advice, one_sentence
):
    monkeypatch.setattr(data, "DATA", tmp_path)
    with pytest.raises(FileNotFoundError) as error:
        read_faces(name)
    one_sentence(error.value, tmp_path / name, advice)


def test_the_data_sets_of_the_course_go_by_name(draw_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(data, "DATA", tmp_path)
    draw_folder(tmp_path / "celeba", 4)
    assert read_faces("celeba").folder == tmp_path / "celeba"


@pytest.mark.parametrize("inside", ["nothing", "empty", "text"])
def test_a_folder_without_images_is_one_sentence(tmp_path, inside, one_sentence):
    if inside != "nothing":
        (tmp_path / "img_align_celeba").mkdir()
    if inside == "text":
        (tmp_path / "img_align_celeba" / "readme.txt").write_text("hello")
    with pytest.raises(FileNotFoundError) as error:
        read_faces(tmp_path)
    one_sentence(error.value, tmp_path / "img_align_celeba", "put the faces there")


def test_a_folder_without_a_table_is_one_sentence(small, one_sentence):
    (small / "list_attr_celeba.txt").unlink()
    with pytest.raises(FileNotFoundError) as error:
        read_faces(small)
    one_sentence(error.value, small / "list_attr_celeba.txt", "put it beside")


def test_a_wrong_count_is_found_when_the_folder_is_read(small, one_sentence):
    edit_lines(small / "list_attr_celeba.txt", lambda lines: lines.__setitem__(0, "13"))
    with pytest.raises(ValueError) as error:
        read_faces(small)
    one_sentence(error.value, small / "list_attr_celeba.txt", "13", "12", "fetch it again")


def test_a_table_of_other_images_is_one_sentence(small, one_sentence):
    edit_lines(
        small / "list_attr_celeba.txt",
        lambda lines: lines.__setitem__(slice(2, None), ["9" + line[1:] for line in lines[2:]]),
    )
    with pytest.warns(UserWarning), pytest.raises(ValueError) as error:
        read_faces(small)
    one_sentence(error.value, small / "list_attr_celeba.txt", small / "img_align_celeba")


# Finding faces


def test_find_gives_the_faces_that_have_and_lack_the_wanted(faces):
    found = faces.find("train", Smiling=True, Male=False)
    table = faces.attributes
    expected = [
        name
        for name in faces.file_names("train")
        if table.loc[name, "Smiling"] and not table.loc[name, "Male"]
    ]
    assert found == expected
    assert 0 < len(found) < 17
    assert faces.find() == faces.file_names()
    assert faces.find(Bald=True) == []


def test_find_suggests_the_nearest_attribute(faces, one_sentence):
    with pytest.raises(ValueError) as error:
        faces.find("train", Eyeglases=True)
    one_sentence(error.value, faces.folder, "Eyeglases", "did you mean Eyeglasses?")


def test_an_unknown_split_is_one_sentence(faces, one_sentence):
    for ask in (faces.names, faces.find, lambda split: make_dataset(faces, split, 32)):
        with pytest.raises(ValueError) as error:
            ask("validation")
        one_sentence(error.value, "validation", "train, val, test")


# Folders in the folder, and other endings


def test_images_may_be_nested_as_kaggle_nests_them(small, read_colours):
    images = small / "img_align_celeba"
    flat = load_images(read_faces(small), image_size=32)
    inner = images / "img_align_celeba"
    inner.mkdir()
    for path in images.glob("*.jpg"):
        path.rename(inner / path.name)
    faces = read_faces(small)
    assert faces.path("000003.jpg") == inner / "000003.jpg"
    np.testing.assert_array_equal(load_images(faces, image_size=32), flat)


def test_two_images_of_one_name_are_one_sentence(small, one_sentence):
    images = small / "img_align_celeba"
    (images / "more").mkdir()
    shutil.copy(images / "000003.jpg", images / "more" / "000003.jpg")
    with pytest.raises(ValueError) as error:
        read_faces(small)
    one_sentence(error.value, images / "000003.jpg", images / "more" / "000003.jpg")


def test_a_png_goes_by_the_name_of_its_jpg(small):
    images = small / "img_align_celeba"
    before = load_images(read_faces(small), image_size=32)
    for name in ("000002", "000005"):
        with Image.open(images / f"{name}.jpg") as image:
            image.save(images / f"{name}.png")
    (images / "000002.jpg").unlink()  # and of 000005 there are both
    faces = read_faces(small)
    assert faces.path("000002.jpg").suffix == ".png"
    assert faces.path("000005.jpg").suffix == ".jpg"
    assert abs(load_images(faces, image_size=32) - before).max() < 8 / 255


@pytest.mark.parametrize("ending", [".JPG", ".jpeg", ".JPEG", ".PNG", ".Png"])
def test_the_ending_of_an_image_may_have_any_form(small, ending, read_colours):
    images = small / "img_align_celeba"
    for path in sorted(images.iterdir())[:6]:  # and half of the folder stays as it is
        path.rename(path.with_suffix(ending))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        faces = read_faces(small)
    assert faces.path("000003.jpg").name == f"000003{ending}"
    shown = read_colours(load_images(faces, image_size=32))
    np.testing.assert_array_equal(shown, faces.attributes[COLOURS].to_numpy())


@pytest.mark.parametrize("other", ["000003.JPG", "000003.jpeg"])
def test_two_jpgs_of_one_face_are_one_sentence(small, other, one_sentence):
    images = small / "img_align_celeba"
    shutil.copy(images / "000003.jpg", images / other)
    if len(list(images.iterdir())) == 12:
        pytest.skip("this file system takes both names for one")
    with pytest.raises(ValueError) as error:
        read_faces(small)
    one_sentence(error.value, images / "000003.jpg", images / other)


@pytest.mark.parametrize("ending", ["", ".png", ".JPG", ".bmp", ".JPEG"])
@pytest.mark.parametrize("form", ["txt", "csv"])
@pytest.mark.parametrize("stem", ["000007", "a.b", "1.5", "Pör é"])
def test_names_in_the_tables_may_have_another_ending_or_none(
    draw_folder, tmp_path, ending, form, stem
):
    folder = draw_folder(tmp_path / "faces", 9, partition=[0] * 5 + [1] * 2 + [2] * 2, form=form)
    plain = read_faces(folder)
    if " " in stem and form == "txt":
        stem = stem.replace(" ", "_")
    (folder / "img_align_celeba" / "000007.jpg").rename(folder / "img_align_celeba" / f"{stem}.jpg")
    for table in folder.glob("list_*"):
        text = table.read_text().replace("000007.jpg", f"{stem}.jpg").replace(".jpg", ending)
        table.write_text(text, encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        faces = read_faces(folder)
    assert faces.file_names()[6] == stem + ending
    assert faces.path(stem + ending).name == f"{stem}.jpg"
    np.testing.assert_array_equal(faces.attributes, plain.attributes)
    assert faces.splits.tolist() == plain.splits.tolist()


def test_the_tables_may_name_the_faces_differently(copy):
    """Labels by 000001.jpg, splits by 000001."""
    split = read_faces(copy).splits
    table = copy / "list_eval_partition.txt"
    table.write_text(table.read_text().replace(".jpg", ""))
    assert read_faces(copy).splits.to_dict() == split.to_dict()


def test_a_table_that_names_a_face_in_two_ways_is_one_sentence(small, one_sentence):
    table = small / "list_attr_celeba.txt"
    edit_lines(table, lambda lines: lines.__setitem__(3, "000001" + lines[3][len("000002.jpg") :]))
    with pytest.raises(ValueError) as error:
        read_faces(small)
    one_sentence(error.value, table, "000001.jpg and 000001", "fetch it again")


@pytest.mark.parametrize("form", ["txt", "csv"])
@pytest.mark.parametrize("ending", [".TXT", ".CSV", "", ".tab"])
def test_a_table_may_have_another_ending_or_none(draw_folder, tmp_path, form, ending):
    folder = draw_folder(tmp_path / "faces", 6, partition=[0, 0, 0, 1, 1, 2], form=form)
    plain = read_faces(folder)
    for table in folder.glob("list_*"):
        table.rename(folder / f"{table.stem}{ending}")
    faces = read_faces(folder)
    pd.testing.assert_frame_equal(faces.attributes, plain.attributes)
    assert faces.splits.to_dict() == plain.splits.to_dict()


def test_a_copy_of_a_table_does_not_take_its_place(small):
    for name in ("list_attr_celeba", "list_attr_celeba.bak", "list_attr_celeba.old.txt"):
        (small / name).write_text("nothing")
    assert len(read_faces(small)) == 12


def test_hidden_files_and_folders_are_no_faces(small):
    """macOS writes notes beside each file, and puts a folder of them into its archives."""
    images = small / "img_align_celeba"
    before = read_faces(small).file_names()
    for hidden in (images, images / "__MACOSX", images / ".trash"):
        hidden.mkdir(exist_ok=True)
        (hidden / "._000003.jpg").write_bytes(b"\0\5\x16\7")
    for folder in ("__MACOSX", ".trash"):
        shutil.copy(images / "000003.jpg", images / folder)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        faces = read_faces(small)
    assert faces.file_names() == before
    assert faces.path("000003.jpg") == images / "000003.jpg"


# Broken images


def kept(folder: Path) -> list[Path]:
    """What is in the cache, but for its lock."""
    return list((folder / ".cache").glob("[!.]*"))


def broken_file(path: Path, kind: str) -> None:
    whole = path.read_bytes()
    path.write_bytes(
        {
            "no image": b"<html>403 Forbidden</html>",
            "empty": b"",
            "truncated": whole[: len(whole) * 2 // 3],
            "a header alone": whole[:200],
        }[kind]
    )


@pytest.mark.parametrize("kind", ["no image", "empty", "truncated", "a header alone"])
def test_a_broken_image_is_one_sentence_before_any_training(small, kind, one_sentence):
    faces = read_faces(small)
    path = small / "img_align_celeba" / "000005.jpg"
    broken_file(path, kind)
    for load in (load_images, lambda faces, **kw: make_dataset(faces, "train", **kw)):
        with pytest.raises(ValueError) as error:
            load(faces, image_size=32)
        one_sentence(error.value, path, "not a whole image", "fetch it again")


def test_several_broken_images_are_counted(small, one_sentence):
    faces = read_faces(small)
    for i in (2, 5, 9):
        broken_file(small / "img_align_celeba" / f"{i:06}.jpg", "truncated")
    with pytest.raises(ValueError) as error:
        load_images(faces, image_size=32)
    one_sentence(error.value, "000002.jpg", "3 files")


def test_a_broken_image_leaves_no_cache_behind(small):
    faces = read_faces(small)
    path = small / "img_align_celeba" / "000005.jpg"
    whole = path.read_bytes()
    broken_file(path, "truncated")
    with pytest.raises(ValueError):
        load_images(faces, image_size=32)
    assert kept(small) == []
    path.write_bytes(whole)
    assert load_images(faces, image_size=32).shape == (12, 32, 32, 3)


# Arrays and the cache


def test_images_are_float32_from_0_to_1_in_the_order_asked_for(faces, images):
    assert images.shape == (30, 32, 32, 3)
    assert images.dtype == np.float32
    assert 0 <= images.min() < 0.3
    assert 0.7 < images.max() <= 1
    names = ["000021.jpg", "000002.jpg", "000021.jpg"]
    np.testing.assert_array_equal(load_images(faces, names, 32), images[[20, 1, 20]])
    assert load_images(faces, [], 32).shape == (0, 32, 32, 3)


def test_images_are_the_files_pixels(faces, images):
    for name, image in list(zip(faces.file_names(), images))[::7]:
        with Image.open(faces.folder / "img_align_celeba" / name) as file:
            small = file.crop((15, 40, 163, 188)).resize((32, 32), Image.Resampling.LANCZOS)
        # JPGs are reduced while they are decoded, which gives a smooth picture the same pixels.
        np.testing.assert_allclose(image, np.asarray(small) / 255, atol=6 / 255)
        assert abs(image - np.asarray(small) / 255).mean() < 1.5 / 255


def test_white_is_1_and_black_is_0(small):
    images = small / "img_align_celeba"
    Image.new("RGB", (178, 218), "white").save(images / "000001.jpg")
    Image.new("RGB", (178, 218), "black").save(images / "000002.jpg")
    white, black = load_images(read_faces(small), ["000001.jpg", "000002.jpg"], 32)
    assert (white == 1).all()
    assert (black == 0).all()


def test_a_name_that_is_not_there_is_an_error(faces):
    with pytest.raises(KeyError, match=r"000099\.jpg"):
        load_images(faces, ["000001.jpg", "000099.jpg", "000002.jpg"], 32)


def test_the_images_can_be_changed_without_changing_the_cache(faces, images):
    mine = load_images(faces, image_size=32)
    mine[:] = 0
    np.testing.assert_array_equal(load_images(faces, image_size=32), images)


@pytest.fixture
def decoded(monkeypatch):
    """What the files hold that are decoded from now on, as checksums."""
    names = []
    real = data.load_alike

    def load(files, *arguments):
        names.extend([hashlib.sha256(data).hexdigest() for data in files])
        return real(files, *arguments)

    monkeypatch.setattr(data, "load_alike", load)
    return names


def test_the_second_time_comes_from_a_uint8_cache(small, decoded):
    faces = read_faces(small)
    first = load_images(faces, image_size=32)
    assert len(set(decoded)) == 12
    second = load_images(read_faces(small), image_size=32)
    assert len(decoded) == 12
    np.testing.assert_array_equal(first, second)
    pixels = load_pixels(faces, 32)
    assert isinstance(pixels, np.memmap)
    assert pixels.dtype == np.uint8
    (cache,) = kept(small)
    assert cache.stat().st_size < 12 * 32 * 32 * 3 + 1000


def test_every_size_has_its_own_cache(small, decoded):
    faces = read_faces(small)
    assert load_pixels(faces, 32).shape == (12, 32, 32, 3)
    assert load_pixels(faces, 64).shape == (12, 64, 64, 3)
    assert load_pixels(faces, 32).shape == (12, 32, 32, 3)
    assert len(decoded) == 24


def test_a_changed_image_makes_a_new_cache(small):
    faces = read_faces(small)
    before = load_images(faces, image_size=32)
    path = small / "img_align_celeba" / "000004.jpg"
    Image.new("RGB", (178, 218), (0, 255, 0)).save(path)
    after = load_images(faces, image_size=32)
    np.testing.assert_allclose(after[3].mean(axis=(0, 1)), [0, 1, 0], atol=0.02)
    np.testing.assert_array_equal(np.delete(after, 3, 0), np.delete(before, 3, 0))


def test_a_changed_image_of_the_same_length_makes_a_new_cache(small, decoded):
    faces = read_faces(small)
    load_pixels(faces, 32)
    path = small / "img_align_celeba" / "000004.jpg"
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000_000))
    load_pixels(faces, 32)
    assert len(decoded) == 24


def test_a_removed_image_makes_a_new_cache(small, read_colours):
    load_pixels(read_faces(small), 32)
    (small / "img_align_celeba" / "000002.jpg").unlink()
    with pytest.warns(UserWarning, match="left out"):
        faces = read_faces(small)
    images = load_images(faces, image_size=32)
    assert len(images) == 11
    np.testing.assert_array_equal(read_colours(images), faces.attributes[COLOURS].to_numpy())


def test_the_cache_can_be_read_by_everyone_who_can_read_the_images(small):
    """A class shares one folder: the first to come makes the cache for all."""
    umask = os.umask(0o022)
    try:
        load_pixels(read_faces(small), 32)
    finally:
        os.umask(umask)
    (cache,) = kept(small)
    assert stat.S_IMODE(cache.stat().st_mode) == 0o644


@pytest.mark.parametrize("closed", ["the folder", "its cache"])
def test_a_folder_that_cannot_be_written_to_works_without_a_cache(
    small, monkeypatch, decoded, closed
):
    # os.access answers for us, since whoever runs the tests may be root.
    real = os.access
    if closed == "its cache":
        (small / ".cache").mkdir()
    shut = small if closed == "the folder" else small / ".cache"

    def access(path, mode, **options):
        return not (Path(path) == shut and mode & os.W_OK) and real(path, mode, **options)

    monkeypatch.setattr(os, "access", access)
    faces = read_faces(small)
    images = load_images(faces, image_size=32)
    assert images.shape == (12, 32, 32, 3)
    assert kept(small) == []
    assert len(decoded) == 12
    assert sum(len(batch) for batch in make_dataset(faces, "train", 32, 5)) == 10


def test_decoding_that_was_stopped_goes_on_where_it_was(small, decoded, monkeypatch):
    """Of three parts of four faces, one is decoded before the stop; the next time, only two."""
    monkeypatch.setattr(data, "TOGETHER", 4)
    monkeypatch.setattr(data, "THREADS", 1)
    faces = read_faces(small)
    whole = load_images(faces, image_size=32)
    shutil.rmtree(small / ".cache")
    del decoded[:]
    real = data.load_alike

    def stop_after_one(files, image_size):
        if decoded:
            raise KeyboardInterrupt
        return real(files, image_size)

    with monkeypatch.context() as stopping:
        stopping.setattr(data, "load_alike", stop_after_one)
        with pytest.raises(KeyboardInterrupt):
            load_pixels(faces, 32)
    assert len(decoded) == 4
    assert not list((small / ".cache").glob("*.npy"))
    np.testing.assert_array_equal(load_images(faces, image_size=32), whole)
    assert len(set(decoded)) == len(decoded) == 12
    (cache,) = kept(small)
    assert cache.suffix == ".npy"


def test_two_programs_decode_only_once(small, decoded):
    faces = read_faces(small)
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(lambda _: load_pixels(faces, 32), range(2))
    np.testing.assert_array_equal(one, other)
    assert len(decoded) == 12


# Pipelines


def epoch(dataset) -> np.ndarray:
    return np.concatenate([batch.numpy() for batch in dataset])


def rows_of(batchwise: np.ndarray, images: np.ndarray) -> list[int]:
    """Which row of `images` each face is; the faces all differ."""
    rows = {image.tobytes(): row for row, image in enumerate(images)}
    assert len(rows) == len(images)
    return [rows[image.tobytes()] for image in batchwise]


@pytest.mark.parametrize(
    ("split", "expected"),
    [("train", range(17)), ("val", range(17, 24)), ("test", range(24, 30))],
)
@pytest.mark.parametrize("batch_size", [1, 4, 100])
def test_an_epoch_is_every_face_of_the_split_once(faces, images, split, expected, batch_size):
    dataset = make_dataset(faces, split, 32, batch_size)
    for _ in range(2):
        assert sorted(rows_of(epoch(dataset), images)) == list(expected)


def test_batches_are_float32_and_the_last_one_is_ragged(faces):
    batches = list(make_dataset(faces, "train", 32, 5))
    assert [len(batch) for batch in batches] == [5, 5, 5, 2]
    assert {batch.dtype.name for batch in batches} == {"float32"}
    assert make_dataset(faces, "train", 32, 5).cardinality() == 4
    assert make_dataset(faces, "train", 32, 5).element_spec.shape[1:] == (32, 32, 3)


def test_training_faces_come_in_a_new_order_each_epoch(faces, images):
    dataset = make_dataset(faces, "train", 32, 5)
    orders = [tuple(rows_of(epoch(dataset), images)) for _ in range(3)]
    assert len(set(orders)) == 3
    assert tuple(range(17)) not in orders


def test_the_shuffle_reaches_over_the_whole_split(draw_folder, tmp_path):
    """The last face comes first about as often as any other."""
    faces = read_faces(draw_folder(tmp_path / "many", 40, size=(8, 8)))
    images = load_images(faces, image_size=32)
    dataset = make_dataset(faces, "train", 32, 36)
    orders = np.array([rows_of(epoch(dataset), images) for _ in range(60)])
    places = np.argsort(np.argsort(faces.file_names("train")))  # 0 to 35 in file order
    assert len(places) == orders.shape[1]
    last = max(orders[0])
    place = np.nonzero(orders == last)[1]
    assert place.min() < 6
    assert place.max() > 29
    assert place.mean() == pytest.approx(17.5, abs=6)  # standard error 1.4


def test_the_same_seed_shuffles_alike_and_another_does_not(faces, images):
    one, two, other = (make_dataset(faces, "train", 32, 5, seed=seed) for seed in (7, 7, 8))
    orders = [[rows_of(epoch(dataset), images) for _ in range(2)] for dataset in (one, two, other)]
    assert orders[0] == orders[1]
    assert orders[0][0] != orders[2][0]


def test_val_and_test_keep_their_order_unless_told_otherwise(faces, images):
    assert rows_of(epoch(make_dataset(faces, "val", 32, 3)), images) == list(range(17, 24))
    assert rows_of(epoch(make_dataset(faces, "train", 32, 3, shuffle=False)), images) == list(
        range(17)
    )
    shuffled = rows_of(epoch(make_dataset(faces, "test", 32, 6, shuffle=True)), images)
    assert sorted(shuffled) == list(range(24, 30))


def test_labels_belong_to_their_images(faces, images, read_colours):
    table = faces.attributes.to_numpy("float32")
    seen = 0
    for batch, labels in make_dataset(faces, "train", 32, 5, labels=True):
        assert labels.dtype == "float32"
        np.testing.assert_array_equal(labels, table[rows_of(batch.numpy(), images)])
        np.testing.assert_array_equal(read_colours(batch), labels[:, :3] == 1)
        seen += len(labels)
    assert seen == 17


def test_with_and_without_labels_the_images_are_the_same(faces):
    plain = make_dataset(faces, "train", 32, 5, seed=3)
    labelled = make_dataset(faces, "train", 32, 5, seed=3, labels=True)
    for a, (b, _) in zip(plain, labelled, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_pipeline_can_be_repeated(faces, images):
    batches = list(make_dataset(faces, "val", 32, 4).repeat(2))
    assert [len(batch) for batch in batches] == [4, 3, 4, 3]


def first(dataset, count: int) -> list[np.ndarray]:
    return [batch.numpy() for batch in dataset.take(count)]


@pytest.mark.parametrize("flip", [False, True])
def test_skipping_batches_gives_what_comes_after_them(faces, flip):
    """Over the ends of epochs, too: 17 faces are 4 batches."""
    options = {"batch_size": 5, "seed": 3, "repeat": True, "flip": flip}
    whole = first(make_dataset(faces, "train", 32, **options), 14)
    for skip in (1, 4, 9):
        rest = first(make_dataset(faces, "train", 32, skip=skip, **options), 14 - skip)
        for a, b in zip(whole[skip:], rest, strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_skipped_batch_reads_no_image(faces, monkeypatch):
    reads = []

    class Pixels:
        def __getitem__(self, rows):
            reads.append(len(rows))
            return np.zeros((len(rows), 32, 32, 3), "uint8")

    monkeypatch.setattr(data, "load_pixels", lambda *_: Pixels())
    list(make_dataset(faces, "train", 32, 5, skip=3))
    assert reads == [2]


def test_a_repeated_pipeline_shuffles_each_epoch_anew(faces, images):
    batches = first(make_dataset(faces, "train", 32, 17, repeat=True), 3)
    orders = [rows_of(batch, images) for batch in batches]
    assert all(sorted(order) == list(range(17)) for order in orders)
    assert orders[0] != orders[1] != orders[2]


def test_half_of_the_faces_are_mirrored_and_others_each_epoch(faces, images):
    straight, mirrored = images, images[:, :, ::-1]
    dataset = make_dataset(faces, "train", 32, 17, repeat=True, flip=True, shuffle=False)
    flipped = []
    for batch in first(dataset, 20):
        is_mirrored = np.array([np.array_equal(a, b) for a, b in zip(batch, mirrored)])
        is_straight = np.array([np.array_equal(a, b) for a, b in zip(batch, straight)])
        assert (is_mirrored ^ is_straight).all()
        flipped.append(is_mirrored)
    assert np.mean(flipped) == pytest.approx(0.5, abs=0.13)  # 340 coins: five deviations
    assert len({tuple(epoch) for epoch in flipped}) > 15


def test_held_out_faces_are_never_mirrored(faces):
    for split in ("val", "test"):
        plain, flip = (epoch(make_dataset(faces, split, 32, 5, flip=f)) for f in (False, True))
        np.testing.assert_array_equal(plain, flip)


def test_vaelib_offers_the_same_functions():
    assert vaelib.read_faces is read_faces
    assert vaelib.make_dataset is make_dataset
    assert vaelib.load_images is load_images


def test_an_outdated_cache_is_removed_and_other_sizes_stay(small):
    load_pixels(read_faces(small), 32)
    load_pixels(read_faces(small), 64)
    (before,) = (small / ".cache").glob("32-*.npy")
    image = sorted((small / "img_align_celeba").glob("*.jpg"))[0]
    os.utime(image, (1, 1))
    load_pixels(read_faces(small), 32)
    (after,) = (small / ".cache").glob("32-*.npy")
    assert after != before
    assert len(list((small / ".cache").glob("64-*.npy"))) == 1


def test_a_full_disk_is_one_sentence_before_anything_is_decoded(small, monkeypatch):
    usage = shutil.disk_usage(small)._replace(free=1000)
    monkeypatch.setattr(files.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(DiskFull, match=r"\.cache needs .* for the decoded faces .* make room"):
        load_pixels(read_faces(small), 32)
    assert not list((small / ".cache").glob("*.part"))


def test_a_quota_is_one_sentence_and_the_same_command_goes_on(small, monkeypatch, images_of):
    """The disk says that there is room, and does not give it."""

    def refuse(handle, start, size):
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    with monkeypatch.context() as full:
        full.setattr(os, "posix_fallocate", refuse, raising=False)
        with pytest.raises(DiskFull, match=r"your share of it, .*\.cache.* make room"):
            load_pixels(read_faces(small), 32)
    assert not list((small / ".cache").glob("*.part"))
    np.testing.assert_array_equal(load_pixels(read_faces(small), 32), images_of(small))


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.EACCES])
def test_faces_are_read_where_the_disk_has_no_locks(small, monkeypatch, capsys, number, images_of):
    fcntl = pytest.importorskip("fcntl")

    def refuse(handle, how):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    np.testing.assert_array_equal(load_pixels(read_faces(small), 32), images_of(small))
    assert "has no file locks" in capsys.readouterr().out


# What a power cut or a full disk may leave


@pytest.fixture
def images_of(tmp_path):
    """The pixels of a folder, as they are decoded where nothing was before."""

    def decode(folder: Path) -> np.ndarray:
        fresh = tmp_path / "fresh"
        shutil.copytree(folder, fresh, ignore=shutil.ignore_patterns(".cache"))
        return np.array(load_pixels(read_faces(fresh), 32))

    return decode


@pytest.fixture
def interrupted(small, monkeypatch):
    """A folder of which one of three parts is decoded, as Ctrl-C leaves it."""
    monkeypatch.setattr(data, "TOGETHER", 4)
    monkeypatch.setattr(data, "THREADS", 1)
    real, calls = data.load_alike, []

    def stop_after_one(*arguments):
        calls.append(arguments)
        if len(calls) > 1:
            raise KeyboardInterrupt
        return real(*arguments)

    with monkeypatch.context() as stopping:
        stopping.setattr(data, "load_alike", stop_after_one)
        with pytest.raises(KeyboardInterrupt):
            load_pixels(read_faces(small), 32)
    return small


DAMAGE = {
    "empty": lambda whole: b"",
    "cut short": lambda whole: whole[: len(whole) // 2],
    "zeros": lambda whole: bytes(len(whole)),
    "too long": lambda whole: whole + b"\1",
    "a page": lambda whole: b"<html></html>",
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("file", [".part", ".done"])
def test_half_decoded_faces_that_are_damaged_are_decoded_again(
    interrupted, file, damage, images_of
):
    (path,) = (interrupted / ".cache").glob(f"*{file}")
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    pixels = load_pixels(read_faces(interrupted), 32)
    np.testing.assert_array_equal(pixels, images_of(interrupted))
    assert [path.suffix for path in kept(interrupted)] == [".npy"]


@pytest.mark.parametrize("file", [".part", ".done"])
def test_half_decoded_faces_that_are_missing_are_decoded_again(interrupted, file, images_of):
    (path,) = (interrupted / ".cache").glob(f"*{file}")
    path.unlink()
    pixels = load_pixels(read_faces(interrupted), 32)
    np.testing.assert_array_equal(pixels, images_of(interrupted))


@pytest.mark.parametrize("damage", DAMAGE)
def test_decoded_faces_that_are_damaged_are_decoded_again(
    small, damage, images_of, capsys, one_sentence
):
    whole = np.array(load_pixels(read_faces(small), 32))
    (path,) = kept(small)
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    capsys.readouterr()
    np.testing.assert_array_equal(load_pixels(read_faces(small), 32), whole)
    one_sentence(capsys.readouterr().out.strip(), path, "damaged", "decoded again")
    load_pixels(read_faces(small), 32)
    assert capsys.readouterr().out == ""


def test_a_mark_is_written_when_its_pixels_are_on_the_disk(small, monkeypatch):
    monkeypatch.setattr(data, "TOGETHER", 4)
    monkeypatch.setattr(data, "MARKED_EVERY", 0)
    flushed = []

    def flush(self):
        flushed.append(np.flatnonzero(self.any(axis=(1, 2, 3))))
        real_flush(self)

    def write(path, marks):
        rows = np.flatnonzero(np.repeat(np.frombuffer(marks, "uint8"), 4))
        assert set(rows) <= set(flushed[-1] if flushed else [])
        written.append(len(rows))
        real_write(path, marks)

    written, real_flush, real_write = [], np.memmap.flush, data.write_whole
    monkeypatch.setattr(np.memmap, "flush", flush)
    monkeypatch.setattr(data, "write_whole", write)
    load_pixels(read_faces(small), 32)
    assert written[0] == 0 and written[-1] == 12 and len(written) == 4


def test_decoded_faces_are_on_the_disk_before_they_have_their_name(small, monkeypatch):
    events = []
    real_sync, real_replace = data.sync, os.replace

    def sync(path):
        events.append(("sync", Path(path).name))
        real_sync(path)

    def replace(source, target):
        events.append(("rename", Path(target).suffix))
        real_replace(source, target)

    monkeypatch.setattr(data, "sync", sync)
    monkeypatch.setattr(os, "replace", replace)
    load_pixels(read_faces(small), 32)
    (path,) = kept(small)
    aside = path.with_suffix(".part").name
    assert events[-3:] == [("sync", aside), ("rename", ".npy"), ("sync", ".cache")]
