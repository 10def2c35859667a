"""Tests of tools/npm.py: when packages are fetched, and what is said if they can't be."""

import pytest

from tools import npm


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """A folder with a lock file, one for its packages, and the commands that were noted."""
    locked, into = tmp_path / "web", tmp_path / "build" / "npm"
    locked.mkdir()
    for name in npm.FILES:
        (locked / name).write_text("first")
    commands, status = [], [0]

    def call(command, cwd):
        commands.append(command)
        (cwd / "node_modules").mkdir(exist_ok=True)
        return status[0]

    monkeypatch.setattr(npm, "find_npm", lambda: "npm")
    monkeypatch.setattr(npm.subprocess, "call", call)
    return locked, into, commands, status


def test_packages_are_fetched_once_for_each_lock_file(folders):
    locked, into, commands, _ = folders
    assert npm.fetch(locked, into) == into / "node_modules"
    npm.fetch(locked, into)
    assert [command[:2] for command in commands] == [["npm", "ci"]]
    (locked / "package-lock.json").write_text("second")
    npm.fetch(locked, into)
    assert len(commands) == 2
    assert (into / "package-lock.json").read_text() == "second"


def test_what_npm_did_not_finish_is_fetched_again(folders):
    locked, into, commands, status = folders
    status[0] = 1
    with pytest.raises(OSError, match="npm could not fetch the packages"):
        npm.fetch(locked, into)
    status[0] = 0
    npm.fetch(locked, into)
    assert len(commands) == 2


def test_without_npm_it_says_what_to_install(folders, monkeypatch):
    monkeypatch.setattr(npm, "find_npm", lambda: None)
    with pytest.raises(OSError, match="install Node"):
        npm.fetch(*folders[:2])
