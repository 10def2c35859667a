"""Several processes find each other, agree, and end with a sentence when one is lost."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from importlib.util import find_spec

import keras
import pytest

from tests.vaelib.conftest import ROOT
from vaelib import processes
from vaelib.processes import ALONE, Group, OtherProcess, joined
from vaelib.tensorboard import TensorFlowError

needs_jax = pytest.mark.skipif(find_spec("jax") is None, reason="JAX is not installed")


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({"index": 1}, ["--process ", "--processes"]),
        ({"coordinator": "a:1"}, ["--coordinator", "--processes"]),
        ({"count": 2}, ["--process", "0 to 1", "launch -n 2"]),
        ({"count": 2, "index": 1}, ["--coordinator", "HOST:PORT"]),
        ({"count": 2, "index": 2, "coordinator": "a:1"}, ["--process is 2", "0 to 1"]),
    ],
)
def test_a_place_that_is_not_whole_is_refused(options, parts, one_sentence):
    with pytest.raises(ValueError) as error, joined(**options):
        pass
    one_sentence(error.value, *parts)


@pytest.mark.parametrize("coordinator", ["node1", "node1:", "node1:0", "node1:65536", ":12", "a:b"])
def test_a_coordinator_that_is_no_host_and_port_is_refused(coordinator, monkeypatch, one_sentence):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ValueError) as error, joined(2, 1, coordinator):
        pass
    one_sentence(error.value, coordinator, "node1:12345")


def test_a_host_that_is_not_known_is_refused(monkeypatch, one_sentence):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(OSError) as error, joined(2, 1, "no-such-host.invalid:12"):
        pass
    one_sentence(error.value, "no-such-host.invalid", "--coordinator")


def test_a_port_that_is_taken_is_refused(monkeypatch, one_sentence):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(OSError) as error, joined(2, 0, f"127.0.0.1:{port}"):
            pass
    one_sentence(error.value, f"Port {port}", "taken", "another port")


def test_several_processes_need_jax(monkeypatch, one_sentence):
    monkeypatch.setattr(keras.backend, "backend", lambda: "tensorflow")
    with pytest.raises(ValueError) as error, joined(2, 0, "localhost:12"):
        pass
    one_sentence(error.value, "JAX", "tensorflow", "KERAS_BACKEND")


def test_one_process_needs_nobody():
    with joined() as group:
        assert group is ALONE
        assert group.is_chief
        assert group.gather("text") == ["text"]
        group.agree({"seed": 0})
        with pytest.raises(ZeroDivisionError), group.together():
            _ = 1 / 0


class Store:
    """What processes tell each other, as JAX's client keeps it, for threads."""

    def __init__(self):
        self.told = {}

    def key_value_set(self, key, value):
        assert key not in self.told
        self.told[key] = value

    def blocking_key_value_get(self, key, milliseconds):
        while key not in self.told:
            time.sleep(0.001)
        return self.told[key]


