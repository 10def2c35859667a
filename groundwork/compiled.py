"""Compile functions to machine code, cached on disk where that is possible."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numba
from numba.core.caching import FunctionCache


def compiled(**options: Any) -> Callable:
    """Decorate a function: numba compiles it, with these options, at the first call.

    Unlike `numba.njit(cache=True)`, it works where no cache can be written (a shared installation
    and no home folder), and where the cache is damaged or its disk is full. The function is then
    compiled at each start, which takes seconds.
    """

    def decorate(function: Callable) -> Callable:
        dispatcher = numba.njit(**options)(function)
        with suppress(RuntimeError):  # neither the package's folder nor the user's is writable
            dispatcher._cache = _Cache(function)
        return dispatcher

    return decorate


class _Cache(FunctionCache):
    """Numba's cache, without its errors: a function is compiled again instead."""

    def load_overload(self, *arguments):
        try:
            return super().load_overload(*arguments)
        except Exception:  # a file that is cut short, after a power cut: any error of pickle's
            with suppress(OSError):
                self.flush()
            return None

    def save_overload(self, *arguments):
        with suppress(OSError):
            super().save_overload(*arguments)
