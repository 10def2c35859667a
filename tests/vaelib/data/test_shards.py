"""Decoded faces in shards: their pixels, their manifest, stops, damage, and several processes."""

import hashlib
import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from groundwork import files
from groundwork.files import ASIDE, DiskFull
from vaelib.data import decoding, shards
from vaelib.data.faces import read_faces
from vaelib.data.pixels import load_images, load_pixels
from vaelib.data.shards import ShardedPixels, check_process, rows_of, shard_count, shard_of


@pytest.fixture
def sharded(small) -> Path:
    """A folder of 12 faces in 8 shards; the folder of the shards."""
    return load_pixels(read_faces(small), 32, sharded=True).folder


def manifest(folder: Path) -> list[dict]:
    return json.loads((folder / "manifest.json").read_text())["shards"]


def inodes(folder: Path) -> dict[str, int]:
    """Which file each shard is: a new one has another number."""
    return {path.name: path.stat().st_ino for path in folder.glob("*.npy")}


def test_the_pixels_are_those_of_one_file(small, images_of):
    pixels = load_pixels(read_faces(small), 32, sharded=True)
    assert isinstance(pixels, ShardedPixels)
    assert (pixels.shape, pixels.dtype, len(pixels)) == ((12, 32, 32, 3), "uint8", 12)
    whole = images_of(small)
    np.testing.assert_array_equal(pixels, whole)
    for rows in (5, -1, [3, 3, 11], slice(2, 9, 3), np.arange(12) % 2 == 0, [], [[1], [2]]):
        np.testing.assert_array_equal(pixels[rows], whole[rows], str(rows))


@pytest.mark.parametrize("rows", [12, -13, [0, 12]])
def test_a_row_that_is_not_there_is_an_error(sharded, small, rows):
    with pytest.raises(IndexError, match="12 faces"):
        load_pixels(read_faces(small), 32)[rows]


def test_what_is_there_is_taken_unless_told_otherwise(sharded, small, decoded):
    faces = read_faces(small)
    assert isinstance(load_pixels(faces, 32), ShardedPixels)
    assert load_images(faces, ["000003.jpg"], 32).shape == (1, 32, 32, 3)
    assert not decoded
    assert isinstance(load_pixels(faces, 64), np.memmap)  # another size has no shards
    del decoded[:]
    assert isinstance(load_pixels(faces, 32, sharded=False), np.memmap)
    assert len(decoded) == 12
    assert isinstance(load_pixels(faces, 32), np.memmap)
    assert isinstance(load_pixels(faces, 32, sharded=True), ShardedPixels)
    assert len(decoded) == 12


def test_the_manifest_has_the_count_size_and_checksum_of_each_shard(sharded):
    entries = manifest(sharded)
    assert sorted(entry["count"] for entry in entries) == [1, 1, 1, 1, 2, 2, 2, 2]
    for shard, entry in enumerate(entries):
        assert entry["file"] == f"{shard:05}.npy"
        data = (sharded / entry["file"]).read_bytes()
        assert entry["bytes"] == len(data)
        assert entry["sha256"] == hashlib.sha256(data).hexdigest()
        assert np.load(sharded / entry["file"]).shape == (entry["count"], 32, 32, 3)


@pytest.mark.parametrize(
    ("gigabytes", "count"), [(0.001, 8), (2.5, 8), (8.1, 16), (24.6, 32), (64, 64), (1229, 1280)]
)
def test_shards_have_at_most_a_gigabyte(gigabytes, count):
    assert shard_count(10**8, round(gigabytes * 1e9)) == count


@pytest.mark.parametrize(("faces", "count"), [(1, 1), (3, 2), (7, 4), (8, 8), (12, 8)])
def test_no_shard_is_empty(faces, count):
    assert shard_count(faces, 3000 * faces) == count
    assert all(len(rows_of(shard, count, faces)) for shard in range(count))


