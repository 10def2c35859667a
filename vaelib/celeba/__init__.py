"""Get CelebA, check it, and make it a folder that `read_faces` reads."""

from vaelib.celeba.attributes import ATTRIBUTES
from vaelib.celeba.kaggle import BY_HAND, fetch_from_kaggle
from vaelib.celeba.prepare import Prepared, prepare

__all__ = ["ATTRIBUTES", "BY_HAND", "Prepared", "fetch_from_kaggle", "prepare"]
