"""Pictures: the same each time, and of a face."""

from dataclasses import replace

import numpy as np
import pytest

from portraits import DRAWING_VERSION, Person, PortraitsError, render

THUMBNAILS = {
    0: [[76, 55, 43, 57], [79, 76, 69, 56], [83, 89, 81, 64], [114, 108, 100, 106]],
    3: [[127, 128, 110, 104], [134, 112, 79, 106], [143, 112, 77, 124], [110, 100, 78, 94]],
    19: [[185, 144, 165, 186], [70, 135, 138, 68], [73, 138, 130, 67], [68, 137, 116, 57]],
}
"""Gray means of 4 x 4 tiles of some portraits of seed 0."""


@pytest.mark.parametrize("size", [16, 64, 100])
def test_shape_and_type(size):
    picture = render(Person.sample(0, 0), size)
    assert picture.shape == (size, size, 3)
    assert picture.dtype == np.uint8


def test_same_person_same_picture():
    first = render(Person.sample(0, 11), 48)
    render(Person.sample(0, 12), 48)
    np.testing.assert_array_equal(first, render(Person.sample(0, 11), 48))


@pytest.mark.parametrize("index", range(15))
def test_a_face_covers_the_centre(index):
    """Another backdrop changes the corners of the picture, but nothing around the eyes."""
    person = Person.sample(7, index)
    person = replace(
        person,
        outfit=replace(person.outfit, glasses=False),
        photo=replace(person.photo, blur=0.0),
    )
    green = replace(person.backdrop, start=(0.0, 1.0, 0.0), stop=(1.0, 0.0, 1.0), spots=())
    picture = render(person, 32).astype(float)
    changed = np.abs(render(replace(person, backdrop=green), 32) - picture).max(-1)
    assert changed[12:20, 12:20].max() == 0
    assert changed[:4].max() > 20
    assert picture[12:20, 12:20].std() > 5


def test_size_may_differ_in_both_directions():
    """A CelebA-shaped picture shows the same face, with more above and below."""
    person = Person.sample(0, 4).with_attribute("Blurry", False)
    tall, square = person.render((89, 109)), person.render(89)
    assert tall.shape == (109, 89, 3)
    rows = [np.abs(tall[k : k + 60].astype(float) - square[15:75]).mean() for k in range(40)]
    assert min(rows) < 6 and 25 <= int(np.argmin(rows)) <= 33


@pytest.mark.parametrize("size", [15, 1025, (64, 8), (2000, 64)])
def test_sizes_out_of_range_are_refused(size):
    with pytest.raises(PortraitsError, match="16 to 1024 pixels each way, not"):
        render(Person.sample(0, 0), size)


@pytest.mark.parametrize("index", THUMBNAILS)
def test_pixels_change_only_with_the_drawing_version(index):
    """If this fails on purpose, raise `DRAWING_VERSION`, so that old folders are drawn again.

    It compares averages, since rounding may differ between machines.
    """
    assert DRAWING_VERSION == 2
    picture = render(Person.sample(0, index), 64).astype(float)
    means = picture.reshape(4, 16, 4, 16, 3).mean((1, 3, 4))
    np.testing.assert_allclose(means, THUMBNAILS[index], atol=1)
