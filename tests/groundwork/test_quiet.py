"""What a library writes to stderr while it starts: hidden if all goes well, else shown."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
START = """
import os, sys
from groundwork.quiet import stderr_kept
with stderr_kept():
    os.write(2, b"a log line\\n")
    {in_the_middle}
print("after", file=sys.stderr)
"""


def run(in_the_middle: str = "pass", redirection: str = "") -> subprocess.CompletedProcess:
    command = f'exec "$0" -c "$1" {redirection}'
    code = START.format(in_the_middle=in_the_middle)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        ["sh", "-c", command, sys.executable, code],
        capture_output=True,
        text=True,
        env=environment,
        cwd=ROOT,
        timeout=60,
    )


def test_a_start_that_succeeds_is_silent_and_leaves_stderr_as_it_was():
    done = run()
    assert (done.returncode, done.stderr) == (0, "after\n")


def test_before_an_error_the_lines_are_shown():
    done = run("raise ImportError('no library')")
    assert done.returncode == 1
    assert done.stderr.startswith("a log line\nTraceback")
    assert done.stderr.endswith("ImportError: no library\n")


@pytest.mark.parametrize("signal", ["SIGABRT", "SIGILL", "SIGKILL"])
def test_when_the_process_dies_the_lines_are_shown(signal):
    done = run(f"import signal; os.kill(os.getpid(), signal.{signal})")
    assert done.returncode < 0
    assert done.stderr == "a log line\n"


def test_much_that_is_written_blocks_nothing():
    assert run("os.write(2, bytes(10**6))").stderr == "after\n"


def test_without_stderr_it_works_and_no_file_becomes_number_2(tmp_path):
    path = tmp_path / "first.txt"
    code = f"file = open({str(path)!r}, 'w'); os.write(2, b'more log lines'); file.close()"
    done = run(code, "2>&-")
    assert done.returncode == 0
    assert path.read_text() == ""
