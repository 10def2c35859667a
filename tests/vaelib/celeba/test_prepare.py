"""Every form of CelebA becomes the same folder; what lacks is listed or refused."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from portraits.labelling.labels import ATTRIBUTES
from tests.vaelib.celeba.hand_outs import (
    FOLDER,
    FORMS,
    PEOPLE,
    PREPARE,
    SPLIT,
    all_in_one_folder,
    archive,
    check,
    name_of,
    plain,
    refused,
    text,
)
from vaelib import read_faces
from vaelib.celeba import prepare
from vaelib.data.images import square_box
from vaelib.data.pixels import load_images

SAMPLE = Path(__file__).resolve().parents[4] / "shared" / "celeba-sample"


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
    monkeypatch.setitem(PREPARE.MD5, source.name, digest)
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
    monkeypatch.setattr(PREPARE, "TOLERATED", 0.1)
    source = plain(files, tmp_path / "got")
    data = bytearray(files.images[3])
    data[2:-2] = bytes(len(data) - 4)
    (source / name_of(3)).write_bytes(b"\xff\xd8\xff" + bytes(data[3:]))
    prepared = prepare(source, tmp_path / "celeba")
    assert prepared.left_out == {name_of(3): "damaged"}
    assert not (tmp_path / "celeba" / FOLDER / name_of(3)).exists()


def test_a_member_with_a_wrong_checksum_is_left_out(files, tmp_path, monkeypatch):
    monkeypatch.setattr(PREPARE, "TOLERATED", 0.1)
    source = archive(files, tmp_path / "got")
    data = source.read_bytes()
    place = data.index(files.images[5]) + 2000
    source.write_bytes(data[:place] + bytes([data[place] ^ 255]) + data[place + 1 :])
    assert prepare(source, tmp_path / "celeba").left_out == {name_of(5): "damaged"}


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
