"""Tests of tools/hub_users.py: which folder keeps others from a path."""

import os

import pytest

from tools.hub_users import closed_above


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_the_outermost_closed_folder_is_found(tmp_path):
    inner = tmp_path / "home" / "open" / "closed" / "python"
    inner.mkdir(parents=True)
    for folder in (inner, *inner.parents):
        if folder.is_relative_to(tmp_path):
            folder.chmod(0o755)
    outside = closed_above(tmp_path)  # pytest's own folders may be closed
    assert closed_above(inner) == outside
    inner.parent.chmod(0o700)
    assert closed_above(inner) == (outside or inner.parent)
    (tmp_path / "home").chmod(0o750)
    assert closed_above(inner) == (outside or tmp_path / "home")
