"""What `load_model` says of files that it can't take."""

import pytest

from vaelib import training
from vaelib.archives import TooLarge
from vaelib.runs import load_model


def fail_with(error, monkeypatch):
    def load_archive(path):
        raise error

    monkeypatch.setattr(training, "load_archive", load_archive)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "vae.keras"
    path.write_bytes(b"a model")
    return path


def test_a_file_that_may_not_be_read_is_not_to_be_trained_again(path, monkeypatch, one_sentence):
    # Root may read every file, so the answer is faked.
    fail_with(PermissionError(13, "Permission denied", str(path)), monkeypatch)
    with pytest.raises(PermissionError) as error:
        load_model(path)
    one_sentence(error.value, path, "may not be read", "permissions")
    assert "train it again" not in str(error.value)


def test_a_file_that_would_fill_the_memory_is_refused_by_its_own_sentence(path, monkeypatch):
    fail_with(TooLarge("The sentence."), monkeypatch)
    with pytest.raises(ValueError, match=r"^The sentence\.$"):
        load_model(path)


@pytest.mark.parametrize("name", ["vae.h5", "folder.keras"])
def test_what_is_no_keras_file_is_told_at_once(tmp_path, name, one_sentence):
    other = tmp_path / name
    other.mkdir() if name.startswith("folder") else other.write_bytes(b"\x89HDF\r\n\x1a\n")
    with pytest.raises(ValueError) as error:
        load_model(other)
    one_sentence(error.value, other, "is no .keras file")
