"""What a stop, a power cut or a full disk leaves of decoded faces."""

import errno
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from groundwork import files
from groundwork.files import DiskFull
from tests.vaelib.data.folders import kept
from vaelib.data import decoding, pixels
from vaelib.data.faces import read_faces
from vaelib.data.pixels import load_images, load_pixels


def test_decoding_that_was_stopped_goes_on_where_it_was(small, decoded, monkeypatch):
    """Of three parts of four faces, one is decoded before the stop; the next time, only two."""
    monkeypatch.setattr(decoding, "TOGETHER", 4)
    monkeypatch.setattr(decoding, "THREADS_PER_CORE", 1)
    monkeypatch.setattr(decoding, "usable_cores", lambda: 1)
    faces = read_faces(small)
    whole = load_images(faces, image_size=32)
    shutil.rmtree(small / ".cache")
    del decoded[:]
    real = decoding.load_alike

    def stop_after_one(files, image_size):
        if decoded:
            raise KeyboardInterrupt
        return real(files, image_size)

    with monkeypatch.context() as stopping:
        stopping.setattr(decoding, "load_alike", stop_after_one)
        with pytest.raises(KeyboardInterrupt):
            load_pixels(faces, 32)
    assert len(decoded) == 4
    assert not list((small / ".cache").glob("*.npy"))
    np.testing.assert_array_equal(load_images(faces, image_size=32), whole)
    assert len(set(decoded)) == len(decoded) == 12
    (cache,) = kept(small)
    assert cache.suffix == ".npy"


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


@pytest.fixture
def interrupted(small, monkeypatch):
    """A folder of which one of three parts is decoded, as Ctrl-C leaves it."""
    monkeypatch.setattr(decoding, "TOGETHER", 4)
    monkeypatch.setattr(decoding, "THREADS_PER_CORE", 1)
    monkeypatch.setattr(decoding, "usable_cores", lambda: 1)
    real, calls = decoding.load_alike, []

    def stop_after_one(*arguments):
        calls.append(arguments)
        if len(calls) > 1:
            raise KeyboardInterrupt
        return real(*arguments)

    with monkeypatch.context() as stopping:
        stopping.setattr(decoding, "load_alike", stop_after_one)
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
    monkeypatch.setattr(decoding, "TOGETHER", 4)
    monkeypatch.setattr(decoding, "MARKED_EVERY", 0)
    flushed = []

    def flush(self):
        flushed.append(np.flatnonzero(self.any(axis=(1, 2, 3))))
        real_flush(self)

    def write(path, marks):
        rows = np.flatnonzero(np.repeat(np.frombuffer(marks, "uint8"), 4))
        assert set(rows) <= set(flushed[-1] if flushed else [])
        written.append(len(rows))
        real_write(path, marks)

    written, real_flush, real_write = [], np.memmap.flush, pixels.write_whole
    monkeypatch.setattr(np.memmap, "flush", flush)
    monkeypatch.setattr(pixels, "write_whole", write)
    load_pixels(read_faces(small), 32)
    assert written[0] == 0 and written[-1] == 12 and len(written) == 4


def test_decoded_faces_are_on_the_disk_before_they_have_their_name(small, monkeypatch):
    events = []
    real_sync, real_replace = pixels.sync, os.replace

    def sync(path):
        events.append(("sync", Path(path).name))
        real_sync(path)

    def replace(source, target):
        events.append(("rename", Path(target).suffix))
        real_replace(source, target)

    monkeypatch.setattr(pixels, "sync", sync)
    monkeypatch.setattr(os, "replace", replace)
    load_pixels(read_faces(small), 32)
    (path,) = kept(small)
    aside = path.with_suffix(".part").name
    assert events[-3:] == [("sync", aside), ("rename", ".npy"), ("sync", ".cache")]
