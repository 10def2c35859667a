"""One Parquet file: what is read of it, and every damage is one sentence that names it."""

import random
import subprocess
import sys
import tracemalloc
from contextlib import closing

import numpy as np
import pyarrow as pa
import pytest

from groundwork.progress import Progress
from tests.vaelib.celeba.hand_outs import (
    FOLDER,
    PEOPLE,
    PREPARE,
    check,
    name_of,
    refused,
)
from tests.vaelib.celeba.hugging_face import (
    IMAGE,
    PEOPLE_OF,
    flwrlabs,
    like_eurecom,
    like_flwrlabs,
    write,
)
from vaelib.celeba import parquet as module
from vaelib.celeba import prepare
from vaelib.celeba.parquet import Images, open_file, read_rows

ALL = list(range(PEOPLE))


def read(path) -> tuple:
    """All of a file: what `read_rows` finds, and the bytes of each image."""
    with closing(open_file(path)) as file:
        rows = read_rows(path, file, Progress("", file.metadata.num_rows, "face"))
    images = Images()
    with closing(images):
        return rows, [images.reading(path, i, rows.layout.image)() for i in range(len(rows.paths))]


@pytest.mark.parametrize("group", [1, 5, 1000])
@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "zstd"])
def test_rows_are_read_however_they_are_packed(files, tmp_path, group, compression):
    path = write(like_flwrlabs(files, ALL), tmp_path / "a.parquet", group, compression=compression)
    rows, images = read(path)
    assert images == files.images
    assert rows.paths == [None] * PEOPLE
    assert rows.people.tolist() == PEOPLE_OF
    assert rows.ending == "jpg"
    np.testing.assert_array_equal(rows.labels, files.labels)


def test_images_are_read_in_any_order(files, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "TOGETHER", 3)
    one = write(like_flwrlabs(files, ALL), tmp_path / "a.parquet", 4)
    other = write(like_flwrlabs(files, ALL[::-1]), tmp_path / "b.parquet", 5)
    places = [(path, i) for path in (one, other) for i in ALL] * 2
    random.Random(0).shuffle(places)
    images = Images()
    with closing(images):
        for path, i in places:
            expected = files.images[i if path == one else -1 - i]
            assert images.reading(path, i, "image.bytes")() == expected


def test_a_long_file_takes_little_memory(tmp_path):
    """A file of 100 MB in one group."""
    rng = np.random.default_rng(0)
    images = pa.array([b"\xff\xd8\xff" + rng.bytes(10**5) for _ in range(1000)])
    table = pa.table({"image": images})
    path = write(table, tmp_path / "a.parquet", 1000, write_batch_size=10, use_dictionary=False)
    del images, table
    used = Images()
    before = pa.total_allocated_bytes()
    peaks = []
    tracemalloc.start()
    with closing(used):
        for i in range(1000):
            assert len(used.reading(path, i, "image")()) == 10**5 + 3
            peaks.append(pa.total_allocated_bytes() - before)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert max(peaks) + peak < 4e7


# ------------------------------------------------------------------ other values


def changed(table: pa.Table, name: str, values) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, values)


@pytest.mark.parametrize(
    "values, good",
    [
        (pa.array([0, 1] * 6, pa.int8()), True),
        (pa.array([-1, 1] * 6, pa.int64()), True),
        (pa.array([0.0, 1.0] * 6), True),
        (pa.array(["-1", "1"] * 6), True),
        (pa.array([0, 1, -1, 1] * 3), False),
        (pa.array([0, 2] * 6), False),
        (pa.array([False, None] * 6), False),
        (pa.array([0, None] * 6), False),
        (pa.array(["no", "yes"] * 6), False),
        (pa.array([b"0", b"1"] * 6), False),
    ],
)
def test_labels_are_two_values(files, tmp_path, one_sentence, values, good):
    path = write(changed(like_flwrlabs(files, ALL), "Smiling", values), tmp_path / "a.parquet")
    if good:
        rows, _ = read(path)
        np.testing.assert_array_equal(rows.labels[:, 31], [False, True] * 6)
    else:
        with pytest.raises(ValueError) as error:
            read(path)
        one_sentence(error.value, path, "fetch it again")


