"""Stand-ins for CelebA's files."""

import io

import numpy as np
import pytest
from PIL import Image

from portraits import Person
from portraits.labelling.labels import ATTRIBUTES
from tests.vaelib.celeba.hand_outs import PEOPLE, SPLIT, CelebA


@pytest.fixture(scope="session")
def files() -> CelebA:
    images, labels = [], []
    for seed in range(PEOPLE):
        person = Person.sample(seed)
        file = io.BytesIO()
        Image.fromarray(person.render((178, 218))).save(file, "JPEG", quality=95)
        images.append(file.getvalue())
        labels.append([person.attributes()[name] for name in ATTRIBUTES])
    return CelebA(images, np.array(labels), SPLIT)


@pytest.fixture(scope="session")
def many() -> CelebA:
    """2,000 faces, one and the same but for their labels."""
    file = io.BytesIO()
    Image.new("RGB", (178, 218), (200, 150, 120)).save(file, "JPEG")
    labels = np.random.default_rng(0).random((2000, len(ATTRIBUTES))) > 0.5
    return CelebA([file.getvalue()] * 2000, labels, [0] * 1800 + [1] * 100 + [2] * 100)
