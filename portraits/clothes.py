"""The colour of what is worn below the chin: necklines, suits, ties, necklaces.

All of it is painted on the body, by where a pixel lies on the average head.
"""

import numpy as np

from portraits.maths import Array, bell, clip01, column, linear, mix, smoothstep, table, value_noise
from portraits.shading import Surface
from portraits.traits import Traits

_COLLARED = ("shirt", "suit")


def dressed(person: Traits, skin: Array, surface: Surface) -> tuple[Array, Array]:
    """Put on clothes and necklace.

    Args:
        skin: linear colour (3, n) of the skin.

    Returns:
        The colour (3, n), and how much of each pixel is clothed (n,), 0 to 1.
    """
    outfit = person.outfit
    worn = np.zeros(len(surface.occlusion), np.float32)
    below = np.flatnonzero(surface.anchor[1] < -1.0)  # the rest of the skin is left alone
    if not len(below):
        return skin, worn
    body = surface.take(below)
    x, y = np.abs(body.anchor[0]), body.anchor[1]
    edge = _edge(outfit.neckline, x)
    inside = edge - y  # how far below the edge of the cloth
    clothed = smoothstep(-0.025, 0.025, inside)
    if outfit.neckline == "straps":
        clothed = np.maximum(clothed, smoothstep(0.09, 0.06, np.abs(x - 0.62)) * (y < -1.3))
    shadow = 1 - 0.35 * bell(np.minimum(inside + 0.02, 0), 0.10)
    color = mix(skin[:, below] * shadow, _cloth(person, body.anchor, x, y, inside), clothed)
    if outfit.tie:
        stripes = 0.8 + 0.35 * smoothstep(-0.2, 0.2, np.sin(38 * (y + 0.7 * x)))
        knot = 0.75 + 0.35 * smoothstep(-1.60, -1.54, y)
        color = mix(color, linear(outfit.tie_color) * stripes * knot, tie_cover(person, body))
    if outfit.necklace:
        color = mix(color, _jewels(person, x), necklace_cover(person, body))
    skin = skin.copy()
    skin[:, below] = color
    worn[below] = clothed
    return skin, worn


def _edge(neckline: str, x: Array) -> Array:
    """Height (n,) of the upper edge of the cloth, at a distance x from the middle."""
    slope = 0.30 * np.minimum(x, 0.9)
    if neckline == "v":
        return -1.43 + slope - 0.55 * clip01(1 - x / 0.40)
    if neckline == "scoop":
        return -1.78 + 0.75 * np.minimum(x, 0.8) ** 1.4
    if neckline == "turtleneck":
        return np.full_like(x, -1.13)
    if neckline == "straps":
        return -1.86 + 0.25 * np.minimum(x, 0.9)
    if neckline in _COLLARED:
        return -1.30 + 0.10 * np.minimum(x, 0.9) - 0.35 * clip01(1 - x / 0.15)
    return -1.46 + slope


def _cloth(person: Traits, anchor: Array, x: Array, y: Array, inside: Array) -> Array:
    """Linear colour (3, n) of the cloth.

    Args:
        anchor: (3, n).
        x: (n,), distance from the middle.
        y: (n,).
        inside: (n,), how far below the edge.
    """
    outfit = person.outfit
    fine = table(person.strands.fine)
    folds = value_noise(fine, anchor[0] * 5 + 1.5 * y + 3) + value_noise(fine, y * 7 + x * 4)
    folds = 0.86 + 0.14 * folds
    cloth = linear(outfit.cloth_color) * folds
    rib = 1 - 0.28 * smoothstep(0.075, 0.055, inside) + 0.12 * smoothstep(0.03, 0.0, inside)
    if outfit.neckline == "turtleneck":
        ribs = 0.92 + 0.10 * np.sin(55 * anchor[0])
        return cloth * ribs * (1 - 0.35 * bell(inside - 0.24, 0.025))
    if outfit.neckline not in _COLLARED:
        return cloth * rib

    shirt = linear(outfit.shirt_color) if outfit.neckline == "suit" else cloth
    # the collar: two points that meet at the throat and open downwards
    collar_end = 0.30 - 0.25 * np.abs(x - 0.26)
    collar = smoothstep(0.0, 0.02, collar_end - inside)
    fold = bell(inside - collar_end - 0.02, 0.03)
    shirt = shirt * (0.86 + 0.18 * collar) * (1 - 0.45 * fold)
    if outfit.neckline == "shirt":
        placket = 1 - 0.25 * bell(x - 0.07, 0.015) * (y < -1.62)
        return shirt * placket
    lapel = 0.46 + 0.55 * (y + 1.55)  # half the width of the shirt's V
    jacket = smoothstep(-0.015, 0.015, x - lapel)
    edge = 1 - 0.5 * bell(x - lapel - 0.02, 0.02) - 0.35 * bell(x - lapel - 0.34, 0.02)
    return mix(shirt, cloth * 0.45 * edge, jacket)


def tie_cover(person: Traits, surface: Surface) -> Array:
    """How much of each of n pixels that show the head or the body is tie, 0 to 1."""
    x, y, _ = surface.anchor
    if not (person.outfit.tie and person.outfit.neckline in _COLLARED):
        return np.zeros_like(y)
    knot = 0.135 - 0.20 * np.minimum(np.maximum(-1.36 - y, 0), 0.22)
    blade = 0.085 + 0.14 * np.maximum(-1.58 - y, 0)
    half_width = np.where(y > -1.58, knot, blade)
    return smoothstep(0.02, -0.02, np.abs(x) - half_width) * smoothstep(-1.34, -1.38, y)


def necklace_cover(person: Traits, surface: Surface) -> Array:
    """How much of each of n pixels that show the head or the body is necklace, 0 to 1."""
    x, y, z = surface.anchor
    if not person.outfit.necklace:
        return np.zeros_like(y)
    style = person.outfit.necklace_style
    lowest, thick = {"chain": (-1.62, 0.045), "pearls": (-1.55, 0.075), "pendant": (-1.6, 0.04)}[
        style
    ]
    hangs = lowest + 0.75 * x * x
    cover = smoothstep(thick, thick * 0.5, np.abs(y - hangs)) * (np.abs(x) < 0.75) * (z > -1.2)
    if style == "pendant":
        drop = smoothstep(0.13, 0.09, np.hypot(x, 0.55 * (y - lowest + 0.12)))
        cover = np.maximum(cover, drop)
    return cover


def _jewels(person: Traits, x: Array) -> Array:
    """Linear colour (3, n) of a necklace: bright beads or links."""
    outfit = person.outfit
    pearls = outfit.necklace_style == "pearls"
    color = column([0.82, 0.78, 0.72]) if pearls else linear(outfit.jewel_color)
    pitch = 48 if pearls else 90
    return color * (0.75 + 0.75 * smoothstep(-0.6, 0.8, np.sin(pitch * x)))
