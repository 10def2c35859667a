"""Portraits: labelled faces, drawn from parameters, that stand in for CelebA out of the box."""

DRAWING_VERSION = 2
"""Raised by one whenever the same seed and index give other pixels or labels than before."""

from portraits.counterfactuals import write_counterfactuals  # noqa: E402
from portraits.dataset import write_dataset  # noqa: E402
from portraits.dials import DIALS  # noqa: E402
from portraits.errors import PortraitsError  # noqa: E402
from portraits.labels import ATTRIBUTES  # noqa: E402
from portraits.person import Person  # noqa: E402
from portraits.render import render  # noqa: E402

__all__ = [
    "ATTRIBUTES",
    "DIALS",
    "DRAWING_VERSION",
    "Person",
    "PortraitsError",
    "render",
    "write_counterfactuals",
    "write_dataset",
]
