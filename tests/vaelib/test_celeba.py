"""CelebA in every form in which it is handed out, rehearsed with portraits; and all bad input."""

import errno
import io
import json
import os
import random
import stat
import struct
import sys
import tracemalloc
import types
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from PIL import Image

from portraits import Person
from portraits.labelling.labels import ATTRIBUTES
from vaelib import celeba, celeba_sources, read_faces
from vaelib.celeba import prepare
from vaelib.celeba.kaggle import BY_HAND, fetch_from_kaggle
from vaelib.data.images import load_image, square_box
from vaelib.data.pixels import load_images

SAMPLE = Path(__file__).resolve().parents[3] / "shared" / "celeba-sample"
PEOPLE = 12
SPLIT = [0] * 7 + [1] * 2 + [2] * 3
FOLDER = "img_align_celeba"


def name_of(i: int, end: str = "jpg") -> str:
    return f"{i + 1:06}.{end}"


def text(lines: list[str], newline: str = "\r\n") -> bytes:
    return "".join(line + newline for line in lines).encode()


class CelebA:
    """Some portraits of 178 x 218 pixels, and the files that come with them."""

    def __init__(self, images: list[bytes], labels: np.ndarray, split: list[int]):
        self.images, self.labels, self.split = images, labels, split
        values = np.where(labels, "1", "-1")
        rows = [(name_of(i), values[i]) for i in range(len(images))]
        # As the authors publish it: a count, two spaces before a 1, Windows line ends.
        self.attributes = text(
            [
                str(len(rows)),
                " ".join(ATTRIBUTES) + " ",
                *(f"{name} " + " ".join(f"{value:>2}" for value in row) for name, row in rows),
            ]
        )
        self.partition = text([f"{name_of(i)} {k}" for i, k in enumerate(split)])
        self.attributes_csv = text(
            [
                ",".join(["image_id", *ATTRIBUTES]),
                *(",".join([name, *row]) for name, row in rows),
            ],
            "\n",
        )
        self.partition_csv = text(
            ["image_id,partition", *(f"{name_of(i)},{k}" for i, k in enumerate(split))], "\n"
        )

    def write_images(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for i, image in enumerate(self.images):
            (folder / name_of(i)).write_bytes(image)
        return folder

    def write_tables(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "list_attr_celeba.txt").write_bytes(self.attributes)
        (folder / "list_eval_partition.txt").write_bytes(self.partition)

    def write_archive(
        self,
        path: Path,
        inside: str = FOLDER,
        more: dict | None = None,
        method: int = zipfile.ZIP_STORED,
    ) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w", method) as archive:
            archive.mkdir(inside)
            for i, image in enumerate(self.images):
                archive.writestr(f"{inside}/{name_of(i)}", image)
            for name, data in (more or {}).items():
                archive.writestr(name, data)
        return path


@pytest.fixture(scope="session")
def files() -> CelebA:
    images, labels = [], []
    for seed in range(PEOPLE):
        person = Person.sample(seed)
        file = io.BytesIO()
        Image.fromarray(person.render((178, 218))).save(file, "JPEG", quality=95)
        images.append(file.getvalue())
        labels.append([person.attributes()[name] for name in ATTRIBUTES])
    return CelebA(images, np.array(labels), SPLIT)


@pytest.fixture(scope="session")
def many() -> CelebA:
    """2,000 faces, one and the same but for their labels."""
    file = io.BytesIO()
    Image.new("RGB", (178, 218), (200, 150, 120)).save(file, "JPEG")
    labels = np.random.default_rng(0).random((2000, len(ATTRIBUTES))) > 0.5
    return CelebA([file.getvalue()] * 2000, labels, [0] * 1800 + [1] * 100 + [2] * 100)


# ------------------------------------------------------------------ every form


def plain(files: CelebA, root: Path) -> Path:
    files.write_tables(root)
    return files.write_images(root / FOLDER)


def all_in_one_folder(files: CelebA, root: Path) -> Path:
    plain(files, root)
    return root


def nested_by_kaggle(files: CelebA, root: Path) -> Path:
    files.write_images(root / FOLDER / FOLDER)
    (root / "list_attr_celeba.csv").write_bytes(files.attributes_csv)
    (root / "list_eval_partition.csv").write_bytes(files.partition_csv)
    (root / "list_bbox_celeba.csv").write_text("image_id,x_1\n000001.jpg,95\n")
    return root


def archive(files: CelebA, root: Path) -> Path:
    files.write_tables(root)
    return files.write_archive(root / f"{FOLDER}.zip")


def archive_of_kaggle(files: CelebA, root: Path) -> Path:
    more = {
        "list_attr_celeba.csv": files.attributes_csv,
        "list_eval_partition.csv": files.partition_csv,
        "list_landmarks_align_celeba.csv": b"image_id,lefteye_x\n000001.jpg,69\n",
        "__MACOSX/._list_attr_celeba.csv": b"\0\0",
    }
    return files.write_archive(root / "archive.zip", f"{FOLDER}/{FOLDER}", more)


def as_the_authors_keep_it(files: CelebA, root: Path) -> Path:
    files.write_archive(root / "Img" / f"{FOLDER}.zip")
    (root / "Anno").mkdir()
    (root / "Anno" / "list_attr_celeba.txt").write_bytes(files.attributes)
    (root / "Eval").mkdir()
    (root / "Eval" / "list_eval_partition.txt").write_bytes(files.partition)
    return root


def the_authors_archive(files: CelebA, root: Path) -> Path:
    as_the_authors_keep_it(files, root)
    return root / "Img" / f"{FOLDER}.zip"


def kaggle_in_a_folder_of_downloads(files: CelebA, root: Path) -> Path:
    archive_of_kaggle(files, root)
    (root / "invoice.txt").write_text("something else")
    return root


FORMS = [
    plain,
    all_in_one_folder,
    nested_by_kaggle,
    archive,
    archive_of_kaggle,
    as_the_authors_keep_it,
    the_authors_archive,
    kaggle_in_a_folder_of_downloads,
]


def check(files: CelebA, out: Path) -> None:
    """The folder holds all faces with their labels, splits and pixels, and reads silently."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        faces = read_faces(out)
    assert faces.file_names() == [name_of(i) for i in range(len(files.images))]
    np.testing.assert_array_equal(faces.attributes[list(ATTRIBUTES)].to_numpy(), files.labels)
    assert list(faces.splits) == [("train", "val", "test")[k] for k in files.split]
    expected = np.stack([load_image(io.BytesIO(image), 64) for image in files.images])
    assert abs(load_images(faces, image_size=64) * 255 - expected).max() < 2.5
    assert not list(out.parent.glob(".*.part"))


@pytest.mark.parametrize("form", FORMS)
def test_every_form_becomes_the_same_folder(files, tmp_path, form):
    prepared = prepare(form(files, tmp_path / "got"), tmp_path / "data" / "celeba")
    assert prepared.folder == tmp_path / "data" / "celeba"
    assert prepared.splits == {"train": 7, "val": 2, "test": 3}
    assert prepared.left_out == {}
    check(files, prepared.folder)


def test_the_source_stays_as_it_was(files, tmp_path):
    source = all_in_one_folder(files, tmp_path / "got")
    before = {path: path.read_bytes() for path in source.rglob("*") if path.is_file()}
    prepare(source, tmp_path / "celeba")
    assert {path: path.read_bytes() for path in source.rglob("*") if path.is_file()} == before


def test_png_images_go_with_tables_that_say_jpg(files, tmp_path):
    source = plain(files, tmp_path / "got")
    for path in sorted(source.glob("*.jpg")):
        with Image.open(path) as image:
            image.save(path.with_suffix(".png"))
    for path in sorted(source.glob("*.jpg"))[:6]:
        path.unlink()  # and of the other six there are both
    prepare(source, tmp_path / "celeba")
    kept = sorted(path.name for path in (tmp_path / "celeba" / FOLDER).iterdir())
    assert kept == [name_of(i, "png" if i < 6 else "jpg") for i in range(PEOPLE)]
    faces = read_faces(tmp_path / "celeba")
    np.testing.assert_array_equal(faces.attributes[list(ATTRIBUTES)].to_numpy(), files.labels)
    assert list(faces.splits) == [("train", "val", "test")[k] for k in SPLIT]


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


def test_what_a_mac_puts_beside_files_is_left_alone(files, tmp_path):
    source = all_in_one_folder(files, tmp_path / "folder")
    (source / FOLDER / f"._{name_of(0)}").write_bytes(b"\0\5\26\7")
    (source / "._list_attr_celeba.txt").write_bytes(b"\0\5\26\7")
    more = {f"{FOLDER}/._{name_of(0)}": b"\0", f"__MACOSX/{FOLDER}/._{name_of(1)}": b"\0"}
    files.write_tables(tmp_path / "zip")
    archive = files.write_archive(tmp_path / "zip" / "archive.zip", more=more)
    for got in (source, archive):
        prepared = prepare(got, tmp_path / got.name / "celeba")
        assert not any("no row" in remark for remark in prepared.remarks)
        check(files, prepared.folder)


def test_without_a_partition_it_says_what_comes_instead(files, tmp_path):
    source = plain(files, tmp_path / "got")
    (source.parent / "list_eval_partition.txt").unlink()
    prepared = prepare(source, tmp_path / "celeba")
    assert any("90/5/5" in remark for remark in prepared.remarks)
    assert len(read_faces(tmp_path / "celeba").file_names("test")) == 1


def test_a_split_that_is_empty_is_said_once_and_read_without_a_word(files, tmp_path):
    source = plain(files, tmp_path / "got")
    lines = [f"{name_of(i)} 0" for i in range(PEOPLE)]
    (source.parent / "list_eval_partition.txt").write_bytes(text(lines))
    prepared = prepare(source, tmp_path / "celeba")
    assert any("val and test" in remark for remark in prepared.remarks)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(read_faces(tmp_path / "celeba").file_names("val")) == 1


def test_known_checksums_are_compared_and_a_difference_is_a_remark(files, tmp_path, monkeypatch):
    source = archive(files, tmp_path / "got")
    prepared = prepare(source, tmp_path / "one")
    assert [r for r in prepared.remarks if f"{source} is not the file" in r]
    import hashlib

    digest = hashlib.md5(source.read_bytes()).hexdigest()
    monkeypatch.setitem(celeba.MD5, source.name, digest)
    prepared = prepare(source, tmp_path / "other")
    assert not [r for r in prepared.remarks if f"{source} is not the file" in r]


def test_images_without_a_row_are_counted(files, tmp_path):
    source = plain(files, tmp_path / "got")
    (source / "000099.jpg").write_bytes(files.images[0])
    prepared = prepare(source, tmp_path / "celeba")
    assert any(remark.startswith("1 images have no row") for remark in prepared.remarks)
    check(files, tmp_path / "celeba")


# ------------------------------------------------------------------ missing and broken images


def damage(source: Path, missing: int, truncated: int) -> None:
    paths = sorted(source.glob("*.jpg"))
    for path in paths[100 : 100 + missing]:
        path.unlink()
    for path in paths[500 : 500 + truncated]:
        path.write_bytes(path.read_bytes()[:500])


def test_17_missing_and_3_truncated_images_are_listed_and_left_out(many, tmp_path):
    source = plain(many, tmp_path / "got")
    damage(source, 17, 3)
    prepared = prepare(source, tmp_path / "celeba")
    assert len(prepared.left_out) == 20
    assert prepared.left_out["000101.jpg"] == "missing"
    assert prepared.left_out["000501.jpg"] == "cut short"
    lines = (tmp_path / "celeba" / "left_out.txt").read_text().splitlines()
    assert len(lines) == 20 and "000503.jpg cut short" in lines
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        faces = read_faces(tmp_path / "celeba")
    assert len(faces) == 1980
    kept = [i for i in range(2000) if name_of(i) not in prepared.left_out]
    np.testing.assert_array_equal(faces.attributes[list(ATTRIBUTES)].to_numpy(), many.labels[kept])


@pytest.mark.parametrize("missing, truncated", [(21, 0), (18, 3), (0, 21)])
def test_more_than_1_in_100_is_refused(many, tmp_path, one_sentence, missing, truncated):
    source = plain(many, tmp_path / "got")
    damage(source, missing, truncated)
    with pytest.raises(ValueError) as error:
        prepare(source, tmp_path / "celeba")
    one_sentence(error.value, source, "21 of 2,000 faces", "left_out.txt")
    assert ("--subset" in str(error.value)) == (truncated == 0)
    assert not (tmp_path / "celeba").exists()
    assert len((tmp_path / "celeba_left_out.txt").read_text().splitlines()) == 21


def test_a_part_of_the_images_is_taken_when_asked_for(many, tmp_path):
    source = plain(many, tmp_path / "got")
    damage(source, 400, 0)
    prepared = prepare(source, tmp_path / "celeba", subset=True)
    assert len(read_faces(tmp_path / "celeba")) == 1600
    assert len(prepared.left_out) == 400


def test_an_image_that_is_whole_at_its_ends_only_is_found_by_decoding(files, tmp_path, monkeypatch):
    monkeypatch.setattr(celeba, "TOLERATED", 0.1)
    source = plain(files, tmp_path / "got")
    data = bytearray(files.images[3])
    data[2:-2] = bytes(len(data) - 4)
    (source / name_of(3)).write_bytes(b"\xff\xd8\xff" + bytes(data[3:]))
    prepared = prepare(source, tmp_path / "celeba")
    assert prepared.left_out == {name_of(3): "damaged"}
    assert not (tmp_path / "celeba" / FOLDER / name_of(3)).exists()


def test_a_member_with_a_wrong_checksum_is_left_out(files, tmp_path, monkeypatch):
    monkeypatch.setattr(celeba, "TOLERATED", 0.1)
    source = archive(files, tmp_path / "got")
    data = source.read_bytes()
    place = data.index(files.images[5]) + 2000
    source.write_bytes(data[:place] + bytes([data[place] ^ 255]) + data[place + 1 :])
    assert prepare(source, tmp_path / "celeba").left_out == {name_of(5): "damaged"}


# ------------------------------------------------------------------ what is refused


def refused(source: Path, out: Path, kind=ValueError) -> str:
    with pytest.raises(kind) as error:
        prepare(source, out)
    assert not out.exists()
    return str(error.value)


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
        small.setattr(celeba_sources, "MOST_FILES", 50)
        one_sentence(refused(source, tmp_path / "celeba"), source, "more than 50 files", "202,599")
    with monkeypatch.context() as small:
        small.setattr(celeba_sources, "LARGEST_LIST", 5000)
        one_sentence(refused(source, tmp_path / "celeba"), source, "list of files", "at once")
    prepare(source, tmp_path / "celeba")


def test_tables_far_from_celebas_size_are_refused_before_they_are_read(
    files, tmp_path, one_sentence, monkeypatch
):
    source = plain(files, tmp_path / "got")
    table = source.parent / "list_attr_celeba.txt"

    def not_read(path):
        raise AssertionError(path)

    monkeypatch.setattr(celeba, "read_attributes", not_read)
    for content in (b"1\n" + b"x " * 10**5, b"1\n" * 300_001):
        table.write_bytes(content)
        one_sentence(refused(source, tmp_path / "celeba"), table, "rows in 0.")
    with table.open("wb") as file:
        file.truncate(98 * 10**6)
    one_sentence(refused(source, tmp_path / "celeba"), table, "98 MB")


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


def test_tables_of_other_faces_are_one_sentence(files, tmp_path, one_sentence):
    source = plain(files, tmp_path / "got")
    table = files.attributes.replace(b"\r\n0000", b"\r\n9000")
    (source.parent / "list_attr_celeba.txt").write_bytes(table)
    message = refused(source, tmp_path / "celeba")
    one_sentence(message, source.parent / "list_attr_celeba.txt", "another set of faces")


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


def test_two_images_of_one_name_are_one_sentence(files, tmp_path, one_sentence):
    source = all_in_one_folder(files, tmp_path / "got")
    (source / "more").mkdir()
    (source / "more" / name_of(2)).write_bytes(files.images[2])
    message = refused(source, tmp_path / "celeba")
    one_sentence(message, source / "more" / name_of(2), source / FOLDER / name_of(2))


def test_what_is_not_there_is_one_sentence(files, tmp_path, one_sentence):
    message = refused(tmp_path / "nowhere", tmp_path / "celeba", FileNotFoundError)
    one_sentence(message, tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    message = refused(tmp_path / "empty", tmp_path / "celeba", FileNotFoundError)
    one_sentence(message, tmp_path / "empty")
    source = files.write_images(tmp_path / "got" / FOLDER)
    message = refused(source, tmp_path / "celeba", FileNotFoundError)
    one_sentence(message, source, "list_attr_celeba.txt")


def test_what_was_prepared_is_not_overwritten(files, tmp_path, one_sentence):
    source = plain(files, tmp_path / "got")
    prepare(source, tmp_path / "celeba")
    with pytest.raises(FileExistsError) as error:
        prepare(source, tmp_path / "celeba")
    one_sentence(error.value, tmp_path / "celeba", "--out")
    check(files, tmp_path / "celeba")


# ------------------------------------------------------------------ stopped in the middle


def full_after(count: int, monkeypatch) -> list[str]:
    """A disk with room for so many images, two at a time; the names of those that are written."""
    written = []
    real = Path.write_bytes

    def write(path: Path, data: bytes) -> int:
        if path.suffix == ".jpg":
            if len(written) == count:
                real(path, data[:100])  # a half of it, as a full disk leaves it
                raise OSError(errno.ENOSPC, "No space left on device", str(path))
            written.append(path.name[-len(name_of(0)) :])
        return real(path, data)

    monkeypatch.setattr(Path, "write_bytes", write)
    monkeypatch.setattr(celeba, "TOGETHER", (2, 10**7))
    return written


def test_a_disk_that_fills_up_loses_nothing(files, tmp_path, monkeypatch, one_sentence):
    source = archive(files, tmp_path / "got")
    with monkeypatch.context() as full:
        first = full_after(6, full)
        message = refused(source, tmp_path / "celeba", OSError)
    one_sentence(message, name_of(6), "6 of 12 faces are safe", "make room", "same command")
    with monkeypatch.context() as roomy:
        second = full_after(99, roomy)
        prepare(source, tmp_path / "celeba")
    assert sorted(first + second) == [name_of(i) for i in range(PEOPLE)]  # each once
    check(files, tmp_path / "celeba")


@pytest.mark.parametrize("name", ["list_attr_celeba.txt", "list_eval_partition.txt", "table.txt"])
def test_a_disk_that_is_full_at_a_table_is_one_sentence(
    files, tmp_path, monkeypatch, one_sentence, name
):
    source = plain(files, tmp_path / "got")
    real = Path.write_bytes

    def write(path: Path, data: bytes) -> int:
        if path.name.endswith(name):
            raise OSError(errno.EDQUOT, "Disk quota exceeded", str(path))
        return real(path, data)

    with monkeypatch.context() as full:
        full.setattr(Path, "write_bytes", write)
        message = refused(source, tmp_path / "celeba", OSError)
    one_sentence(message, name, "safe", "make room", "same command")
    prepare(source, tmp_path / "celeba")
    check(files, tmp_path / "celeba")


def test_all_of_the_folder_is_on_the_disk_before_it_has_its_name(files, tmp_path, monkeypatch):
    """As a power cut would have it: what is not synced may be empty afterwards."""
    synced, before = [], []
    fsync, replace = os.fsync, os.replace
    out = tmp_path / "celeba"

    def put(aside, path):
        if Path(path) == out:
            before.extend(synced)
            synced.clear()
        replace(aside, path)

    monkeypatch.setattr(os, "fsync", lambda h: (synced.append(os.fstat(h).st_ino), fsync(h)))
    monkeypatch.setattr(os, "replace", put)
    prepare(archive(files, tmp_path / "got"), out)
    there = [out, *out.rglob("*")]
    assert len(there) == 1 + 1 + PEOPLE + 2
    assert {path.stat().st_ino for path in there} <= set(before)
    assert tmp_path.stat().st_ino in synced


def test_empty_images_of_a_half_made_folder_are_copied_again(files, tmp_path, monkeypatch):
    source = plain(files, tmp_path / "got")
    with monkeypatch.context() as full:
        full_after(6, full)
        refused(source, tmp_path / "celeba", OSError)
    images = tmp_path / ".celeba.part" / FOLDER
    (images / name_of(1)).write_bytes(b"")
    (images / f".part-12345678-{name_of(7)}").write_bytes(b"")
    prepare(source, tmp_path / "celeba")
    check(files, tmp_path / "celeba")
    assert len(os.listdir(tmp_path / "celeba" / FOLDER)) == PEOPLE


def test_a_finished_folder_with_empty_images_is_not_called_fine(files, tmp_path, one_sentence):
    source, out = plain(files, tmp_path / "got"), tmp_path / "celeba"
    prepare(source, out)
    empty = out / FOLDER / name_of(4)
    empty.write_bytes(b"")
    with pytest.raises(FileExistsError) as error:
        prepare(source, out)
    one_sentence(error.value, out, "damaged", "1 of its files", empty, "delete")
    assert "as it is" not in str(error.value)


def test_a_disk_without_locks_is_written_to_all_the_same(files, tmp_path, monkeypatch, capsys):
    fcntl = pytest.importorskip("fcntl")

    def none(handle, operation):
        raise OSError(errno.ENOLCK, "No locks available")

    with monkeypatch.context() as lockless:
        lockless.setattr(fcntl, "flock", none)
        prepare(plain(files, tmp_path / "got"), tmp_path / "celeba")
    check(files, tmp_path / "celeba")
    assert f"{tmp_path} has no file locks" in capsys.readouterr().out


def test_a_folder_that_can_not_be_made_is_one_sentence(files, tmp_path, one_sentence):
    source = plain(files, tmp_path / "got")
    (tmp_path / "file").touch()
    message = refused(source, tmp_path / "file" / "celeba", OSError)
    one_sentence(message, tmp_path / "file", "--out")


def test_a_disk_without_room_is_one_sentence_before_anything_is_copied(
    files, tmp_path, monkeypatch, one_sentence
):
    source = plain(files, tmp_path / "got")
    usage = types.SimpleNamespace(free=1000)
    monkeypatch.setattr(celeba.shutil, "disk_usage", lambda path: usage)
    one_sentence(refused(source, tmp_path / "celeba", OSError), "make room", "--out")


def test_after_a_stop_another_source_starts_afresh(files, tmp_path, monkeypatch):
    with monkeypatch.context() as full:
        full_after(5, full)
        refused(archive(files, tmp_path / "got"), tmp_path / "celeba", OSError)
    swapped = CelebA(files.images[::-1], files.labels[::-1], files.split)
    prepare(plain(swapped, tmp_path / "other"), tmp_path / "celeba")
    check(swapped, tmp_path / "celeba")


def test_two_processes_do_not_prepare_the_same_folder(files, tmp_path, one_sentence):
    source = plain(files, tmp_path / "got")
    with FileLock(tmp_path / ".celeba.lock"):
        message = refused(source, tmp_path / "celeba", OSError)
    one_sentence(message, tmp_path / "celeba", "wait")
    prepare(source, tmp_path / "celeba")


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


# ------------------------------------------------------------------ Kaggle


class Refusal(Exception):
    def __init__(self, status: int):
        self.response = types.SimpleNamespace(status_code=status)


@pytest.fixture
def kagglehub(monkeypatch):
    """Stands in for the real one: `token` and `answer` are what it has and gives."""
    module, config = types.ModuleType("kagglehub"), types.ModuleType("kagglehub.config")
    module.token, module.answer = "KGAT_1", None

    def download(handle: str) -> str:
        assert handle == "jessicali9530/celeba-dataset"
        if isinstance(module.answer, Exception):
            raise module.answer
        return str(module.answer)

    module.dataset_download = download
    config.get_kaggle_credentials = lambda: module.token
    module.config = config
    monkeypatch.setitem(sys.modules, "kagglehub", module)
    monkeypatch.setitem(sys.modules, "kagglehub.config", config)
    return module


def test_with_a_token_kaggle_is_asked(files, tmp_path, kagglehub):
    kagglehub.answer = nested_by_kaggle(files, tmp_path / "cache")
    prepare(fetch_from_kaggle(), tmp_path / "celeba")
    check(files, tmp_path / "celeba")


def test_without_a_token_or_kagglehub_kaggle_is_not_asked(kagglehub, monkeypatch):
    kagglehub.token = None
    assert fetch_from_kaggle() is None
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    assert fetch_from_kaggle() is None


@pytest.mark.parametrize(
    "answer, part",
    [
        (Refusal(401), "https://www.kaggle.com/settings"),
        (Refusal(403), "accept the terms"),
        (Refusal(500), "try again"),
        (ConnectionError("no network"), "connection"),
    ],
)
def test_what_kaggle_refuses_is_one_sentence(kagglehub, one_sentence, answer, part):
    kagglehub.answer = answer
    with pytest.raises(OSError) as error:
        fetch_from_kaggle()
    one_sentence(error.value, "jessicali9530/celeba-dataset", part)


def test_the_three_ways_have_links_sizes_and_terms():
    for part in ("mmlab.ie.cuhk.edu.hk", "kaggle.com/datasets", "1.4 GB", "non-commercial"):
        assert part in BY_HAND


# ------------------------------------------------------------------ real photographs

real = pytest.mark.skipif(
    not SAMPLE.is_dir(), reason=f"there is no sample of CelebA in {SAMPLE}: its images stay there"
)


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return prepare(SAMPLE / FOLDER, tmp_path_factory.mktemp("sample") / "celeba")


@real
def test_the_sample_is_prepared_with_the_tables_beside_it(sample):
    assert sample.left_out == {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        faces = read_faces(sample.folder)
    assert len(faces) == 2000
    assert list(faces.attributes.columns) == list(ATTRIBUTES)
    assert len(faces.file_names("train")) == 1800


@real
def test_the_samples_labels_can_be_seen(sample):
    """Blond hair is brighter than black hair, where hair is; a shifted join would level that."""
    faces = read_faces(sample.folder)
    top = [
        load_images(faces, faces.find(**{name: True}))[:, 2:14, 16:48].mean()
        for name in ("Blond_Hair", "Black_Hair")
    ]
    assert top[0] > top[1] + 0.15


@real
def test_the_whole_of_celebas_square_is_used(sample):
    faces = read_faces(sample.folder)
    with Image.open(faces.path("000001.jpg")) as image:
        assert square_box(*image.size) == (7.5, 20, 81.5, 94)
