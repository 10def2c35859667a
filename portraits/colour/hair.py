"""The colour of hair, and how much it hides what is behind."""

import numpy as np

from portraits.colour.light import Light, Surface
from portraits.maths import (
    Array,
    clip01,
    dot,
    highlight,
    linear,
    normalize,
    smoothstep,
    table,
    value_noise,
)
from portraits.people.traits import CURLY_STYLES, HANGING_STYLES, UPDO_STYLES, Traits
from portraits.shape.hair_shell import hairline

_RAGGED = {"bob": 0.06, "lob": 0.14, "shag": 0.34, "layered": 0.30, "long_curls": 0.30}
"""How much the length of strands varies, by style."""

_FADED = ("buzz", "crop", "quiff", "side_part", "slick")
"""Styles with sides so short that skin shows through."""


def hair_cover(person: Traits, surface: Surface, ears: Array) -> Array:
    """Compute how much hair hides the skin, 0 to 1, in pixels (n,) that show the head.

    Args:
        ears: (n,), how much of a pixel is ear.
    """
    azimuth, y = surface.azimuth, surface.anchor[1]
    style = person.hair.style
    if style == "bald":
        return np.zeros_like(y)
    above = y - hairline(azimuth, person)
    fine = table(person.strands.fine)
    strand = value_noise(fine, azimuth * 52 + y * 6 + 9)
    lock = value_noise(table(person.strands.coarse), azimuth * 11 + 32)
    # at the edge, skin shows between single strands
    uneven = 0.065 * (strand - 0.5) + 0.035 * (lock - 0.5)
    if style in ("short_curls", "afro"):  # no skin shows on their thick edge
        cover = smoothstep(-0.14, -0.06, above + 0.5 * uneven)
    elif style in ("tousled", "pixie", "quiff"):
        cover = smoothstep(-0.11, -0.01, above + uneven)
    else:
        cover = smoothstep(-0.04, 0.10, above + uneven)
    cover = cover * (1 - smoothstep(0.2, 0.6, ears)) * (y > -1.15)
    if style == "buzz":
        return cover * (0.62 + 0.26 * smoothstep(0.0, 0.35, above))
    if style in _FADED:
        return cover * (0.72 + 0.28 * smoothstep(0.0, 0.40, y))
    return cover


def hair_outline(person: Traits, surface: Surface) -> Array:
    """Compute how much hair at the outline hides the backdrop: (n,), 0 to 1."""
    if person.hair.style in HANGING_STYLES:
        return np.ones_like(surface.occlusion)  # sheets of hair lie before the outline
    x, y, z = surface.anchor
    fine = table(person.strands.fine)
    if person.hair.style in CURLY_STYLES:
        stray = value_noise(fine, 27 * x + 9 * z + 3) * value_noise(fine, 27 * y + 60)
        return smoothstep(0.0, 0.40, surface.normal[2] + 0.5 * stray)
    loose = 0.10 + 0.22 * person.hair.messiness
    strand = value_noise(fine, 40 * x + 14 * y + 23 * z + 40)
    return smoothstep(0.0, loose, surface.normal[2] + loose * (strand - 0.3))


def sheet_cover(person: Traits, surface: Surface) -> Array:
    """Compute how much hanging hair hides what is behind it: (n,), 0 to 1."""
    strand, down, edge = surface.anchor
    fine = table(person.strands.fine)
    coarse = table(person.strands.coarse)
    single = value_noise(fine, strand * 61 + 20)
    lock = value_noise(coarse, strand * 13 + 20)
    bangs = strand > 1.5
    ragged = np.where(bangs, 0.14, _RAGGED.get(person.hair.style, 0.15))
    tip = 1 - ragged * lock - np.where(bangs, 0.22, 0.12) * single
    cover = clip01((tip - down) / np.where(bangs, 0.20, 0.09))  # bangs end gradually
    cover = cover * smoothstep(0.0, 0.07, edge + 0.05 * (single - 0.5))
    gaps = smoothstep(0.55, 0.9, down) * bangs * smoothstep(0.45, 0.2, lock * 0.6 + single * 0.4)
    outline = smoothstep(0.0, 0.32, surface.normal[2] + 0.22 * (single - 0.4))
    return cover * (1 - 0.8 * gaps) * outline


