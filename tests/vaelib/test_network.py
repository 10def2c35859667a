"""Two processes on two networks of their own: a slow connection, and one that is cut."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest

from tests.vaelib.conftest import ROOT, write_folder

# A delay each way; where the kernel has no netem, few bits per second, so that each message waits.
SLOW = ("netem delay 10ms", "tbf rate 20mbit burst 16kbit latency 1s")
HOSTS = ("10.213.7.1", "10.213.7.2")
OPTIONS = ["--image-size=32", "--latent-dim=4", "--batch-size=8", "--steps-per-epoch=3"]


def _run(command: str) -> subprocess.CompletedProcess:
    return subprocess.run(command.split(), capture_output=True, text=True, check=True)


def _way_to_slow_down() -> str:
    """The first of SLOW that works here; "" without root, iproute2, or the right to a network."""
    if sys.platform != "linux" or os.geteuid() or not all(map(shutil.which, ("ip", "tc"))):
        return ""
    name = f"probe{os.getpid()}"
    for slow in SLOW:
        with suppress(subprocess.CalledProcessError):
            _run(f"ip netns add {name}")
            try:
                _run(f"ip netns exec {name} tc qdisc add dev lo root {slow}")
                return slow
            finally:
                _run(f"ip netns del {name}")
    return ""


WAY = _way_to_slow_down()


pytestmark = [
    pytest.mark.slow,
    pytest.mark.long,
    pytest.mark.skipif(find_spec("jax") is None, reason="JAX is not installed"),
    pytest.mark.skipif(not WAY, reason="needs root, and iproute2"),
]


@pytest.fixture
def networks() -> Iterator[tuple[str, str]]:
    """The names of two networks that a slow cable joins; each has one of HOSTS."""
    names = tuple(f"faces{index}-{os.getpid()}" for index in range(2))
    made = []
    try:
        for name in names:
            _run(f"ip netns add {name}")
            made.append(name)
        _run(f"ip link add cable netns {names[0]} type veth peer name cable netns {names[1]}")
        for name, host in zip(names, HOSTS, strict=True):
            inside = f"ip netns exec {name}"
            _run(f"{inside} ip address add {host}/24 dev cable")
            _run(f"{inside} ip link set cable up")
            _run(f"{inside} ip link set lo up")
            _run(f"{inside} tc qdisc add dev cable root {WAY}")
        yield names
    finally:
        for name in made:
            _run(f"ip netns del {name}")


@pytest.fixture
def start(networks, tmp_path):
    """Starts a training of two processes, one on each network; their output goes to two files."""
    folder = write_folder(tmp_path / "celeba", 40, partition=[0] * 25 + [1] * 9 + [2] * 6)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    environment.pop("KERAS_BACKEND", None)  # the command chooses
    started = []

    def begin(epochs: int) -> list[tuple[subprocess.Popen, Path]]:
        options = [*OPTIONS, f"--epochs={epochs}", f"--faces={folder}", f"--out={tmp_path / 'run'}"]
        options += ["--processes=2", f"--coordinator={HOSTS[0]}:12345"]
        for index, network in enumerate(networks):
            command = ["ip", "netns", "exec", network, sys.executable, "-m", "vaelib", "train"]
            log = tmp_path / f"log{index}"
            with log.open("wb") as output:
                process = subprocess.Popen(
                    [*command, *options, f"--process={index}"],
                    cwd=tmp_path,
                    env=environment,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                )
            started.append((process, log))
        return started

    yield begin
    for process, _ in started:
        process.kill()
        process.wait()


def test_a_slow_network_changes_nothing(start, tmp_path):
    for process, log in start(epochs=2):
        assert process.wait(timeout=500) == 0, log.read_text()
    history = pd.read_csv(tmp_path / "run" / "history.csv")
    assert history["loss"].notna().all() and len(history) == 2
    assert (tmp_path / "run" / "vae.keras").exists()


def test_when_the_cable_is_cut_both_end_and_name_the_other(start, networks):
    running = start(epochs=10_000)
    until = time.monotonic() + 400
    while "epoch 2:" not in running[0][1].read_text():
        assert time.monotonic() < until and running[0][0].poll() is None, running[0][1].read_text()
        time.sleep(0.2)
    _run(f"ip netns exec {networks[1]} ip link set cable down")
    cut = time.monotonic()
    for (process, log), other in zip(running, (1, 0), strict=True):
        assert process.wait(timeout=cut + 60 - time.monotonic()) not in (0, None)
        last = log.read_text().splitlines()[-1]
        assert last.startswith("error: process"), log.read_text()
        assert f"since process {other} ended or can't be reached any more" in last
        assert "same command again" in last
