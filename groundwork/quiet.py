"""Capture what a library writes to stderr while it starts, and show it only if that fails."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_SHOW = "import sys; sys.stderr.buffer.write(sys.stdin.buffer.read())"


@contextmanager
def stderr_kept() -> Iterator[None]:
    """Capture what C++ code writes to file descriptor 2 until the block ends.

    Without an error it is dropped. After an error, or if the whole process ends in the block (as
    TensorFlow ends it on a processor without AVX), it is shown. An ended process can show nothing,
    so a second, small process holds the lines.
    """
    if not _stderr_is_open():
        yield
        return
    if sys.stderr is not None:
        sys.stderr.flush()
    holder = subprocess.Popen(
        [sys.executable, "-ISc", _SHOW], stdin=subprocess.PIPE, start_new_session=True
    )
    shown = os.dup(2)
    os.dup2(holder.stdin.fileno(), 2)
    try:
        yield
        holder.kill()
    finally:
        os.dup2(shown, 2)
        os.close(shown)
        holder.communicate()  # ends the lines: a holder that was not killed shows them


def _stderr_is_open() -> bool:
    """Whether there is a file descriptor 2; if not (in a service), open the null device as 2.

    Otherwise the next file opened would have number 2, and receive every log line.
    """
    try:
        os.fstat(2)
    except OSError:
        sink = os.open(os.devnull, os.O_WRONLY)
        if sink != 2:
            os.dup2(sink, 2)
            os.close(sink)
        return False
    return True
