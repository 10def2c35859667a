"""Work on all cores: how many there are, and calls in parallel processes."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

Result = TypeVar("Result")

MOST_PROCESSES = 61  # Windows can wait for no more
_THREAD_LIMITS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


def usable_cores() -> int:
    """Count the cores that this process may use, by its affinity and a container's quota."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        cores = os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text("ascii").split()
        return max(1, min(cores, int(quota) // int(period)))
    except (OSError, ValueError):  # no container, or "max": no quota
        return cores


def in_processes(
    calls: Sequence[Callable[[], Result]], jobs: int | None = None
) -> Generator[Result, None, None]:
    """Make calls in parallel, and yield their results in the order of the calls.

    The processes are spawned, not forked: TensorFlow's threads don't survive a fork. So a script
    that uses this needs `if __name__ == "__main__":`. When the generator is closed, each process
    finishes the call that it is at, and ends.

    Args:
        calls: functions of a module with their arguments, as `functools.partial` joins them.
        jobs: number of processes; by default one per core. With one, the calls are made here.

    Raises:
        ChildProcessError: a process was ended from outside, for example for lack of memory.
    """
    jobs = min(jobs or usable_cores(), len(calls), MOST_PROCESSES)
    if jobs <= 1:
        yield from (call() for call in calls)
        return
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, spawn, initializer=_start_worker)
    try:
        with _inherited_by_workers():
            futures = deque(pool.submit(call) for call in calls)
        while futures:
            yield futures.popleft().result()
    except BrokenProcessPool as error:
        raise ChildProcessError(
            "A process of this program was ended from outside (out of memory?): "
            "run it again, with fewer processes if you can."
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _inherited_by_workers() -> Iterator[None]:
    """Let processes that start now have single-threaded maths, and ignore Ctrl-C from birth."""
    before = {name: os.environ.get(name) for name in _THREAD_LIMITS}
    os.environ.update(dict.fromkeys(_THREAD_LIMITS, "1"))
    in_main = threading.current_thread() is threading.main_thread()
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN) if in_main else None
    try:
        yield
    finally:
        if in_main:
            signal.signal(signal.SIGINT, handler)
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _start_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when its parent is killed; else it would wait for calls for ever."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)
