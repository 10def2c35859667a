"""Make-up: lashes, eye shadow, lips and blush."""

import numpy as np

from portraits.colour.light import Surface
from portraits.colour.texture import blob, stroke
from portraits.maths import Array, clip01, column, linear, mix, smoothstep
from portraits.people.traits import Traits


def blushed(person: Traits, color: Array, x: Array, y: Array) -> Array:
    """Put blush, if it is worn, on a skin colour (3, n)."""
    amount = person.make_up.blush
    if not amount:
        return color
    cheeks = amount * blob(x, y, (0.46, -0.29), (0.19, 0.15))
    return color * (1 + np.minimum(1.05 * cheeks, 1) * column([0.04, -0.52, -0.42]))


def eyes_made_up(person: Traits, color: Array, surface: Surface, eyelids: Array) -> Array:
    """Put lashes on a skin colour (3, n); eye shadow and liner if they are worn."""
    near = np.flatnonzero((eyelids > 0.02) | _around_eyes(surface.anchor))
    if not len(near):
        return color
    amount = person.make_up.eyes
    x, y, _ = surface.anchor.take(near, 1)
    x, lid = np.abs(x), eyelids.take(near)
    skin = color.take(near, 1)
    if amount:
        shadow = clip01(1.25 * blob(x, y, (0.33, 0.105), (0.17, 0.062)))
        tint = linear(person.make_up.shadow_color) * (0.35 + 0.65 * (1 - person.build.melanin))
        skin = mix(skin, 0.70 * tint + 0.10 * skin, 0.9 * amount * shadow)
        wing = stroke(x, y, (0.42, 0.02), (0.55, 0.085), 0.028)
        below = smoothstep(0.3, 0.8, lid) * (y < 0) * smoothstep(0.22, 0.34, x)
        skin = skin * (1 - amount * clip01(0.8 * wing + 0.55 * below))
    lashes = smoothstep(0.35, 0.9, lid) * (y > 0) * (0.45 + 0.5 * amount)
    color = color.copy()
    color[:, near] = skin * (1 - np.minimum(lashes, 0.93))
    return color


def _around_eyes(anchor: Array) -> Array:
    """Tell which pixels are near the eyes: bool (n,)."""
    x, y, z = anchor
    return (np.abs(np.abs(x) - 0.33) < 0.32) & (np.abs(y - 0.08) < 0.18) & (z > -0.3)


def lip_color(person: Traits, base: Array, y: Array) -> Array:
    """Colour the lips (3, n); the upper one is a little darker."""
    lightness = 0.4 + 0.6 * (1 - person.build.melanin)
    natural = base * column([0.80, 0.52, 0.52]) * (1 - 0.06 * person.build.ageing)
    painted = linear(person.make_up.lip_color) * lightness
    upper = smoothstep(-0.69, -0.66, y)
    return mix(natural, painted, person.make_up.lipstick * 0.92) * (1 - 0.20 * upper)
