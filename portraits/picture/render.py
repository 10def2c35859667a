"""Rendering: from a person to a picture."""

from portraits.errors import PortraitsError
from portraits.maths import Array
from portraits.people.traits import Traits
from portraits.picture.film import finish
from portraits.picture.paint import paint
from portraits.picture.shot import Shot

Size = int | tuple[int, int]
"""Width and height in pixels; one number where they are the same."""

SMALLEST, LARGEST = 16, 1024  # pixels

SUPERSAMPLING = 1.5
"""A shot is this many times as large as the picture."""


def width_and_height(size: Size) -> tuple[int, int]:
    """Return both sides of a picture in pixels."""
    return (size, size) if isinstance(size, int) else size


def check_size(size: Size) -> None:
    """Raise a `PortraitsError` if a size can't be drawn."""
    for side in width_and_height(size):
        if not SMALLEST <= side <= LARGEST:
            raise PortraitsError(
                f"The size must be {SMALLEST} to {LARGEST} pixels each way, not {side}."
            )


def render(person: Traits, size: Size = 64) -> Array:
    """Draw a portrait.

    Args:
        size: width and height in pixels, 16 to 1024; one number means a square.

    Returns:
        uint8 (height, width, 3): red, green and blue. The same arguments give the same picture.

    Raises:
        PortraitsError: the size is too small or too large.
    """
    check_size(size)
    return draw_shot(person, take_shot(person, size), size)


def take_shot(person: Traits, size: Size) -> Shot:
    """Take the shot, `SUPERSAMPLING` times as large as the picture."""
    width, height = width_and_height(size)
    return Shot.of(person, round(width * SUPERSAMPLING), round(height * SUPERSAMPLING))


def draw_shot(person: Traits, shot: Shot, size: Size) -> Array:
    """Paint a shot and scale it down: uint8 (height, width, 3)."""
    width, height = width_and_height(size)
    return finish(person, paint(person, shot), width, height)
