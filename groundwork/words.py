"""Suggest the name that was probably meant, for messages."""

import difflib
from collections.abc import Iterable


def suggestion(name: str, known: Iterable[str], otherwise: str = ".") -> str:
    """End a sentence about an unknown name: ": did you mean Smiling?".

    Args:
        name: what was asked for.
        known: the names that there are.
        otherwise: the end where no name is near.
    """
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.4)
    return f": did you mean {near[0]}?" if near else otherwise