@pytest.mark.parametrize("faces", [8, 1001])
def test_each_face_is_in_one_shard(faces):
    for shard in range(8):
        rows = rows_of(shard, 8, faces)
        assert set(shard_of(rows, 8)) == {shard}
        np.testing.assert_array_equal(rows // 8, np.arange(len(rows)))
    assert sorted(np.concatenate([rows_of(shard, 8, faces) for shard in range(8)])) == [
        *range(faces)
    ]


@pytest.mark.parametrize("every", [2, 7, 8, 9, 10, 16, 20, 64])
def test_faces_at_equal_distances_are_in_all_shards_alike(every):
    counts = np.bincount(shard_of(np.arange(0, 8000 * every, every), 16), minlength=16)
    assert counts.min() > 390  # 500 are expected; five standard deviations are 108
    assert counts.max() < 610


def test_a_stop_costs_the_shard_that_is_being_made(small, decoded, monkeypatch, images_of):
    whole = images_of(small)
    del decoded[:]
    real, calls = decoding.load_alike, []

    def stop_in_the_third(files, image_size):
        if len(calls) == 2:
            raise KeyboardInterrupt
        calls.append(files)
        return real(files, image_size)

    with monkeypatch.context() as stopping:
        stopping.setattr(decoding, "load_alike", stop_in_the_third)
        with pytest.raises(KeyboardInterrupt):
            load_pixels(read_faces(small), 32, sharded=True)
    (folder,) = (small / ".cache").glob("*.shards")
    before = inodes(folder)
    assert sorted(before) == ["00000.npy", "00001.npy"]
    (folder / f"{ASIDE}0-00002.npy").write_bytes(b"left by a killed program")
    np.testing.assert_array_equal(load_pixels(read_faces(small), 32), whole)
    assert len(set(decoded)) == len(decoded) == 12
    assert inodes(folder).items() >= before.items()
    assert not list(folder.glob(f"{ASIDE}*"))


DAMAGE = {
    "empty": lambda whole: b"",
    "cut short": lambda whole: whole[: len(whole) // 2],
    "too long": lambda whole: whole + b"\1",
    "zeros": lambda whole: bytes(len(whole)),
    "one bit": lambda whole: whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:],
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_shard_is_named_and_made_anew(sharded, small, damage, capfd, images_of):
    whole = images_of(small)
    path, before = sharded / "00003.npy", inodes(sharded)
    entries = manifest(sharded)
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    capfd.readouterr()
    pixels = load_pixels(read_faces(small), 32)
    np.testing.assert_array_equal(pixels[[2, 4, 10]], whole[[2, 4, 10]])  # of other shards
    np.testing.assert_array_equal(pixels, whole)
    said = capfd.readouterr().out
    assert said == f"{path} is damaged, so the faces in it are decoded again.\n"
    after = inodes(sharded)
    assert {name for name in after if after[name] != before[name]} == {"00003.npy"}
    assert manifest(sharded) == entries
    np.testing.assert_array_equal(load_pixels(read_faces(small), 32), whole)
    assert inodes(sharded) == after


def test_a_missing_shard_of_another_process_is_named_and_made(small, capsys, images_of):
    faces = read_faces(small)
    mine = load_pixels(faces, 32, True, process=1, processes=4)
    assert sorted(inodes(mine.folder)) == ["00001.npy", "00005.npy"]
    capsys.readouterr()
    rows = np.concatenate([rows_of(shard, 8, 12) for shard in (1, 5, 2)])
    np.testing.assert_array_equal(mine[rows], images_of(small)[rows])
    out = capsys.readouterr().out
    assert f"{mine.path(2)} is missing, so the faces in it are decoded again." in out
    assert sorted(inodes(mine.folder)) == ["00001.npy", "00002.npy", "00005.npy"]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"shards": [null]}', b"\xff", b'{"a": 1}', b"[" * 200_000],
    ids=lambda content: str(content[:20]),
)
def test_a_damaged_manifest_is_made_anew(sharded, small, content, images_of, capsys):
    entries = manifest(sharded)
    (sharded / "manifest.json").write_bytes(content)
    load_pixels(read_faces(small), 32)
    said = f"{sharded / 'manifest.json'} is damaged, so all faces are decoded again.\n"
    assert capsys.readouterr().out == said
    np.testing.assert_array_equal(load_pixels(read_faces(small), 32), images_of(small))
    assert manifest(sharded) == entries


def test_programs_that_prepare_the_same_faces_share_the_work(small, decoded):
    faces = read_faces(small)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: load_pixels(faces, 32, True), range(3)))
    assert len(set(decoded)) == len(decoded) == 12


def test_processes_prepare_shards_of_their_own(small, decoded, images_of):
    faces = read_faces(small)
    for process in (1, 0):
        pixels = load_pixels(faces, 32, True, process, 2)
    assert len(set(decoded)) == len(decoded) == 12
    assert all(manifest(pixels.folder))
    np.testing.assert_array_equal(pixels, images_of(small))


@pytest.mark.parametrize(
    ("process", "processes", "part"),
    [
        (0, 3, "divides 8"),
        (0, 16, "divides 8"),
        (0, 0, "divides 8"),
        (2, 2, "last is 1"),
        (-1, 2, ""),
    ],
)
def test_processes_that_can_not_share_are_refused(process, processes, part, one_sentence):
    with pytest.raises(ValueError) as error:
        check_process(process, processes, 8)
    one_sentence(error.value, processes, part)


def test_a_broken_image_leaves_no_part_of_its_shard(small, one_sentence):
    path = small / "img_align_celeba" / "000003.jpg"
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ValueError) as error:
        load_pixels(read_faces(small), 32, sharded=True)
    one_sentence(error.value, path, "not a whole image")
    (folder,) = (small / ".cache").glob("*.shards")
    assert sorted(inodes(folder)) == ["00000.npy", "00001.npy"]
    assert not list(folder.glob(f"{ASIDE}*"))


def test_a_shard_that_was_lost_is_named_and_made(sharded, small, capsys, images_of):
    (sharded / "00006.npy").unlink()
    np.testing.assert_array_equal(load_pixels(read_faces(small), 32), images_of(small))
    said = f"{sharded / '00006.npy'} is missing, so the faces in it are decoded again.\n"
    assert capsys.readouterr().out.startswith(said)


def test_decoded_faces_of_changed_images_are_deleted(sharded, small):
    load_pixels(read_faces(small), 32, sharded=False)
    image = small / "img_align_celeba" / "000003.jpg"
    os.utime(image, ns=(1, 1))
    new = load_pixels(read_faces(small), 32, sharded=True)
    assert list((small / ".cache").glob("32-*")) == [new.folder] != [sharded]


def test_a_full_disk_is_one_sentence_before_anything_is_decoded(small, monkeypatch, decoded):
    usage = shutil.disk_usage(small)._replace(free=30_000)
    monkeypatch.setattr(files.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(DiskFull, match=r"needs .* for the decoded faces"):
        load_pixels(read_faces(small), 32, sharded=True)
    assert not decoded


def test_a_read_only_folder_is_one_sentence(small, monkeypatch, one_sentence):
    monkeypatch.setattr(shards.os, "access", lambda path, mode: False)
    with pytest.raises(PermissionError) as error:
        load_pixels(read_faces(small), 32, sharded=True)
    one_sentence(error.value, small, "read-only")


def test_shards_in_a_read_only_folder_are_read(sharded, small, monkeypatch, images_of):
    monkeypatch.setattr(shards.os, "access", lambda path, mode: False)
    np.testing.assert_array_equal(load_pixels(read_faces(small), 32), images_of(small))
