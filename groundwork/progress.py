"""Show how far long work has come: a bar on a terminal and in JupyterLab, lines in a log."""

import sys
from types import TracebackType

from tqdm.auto import tqdm


class Progress:
    """Counts what is done of a known number of things.

    Example: `with Progress("Reading faces", 2000, "face") as progress: progress.advance(50)`.

    Args:
        what: what is done.
        total: how many there are.
        unit: what each is called.
        done: how many are done already.
    """

    def __init__(self, what: str, total: int, unit: str, done: int = 0):
        self.what, self.total, self.done, self.bar = what, total, done, None
        if on_terminal() or _in_notebook():
            # Short work shows none, so that a notebook stays as it is.
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
        """So many more are done; in a log, every tenth of the way is a line."""
        before, self.done = self.done, self.done + count
        if self.bar is not None:
            self.bar.update(count)
        elif self.total >= 1000 and self.done * 10 // self.total > before * 10 // self.total:
            print(f"{self.what}: {self.done:,} of {self.total:,}", flush=True)


def on_terminal() -> bool:
    """Whether a person sees what is written to stderr; a service may have none."""
    return sys.stderr is not None and sys.stderr.isatty()


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and "IPKernelApp" in shell.config
