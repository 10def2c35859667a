"""Several processes on one machine: their cores, their output, and their end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.vaelib.conftest import ROOT
from vaelib import launch


@pytest.mark.parametrize(
    ("cores", "count", "shares"),
    [
        ([0, 1], 2, [[0], [1]]),
        ([0, 1, 2, 5], 2, [[0, 1], [2, 5]]),
        ([0, 1, 2], 2, [[0], [1, 2]]),
        ([3, 4], 5, [[3], [4], [3], [4], [3]]),
        ([], 2, [[], []]),
    ],
)
def test_each_process_gets_its_share_of_the_cores(cores, count, shares):
    assert launch.core_shares(cores, count) == shares


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["evaluate", "mine"], "'evaluate'"),
        (["train", "--processes", "2"], "--processes"),
        (["train", "--process=1"], "--process "),
        (["train", "--coordinator", "a:1"], "--coordinator"),
    ],
)
def test_what_is_no_training_of_its_own_is_refused(arguments, part, one_sentence):
    with pytest.raises(ValueError) as error:
        launch.run_together(arguments, 2)
    one_sentence(error.value, part)


def test_without_jax_it_says_how_to_install_it(monkeypatch, one_sentence):
    monkeypatch.setattr(launch, "find_spec", lambda name: None)
    with pytest.raises(ValueError) as error:
        launch.run_together(["train", "--out", "x"], 2)
    one_sentence(error.value, "pip install jax")


def programs(*lines: str) -> list[list[str]]:
    return [[sys.executable, "-c", f"import os, sys, time; {line}"] for line in lines]


def test_the_output_of_each_has_its_number(capfd):
    assert launch.run_commands(programs("print('one')", "print('two', file=sys.stderr)")) == 0
    assert sorted(capfd.readouterr().out.splitlines()) == ["[0] one", "[1] two"]


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="the system has no affinity")
def test_each_has_cores_of_its_own_and_this_process_keeps_its(capfd):
    before = os.sched_getaffinity(0)
    assert launch.run_commands(programs(*["print(sorted(os.sched_getaffinity(0)))"] * 2)) == 0
    shares = launch.core_shares(sorted(before), 2)
    lines = sorted(capfd.readouterr().out.splitlines())
    assert lines == [f"[{index}] {share}" for index, share in enumerate(shares)]
    assert os.sched_getaffinity(0) == before


def test_one_that_is_killed_ends_all_with_its_last_lines(monkeypatch, capfd, one_sentence):
    monkeypatch.setattr(launch, "GRACE", 0.2)
    dies = "print('at step 3', flush=True); os.kill(os.getpid(), 9)"
    assert launch.run_commands(programs("time.sleep(1000)", dies)) == 1
    error = capfd.readouterr().err.strip()
    assert error.startswith("error: process 1 of 2 was ended by SIGKILL")
    assert "at step 3" in error


def test_the_exit_code_is_that_of_the_one_that_failed(monkeypatch, capfd):
    monkeypatch.setattr(launch, "GRACE", 0.2)
    assert launch.run_commands(programs("time.sleep(1000)", "sys.exit(2)")) == 2
    assert "process 1 of 2 ended with code 2" in capfd.readouterr().err


LAUNCHES = """
import sys
from vaelib import launch
launch.GRACE = 1
silent = "import os, time; print(os.getpid(), flush=True); from vaelib.launch import {guard}; "
silent += "{guard}(); time.sleep(1000)"
launch.run_commands([[sys.executable, "-c", silent]] * 2)
"""


def is_running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the system has no /proc")
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_whatever_ends_it_no_process_is_left(sent):
    code = LAUNCHES.replace("{guard}", "end_with_launch")
    started = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    lines = [started.stdout.readline() for _ in range(2)]
    children = [int(line.split()[1]) for line in lines]
    assert all(map(is_running, children))
    started.send_signal(sent)
    assert started.wait(timeout=60) == (-sent if sent == signal.SIGKILL else 128 + sent)
    until = time.monotonic() + 120  # a child that still imports ends when it has done so
    while any(map(is_running, children)) and time.monotonic() < until:
        time.sleep(0.1)
    assert not any(map(is_running, children))


def test_when_nobody_reads_all_are_ended(monkeypatch, one_sentence):
    monkeypatch.setattr(launch, "GRACE", 0.2)
    monkeypatch.setattr(launch.os, "dup2", lambda *_: None)

    class Closed:
        def write(self, _):
            raise BrokenPipeError(32, "Broken pipe")

        def flush(self):
            pass

    monkeypatch.setattr(sys, "stdout", Closed())
    prints = "print('x' * 1000, flush=True); [print('y' * 99) for _ in range(9999)]; "
    with pytest.raises(OSError) as error:
        launch.run_commands(programs(prints + "time.sleep(1000)", "time.sleep(1000)"))
    one_sentence(error.value, "Nobody reads")


def test_progress_and_long_lines_are_no_last_lines(monkeypatch, capfd):
    monkeypatch.setattr(launch, "GRACE", 0.2)
    lines = "print('epoch 1'); print('Reading faces: 12,000 of 20,000'); print('z' * 9999); "
    assert launch.run_commands(programs(lines + "sys.exit(3)")) == 3
    error = capfd.readouterr().err
    assert "epoch 1 / zzz" in error and "12,000" not in error and len(error) < 700
