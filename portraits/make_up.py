"""What is painted on the face on purpose: eye shadow, liner, lipstick, rouge."""

import numpy as np

from portraits.maths import Array, bell, clip01, column, linear, mix, smoothstep
from portraits.shading import Surface
from portraits.traits import Traits

_SHADOWS = ([0.30, 0.22, 0.40], [0.20, 0.30, 0.42], [0.42, 0.24, 0.20], [0.20, 0.16, 0.15])


def lip_color(person: Traits, skin: Array) -> Array:
    """Linear colour (3, 1) of the lips on skin of a linear colour (3, 1)."""
    lightness = 0.35 + 0.65 * (1 - person.build.melanin)
    lipstick = linear(person.make_up.lip_color) * (0.5 + 0.5 * lightness)
    natural = skin * column([0.80, 0.56, 0.55])
    return mix(natural, lipstick, person.make_up.lipstick * 0.9)


def lip_shade(surface: Surface) -> Array:
    """How light lips are (n,): the line between them and the corners are dark."""
    x, y, _ = surface.anchor
    line = bell(y + 0.685 - 0.04 * x * x, 0.014) * (np.abs(x) < 0.27)
    return 1 - 0.35 * line + 0.10 * bell(y + 0.745, 0.025) * bell(x, 0.13)


def made_up(person: Traits, color: Array, skin: Array, surface: Surface, eyelids: Array) -> Array:
    """Paint eye shadow, liner and lashes.

    Args:
        color: linear colour (3, n).
        skin: linear colour (3, 1) of the bare skin.
        eyelids: (n,), how much of each pixel is eyelid.
    """
    amount = person.make_up.eyes
    x, y, _ = surface.anchor
    x = np.abs(x)
    if amount:
        shade = linear(_SHADOWS[int(person.strands.phase[4] * len(_SHADOWS))])
        shade = mix(shade, skin, 0.12)
        lid = bell(np.hypot(0.62 * (x - 0.33), y - 0.105), 0.095) * (y > 0.0)
        wing = bell(np.hypot(0.5 * (x - 0.47), y - 0.045), 0.045)
        color = mix(color, shade, amount * np.minimum(0.85 * lid + 0.5 * wing, 0.85))
    upper = smoothstep(0.35, 0.9, eyelids) * (y > 0) * (0.40 + 0.50 * amount)
    lower = smoothstep(0.4, 0.9, eyelids) * (y <= 0) * (0.10 + 0.55 * amount)
    return color * (1 - np.minimum(0.9 * upper + lower, 0.92))


def rouge(person: Traits, surface: Surface) -> Array:
    """How much redder than usual the cheeks are (n,), 0 to 1."""
    x, y, _ = surface.anchor
    cheeks = bell(np.hypot(np.abs(x) - 0.45, 1.15 * (y + 0.36)), 0.21)
    return clip01((0.16 + 0.95 * person.make_up.blush) * cheeks)