@pytest.fixture
def in_each(monkeypatch):
    """Calls a function in three threads, each with a group of its own; results or errors."""
    store = Store()
    monkeypatch.setattr(processes, "_client", lambda: store)

    def call(function):
        results = [None] * 3

        def work(index):
            try:
                results[index] = function(Group(3, index))
            except Exception as error:
                results[index] = error

        threads = [threading.Thread(target=work, args=[index]) for index in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results

    return call


def test_all_get_the_texts_of_all_in_the_order_of_their_numbers(in_each):
    def twice(group):
        return group.gather(f"a{group.index}"), group.gather("")

    assert in_each(twice) == [(["a0", "a1", "a2"], ["", "", ""])] * 3


def test_an_error_in_one_ends_all(in_each, one_sentence):
    def work(group):
        with group.together():
            if group.index == 1:
                raise FileNotFoundError(2, "No such file", "/faces")
        return "went on"

    first, second, third = in_each(work)
    assert isinstance(second, FileNotFoundError)
    for error in (first, third):
        assert isinstance(error, OtherProcess)
        one_sentence(error, "Process 1 of 3", "/faces does not exist")


def test_settings_that_differ_are_named_in_each(in_each, one_sentence):
    for error in in_each(lambda group: group.agree({"seed": 0, "epochs": 8 + (group.index == 2)})):
        one_sentence(error, "0 and 2", "epochs 8 and 9", "same command")
        assert "seed" not in str(error)


def test_another_number_of_processes_is_refused(monkeypatch, one_sentence):
    store = Store()
    monkeypatch.setattr(processes, "_client", lambda: store)
    processes._compare_count(2, 0)
    processes._compare_count(2, 1)
    with pytest.raises(ValueError) as refused:
        processes._compare_count(3, 2)
    one_sentence(refused.value, "--processes is 3 in process 2", "2 in process 0")


@needs_jax
def test_what_jax_reports_is_told_apart(monkeypatch, capsys, one_sentence):
    from jax.errors import JaxRuntimeError

    waited = []
    monkeypatch.setattr(time, "sleep", waited.append)
    full = JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 99 bytes.")
    assert processes._explain(full, ()) == 2
    one_sentence(capsys.readouterr().err.rstrip("\n"), "not enough memory", "--batch-size")
    assert processes._explain(JaxRuntimeError("INVALID_ARGUMENT: shapes"), ()) == 1
    assert "INVALID_ARGUMENT" in capsys.readouterr().err
    assert not waited
    assert processes._explain(JaxRuntimeError("Gloo all-reduce failed: closed by peer"), ()) == 2
    one_sentence(capsys.readouterr().err.rstrip("\n"), "connection", "same command")
    assert waited


def test_what_tensorflow_reports_of_files_is_one_sentence(capsys, one_sentence):
    assert (
        processes._explain(
            TensorFlowError(None, None, "No room on the disk.", 8), (TensorFlowError,)
        )
        == 2
    )
    one_sentence(capsys.readouterr().err.rstrip("\n"), "No room on the disk")


IN_A_CONTAINER = """
import os, sys
import vaelib
from vaelib.processes import _losses_explained
with _losses_explained(0, 2, "node:1", 5):
    print("error: a sentence.", file=sys.stderr)
os._exit(2)
"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("unshare") is None, reason="there is no unshare")
def test_a_sentence_is_whole_before_the_first_process_of_a_container_ends():
    """Whose end ends all others in it, also the one that writes the sentence."""
    command = ["unshare", "--pid", "--fork", sys.executable, "-c", IN_A_CONTAINER]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    if "unshare" in done.stderr:
        pytest.skip("only root may make a namespace")
    assert (done.returncode, done.stderr) == (2, "error: a sentence.\n")


# Real processes, which do not train

CODE = """
import json, os, sys, time
import vaelib
from vaelib.processes import joined
count, index, port, timeout, dies, sent = json.loads(sys.argv[1])
with joined(count, index, f"127.0.0.1:{port}", timeout) as group:
    print(group.gather(str(index)), flush=True)
    if index == dies:
        os.kill(os.getpid(), sent)
        time.sleep(60)
    with group.together():
        pass
print("whole", flush=True)
"""


def start(count, index, port, timeout=300, dies=None, sent=9):
    place = json.dumps([count, index, port, timeout, dies, sent])
    return subprocess.Popen(
        [sys.executable, "-c", CODE, place],
        env={**os.environ, "PYTHONPATH": str(ROOT), "KERAS_BACKEND": "jax"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@needs_jax
@pytest.mark.slow
@pytest.mark.parametrize(("dies", "sent"), [(None, 9), (0, signal.SIGTERM), (1, signal.SIGKILL)])
def test_processes_end_with_their_work_or_name_the_one_that_was_killed(
    port, dies, sent, one_sentence
):
    running = [start(2, index, port, dies=dies, sent=sent) for index in range(2)]
    outputs = [process.communicate(timeout=300) for process in running]
    for index, (process, (output, errors)) in enumerate(zip(running, outputs)):
        if dies is None:
            assert (process.returncode, errors) == (0, "")
            assert "['0', '1']" in output
            assert "whole" in output
        elif index == dies:
            assert process.returncode == -sent
        else:
            assert process.returncode != 0
            one_sentence(errors.rstrip("\n"), f"process {index} of 2", f"process {dies} ended")


@needs_jax
@pytest.mark.slow
def test_a_coordinator_that_is_not_there_is_named_after_the_time_out(port, one_sentence):
    process = start(2, 1, port, timeout=5)
    _, errors = process.communicate(timeout=120)
    assert process.returncode != 0
    one_sentence(errors.rstrip("\n"), "5 seconds", f"127.0.0.1:{port}", "--timeout")
