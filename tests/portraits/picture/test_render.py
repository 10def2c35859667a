"""Pictures: the same each time, and of a face."""

from dataclasses import replace

import numpy as np
import pytest

from portraits import DRAWING_VERSION, Person, PortraitsError, render
from portraits.people.traits import EARRINGS, HAIR_STYLES, HATS, NECKLACES, NECKLINES
from portraits.picture.film import _blur
from portraits.picture.shot import Shot
from portraits.shape.hair_shell import hairline
from portraits.shape.mesh import Material

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


@pytest.mark.parametrize("hat", HATS)
def test_kinds_of_people_do_not_crash(hat):
    """Every style of hair with every hat, which sampling meets only rarely."""
    person = Person.sample(0, 8).with_attributes({"Eyeglasses": True, "Wearing_Earrings": True})
    outfit = replace(person.outfit, hat=hat)
    for style in HAIR_STYLES:
        for bangs in (False, True):
            hair = replace(person.hair, style=style, bangs=bangs, waviness=0.9)
            picture = render(replace(person, hair=hair, outfit=outfit), 24)
            assert picture.std() > 5


@pytest.mark.parametrize("neckline", NECKLINES)
def test_clothes_do_not_crash(neckline):
    person = Person.sample(0, 8)
    for style in NECKLACES:
        outfit = replace(
            person.outfit, neckline=neckline, tie=True, necklace=True, necklace_style=style
        )
        assert render(replace(person, outfit=outfit), 24).std() > 5


@pytest.mark.parametrize("style", EARRINGS)
def test_every_kind_of_earring_is_seen(style):
    person = Person.sample(0, 8).with_attribute("Bald", True).with_attribute("Blurry", False)
    worn = replace(person.outfit, earrings=True, earring_style=style, earring_size=0.0)
    assert replace(person, outfit=worn).attributes()["Wearing_Earrings"]


def test_film_grain_is_the_only_difference_of_a_changed_grain():
    person = Person.sample(0, 0)
    state, increment = person.photo.grain
    other = replace(person, photo=replace(person.photo, grain=(state + 1, increment)))
    difference = render(person, 64).astype(float) - render(other, 64)
    assert 1 < difference.std() < 6


def test_blur_is_gaussian():
    point = np.zeros((41, 41, 3), np.float32)
    point[20, 20] = 1
    blurred = _blur(point, 2.0)
    assert blurred.sum() == pytest.approx(3, rel=1e-5)
    offset = np.arange(41) - 20.0
    for axis in (0, 1):
        profile = blurred[..., 0].sum(axis)
        assert np.sqrt((profile * offset**2).sum()) == pytest.approx(2.0, rel=0.01)


def test_blur_keeps_a_flat_picture_flat():
    flat = np.full((9, 9, 3), 0.25, np.float32)
    np.testing.assert_allclose(_blur(flat, 3.0), flat, atol=1e-6)


def test_hair_begins_higher_where_it_recedes():
    person = Person.sample(0, 0)
    ahead = np.linspace(-0.9, 0.9, 19)
    receded, usual = (
        hairline(ahead, replace(person, hair=replace(person.hair, recession=r, bangs=False)))
        for r in (0.9, 0.0)
    )
    assert (receded > usual + 0.05).all()


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


def test_eyes_are_where_celebas_are():
    """In 178 x 218, 39 pixels apart around row 111: pictures with the eyes painted green."""
    person = Person.sample(0, 4)
    camera = replace(
        person.photo, shift_x=0.0, shift_y=0.0, zoom=1.0, tilt=0.0, blur=0.0, exposure=1.0
    )
    straight = replace(person.pose, yaw=0.0, pitch=0.0, roll=0.0, gaze_x=0.0, gaze_y=0.0)
    person = replace(person, photo=camera, pose=straight)
    person = replace(person, outfit=replace(person.outfit, glasses=False))
    shot = Shot.of(person, 178, 218)
    for eye, expected in ((Material.EYE_RIGHT, 69.5), (Material.EYE_LEFT, 108.5)):
        rows, columns = np.divmod(shot.body.pixels[shot.body.material == eye], 178)
        assert columns.mean() == pytest.approx(expected, abs=3)
        assert rows.mean() == pytest.approx(111, abs=4)


@pytest.mark.parametrize("index", THUMBNAILS)
def test_pixels_change_only_with_the_drawing_version(index):
    """If this fails on purpose, raise `DRAWING_VERSION`, so that old folders are drawn again.

    It compares averages, since rounding may differ between machines.
    """
    assert DRAWING_VERSION == 2
    picture = render(Person.sample(0, index), 64).astype(float)
    means = picture.reshape(4, 16, 4, 16, 3).mean((1, 3, 4))
    np.testing.assert_allclose(means, THUMBNAILS[index], atol=1)
