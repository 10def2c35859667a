"""Portraits: labelled faces drawn from parameters, for use in place of CelebA.

The packages are the stages of drawing; each imports only from those before it: people, shape,
colour, picture, labelling. `Person` joins them; `dataset` writes pictures and labels of persons.
"""

from portraits.dataset.counterfactuals import write_counterfactuals
from portraits.dataset.write import write_dataset
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
