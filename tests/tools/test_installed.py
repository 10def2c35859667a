"""Tests of tools/installed.py: a Python without the course, or with that of another folder."""

import sys

from tools import installed


def test_an_incomplete_environment_gets_a_sentence():
    complete = {"jupyterlab", "latent-faces", "tensorflow-cpu"}
    assert installed.missing(complete) == ""
    assert "make lab" in installed.missing(complete - {"jupyterlab"})
    assert "overwrite each other" in installed.missing(complete | {"tensorflow"})


def test_packages_without_a_name_do_not_matter(tmp_path, monkeypatch):
    """An interrupted pip leaves such folders."""
    before = installed.installed()
    assert {"jupyterlab", "latent-faces"} <= before
    for name in ("empty-1.0.dist-info", "~ensorflow-2.21.0.dist-info", "nameless.egg-info"):
        (tmp_path / name).mkdir()
    (tmp_path / "nameless.egg-info" / "PKG-INFO").write_text("Version: 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert installed.installed() == before


def test_vaelib_of_another_folder_is_named(tmp_path):
    theirs = tmp_path / "course" / "vaelib" / "__init__.py"
    said = installed.elsewhere(str(theirs))
    assert str(theirs.parent) in said and str(installed.ROOT) in said
    assert "would not find vaelib" in installed.elsewhere("")
    wheel = tmp_path / ".venv" / "lib" / "site-packages" / "vaelib" / "__init__.py"
    assert installed.elsewhere(str(wheel), tmp_path)
    assert installed.elsewhere(str(theirs), tmp_path / "course") == ""


def test_the_advice_is_for_the_environment_in_use(tmp_path, monkeypatch):
    assert "pip install --no-deps -e ." in installed.elsewhere("", tmp_path)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))
    assert "make lab" in installed.elsewhere("", tmp_path)


def test_kernels_are_asked_and_not_this_process(tmp_path, monkeypatch):
    """It may have found the library in the folder it runs in."""
    package = tmp_path / "vaelib"
    package.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert "would not find vaelib" in installed.complaint()
    (package / "__init__.py").touch()
    assert f"would use {package}" in installed.complaint()
    monkeypatch.setenv("PYTHONPATH", str(installed.ROOT))
    assert installed.complaint() == ""