def hair_color(person: Traits, surface: Surface, light: Light, loose: Array) -> Array:
    """Colour the hair, linear (3, n).

    Args:
        loose: bool (n,), whether a pixel shows hair that hangs rather than hair on the head.
    """
    hair = person.hair
    coarse, fine = table(person.strands.coarse), table(person.strands.fine)
    x, y, _ = surface.anchor
    across = np.where(loose, x * 12, _combed(person, surface)) + 32
    lock = value_noise(coarse, across)
    strand = value_noise(fine, across * 3.3 + 9)
    shade = 0.52 + 0.48 * lock + 0.42 * (strand - 0.5)
    if hair.style in CURLY_STYLES:
        shade = _curls(surface, fine, loose)
    elif hair.waviness > 0.2:
        swing = np.sin(np.where(loose, 21 * y, 9 * y) + 5 * lock + 6.3 * person.strands.phase[0])
        shade = shade * (1 + 0.42 * hair.waviness * swing)
    shade = np.where(loose, shade * (0.74 + 0.26 * smoothstep(0.0, 0.3, y)), shade)

    color = linear(hair.color)
    if hair.highlights:
        streak = smoothstep(0.5, 0.85, value_noise(coarse, across * 1.7 + 5))
        color = color * (1 + 0.9 * hair.highlights * streak)
    diffuse = clip01((surface.toward_key + 0.4) / 1.4)
    occlusion = np.where(loose, surface.occlusion, 0.45 + 0.55 * surface.occlusion)
    received = 0.95 * diffuse * light.key + light.ambient * (0.5 + 0.5 * surface.sky)
    body = (color + 0.009) * shade * received

    gloss = 0.05 if hair.style in ("buzz", *CURLY_STYLES) else 0.21
    gloss = gloss * (0.35 + 0.9 * strand) * _strand_highlight(surface.normal, light, lock)
    tint = (0.30 * light.key + 0.70 * np.sqrt(color)) * (0.35 + 0.65 * float(color.max()) ** 0.4)
    return (body + gloss * diffuse * tint) * occlusion


def _combed(person: Traits, surface: Surface) -> Array:
    """Compute a coordinate (n,) that is constant along a strand of hair on the head."""
    x, y, z = surface.anchor
    style = person.hair.style
    wave = 0.12 * person.hair.waviness * np.sin(9 * y + 6 * person.strands.phase[0])
    if style in ("slick", "quiff", *UPDO_STYLES):
        return 11 * x + 2 * y  # combed back
    if style == "side_part":
        return 11 * z + 4 * y  # combed to the side
    if style in ("tousled", "pixie", "crop"):
        return 8 * (x + 0.6 * z) + 7 * y
    return 9 * (surface.azimuth + wave)


def _curls(surface: Surface, fine: Array, loose: Array) -> Array:
    """Compute the brightness (n,) of curls."""
    x, y, z = surface.anchor
    pitch = np.where(loose, 24.0, 15.0)
    curl = value_noise(fine, x * pitch + 50 + 3 * value_noise(fine, y * 13 + 7))
    ring = value_noise(fine, y * np.where(loose, 30.0, 15.0) + z * 9 + 80)
    return 0.45 + 0.9 * curl * ring + 0.25 * value_noise(fine, x * 41 + y * 37)


def _strand_highlight(normal: Array, light: Light, lock: Array) -> Array:
    """Compute the highlight (n,) of hair that falls straight down the head (Kajiya-Kay)."""
    tangent = normal * normal[1]
    tangent[1] -= 1
    along = dot(light.halfway, normalize(tangent)) + 0.25 * (lock - 0.5)
    return highlight(np.sqrt(clip01(1 - along * along)))
