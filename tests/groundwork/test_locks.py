"""One process holds a lock; where there are no locks, work goes on."""

import errno
import subprocess
import sys

import pytest

from groundwork.locks import Locked, locked

fcntl = pytest.importorskip("fcntl")
HOLD = (
    "import sys; from groundwork.locks import locked\n"
    "with locked(sys.argv[1]): print('in', flush=True); sys.stdin.read()"
)


@pytest.fixture
def held(tmp_path):
    """A lock that another process holds, and that process."""
    path = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"in\n"
        yield path, process
        process.kill()


def test_a_lock_that_is_held_is_refused_with_the_sentence_given(held):
    with (
        pytest.raises(Locked, match=r"^Somebody trains here\.$"),
        locked(held[0], refused="Somebody trains here."),
    ):
        pass


def test_a_lock_that_is_held_is_waited_for(held, capsys):
    path, process = held
    process.stdin.close()
    with locked(path, waiting="Waiting."):
        assert process.wait(10) == 0
    assert capsys.readouterr().out in ("", "Waiting.\n")


def test_a_killed_process_holds_nothing(held):
    path, process = held
    process.kill()
    process.wait(10)
    with locked(path, refused="held"):
        pass


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EACCES])
def test_without_locks_it_goes_on_after_a_sentence(tmp_path, monkeypatch, capsys, number):
    def refuse(handle, how):
        raise OSError(number, "no locks here")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with locked(tmp_path / "lock", refused="held"):
        pass
    assert "has no file locks" in capsys.readouterr().out
