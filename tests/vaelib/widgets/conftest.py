"""The studio, the explorer and the inside of the faces of one colour."""

import pytest

from tests.colours import FACES, LABELS, VECTORS, SliderModel
from vaelib.widgets.explorer import Explorer
from vaelib.widgets.inside import Inside
from vaelib.widgets.studio import Studio


@pytest.fixture
def studio():
    return Studio(SliderModel(), FACES, VECTORS, ["Smiling", "Male"])


@pytest.fixture
def explorer():
    return Explorer(SliderModel(), FACES, LABELS, VECTORS, color="Dark")


@pytest.fixture
def inside():
    return Inside(SliderModel(), FACES, shown=3)
