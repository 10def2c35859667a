"""Hugging Face's Parquet files become the same folder as every other form of CelebA."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from portraits.labelling.labels import ATTRIBUTES
from tests.vaelib.celeba.hand_outs import (
    FOLDER,
    PEOPLE,
    PREPARE,
    CelebA,
    archive,
    check,
    name_of,
    refused,
)
from tests.vaelib.celeba.hugging_face import (
    IMAGE,
    PEOPLE_OF,
    as_png,
    converted,
    eurecom,
    flwrlabs,
    in_one_file,
    like_flwrlabs,
    rows_of,
    write,
)
from vaelib import read_faces
from vaelib.celeba import prepare
from vaelib.celeba.shards import find_shards

TRAIN = "img_align+identity+attr/train-{:05}-of-00003.parquet"
VALID = "img_align+identity+attr/valid-00000-of-00001.parquet"


def people_in(folder: Path) -> list[int]:
    table = pd.read_csv(folder / "identity_CelebA.txt", sep=" ", header=None)
    assert list(table[0]) == list(read_faces(folder).file_names())
    return list(table[1])


@pytest.mark.parametrize("form", [flwrlabs, eurecom, converted])
def test_every_form_becomes_the_same_folder(files, tmp_path, form):
    prepared = prepare(form(files, tmp_path / "got"), tmp_path / "celeba")
    assert prepared.splits == {"train": 7, "val": 2, "test": 3}
    assert prepared.left_out == {}
    check(files, tmp_path / "celeba")
    assert people_in(tmp_path / "celeba") == PEOPLE_OF
    for i, image in enumerate(files.images):
        assert (tmp_path / "celeba" / FOLDER / name_of(i)).read_bytes() == image
    assert any("numbered in the order of the files" in remark for remark in prepared.remarks)


def test_images_keep_their_own_names(files, tmp_path):
    swapped = CelebA(files.images[::-1], files.labels[::-1], files.split[::-1])
    source = eurecom(swapped, tmp_path / "got", named=True)  # the files come in another order
    prepared = prepare(source, tmp_path / "celeba")
    names = [name_of(i) for split in range(3) for i in rows_of(swapped, split)]
    faces = read_faces(tmp_path / "celeba")
    assert faces.file_names() == names != sorted(names)
    for name in names:
        i = int(name[:6]) - 1
        assert faces.path(name).read_bytes() == swapped.images[i]
        row = faces.attributes.loc[name, list(ATTRIBUTES)]
        np.testing.assert_array_equal(row.to_numpy(), swapped.labels[i])
        assert faces.splits[name] == ("train", "val", "test")[swapped.split[i]]
    assert not any("numbered" in remark for remark in prepared.remarks)


def test_png_images_are_numbered_as_png(files, tmp_path):
    pngs = CelebA([as_png(image) for image in files.images], files.labels, files.split)
    prepare(flwrlabs(pngs, tmp_path / "got"), tmp_path / "celeba")
    kept = sorted(os.listdir(tmp_path / "celeba" / FOLDER))
    assert kept == [name_of(i, "png") for i in range(PEOPLE)]
    assert list(read_faces(tmp_path / "celeba").splits[:7]) == ["train"] * 7


@pytest.mark.parametrize(
    "path, name",
    [
        ("../../outside.jpg", "outside.jpg"),
        ("/etc/outside.jpg", "outside.jpg"),
        ("..\\..\\outside.jpg", "outside.jpg"),
        ("C:\\outside.JPG", "outside.jpg"),
        ("outside", "outside.jpg"),
        ("..", name_of(0)),
        ("a/..", name_of(0)),
        (".hidden.jpg", name_of(0)),
        ("a b.jpg", name_of(0)),
        ("a\nb.jpg", name_of(0)),
        ("a\0b.jpg", name_of(0)),
        ("C:x.jpg", name_of(0)),
        ("x" * 300 + ".jpg", name_of(0)),
        ("", name_of(0)),
    ],
)
def test_a_name_never_leads_outside(files, tmp_path, path, name):
    table = like_flwrlabs(files, list(range(PEOPLE)))
    values = table["image"].to_pylist()
    values[0]["path"] = path
    table = table.set_column(0, "image", pa.array(values, IMAGE))
    got = tmp_path / "a" / "b"
    prepare(write(table, got / "got" / "faces.parquet"), got / "celeba")
    assert sorted(os.listdir(got / "celeba" / FOLDER)) == sorted(
        [name, *(name_of(i) for i in range(1, PEOPLE))]
    )
    assert os.listdir(tmp_path) == ["a"] and os.listdir(tmp_path / "a") == ["b"]


def test_names_that_stand_twice_become_numbers(files, tmp_path):
    for split, name in enumerate(("train", "valid", "test")):
        rows = rows_of(files, split)
        table = like_flwrlabs(files, rows)
        values = [{"bytes": files.images[i], "path": f"{k}.jpg"} for k, i in enumerate(rows)]
        write(
            table.set_column(0, "image", pa.array(values, IMAGE)),
            tmp_path / "got" / f"{name}.parquet",
        )
    prepared = prepare(tmp_path / "got", tmp_path / "celeba")
    check(files, tmp_path / "celeba")
    assert any("stand there twice" in remark for remark in prepared.remarks)


def test_one_file_without_splits_is_split_by_person(files, tmp_path):
    prepared = prepare(in_one_file(files, tmp_path / "got"), tmp_path / "celeba")
    assert any("all faces of a person in one split" in remark for remark in prepared.remarks)
    faces = read_faces(tmp_path / "celeba")
    people = pd.Series(people_in(tmp_path / "celeba"), faces.splits.index)
    assert (faces.splits.groupby(people).nunique() == 1).all()
    assert set(faces.splits) == {"train", "val", "test"}


def test_people_in_two_splits_are_counted(files, tmp_path):
    for split, name in enumerate(("train", "valid", "test")):
        table = like_flwrlabs(files, rows_of(files, split))
        column = table.schema.get_field_index("celeb_id")
        same = pa.array(range(table.num_rows), pa.int64())
        write(table.set_column(column, "celeb_id", same), tmp_path / "got" / f"{name}.parquet")
    prepared = prepare(tmp_path / "got", tmp_path / "celeba")
    assert "3 people have faces in more than one split." in prepared.remarks
    check(files, tmp_path / "celeba")  # the split stays as it was given


def test_without_people_there_is_no_table_of_them(files, tmp_path):
    table = like_flwrlabs(files, list(range(PEOPLE))).drop_columns(["celeb_id"])
    prepared = prepare(write(table, tmp_path / "got" / "faces.parquet"), tmp_path / "celeba")
    assert not (tmp_path / "celeba" / "identity_CelebA.txt").exists()
    assert not any("person" in remark for remark in prepared.remarks)
    assert len(read_faces(tmp_path / "celeba")) == PEOPLE


# ------------------------------------------------------------------ files that are missing


def test_a_file_that_is_missing_is_named(files, tmp_path, one_sentence):
    source = flwrlabs(files, tmp_path / "got")
    (source / TRAIN.format(1)).unlink()
    one_sentence(refused(source, tmp_path / "celeba"), Path(TRAIN.format(1)).name, "--subset")
    prepared = prepare(source, tmp_path / "celeba", subset=True)
    assert prepared.splits == {"train": 4, "val": 2, "test": 3}


def test_a_split_that_is_missing_is_named(files, tmp_path, one_sentence):
    source = flwrlabs(files, tmp_path / "got")
    (source / VALID).unlink()
    one_sentence(refused(source, tmp_path / "celeba"), source, "split valid", "--subset")
    prepared = prepare(source, tmp_path / "celeba", subset=True)
    assert any("No face here is for val" in remark for remark in prepared.remarks)
    faces = read_faces(tmp_path / "celeba")
    assert set(faces.splits) == {"train", "val", "test"}


def test_one_file_of_several_is_only_a_subset(files, tmp_path, one_sentence):
    for i, source in enumerate(
        [
            flwrlabs(files, tmp_path / "got") / TRAIN.format(0),
            eurecom(files, tmp_path / "other") / "data" / "test-00000-of-00001.parquet",
        ]
    ):
        one_sentence(refused(source, tmp_path / "celeba"), source, "only one", "--subset")
        prepare(source, tmp_path / f"{i}", subset=True)
        assert people_in(tmp_path / f"{i}") == (PEOPLE_OF[:3], PEOPLE_OF[9:])[i]


def test_files_that_do_not_belong_together_are_named(files, tmp_path, one_sentence):
    source = flwrlabs(files, tmp_path / "got")
    first = source / TRAIN.format(0)
    rest = first.read_bytes()
    for name, part in (
        ("train-00000-of-00003 (1).parquet", "same number"),
        ("train-00000-of-00007.parquet", "one set"),
        ("train.parquet", "one set"),
        ("faces.parquet", "does not say"),
        ("other/train-00001-of-00003.parquet", "more than one thing"),
        ("celeba.zip", "more than one thing"),
        ("000001.jpg", "more than one thing"),
    ):
        other = first.parent / name
        other.parent.mkdir(exist_ok=True)
        other.write_bytes(rest)
        one_sentence(refused(source, tmp_path / "celeba"), first.parent, part)
        other.unlink()
    prepare(source, tmp_path / "celeba")
    check(files, tmp_path / "celeba")


def test_a_copy_of_a_file_is_named(files, tmp_path, one_sentence):
    source = tmp_path / "got"
    one = write(like_flwrlabs(files, [0, 1, 2], named=True), source / "a.parquet")
    other = write(like_flwrlabs(files, [3, 4, 0], named=True), source / "b.parquet")
    one_sentence(refused(source, tmp_path / "celeba"), one, other, name_of(0), "take it away")


def test_two_files_with_the_same_content_are_named(files, tmp_path, one_sentence):
    """As a browser names a second download; without names, nothing in them would tell."""
    source = tmp_path / "got"
    one = in_one_file(files, source)
    other = source / "celeba (1).parquet"
    other.write_bytes(one.read_bytes())
    one_sentence(refused(source, tmp_path / "celeba"), one, other, "take one of the two away")


def test_a_gap_between_numbered_files_is_named(files, tmp_path, one_sentence):
    source = converted(files, tmp_path / "got")
    folder = source / "all" / "train"
    for k in (1, 2):
        write(like_flwrlabs(files, [k]), folder / f"{k:04}.parquet")
    assert len(find_shards(source, subset=False)) == 5
    (folder / "0001.parquet").unlink()
    one_sentence(refused(source, tmp_path / "celeba"), folder, "0001.parquet", "--subset")
    assert len(find_shards(source, subset=True)) == 4


def test_hidden_files_are_left_alone(files, tmp_path):
    source = flwrlabs(files, tmp_path / "got")
    (source / "._train-00000-of-00003.parquet").write_bytes(b"\0\5\26\7")
    (source / ".cache").mkdir()
    (source / ".cache" / "train-00000-of-00003.parquet").write_bytes(b"unfinished")
    assert len(find_shards(source, subset=False)) == 6


def test_a_split_is_read_off_the_name_or_its_folder(files, tmp_path):
    for name, split in (
        ("train.parquet", "train"),
        ("x/celeba-validation-00000-of-00001.parquet", "val"),
        ("test/0000.parquet", "test"),
        ("test/training-part.parquet", "train"),
        ("constrained/contest.parquet", ""),
        ("train-and-test/all.parquet", ""),
    ):
        path = tmp_path / "test" / "got" / name  # what is above the source tells nothing
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        (shard,) = find_shards(tmp_path / "test" / "got", subset=True)
        assert shard.split == split
        path.unlink()


# ------------------------------------------------------------------ a stop


def stopped(source: Path, out: Path, monkeypatch, after: int) -> list[str]:
    """Prepare, and be stopped after so many images; their names."""
    real, written = PREPARE.write_all_whole, []

    def write_and_stop(images, safe):
        if len(written) >= after:
            raise KeyboardInterrupt
        written.extend(path.name for path in images)
        real(images, safe)

    with monkeypatch.context() as patched:
        patched.setattr(PREPARE, "write_all_whole", write_and_stop)
        patched.setattr(PREPARE, "TOGETHER", (2, 10**7))
        with pytest.raises(KeyboardInterrupt):
            prepare(source, out)
    assert not out.exists()
    return written


def test_after_a_stop_it_continues(files, tmp_path, monkeypatch):
    source = flwrlabs(files, tmp_path / "got")
    first = stopped(source, tmp_path / "celeba", monkeypatch, 6)
    second, real = [], PREPARE.write_all_whole

    def write_and_tell(images, safe):
        second.extend(path.name for path in images)
        real(images, safe)

    monkeypatch.setattr(PREPARE, "write_all_whole", write_and_tell)
    prepare(source, tmp_path / "celeba")
    assert sorted(first + second) == [name_of(i) for i in range(PEOPLE)]  # each once
    check(files, tmp_path / "celeba")


def test_after_a_stop_an_empty_image_is_copied_again(files, tmp_path, monkeypatch):
    source = flwrlabs(files, tmp_path / "got")
    stopped(source, tmp_path / "celeba", monkeypatch, 6)
    (tmp_path / ".celeba.part" / FOLDER / name_of(1)).write_bytes(b"")
    prepare(source, tmp_path / "celeba")
    check(files, tmp_path / "celeba")


def test_after_a_stop_other_files_start_afresh(files, tmp_path, monkeypatch):
    """With other files, the same number would be another face."""
    source = flwrlabs(files, tmp_path / "got")
    stopped(source, tmp_path / "celeba", monkeypatch, 6)
    swapped = CelebA(files.images[::-1], files.labels[::-1], files.split)
    prepare(flwrlabs(swapped, source), tmp_path / "celeba")
    check(swapped, tmp_path / "celeba")


def test_a_damaged_source_deletes_nothing_of_another(files, tmp_path, monkeypatch):
    source = flwrlabs(files, tmp_path / "got")
    written = stopped(source, tmp_path / "celeba", monkeypatch, 6)
    wrong = tmp_path / "wrong"
    write(pa.table({"text": ["no face"]}), wrong / "a.parquet")
    refused(wrong, tmp_path / "celeba")
    there = os.listdir(tmp_path / ".celeba.part" / FOLDER)
    assert set(written) <= set(there)


def test_after_a_stop_another_form_starts_afresh(files, tmp_path, monkeypatch):
    stopped(flwrlabs(files, tmp_path / "got"), tmp_path / "celeba", monkeypatch, 6)
    prepare(archive(files, tmp_path / "other"), tmp_path / "celeba")
    check(files, tmp_path / "celeba")
    assert not (tmp_path / "celeba" / "identity_CelebA.txt").exists()
