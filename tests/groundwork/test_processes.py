"""Calls in parallel processes. What is called must be importable there: builtins are."""

import math
import os
import time
from functools import partial

import pytest

from groundwork.processes import in_processes, usable_cores


def test_usable_cores():
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)


def test_results_come_in_the_order_of_the_calls():
    slow, quick = partial(time.sleep, 0.3), partial(math.sqrt, 4)
    assert list(in_processes([slow, quick, quick], jobs=2)) == [None, 2.0, 2.0]


def test_one_job_is_done_in_this_process():
    assert list(in_processes([os.getpid] * 2, jobs=1)) == [os.getpid()] * 2


def test_several_jobs_are_done_in_others_with_one_thread_each(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    asked = [os.getpid, partial(os.getenv, "OMP_NUM_THREADS")]
    process, threads = in_processes(asked, jobs=2)
    assert process != os.getpid()
    assert threads == "1" and os.environ["OMP_NUM_THREADS"] == "5"


@pytest.mark.parametrize("jobs", [1, 2])
def test_no_calls_have_no_results(jobs):
    assert list(in_processes([], jobs)) == []


def test_an_error_of_a_call_is_raised_here():
    with pytest.raises(ValueError, match="math domain"):
        list(in_processes([partial(math.sqrt, -1)] * 2, jobs=2))


def test_a_process_that_ends_is_one_sentence():
    with pytest.raises(ChildProcessError, match=r"ended from outside .* again, .*\.$"):
        list(in_processes([partial(os._exit, 1)] * 2, jobs=2))


def test_closed_early_it_makes_no_more_calls(tmp_path):
    """But for those that are begun and the three that Python keeps ready."""
    busy = [partial(time.sleep, 0.2)] * 6
    results = in_processes([os.getpid, *busy, partial(os.mkdir, tmp_path / "late")], jobs=2)
    next(results)
    results.close()
    assert list(tmp_path.iterdir()) == []
