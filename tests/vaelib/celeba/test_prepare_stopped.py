"""What a full disk, a power cut or another process leaves of a folder that is prepared."""

import errno
import os
import types
from pathlib import Path

import pytest
from filelock import FileLock

from tests.vaelib.celeba.hand_outs import (
    FOLDER,
    PEOPLE,
    PREPARE,
    CelebA,
    archive,
    check,
    name_of,
    plain,
    refused,
)
from vaelib.celeba import prepare


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
    monkeypatch.setattr(PREPARE, "TOGETHER", (2, 10**7))
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


@pytest.mark.parametrize("length", [0, 800])
def test_a_finished_folder_with_damaged_images_is_not_called_fine(
    files, tmp_path, one_sentence, length
):
    source, out = plain(files, tmp_path / "got"), tmp_path / "celeba"
    prepare(source, out)
    empty = out / FOLDER / name_of(4)
    empty.write_bytes(empty.read_bytes()[:length])
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
    monkeypatch.setattr("groundwork.files.shutil.disk_usage", lambda path: usage)
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
