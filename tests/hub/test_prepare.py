"""Tests of hub/prepare.py: dates that survive an image, and who may read and write."""

import os
import stat

import pytest

from hub.prepare import SECOND, share, whole_seconds


def test_dates_become_whole_seconds_and_stay_so(tmp_path):
    inner = tmp_path / "inner"
    inner.mkdir()
    for folder, name, date in ((tmp_path, "a.jpg", 7 * SECOND + 5), (inner, "b.jpg", 9 * SECOND)):
        (folder / name).write_bytes(b"")
        os.utime(folder / name, ns=(3, date))
    for _ in range(2):
        whole_seconds(tmp_path)
        assert (tmp_path / "a.jpg").stat().st_mtime_ns == 7 * SECOND
        assert (inner / "b.jpg").stat().st_mtime_ns == 9 * SECOND


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_all_may_read_and_only_the_owner_may_write(tmp_path):
    course, other = tmp_path / "course", tmp_path / "other.txt"
    (course / "closed").mkdir(parents=True)
    modes = {"closed": 0o700, "closed/secret.py": 0o600, "program": 0o750, ".lock": 0o666}
    for name, mode in modes.items():
        path = course / name
        if not path.is_dir():
            path.touch()
        path.chmod(mode)
    other.touch(0o600)
    (course / "link").symlink_to(other)
    share(course)
    found = {name: stat.S_IMODE((course / name).stat().st_mode) for name in modes}
    assert found == {"closed": 0o755, "closed/secret.py": 0o644, "program": 0o755, ".lock": 0o644}
    assert stat.S_IMODE(other.stat().st_mode) & 0o077 == 0  # not a file of the course
