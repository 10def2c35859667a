"""Finding CelebA in folders and archives, and refusing everything else."""

import io
import json
import os
import random
import stat
import struct
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from portraits.labelling.labels import ATTRIBUTES
from tests.vaelib.celeba.hand_outs import (
    FOLDER,
    PEOPLE,
    CelebA,
    all_in_one_folder,
    archive,
    archive_of_kaggle,
    check,
    name_of,
    refused,
)
from vaelib import read_faces
from vaelib.celeba import prepare, sources


def test_a_web_page_named_zip_is_one_sentence(files, tmp_path, one_sentence):
    files.write_tables(tmp_path)
    source = tmp_path / f"{FOLDER}.zip"
    source.write_text("<!DOCTYPE html><html><title>Google Drive - Quota exceeded</title></html>")
    one_sentence(refused(source, tmp_path / "celeba"), source, "web page", "in a browser")


def test_another_archive_is_one_sentence(files, tmp_path, one_sentence):
    source = tmp_path / "img_align_celeba_png.7z"
    source.write_bytes(b"7z\xbc\xaf\x27\x1c" + bytes(100))
    one_sentence(refused(source, tmp_path / "celeba"), source, "unpack it")


def test_a_truncated_archive_is_one_sentence(files, tmp_path, one_sentence):
    source = archive(files, tmp_path / "got")
    source.write_bytes(source.read_bytes()[:-5000])
    one_sentence(refused(source, tmp_path / "celeba"), source, "cut short", "fetch it again")


@pytest.mark.parametrize(
    "name", ["../outside.jpg", "/tmp/outside.jpg", "a/../../outside.jpg", "C:\\outside.jpg"]
)
def test_an_archive_that_reaches_outside_is_refused(files, tmp_path, one_sentence, name):
    files.write_tables(tmp_path / "got")
    source = files.write_archive(tmp_path / "got" / "archive.zip", more={name: files.images[0]})
    before = sorted(tmp_path.rglob("*"))
    one_sentence(refused(source, tmp_path / "celeba"), source, "outside its folder")
    after = [path for path in sorted(tmp_path.rglob("*")) if not path.name.startswith(".celeba")]
    assert after == before
    assert not Path("/tmp/outside.jpg").exists()


def test_an_archive_with_a_link_is_refused(files, tmp_path, one_sentence):
    source = archive(files, tmp_path / "got")
    link = zipfile.ZipInfo(f"{FOLDER}/000098.jpg")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(source, "a") as opened:
        opened.writestr(link, "/etc/passwd")
    one_sentence(refused(source, tmp_path / "celeba"), source, "a link")


@pytest.mark.parametrize("count, size", [(1, 60_000_000), (10, 9_000_000)])
def test_a_zip_bomb_is_refused(files, tmp_path, one_sentence, count, size):
    files.write_tables(tmp_path / "got")
    source = tmp_path / "got" / "archive.zip"
    with zipfile.ZipFile(source, "w", zipfile.ZIP_DEFLATED) as opened:
        for i in range(count):
            opened.writestr(name_of(i), bytes(size))
    one_sentence(refused(source, tmp_path / "celeba"), source, "throw it away")


