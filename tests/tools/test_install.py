"""Tests of tools/install.py: who is told that the project cannot run, and in which words."""

import ast
import inspect

import pytest

from tools import install


@pytest.mark.parametrize("version", [(3, 11), (3, 12), (3, 13)])
@pytest.mark.parametrize("system, machine", sorted(install.TENSORFLOW_RUNS_ON))
def test_supported(version, system, machine):
    assert install.unsupported(version, system, machine) == ""


@pytest.mark.parametrize("version", [(2, 7), (3, 10), (3, 14)])
def test_a_wrong_python_is_named_with_the_way_out(version):
    complaint = install.unsupported(version, "Linux", "x86_64")
    assert "needs Python 3.11 to 3.13" in complaint
    assert "this is {}.{}.".format(*version) in complaint
    assert "make lab PYTHON=" in complaint


def test_a_platform_without_tensorflow_is_named():
    assert "Darwin on x86_64" in install.unsupported((3, 12), "Darwin", "x86_64")


def test_an_old_python_can_read_the_file():
    ast.parse(inspect.getsource(install), feature_version=(3, 6))


def test_a_broken_environment_is_seen(tmp_path):
    assert not install.works(str(tmp_path / "python"))
