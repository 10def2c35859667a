"""Write paired sets: the same people without an attribute and with it."""

import os
from collections.abc import Sequence
from pathlib import Path

from portraits.dataset.folder import refuse_foreign
from portraits.dataset.write import write_dataset
from portraits.errors import PortraitsError
from portraits.labelling.labels import ATTRIBUTES
from portraits.person import Person
from portraits.picture.render import Size

SEED = 1
"""Another population than the data set's: no model was trained on these people."""


def write_counterfactuals(
    out: str | os.PathLike[str],
    attributes: Sequence[str],
    count: int = 500,
    size: Size = 64,
    seed: int = SEED,
    jobs: int | None = None,
) -> Path:
    """Draw `count` people without and with each of some attributes.

    Writes for each attribute two folders, `out/NAME/without` and `out/NAME/with`, both in
    CelebA's layout with labels of their own. Two pictures of the same name show the same person;
    they differ in the attribute, and in what the attribute changes. "Smiling+Eyeglasses" switches
    both together. After an interruption the next call draws what is missing, as `write_dataset`.

    Raises:
        PortraitsError: an attribute that does not exist or can't be switched, attributes that
            exclude each other, or what `write_dataset` refuses; nothing is drawn then.
    """
    out = Path(out)
    if not attributes:
        raise PortraitsError("Name one attribute at least, such as Eyeglasses.")
    names = {attribute: attribute.split("+") for attribute in dict.fromkeys(attributes)}
    for parts in names.values():
        for on in (False, True):
            Person.sample(seed).with_attributes(dict.fromkeys(parts, on))
    if out.is_dir():
        strange = sorted(entry for entry in os.listdir(out) if "." not in entry[:1])
        refuse_foreign(out, [entry for entry in strange if not _is_paired_set(out / entry)])
    for attribute, parts in names.items():
        for kind, on in (("without", False), ("with", True)):
            switched = dict.fromkeys(parts, on)
            write_dataset(out / attribute / kind, count, size, seed, jobs, switched)
    return out


def _is_paired_set(folder: Path) -> bool:
    """Whether a folder is named as a paired set, and holds nothing but its two halves."""
    named = set(folder.name.split("+")) <= set(ATTRIBUTES)
    return named and folder.is_dir() and set(os.listdir(folder)) <= {"without", "with"}
