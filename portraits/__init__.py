"""Portraits: labelled faces, drawn from parameters, that stand in for CelebA out of the box."""

from portraits.counterfactuals import write_counterfactuals
from portraits.dataset import write_dataset
from portraits.errors import PortraitsError
from portraits.labelling.labels import ATTRIBUTES
from portraits.people.dials import DIALS
from portraits.person import Person
from portraits.picture.render import render
from portraits.version import DRAWING_VERSION

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
