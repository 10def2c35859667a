"""Tests of tools/install.py: when .venv is set up again, and who is told that it can't be."""

import ast
import inspect
import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tools import install

HERE = sys.version_info[:2]
ROOT = Path(__file__).resolve().parents[2]
PROGRAM = "import sys\nprint(sys.prefix, *sys.argv[1:])\n"
posix = pytest.mark.skipif(os.name == "nt", reason="programs for Windows are made anew")


def put(monkeypatch, root):
    """Say that the project is in the folder `root`."""
    programs = root / ".venv" / ("Scripts" if os.name == "nt" else "bin")
    python = programs / ("python.exe" if os.name == "nt" else "python")
    for name, path in [("ROOT", root), ("VENV", root / ".venv"), ("PROGRAMS", programs)]:
        monkeypatch.setattr(install, name, str(path))
    monkeypatch.setattr(install, "VENV_PYTHON", str(python))


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with a .venv of this Python, and the commands that were noted in place of run."""
    root = tmp_path / "first place"
    root.mkdir()
    for name in ("pyproject.toml", "constraints.txt"):
        (root / name).write_text("first")
    put(monkeypatch, root)
    venv.create(root / ".venv")
    commands = []
    monkeypatch.setattr(install, "run", lambda command, _: commands.append(command[1:3]))
    monkeypatch.setattr(install, "works", lambda python: install.python_of(python) is not None)
    return root, commands


def test_what_is_set_up_is_left_alone(project, capsys):
    root, commands = project
    install.main(["test"])
    assert ["-m", "pip"] in commands and ["-m", "venv"] not in commands
    assert "again" not in capsys.readouterr().out
    commands.clear()
    for arguments in ([], ["test"], ["site"], ["--keep"], ["test", "--keep"]):
        install.main(arguments)
    os.utime(root / "constraints.txt")  # a date is no change
    install.main([])
    assert not commands and not capsys.readouterr().out


def test_what_the_site_and_tests_need_is_installed_on_top(project):
    _, commands = project
    for arguments in ([], ["site"], ["test"]):
        commands.clear()
        install.main(arguments)
        assert ["-m", "pip"] in commands
        assert ["-m", "venv"] not in commands


@pytest.mark.usefixtures("project")
def test_wheels_in_the_project_take_the_place_of_the_network(monkeypatch):
    asked = []
    monkeypatch.setattr(install, "run", lambda command, complaint: asked.append(command))
    install.main([])
    monkeypatch.setattr(install, "WHEELS", install.ROOT)  # a folder
    install.main(["test"])
    without, pip = [command for command in asked if "install" in command]
    assert "--no-index" not in without
    assert pip[pip.index("--no-index") + 1 :][:2] == ["--find-links", install.ROOT]


@posix
def test_a_folder_that_was_moved_needs_no_network(project, monkeypatch):
    """The pinned setuptools is in .venv; in a new one there is none, or that of Python itself."""
    root, _ = project
    calls = []
    monkeypatch.setattr(install, "run", lambda command, complaint: calls.append(command))
    install.main([])
    put(monkeypatch, root.rename(root.with_name("second place")))
    install.main([])
    first, second = (command for command in calls if "pip" in command)
    assert "--no-build-isolation" not in first and "--no-build-isolation" in second


def test_a_folder_that_was_moved_is_set_up_again(project, capsys, monkeypatch):
    root, commands = project
    install.main(["test"])
    moved = root.rename(root.with_name("second place"))
    put(monkeypatch, moved)
    capsys.readouterr(), commands.clear()
    install.main(["--keep"])
    assert ["-m", "pip"] in commands
    said = capsys.readouterr().out
    assert f"it was made in {root}, and this folder is {moved}." in said
    commands.clear()
    install.main(["--keep"])
    assert not commands
    install.main(["test", "--keep"])
    assert ["-m", "pip"] in commands


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_other_versions_are_installed(project, capsys, name):
    root, commands = project
    install.main([])
    (root / name).write_text("second")
    capsys.readouterr(), commands.clear()
    install.main([])
    assert ["-m", "pip"] in commands and ["-m", "venv"] not in commands
    assert "constraints.txt has changed." in capsys.readouterr().out


def test_an_interrupted_set_up_is_not_taken_for_a_whole_one(project, monkeypatch):
    root, commands = project
    install.main([])
    (root / "constraints.txt").write_text("second")

    def interrupt(command, complaint):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(install, "run", interrupt)
        install.main([])
    (root / "constraints.txt").write_text("first")
    commands.clear()
    install.main([])
    assert ["-m", "pip"] in commands


def test_a_damaged_record_is_no_record(project):
    root, commands = project
    for text in ("", "pyproject.toml was installed", "[]", '{"place": "'):
        install.main([])
        (root / ".venv" / "installed-lab").write_text(text)
        commands.clear()
        install.main([])
        assert ["-m", "pip"] in commands


def test_only_a_python_that_is_named_replaces_another(project, capsys, monkeypatch):
    _, commands = project
    install.main([])
    other = next(version for version in [(3, 12), (3, 13)] if version != HERE)
    monkeypatch.setattr(install.sys, "version_info", other)
    commands.clear()
    install.main(["--keep"])
    assert not commands
    install.main([])
    assert commands[0] == ["-m", "venv"]
    asked = "it has Python {}.{}, and Python {}.{} is asked for.".format(*HERE, *other)
    assert asked in capsys.readouterr().out


def test_a_python_that_cannot_be_used_destroys_nothing(project, monkeypatch):
    root, commands = project
    install.main([])
    monkeypatch.setattr(install.sys, "version_info", (3, 14))
    commands.clear()
    with pytest.raises(SystemExit, match=r"this is 3\.14"):
        install.main([])
    assert not commands and json.loads((root / ".venv" / "installed-lab").read_text())
    install.main(["--keep"])  # what is there is good


@posix
def test_an_environment_whose_python_is_gone_is_made_again(project, capsys):
    root, commands = project
    install.main([])
    python = root / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to(root / "gone")
    commands.clear()
    install.main(["--keep"])
    assert commands[0] == ["-m", "venv"]
    assert "its Python does not start any more." in capsys.readouterr().out


@posix
@pytest.mark.parametrize("python", [HERE, None])
def test_tensorflow_for_gpus_is_kept(project, capsys, python):
    """Its owner put it there by hand, and it is kept when .venv is made anew."""
    root, commands = project
    packages = root / ".venv" / "lib" / f"python{HERE[0]}.{HERE[1]}" / "site-packages"
    (packages / "nvidia_cudnn_cu12-9.1.0.dist-info").mkdir()
    if not python:
        (root / ".venv" / "bin" / "python").unlink()
    install.main([])
    assert "(gpu)" in capsys.readouterr().out
    assert (["-m", "venv"] in commands) == (python is None)


@posix
@pytest.mark.parametrize("space", ["", " "])
def test_programs_of_a_moved_environment_start_its_own_python(tmp_path, monkeypatch, space):
    old, new = tmp_path / f"old{space}place", tmp_path / "new place"
    venv.create(old / ".venv")
    folder = old / ".venv" / "bin"
    if space:
        first = f"#!/bin/sh\n'''exec' \"{folder}/python3\" \"$0\" \"$@\"\n' '''\n"
    else:
        first = f"#!{folder}/python\n"
    for name, text in [("say", first + PROGRAM), ("other", "#!/usr/bin/env python\n")]:
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    old.rename(new)
    shutil.rmtree(old, ignore_errors=True)
    put(monkeypatch, new)
    install.move_programs()
    program = new / ".venv" / "bin" / "say"
    said = subprocess.run([program, "a b"], stdout=subprocess.PIPE, text=True, check=True).stdout
    assert said == f"{new / '.venv'} a b\n"
    assert (program.parent / "other").read_text() == "#!/usr/bin/env python\n"
    assert str(old) not in (program.parent / "activate").read_text()
    before = program.stat().st_mtime_ns
    install.move_programs()
    assert program.stat().st_mtime_ns == before
    assert not list(program.parent.glob("*.part"))


@pytest.mark.skipif(not shutil.which("make"), reason="there is no make")
@pytest.mark.parametrize(
    "target", ["lab", "test", "course", "browser", "site", "workshop", "bench"]
)
def test_make_looks_at_the_environment_each_time(tmp_path, target):
    """And hands on what it was told, with spaces."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    say = "import os, sys\nprint(os.path.basename(sys.argv[0]), sys.argv[1:])\n"
    (tmp_path / "tools").mkdir()
    (tmp_path / "benchmarks").mkdir()
    for name in ("install", "lab", "check", "course", "browser", "site", "workshop"):
        (tmp_path / "tools" / f"{name}.py").write_text(say)
    (tmp_path / "benchmarks" / "__init__.py").touch()
    (tmp_path / "benchmarks" / "__main__.py").write_text(say)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    for name in install.RECORDS:
        (tmp_path / ".venv" / name).touch()

    def lines(*settings):
        environment = {k: v for k, v in os.environ.items() if k not in ("PYTHON", "MAKEFLAGS")}
        command = ["make", "--no-print-directory", target, *settings]
        done = subprocess.run(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE)
        return done.stdout.decode().splitlines()

    extra = {"lab": [], "course": [], "site": ["site"]}.get(target, ["test"])
    first, second = lines()
    assert first == f"install.py {['--keep', *extra]}"
    assert second.startswith(("__main__.py", "check.py", f"{target}.py"))
    first, second = lines(f"PYTHON={sys.executable}", "NOTEBOOKS=my own/work")
    assert first == f"install.py {extra}"
    assert target != "lab" or "'--notebooks', 'my own/work', " in second


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
