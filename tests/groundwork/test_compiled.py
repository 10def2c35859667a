"""What is compiled works where nothing can be kept on disk, and where what was kept is damaged."""

import os
import subprocess
import sys
from pathlib import Path

import numba
import pytest
from numba.core import caching, config

from groundwork.compiled import compiled

IMPORT_ALL = (
    "import pkgutil, importlib, portraits, vaelib.data.resize\n"
    "for module in pkgutil.walk_packages(portraits.__path__, 'portraits.'):\n"
    "    importlib.import_module(module.name)"
)


def double(x):
    return 2 * x


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """An empty folder for what is compiled."""
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))
    return tmp_path


def kept(cache: Path) -> list[Path]:
    return sorted(path for path in cache.rglob("*.nb?"))


def hits(function) -> int:
    return sum(function.stats.cache_hits.values())


def test_what_is_compiled_is_kept_for_the_next_start(cache):
    assert compiled()(double)(21) == 42
    assert [path.suffix for path in kept(cache)] == [".nbc", ".nbi"]
    again = compiled()(double)
    assert again(21) == 42
    assert hits(again) == 1


def test_a_function_is_compiled_where_no_folder_can_be_written_to(monkeypatch):
    def refuse(**options):
        raise PermissionError(13, "Permission denied", options["dir"])

    monkeypatch.setattr(caching.tempfile, "TemporaryFile", refuse)
    with pytest.raises(RuntimeError, match="cannot cache"):
        numba.njit(cache=True)(double)
    function = compiled(nogil=True)(double)
    assert function(21) == 42
    assert function.signatures  # compiled, and not merely called
    assert function.targetoptions["nogil"]


@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
@pytest.mark.parametrize("left", [b"", bytes(100), None], ids=["empty", "zeros", "cut short"])
def test_a_damaged_cache_is_made_anew(cache, suffix, left):
    compiled()(double)(21)
    (path,) = (path for path in kept(cache) if path.suffix == suffix)
    path.write_bytes(path.read_bytes()[:-20] if left is None else left)
    second, third = compiled()(double), compiled()(double)
    assert (second(21), third(21)) == (42, 42)
    assert (hits(second), hits(third)) == (0, 1)


def test_a_full_disk_does_not_stop_a_compiled_function(cache, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(caching.IndexDataCacheFile, "save", full)
    assert compiled()(double)(21) == 42
    assert kept(cache) == []


@pytest.mark.slow
def test_both_packages_start_where_nothing_can_be_kept():
    """As in a shared installation without a home folder: numba finds no place for its cache."""
    env = {**os.environ, "NUMBA_CACHE_LOCATOR_CLASSES": "IPythonCacheLocator"}
    refused = "import numba, groundwork.files; numba.njit(cache=True)(groundwork.files.sync)"
    options = {"env": env, "capture_output": True, "text": True}
    result = subprocess.run([sys.executable, "-c", refused], **options)
    assert "cannot cache" in result.stderr
    result = subprocess.run([sys.executable, "-c", IMPORT_ALL], **options)
    assert result.returncode == 0, result.stderr