@pytest.mark.parametrize("row", [[1] * 39, [], None, [1] * 41])
def test_a_list_of_labels_has_40(files, tmp_path, one_sentence, row):
    table = like_eurecom(files, ALL)
    values = table["attributes"].to_pylist()
    values[5] = row
    values = pa.array(values, pa.list_(pa.int64()))
    path = write(changed(table, "attributes", values), tmp_path / "a.parquet", 100)
    with pytest.raises(ValueError) as error:
        read(path)
    one_sentence(error.value, path, "40 attributes")


@pytest.mark.parametrize("values", [[1.5] * 12, ["x"] * 12, [1, None] * 6])
def test_people_are_whole_numbers(files, tmp_path, one_sentence, values):
    table = changed(like_flwrlabs(files, ALL), "celeb_id", pa.array(values))
    path = write(table, tmp_path / "a.parquet")
    with pytest.raises(ValueError) as error:
        read(path)
    one_sentence(error.value, path, "celeb_id", "whole numbers")


def test_rows_without_an_image_are_left_out(files, tmp_path, monkeypatch):
    monkeypatch.setattr(PREPARE, "TOLERATED", 0.5)
    table = like_flwrlabs(files, ALL)
    values = table["image"].to_pylist()
    values[2], values[3] = None, {"bytes": None, "path": "000004.jpg"}
    values[4]["bytes"] = values[4]["bytes"][:500]
    path = write(changed(table, "image", pa.array(values, IMAGE)), tmp_path / "a.parquet")
    prepared = prepare(path, tmp_path / "celeba")
    expected = {name_of(2): "no image", name_of(3): "no image", name_of(4): "cut short"}
    assert prepared.left_out == expected
    assert len(list((tmp_path / "celeba" / FOLDER).iterdir())) == PEOPLE - 3


# ------------------------------------------------------------------ bad files


@pytest.mark.parametrize(
    "content, part",
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><html>Log in</html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:58c8\nsize 1\n", "git lfs pull"),
        (b"PK\3\4" + bytes(100), "no Parquet file"),
        (b"PAR1" + bytes(100), "cut short"),
        (b"PAR1" + bytes(100) + b"PAR1", "damaged"),
    ],
)
def test_what_is_no_parquet_file_is_one_sentence(files, tmp_path, one_sentence, content, part):
    source = flwrlabs(files, tmp_path / "got")
    path = source / "img_align+identity+attr" / "valid-00000-of-00001.parquet"
    path.write_bytes(content)
    one_sentence(refused(source, tmp_path / "celeba"), path, part)
    assert not (tmp_path / ".celeba.part").exists()  # before anything is copied


def test_a_link_to_nothing_is_one_sentence(files, tmp_path, one_sentence):
    source = flwrlabs(files, tmp_path / "got")
    path = source / "img_align+identity+attr" / "valid-00000-of-00001.parquet"
    path.unlink()
    path.symlink_to(tmp_path / "nowhere")
    one_sentence(refused(source, tmp_path / "celeba"), path, "fetch it")


def test_damage_in_an_image_names_the_file_and_keeps_what_is_copied(files, tmp_path, one_sentence):
    source = flwrlabs(files, tmp_path / "got")
    path = source / "img_align+identity+attr" / "test-00001-of-00002.parquet"
    table = like_flwrlabs(files, [11])
    whole = write(table, path, compression="gzip", write_page_checksum=True).read_bytes()
    place = whole.index(b"\x1f\x8b") + 3000
    path.write_bytes(whole[:place] + bytes(50) + whole[place + 50 :])
    one_sentence(refused(source, tmp_path / "celeba"), path, "damaged", "fetch it again")
    path.write_bytes(whole)
    prepare(source, tmp_path / "celeba")
    check(files, tmp_path / "celeba")


