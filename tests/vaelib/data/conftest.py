"""Folders of faces that a test may damage, and what is decoded from them."""

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from vaelib.data import decoding
from vaelib.data.faces import read_faces
from vaelib.data.pixels import load_pixels


@pytest.fixture
def copy(folder, tmp_path):
    """A copy of the folder of 30 faces that a test may damage; no cache."""
    return Path(shutil.copytree(folder, tmp_path / "copy", ignore=shutil.ignore_patterns(".cache")))


@pytest.fixture
def small(draw_folder, tmp_path):
    """12 faces without a partition."""
    return draw_folder(tmp_path / "small", 12)


@pytest.fixture
def decoded(monkeypatch):
    """What the files hold that are decoded from now on, as checksums."""
    names = []
    real = decoding.load_alike

    def load(files, *arguments):
        names.extend([hashlib.sha256(data).hexdigest() for data in files])
        return real(files, *arguments)

    monkeypatch.setattr(decoding, "load_alike", load)
    return names


@pytest.fixture
def images_of(tmp_path):
    """The pixels of a folder, as they are decoded where nothing was before."""

    def decode(folder: Path) -> np.ndarray:
        fresh = tmp_path / "fresh"
        shutil.copytree(folder, fresh, ignore=shutil.ignore_patterns(".cache"))
        return np.array(load_pixels(read_faces(fresh), 32))

    return decode
