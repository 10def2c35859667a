"""Sample the backdrop: a place out of focus, in muted colours."""

import numpy as np

from portraits.people.palettes import color_within
from portraits.people.traits import Backdrop, Color, Spot

_PLACES = {"studio": 0.36, "wall": 0.16, "room": 0.20, "outdoors": 0.18, "evening": 0.10}


def sample_backdrop(rng: np.random.Generator) -> Backdrop:
    """Pick a kind of place and sample one."""
    place = rng.choice(list(_PLACES), p=list(_PLACES.values()))
    return {
        "studio": _studio,
        "wall": _wall,
        "room": _room,
        "outdoors": _outdoors,
        "evening": _evening,
    }[place](rng)


def _studio(rng: np.random.Generator) -> Backdrop:
    """Sample gray paper, from nearly black to white, with a glow behind the head."""
    gray = rng.uniform(0.06, 0.9)
    tint = rng.uniform(-0.05, 0.05, 3)
    angle = rng.uniform(0, 2 * np.pi)
    glow = Spot(
        x=rng.uniform(0.3, 0.7),
        y=rng.uniform(0.3, 0.7),
        width=0.75,
        height=0.75,
        softness=1.0,
        strength=rng.uniform(0, 0.5),
        square=False,
        color=_color(gray + 0.22 + tint),
    )
    start, stop = _color(gray + 0.06 + tint), _color(gray - 0.08 + tint)
    return Backdrop(start, stop, angle, rng.uniform(0.1, 0.5), (glow,))


def _wall(rng: np.random.Generator) -> Backdrop:
    """Sample a painted wall, lit from one side, half of the time with an edge of another colour."""
    color = _muted(rng, rng.uniform(0.3, 0.75), 0.065)
    spots = []
    if rng.random() < 0.5:
        spots.append(_upright(rng, color + rng.choice([-0.16, 0.12]), rng.choice([0.0, 1.0])))
    angle = rng.uniform(0, 2 * np.pi)
    return Backdrop(
        _color(color + 0.06), _color(color - 0.08), angle, rng.uniform(0, 0.3), tuple(spots)
    )


def _room(rng: np.random.Generator) -> Backdrop:
    """Sample a room: upright shapes (doors, shelves, curtains), perhaps a window or a lamp."""
    base = _muted(rng, rng.uniform(0.18, 0.6), 0.08) + np.array([0.04, 0.0, -0.04])
    spots = [
        _upright(rng, base + rng.uniform(-0.18, 0.14) + rng.uniform(-0.04, 0.04, 3))
        for _ in range(rng.integers(2, 5))
    ]
    if rng.random() < 0.45:  # a bright window at one side
        x = rng.uniform(-0.02, 0.2)
        spots.append(
            Spot(
                x=1 - x if rng.random() < 0.5 else x,
                y=rng.uniform(0.2, 0.4),
                width=rng.uniform(0.12, 0.22),
                height=rng.uniform(0.3, 0.45),
                softness=rng.uniform(0.35, 0.6),
                strength=rng.uniform(0.55, 0.85),
                square=True,
                color=_color(rng.uniform(0.78, 0.95) + np.array([-0.03, 0.0, 0.03])),
            )
        )
    if rng.random() < 0.35:
        spots.append(_disc(rng, np.array([0.98, 0.86, 0.66]), radius=(0.05, 0.12)))
    return Backdrop(
        _color(base + 0.05), _color(base - 0.06), np.pi / 2, rng.uniform(0.1, 0.4), tuple(spots)
    )


def _outdoors(rng: np.random.Generator) -> Backdrop:
    """Sample the sky above foliage or houses."""
    sky = np.array([0.68, 0.76, 0.84]) + rng.uniform(-0.14, 0.1) + rng.uniform(-0.03, 0.03, 3)
    horizon = rng.uniform(0.12, 0.75)
    green = rng.random() < 0.65
    land = np.array([0.30, 0.37, 0.20] if green else [0.5, 0.47, 0.44])
    land = land + rng.uniform(-0.1, 0.12) + rng.uniform(-0.03, 0.03, 3)
    spots = [
        Spot(0.5, 1.2, 4.0, 1.2 - horizon, 0.12, 1.0, True, _color(land)),
    ]
    for _ in range(rng.integers(4, 9)):
        shade = land + rng.uniform(-0.13, 0.13) + np.array([0.02, 0.03, -0.02]) * green
        if green:
            spots.append(_disc(rng, shade, (0.08, 0.26), softness=0.9, above=horizon - 0.15))
        else:
            spots.append(_upright(rng, shade, top=horizon - rng.uniform(0, 0.25)))
    return Backdrop(_color(sky + 0.1), _color(sky - 0.06), np.pi / 2, 0.2, tuple(spots))


def _evening(rng: np.random.Generator) -> Backdrop:
    """Sample lights out of focus in the dark."""
    base = _muted(rng, rng.uniform(0.08, 0.2), 0.05)
    warm, cool = np.array([0.95, 0.72, 0.45]), np.array([0.6, 0.7, 0.85])
    tint = warm if rng.random() < 0.7 else cool
    spots = [
        _disc(rng, tint + rng.uniform(-0.1, 0.1, 3), (0.03, 0.09), softness=0.5) for _ in range(8)
    ]
    return Backdrop(_color(base + 0.05), _color(base - 0.02), np.pi / 2, 0.4, tuple(spots))


def _upright(
    rng: np.random.Generator, color: np.ndarray, x: float | None = None, top: float = -0.5
) -> Spot:
    """Sample a tall shape: a door, a curtain, the side of a house."""
    return Spot(
        x=rng.uniform(0, 1) if x is None else x,
        y=top + 1,
        width=rng.uniform(0.06, 0.28),
        height=1.0,
        softness=rng.uniform(0.2, 0.6),
        strength=rng.uniform(0.5, 1),
        square=True,
        color=_color(color),
    )


def _disc(
    rng: np.random.Generator,
    color: np.ndarray,
    radius: tuple[float, float],
    softness: float = 0.5,
    above: float = 0.0,
) -> Spot:
    """Sample a disc: a light or leaves out of focus."""
    size = rng.uniform(*radius)
    x, y = rng.uniform(0, 1), rng.uniform(above, 1)
    return Spot(x, y, size, size, softness, rng.uniform(0.25, 0.7), False, _color(color))


def _muted(rng: np.random.Generator, gray: float, spread: float) -> np.ndarray:
    """Sample a colour close to gray."""
    warmth = rng.uniform(-0.3, 0.7) * spread
    return gray + rng.uniform(-spread, spread, 3) + np.array([warmth, 0.0, -warmth])


def _color(values: np.ndarray) -> Color:
    return color_within(values, 0.03, 0.97)
