"""Facial hair: brows, stubble, beards and sideburns."""

import numpy as np

from portraits.colour.light import Surface
from portraits.colour.texture import noise
from portraits.maths import Array, clip01, column, linear, mix, smoothstep
from portraits.people.traits import Traits

_DARK_HAIR = ("Black", "Brown")


def bearded(
    person: Traits, color: Array, base: Array, surface: Surface, lips: Array, mouth: Array
) -> tuple[Array, Array | float]:
    """Draw stubble and beard; return the colour (3, n) and how much beard covers the skin.

    Args:
        color: (3, n), the skin so far.
        base: (3, 1), the skin without details.
        lips, mouth: (n,), 1 on the lips or inside the mouth, where no hair grows.
    """
    hair = person.facial_hair
    if not any((hair.stubble, hair.mustache, hair.goatee, hair.beard, hair.sideburns)):
        return color, 0.0
    x, y, z = surface.anchor
    u = surface.azimuth
    lock = noise(person, u * 13 + 7, y * 11) - 0.5
    hairs = noise(person, u * 78 + lock, y * 15 + 0.8 * lock)
    ragged = 0.06 * lock + 0.03 * (hairs - 0.5)
    x, y = np.abs(x) + ragged, y + ragged
    mustache = _mustache(x, y) * (z > -0.05)
    beard = _beard(x, y) * smoothstep(-0.80, -0.62, z)
    grows = 1 - np.maximum(smoothstep(0.55, 0.9, lips), mouth)

    if hair.stubble:
        grain = noise(person, u * 47 + 3, y * 53)
        shadow = hair.stubble * clip01(0.9 * mustache + beard) * grows
        stubble = mix(base * column([0.30, 0.31, 0.34]), _beard_color(person), 0.35)
        color = mix(color, stubble, shadow * (0.42 + 0.40 * grain))
    if not any((hair.mustache, hair.goatee, hair.beard, hair.sideburns)):
        return color, 0.0
    cover = hair.mustache * mustache + hair.beard * beard
    if hair.goatee:
        cover = cover + hair.goatee * _goatee(x, y) * (z > -0.3)
    over_lip = smoothstep(-0.655, -0.625, y)  # a mustache hangs over the upper lip
    cover = clip01(cover) * np.maximum(grows, hair.mustache * over_lip * (1 - mouth))
    if hair.sideburns:
        cover = np.maximum(cover, hair.sideburns * sideburns_cover(surface))
    cover = clip01(cover * (1.30 - 0.32 * hairs))
    shades = 0.74 + 0.42 * hairs + 0.25 * lock
    tint = _beard_color(person)
    if person.hair.color_name != "Gray":
        tint = np.minimum(tint, 0.6 * base)  # even a blond beard is darker than the skin
    return mix(color, tint * shades, 0.96 * cover), cover


def _mustache(x: Array, y: Array) -> Array:
    """Where a mustache grows: below the nose, to the corners of the mouth."""
    below_nose = smoothstep(-0.43, -0.475, y + 0.25 * x)
    return smoothstep(0.34, 0.25, x) * below_nose * smoothstep(-0.74, -0.64, y + 0.2 * x)


def _goatee(x: Array, y: Array) -> Array:
    """Where a goatee grows: on the chin, and a narrow path up to the corners of the mouth."""
    chin = smoothstep(0.30, 0.22, x) * smoothstep(-0.74, -0.80, y) * smoothstep(-1.30, -1.18, y)
    path = smoothstep(0.35, 0.30, x) * smoothstep(0.21, 0.25, x) * smoothstep(-0.52, -0.62, y)
    return clip01(chin + path * smoothstep(-1.05, -0.92, y))


def _beard(x: Array, y: Array) -> Array:
    """Where a beard grows: on the jaw, up to the mouth and to the ears."""
    edge = -0.60 + 0.62 * np.minimum(np.maximum(x - 0.26, 0), 0.5)
    return smoothstep(0.05, -0.07, y - edge) * smoothstep(-1.40, -1.24, y)


def sideburns_cover(surface: Surface) -> Array:
    """Where sideburns grow, 0 to 1, in pixels (n,) that show the head."""
    y, around = surface.anchor[1], np.abs(surface.azimuth)
    width = 1.10 - 0.10 * clip01((-y - 0.1) * 3)  # they widen downwards
    beside = smoothstep(width - 0.05, width + 0.03, around) * smoothstep(1.45, 1.40, around)
    return beside * smoothstep(-0.46, -0.40, y) * smoothstep(0.36, 0.28, y)


def _beard_color(person: Traits) -> Array:
    name = person.hair.color_name
    darker = {"Blond": 0.66, "Gray": 0.85}.get(name, 0.85)
    return linear(np.array(person.hair.color) * darker)


def with_brows(person: Traits, color: Array, surface: Surface) -> tuple[Array, Array]:
    """Draw the brows; return the colour (3, n) and how much they cover each pixel, 0 to 1."""
    cover = np.zeros(color.shape[1], np.float32)
    x, y, z = surface.anchor
    near = np.flatnonzero((np.abs(y - 0.2) < 0.2) & (np.abs(x) < 0.66) & (z > -0.35))
    if not len(near):
        return color, cover
    side, y = x.take(near), y.take(near)
    x = np.abs(side)
    face = person.face
    along = clip01((x - 0.10) / 0.46)
    peak = np.sin(np.pi * clip01(0.10 + 0.84 * along**1.25))
    middle = 0.185 + 0.03 * face.brow_arch - 0.015 * along
    middle = middle + face.brow_arch * (0.115 * peak - 0.075 - 0.02 * along)
    # hairs point up at the inner end, and along the brow at the outer end
    hairs = noise(person, side * 64 - (y - middle) * np.sign(side) * 30, (y - middle) * 34)
    half_height = (0.027 + 0.050 * face.brow_thickness) * (1 - 0.72 * along * along)
    off = np.abs(y - middle) / half_height + 0.55 * (hairs - 0.5)
    brow = smoothstep(1.4, 0.35, off) * smoothstep(0.075, 0.17, x + 0.05 * (hairs - 0.5))
    brow = brow * smoothstep(0.61, 0.50, x)
    dark = 0.88 if person.hair.color_name in _DARK_HAIR else 0.72
    brow = brow * (dark + 0.08 * face.brow_thickness) * (0.72 + 0.5 * hairs)
    brow = np.minimum(brow, 0.95)
    cover[near] = brow
    color = color.copy()
    skin = color.take(near, 1)  # even blond brows are darker than the skin
    color[:, near] = mix(skin, np.minimum(_brow_color(person), 0.5 * skin), brow)
    return color, cover


def _brow_color(person: Traits) -> Array:
    if person.hair.color_name == "Gray":
        return linear([0.36, 0.34, 0.33])
    return linear(np.array(person.hair.color) * 0.56 + 0.01)
