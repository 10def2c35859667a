"""Several processes on one machine: their cores, their output, and their end."""

import os
import sys

import pytest

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
