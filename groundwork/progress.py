"""Show the progress of long work: a bar on a terminal and in JupyterLab, lines in a log."""

import sys
from types import TracebackType

from tqdm.auto import tqdm


class Progress:
    """Count what is done of a known number of things.

    Example: `with Progress("Reading faces", 2000, "face") as progress: progress.advance(50)`.

    Args:
        what: the work, such as "Reading faces".
        total: the number of things.
        unit: the name of one thing.
        done: how many are done already.
        silent_below: in a log, a smaller total has no lines.
    """

    def __init__(self, what: str, total: int, unit: str, done: int = 0, silent_below: int = 1000):
        self.what, self.total, self.done, self.bar = what, total, done, None
        self.silent = total < silent_below
        if on_terminal() or _in_notebook():
            # Work of less than a second shows none, so that a notebook's output stays the same.
            self.bar = tqdm(
                desc=what, total=total, initial=done, unit=unit, delay=1, mininterval=0.5
            )

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.bar is not None:
            self.bar.close()

    def advance(self, count: int) -> None:
        """Count `count` more; in a log, print a line at every tenth of the total."""
        before, self.done = self.done, self.done + count
        if self.bar is not None:
            self.bar.update(count)
        elif not self.silent and self.done * 10 // self.total > before * 10 // self.total:
            print(f"{self.what}: {self.done:,} of {self.total:,}", flush=True)


def on_terminal() -> bool:
    """Whether stderr is a terminal; a service may have no stderr."""
    return sys.stderr is not None and sys.stderr.isatty()


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and "IPKernelApp" in shell.config