def test_a_file_that_unpacks_to_gigabytes_is_refused(files, tmp_path, one_sentence):
    table = pa.table({"image": [bytes(3 * 10**7)] * 2})
    for k, name in enumerate(like_flwrlabs(files, [0, 1]).column_names[2:]):
        table = table.append_column(name, pa.array([k % 2 == 0] * 2))
    path = write(table, tmp_path / "a.parquet", compression="zstd", use_dictionary=False)
    one_sentence(refused(path, tmp_path / "celeba"), path, "throw it away")


def test_rows_that_share_one_image_are_refused(files, tmp_path, one_sentence):
    """The sizes in the file count it once."""
    image = np.random.default_rng(0).bytes(10**5)
    table = like_flwrlabs(files, [k % PEOPLE for k in range(100)])
    values = pa.array([{"bytes": image, "path": None}] * 100, IMAGE)
    path = write(changed(table, "image", values), tmp_path / "a.parquet", 100)
    assert path.stat().st_size < 150_000
    with pytest.raises(ValueError) as error:
        read(path)
    one_sentence(error.value, path, "50 times its size")
    one_sentence(refused(path, tmp_path / "celeba"), path, "50 times its size")


def test_an_image_far_larger_than_celebas_is_refused(files, tmp_path, one_sentence):
    table = like_flwrlabs(files, ALL)
    values = table["image"].to_pylist()
    values[7]["bytes"] = np.random.default_rng(0).bytes(11 * 10**6)
    path = write(changed(table, "image", pa.array(values, IMAGE)), tmp_path / "a.parquet", 100)
    one_sentence(refused(path, tmp_path / "celeba"), path, "11 MB")


def test_other_columns_of_megabytes_are_refused(files, tmp_path, one_sentence):
    text = pa.array([str(np.random.default_rng(i).bytes(10**5)) for i in ALL])
    table = like_flwrlabs(files, ALL).append_column("text", text)
    path = write(table, tmp_path / "a.parquet")
    one_sentence(refused(path, tmp_path / "celeba"), path, "besides the images")


def test_too_many_rows_are_refused(files, tmp_path, one_sentence, monkeypatch):
    path = write(like_flwrlabs(files, ALL), tmp_path / "a.parquet")
    empty = write(like_flwrlabs(files, []), tmp_path / "b.parquet")
    one_sentence(refused(empty, tmp_path / "celeba"), empty, "0 rows")
    monkeypatch.setattr("vaelib.celeba.shards.MOST_ROWS", 11)
    one_sentence(refused(path, tmp_path / "celeba"), path, "12 rows")


def test_without_pyarrow_it_says_how_to_install_it(files, tmp_path, one_sentence, monkeypatch):
    source = flwrlabs(files, tmp_path / "got")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    message = refused(source, tmp_path / "celeba")
    one_sentence(message, source, "pip install pyarrow", "same command")


@pytest.mark.slow
def test_nothing_else_needs_pyarrow():
    code = "import sys; sys.modules['pyarrow'] = None; import vaelib.celeba"
    subprocess.run([sys.executable, "-c", code], check=True)


# ------------------------------------------------------------------ any damage


def cut(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(1, len(data) - 200)
    return data[:start] + data[start + rng.randrange(1, 200) :]


def flipped(data: bytes, rng: random.Random) -> bytes:
    """A byte changed: every other time in the list at the end, where all can go wrong."""
    length = int.from_bytes(data[-8:-4], "little")
    start = len(data) - 8 - length if rng.random() < 0.5 else 0
    place = rng.randrange(start, len(data))
    return data[:place] + bytes([data[place] ^ rng.randrange(1, 256)]) + data[place + 1 :]


@pytest.mark.parametrize("damage, times", [(cut, 40), (flipped, 200)])
def test_whatever_is_damaged_is_one_sentence_with_the_files_name(
    files, tmp_path, one_sentence, damage, times
):
    path = tmp_path / "a.parquet"
    whole = write(like_flwrlabs(files, ALL), path, 4, write_page_checksum=True).read_bytes()
    refusals = 0
    for seed in range(times):
        path.write_bytes(damage(whole, random.Random(seed)))
        try:
            rows, images = read(path)
        except ValueError as error:
            one_sentence(error, path)
            refusals += 1
        else:
            assert len(images) == len(rows.paths) == len(rows.labels)
    assert refusals > times / 2