def test_a_locked_archive_is_one_sentence(files, tmp_path, one_sentence):
    source = archive(files, tmp_path / "got")
    data = bytearray(source.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1  # the flag in the list of files
    source.write_bytes(data)
    one_sentence(refused(source, tmp_path / "celeba"), source, "password")


def test_bytes_missing_in_the_middle_are_one_sentence(files, tmp_path, one_sentence):
    source = archive_of_kaggle(files, tmp_path / "got")
    data = source.read_bytes()
    source.write_bytes(data[:30_000] + data[31_000:])
    one_sentence(refused(source, tmp_path / "celeba"), source, "in the middle", "fetch it again")


def set_in_list(source: Path, name: str, field: int, value: int) -> None:
    """Change two bytes of a member's entry in the list of files, at this place of the entry."""
    data = bytearray(source.read_bytes())
    entry = data.index(name.encode(), data.index(b"PK\x01\x02")) - 46
    data[entry + field : entry + field + 2] = struct.pack("<H", value)
    source.write_bytes(data)


@pytest.mark.parametrize("name", [f"{FOLDER}/{FOLDER}/{name_of(3)}", "list_attr_celeba.csv"])
@pytest.mark.parametrize(
    "field, value, part",
    [
        (10, 9, "Deflate64"),
        (10, 93, "Zstandard"),
        (10, 99, "AES"),
        (10, 77, "method 77"),
        (8, 0x20, "a patch"),
        (8, 0x1, "password"),
        (8, 0x40, "password"),
        (8, 0x2000, "password"),
    ],
)
def test_what_python_can_not_unpack_is_one_sentence(
    files, tmp_path, one_sentence, name, field, value, part
):
    source = archive_of_kaggle(files, tmp_path / "got")
    set_in_list(source, name, field, value)
    one_sentence(refused(source, tmp_path / "celeba"), source, name, part, "unpack it")


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_table_is_one_sentence_however_it_is_packed(
    files, tmp_path, one_sentence, method
):
    more = {"list_attr_celeba.csv": files.attributes_csv}
    source = files.write_archive(tmp_path / "archive.zip", more=more, method=method)
    prepare(source, tmp_path / "whole")
    data = bytearray(source.read_bytes())
    place = data.index(b"list_attr_celeba.csv") + 60
    data[place : place + 300] = bytes(300)
    source.write_bytes(data)
    message = refused(source, tmp_path / "celeba")
    one_sentence(message, f"{source}/list_attr_celeba.csv", "damaged", "fetch it again")


def test_a_member_that_unpacks_to_more_than_it_says_fills_no_memory(files, tmp_path, one_sentence):
    source = tmp_path / "archive.zip"
    table = bytes(10**8)
    files.write_archive(source, more={"list_attr_celeba.csv": table}, method=zipfile.ZIP_DEFLATED)
    data, size = source.read_bytes(), struct.pack("<I", len(table))
    assert data.count(size) == 2  # before the member, and in the list
    source.write_bytes(data.replace(size, struct.pack("<I", 5000)))
    tracemalloc.start()
    message = refused(source, tmp_path / "celeba")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    one_sentence(message, f"{source}/list_attr_celeba.csv", "damaged")
    assert peak < 5e6


def test_an_archive_of_millions_of_files_is_refused_before_they_are_listed(
    files, tmp_path, one_sentence, monkeypatch
):
    source = archive(files, tmp_path / "got")
    files.write_archive(source, more={f"{i}.txt": b"" for i in range(100)})
    with monkeypatch.context() as small:
        small.setattr(sources, "MOST_FILES", 50)
        one_sentence(refused(source, tmp_path / "celeba"), source, "more than 50 files", "202,599")
    with monkeypatch.context() as small:
        small.setattr(sources, "LARGEST_LIST", 5000)
        one_sentence(refused(source, tmp_path / "celeba"), source, "list of files", "at once")
    prepare(source, tmp_path / "celeba")


def test_an_archive_may_have_windows_separators(files, tmp_path):
    more = {
        f"{FOLDER}\\more\\{name_of(PEOPLE)}": files.images[0],
        f"__MACOSX\\._{name_of(1)}": b"\0",
        "tables\\list_attr_celeba.txt": files.attributes,
    }
    source = files.write_archive(tmp_path / "archive.zip", more=more)
    prepared = prepare(source, tmp_path / "celeba")
    assert any(remark.startswith("1 images have no row") for remark in prepared.remarks)
    assert len(read_faces(tmp_path / "celeba")) == PEOPLE


def test_two_tables_that_differ_are_both_named(files, tmp_path, one_sentence):
    source = all_in_one_folder(files, tmp_path / "got")
    first = source / "list_attr_celeba.txt"
    second = source / "more" / "list_attr_celeba.csv"
    second.parent.mkdir()
    second.write_bytes(files.attributes_csv)
    one_sentence(refused(source, tmp_path / "celeba"), first, second, "differ")
    second.write_bytes(first.read_bytes())  # a copy does no harm
    prepare(source, tmp_path / "celeba")
    check(files, tmp_path / "celeba")


def portraits_in(files: CelebA, folder: Path, manifest: str = "manifest.json") -> Path:
    all_in_one_folder(files, folder)
    (folder / manifest).write_text(json.dumps({"format": "latent-faces portraits", "seed": 0}))
    return folder


@pytest.mark.parametrize("manifest", ["manifest.json", "manifest.partial.json"])
def test_the_courses_portraits_are_no_source(files, tmp_path, one_sentence, manifest):
    ours = portraits_in(files, tmp_path / "data" / "portraits", manifest)
    for source in (ours, ours / FOLDER):
        message = refused(source, tmp_path / "data" / "celeba")
        one_sentence(message, source, "portraits", "not CelebA")
    message = refused(tmp_path / "data", tmp_path / "celeba", FileNotFoundError)
    one_sentence(message, tmp_path / "data", "no .zip archive", "portraits")
    other = CelebA(files.images[::-1], files.labels[::-1], files.split)
    archive_of_kaggle(other, tmp_path / "data")
    prepare(tmp_path / "data", tmp_path / "data" / "celeba")
    check(other, tmp_path / "data" / "celeba")


def test_several_things_that_may_be_celeba_are_listed(files, tmp_path, one_sentence):
    first = archive_of_kaggle(files, tmp_path / "got")
    second = files.write_archive(tmp_path / "got" / f"{FOLDER}.zip")
    message = refused(tmp_path / "got", tmp_path / "celeba")
    one_sentence(message, tmp_path / "got", first, second, "--from")
    second.unlink()
    images = files.write_images(tmp_path / "got" / FOLDER)
    message = refused(tmp_path / "got", tmp_path / "celeba")
    one_sentence(message, tmp_path / "got", first, f"{images} ({PEOPLE} images)", "--from")
    prepare(first, tmp_path / "celeba")
    check(files, tmp_path / "celeba")


# ------------------------------------------------------------------ any damage

CUTS, FLIPS = 40, 200


@pytest.fixture(scope="session")
def small_archive(tmp_path_factory) -> bytes:
    """The bytes of an archive of 20 small images and both tables."""
    images = []
    for i in range(20):
        file = io.BytesIO()
        Image.new("RGB", (178, 218), (10 * i, 150, 120)).save(file, "JPEG", quality=50)
        images.append(file.getvalue())
    labels = np.random.default_rng(0).random((20, len(ATTRIBUTES))) > 0.5
    small = CelebA(images, labels, [0] * 14 + [1] * 3 + [2] * 3)
    more = {
        "list_attr_celeba.csv": small.attributes_csv,
        "list_eval_partition.csv": small.partition_csv,
    }
    path = tmp_path_factory.mktemp("small") / "archive.zip"
    small.write_archive(path, more=more, method=zipfile.ZIP_DEFLATED)
    return path.read_bytes()


def cut(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(1, len(data) - 200)
    return data[:start] + data[start + rng.randrange(1, 200) :]


def flipped(data: bytes, rng: random.Random) -> bytes:
    """A byte changed: every other time in the list of files, where all can go wrong."""
    start = data.index(b"PK\x01\x02") if rng.random() < 0.5 else 0
    place = rng.randrange(start, len(data))
    return data[:place] + bytes([data[place] ^ rng.randrange(1, 256)]) + data[place + 1 :]


@pytest.mark.parametrize("damage, times", [(cut, CUTS), (flipped, FLIPS)])
def test_whatever_is_damaged_is_one_sentence_with_the_archives_name(
    small_archive, tmp_path, monkeypatch, one_sentence, damage, times
):
    monkeypatch.setattr(os, "fsync", lambda handle: None)  # quicker
    source, out = tmp_path / "got" / "archive.zip", tmp_path / "data" / "celeba"
    source.parent.mkdir()
    refusals = 0
    for seed in range(times):
        source.write_bytes(damage(small_archive, random.Random(seed)))
        try:
            prepare(source, out)
        except (ValueError, OSError) as error:
            one_sentence(error, source)
            assert not out.exists()
            refusals += 1
        else:
            out.rename(tmp_path / "data" / f"{seed}")
        assert {path.name for path in tmp_path.iterdir()} == {"got", "data"}
        assert os.listdir(source.parent) == ["archive.zip"]
    assert refusals > times / 2
