"""Start several processes of one training on this machine, and end all when one fails."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

SHOWN = 5  # last lines of a process that failed
LONGEST = 400  # characters of such a line
GRACE = 5  # seconds between the failure of one and the end of the others, for their own messages

_STARTED = "VAELIB_STARTED_BY_LAUNCH"
_PROGRESS = re.compile(r": [\d,]+ of [\d,]+$")


def end_with_launch() -> None:
    """End this process when `launch`, if that started it, has ended, also by SIGKILL."""
    if os.environ.pop(_STARTED, ""):
        threading.Thread(target=_wait_for_launch, daemon=True).start()


def _wait_for_launch() -> None:
    os.read(0, 1)  # `launch` holds the other end of this pipe, and writes nothing
    os._exit(1)


class _Process:
    """One process, whose lines are printed with its number before them."""

    def __init__(self, index: int, command: list[str], environment: dict[str, str]):
        self.index = index
        self.last: deque[str] = deque(maxlen=SHOWN)
        self.is_read = True  # whether somebody takes what is printed
        self.popen = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="backslashreplace",
        )
        self._reader = threading.Thread(target=self._copy, daemon=True)
        self._reader.start()

    def _copy(self) -> None:
        for line in self.popen.stdout or ():
            if line.startswith("[Gloo] Rank"):  # it tells that it has connected
                continue
            if not _PROGRESS.search(line):
                self.last.append(line.rstrip()[:LONGEST])
            try:
                print(f"[{self.index}] {line}", end="", flush=True)
            except OSError:  # it goes on reading: a full pipe would stop the process
                self.is_read = False

    def close(self) -> None:
        self._reader.join(timeout=10)
        with suppress(OSError):
            if self.popen.stdin is not None:
                self.popen.stdin.close()


def run_together(arguments: list[str], count: int) -> int:
    """Run `python -m vaelib` with these arguments in `count` processes.

    Args:
        arguments: "train" and its options.
        count: the number of processes.

    Returns:
        0, or the exit code of the first process that failed (1 if a signal ended it).

    Raises:
        ValueError: the arguments are not those of a training, or JAX is not installed.
    """
    _check(arguments)
    place = ["--processes", str(count), "--coordinator", f"127.0.0.1:{_free_port()}"]
    train = [sys.executable, "-m", "vaelib", *arguments, *place, "--process"]
    return run_commands([[*train, str(index)] for index in range(count)])


def run_commands(commands: list[list[str]]) -> int:
    """Run commands at the same time, each on its share of the cores, until all have ended.

    Their output is printed line by line, with the number of the command before each line. When one
    fails, the others are ended, and one sentence names it with its last lines.

    Returns:
        0, or the exit code of the first command that failed (1 if a signal ended it).

    Raises:
        SystemExit: a signal asks this program to end.
        OSError: nobody reads the output any more.
    """
    count, running = len(commands), []
    failed = None
    with _ended_by_signals():
        try:
            for index, share in enumerate(core_shares(_cores(), count)):
                with _on_cores(share):
                    running.append(_Process(index, commands[index], _environment(index, count)))
            failed = _first_to_fail(running)
        finally:
            _end_all(running)
    if failed is None:
        return 0
    code = failed.popen.returncode
    how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
    print(
        f"error: process {failed.index} of {count} {how}, so the others were ended. "
        f"Its last lines: {' / '.join(failed.last) or 'none'}",
        file=sys.stderr,
        flush=True,
    )
    return code if code > 0 else 1


def _check(arguments: list[str]) -> None:
    if arguments[:1] != ["train"]:
        raise ValueError(
            f"launch starts trainings, and {arguments[0]!r} is none: write `launch -n 2 train` and "
            "its options."
        )
    for name in ("--processes", "--process", "--coordinator"):
        if any(argument.split("=")[0] == name for argument in arguments):
            raise ValueError(f"launch sets {name} itself: leave it out.")
    if find_spec("jax") is None:
        raise ValueError(
            "Several processes need JAX, which is not installed: install it with "
            "`python -m pip install jax`, or jax[cuda12] for NVIDIA's GPUs."
        )


def core_shares(cores: list[int], count: int) -> list[list[int]]:
    """Divide cores among `count` processes; several processes share one if there are too few."""
    if len(cores) < count:
        return [[cores[i % len(cores)]] for i in range(count)] if cores else [[]] * count
    bounds = [len(cores) * i // count for i in range(count + 1)]
    return [cores[a:b] for a, b in pairwise(bounds)]


def _cores() -> list[int]:
    """The cores that this process may use; empty where the system does not tell (macOS)."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


@contextmanager
def _on_cores(share: list[int]) -> Iterator[None]:
    """Let a process that starts in this block inherit these cores."""
    if not share:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, share)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _environment(index: int, count: int) -> dict[str, str]:
    """That of this program, with JAX, and with a share of the GPUs if there are enough."""
    environment = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONUNBUFFERED": "1", _STARTED: "1"}
    there = sorted(path.name[6:] for path in Path("/dev").glob("nvidia[0-9]*"))
    gpus = os.environ.get("CUDA_VISIBLE_DEVICES", ",".join(there)).split(",")
    if len(gpus) >= count and gpus != [""]:
        share = core_shares(list(range(len(gpus))), count)[index]
        environment["CUDA_VISIBLE_DEVICES"] = ",".join(gpus[i] for i in share)
    return environment


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Leave the block by an exception when a signal asks this program to end."""

    def leave(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    if threading.current_thread() is not threading.main_thread():
        names = []  # only the main thread may catch signals
    before = {name: signal.signal(getattr(signal, name), leave) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _first_to_fail(running: list[_Process]) -> _Process | None:
    """Wait until one has failed, or all have ended well."""
    while True:
        ended = all(process.popen.poll() is not None for process in running)
        failed = [process for process in running if process.popen.poll()]
        if not all(process.is_read for process in running):
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # else Python complains at its end
            raise OSError("Nobody reads the output any more, so all processes were ended.")
        if failed or ended:
            # One that a signal ended is the cause of the errors of others.
            return min(failed, key=lambda one: (one.popen.returncode > 0, one.index), default=None)
        time.sleep(0.1)


def _end_all(running: list[_Process]) -> None:
    """End those that still run: they may first end by themselves, then they must."""
    for end in (subprocess.Popen.poll, subprocess.Popen.terminate, subprocess.Popen.kill):
        for process in running:
            end(process.popen)
        until = time.monotonic() + GRACE
        while time.monotonic() < until and any(p.popen.poll() is None for p in running):
            time.sleep(0.1)
    for process in running:
        process.close()
