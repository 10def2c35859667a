"""Decoding faces: their pixels, broken images, and the cache."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.vaelib.data.folders import kept
from vaelib.data import decoding
from vaelib.data.faces import read_faces
from vaelib.data.images import load_image
from vaelib.data.pipeline import make_dataset
from vaelib.data.pixels import load_images, load_pixels

COLOURS = ["Smiling", "Male", "Young"]


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


def test_two_programs_decode_only_once(small, decoded):
    faces = read_faces(small)
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(lambda _: load_pixels(faces, 32), range(2))
    np.testing.assert_array_equal(one, other)
    assert len(decoded) == 12


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


def test_large_files_are_not_read_together(small, monkeypatch):
    """Of three parts of four faces, the first has large files."""
    monkeypatch.setattr(decoding, "TOGETHER", 4)
    monkeypatch.setattr(decoding, "MOST_BYTES", 10**5)
    faces = read_faces(small)
    paths = [faces.path(name) for name in faces.file_names()]
    rng = np.random.default_rng(0)
    for path in paths[:4]:
        noise = rng.integers(0, 256, (218, 178, 3)).astype("uint8")
        Image.fromarray(noise).save(path, quality=95)
    assert sum(path.stat().st_size for path in paths[:4]) > 10**5
    real, together = decoding.load_alike, []

    def load_alike(files, image_size):
        together.append(sum(map(len, files)))
        return real(files, image_size)

    monkeypatch.setattr(decoding, "load_alike", load_alike)
    pixels = load_pixels(faces, 32)
    assert len(together) == 2 and max(together) <= 10**5
    expected = np.stack([load_image(path, 32) for path in paths])
    assert abs(pixels.astype(int) - expected).max() <= 2
