"""Dials: change one parameter of a person by any amount (pose, light, expression, age, colours)."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from portraits.errors import PortraitsError
from portraits.people.traits import Traits

_HAIR_PATH = (
    (0.0, "Black", (0.06, 0.05, 0.05)),
    (0.25, "Brown", (0.22, 0.135, 0.085)),
    (0.55, "Brown", (0.40, 0.26, 0.16)),
    (0.75, "Blond", (0.68, 0.52, 0.30)),
    (1.0, "Blond", (0.92, 0.78, 0.52)),
)
"""Stops on the path from black to blond hair: position, name, colour."""


@dataclass(frozen=True, slots=True)
class Dial:
    """One dial, which goes from `low` to `high`."""

    low: float
    high: float
    meaning: str
    read: Callable[[Traits], float]
    turn: Callable[[Traits, float], Traits]


def read_dial(person: Traits, name: str) -> float:
    """Read the value of a dial on a person.

    Raises:
        PortraitsError: there is no such dial.
    """
    return _dial(name).read(person)


def turn_dial(person: Traits, name: str, value: float) -> Traits:
    """Return the person with one dial turned and nothing else changed.

    Raises:
        PortraitsError: there is no such dial, or the value is out of its range.
    """
    dial = _dial(name)
    if not dial.low <= value <= dial.high:  # nan, too
        raise PortraitsError(f"{name} goes from {dial.low} to {dial.high}, not to {value}.")
    return dial.turn(person, float(value))


def _dial(name: str) -> Dial:
    if name not in DIALS:
        raise PortraitsError(f"There is no dial {name!r}; there are {', '.join(DIALS)}.")
    return DIALS[name]


def _field(group: str, field: str, low: float, high: float, meaning: str) -> Dial:
    """Make the dial of one number of a person."""

    def read(person: Traits) -> float:
        return getattr(getattr(person, group), field)

    def turn(person: Traits, value: float) -> Traits:
        return replace(person, **{group: replace(getattr(person, group), **{field: value})})

    return Dial(low, high, meaning, read, turn)


def _read_hair_color(person: Traits) -> float:
    """Find the position on the path where hair is as light as this person's."""
    lightness = [sum(color) for _, _, color in _HAIR_PATH]
    positions = [position for position, _, _ in _HAIR_PATH]
    return float(np.interp(sum(person.hair.color), lightness, positions))


def _turn_hair_color(person: Traits, value: float) -> Traits:
    positions = [position for position, _, _ in _HAIR_PATH]
    colors = np.array([color for _, _, color in _HAIR_PATH])
    color = tuple(float(np.interp(value, positions, channel)) for channel in colors.T)
    nearest = min(_HAIR_PATH, key=lambda stop: abs(stop[0] - value))
    return replace(person, hair=replace(person.hair, color=color, color_name=nearest[1]))


DIALS: dict[str, Dial] = {
    "turn": _field("pose", "yaw", -0.6, 0.6, "head to the side, radians"),
    "nod": _field("pose", "pitch", -0.3, 0.3, "head down (above 0) or up, radians"),
    "tilt": _field("pose", "roll", -0.3, 0.3, "head to the shoulder, radians"),
    "light": _field("lighting", "azimuth", -1.4, 1.4, "where the light comes from, radians"),
    "light_height": _field("lighting", "elevation", 0.0, 1.2, "how high it stands, radians"),
    "brightness": _field("lighting", "key", 0.3, 1.3, "how strong it is"),
    "smile": _field("expression", "smile", 0.0, 1.1, "0 none to 1 broad"),
    "mouth": _field("expression", "opening", 0.0, 1.0, "0 closed to 1 open"),
    "age": _field("build", "age", 0.0, 1.0, "0 about twenty to 1 very old"),
    "weight": _field("build", "weight", -0.8, 1.0, "-0.8 thin to 1 fat"),
    "skin": _field("build", "melanin", 0.0, 1.0, "0 palest to 1 darkest"),
    "hair_color": Dial(0.0, 1.0, "0 black to 1 blond", _read_hair_color, _turn_hair_color),
}
"""The dials by name."""
