"""Reading folders of faces: joins, splits, names, and every bad input."""

import errno
import os
import shutil
import warnings

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.vaelib.data.folders import edit_lines
from vaelib.data import faces as faces_module
from vaelib.data.faces import read_faces
from vaelib.data.pipeline import make_dataset
from vaelib.data.pixels import load_images

COLOURS = ["Smiling", "Male", "Young"]


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


def test_a_file_in_the_place_of_the_folder_is_one_sentence(tmp_path, one_sentence):
    (tmp_path / "faces.zip").touch()
    with pytest.raises(FileNotFoundError) as error:
        read_faces(tmp_path / "faces.zip")
    one_sentence(error.value, tmp_path / "faces.zip", "is no folder")


def test_a_folder_that_may_not_be_read_does_not_count_as_empty(small, monkeypatch):
    def refuse(path):
        raise PermissionError(errno.EACCES, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", refuse)  # `os.walk` lists folders with it
    with pytest.raises(PermissionError):
        read_faces(small)


@pytest.mark.parametrize(
    ("name", "advice"),
    [("portraits", "python -m portraits"), ("celeba", "python -m vaelib celeba")],
)
def test_a_missing_data_set_of_the_course_says_how_to_get_it(
    tmp_path, monkeypatch, name, advice, one_sentence
):
    monkeypatch.setattr(faces_module, "DATA", tmp_path)
    with pytest.raises(FileNotFoundError) as error:
        read_faces(name)
    one_sentence(error.value, tmp_path / name, advice)


def test_the_data_sets_of_the_course_go_by_name(draw_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(faces_module, "DATA", tmp_path)
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
    for ask in (faces.file_names, faces.find, lambda split: make_dataset(faces, split, 32)):
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
