"""The colour of hair, and where it hides the skin."""

import numpy as np

from portraits.hair import hairline, old_style
from portraits.maths import (
    Array,
    clip01,
    dot,
    highlight,
    linear,
    normalize,
    smoothstep,
    value_noise,
)
from portraits.shading import Light, Surface
from portraits.traits import Traits


def hair_cover(person: Traits, surface: Surface, ears: Array) -> Array:
    """How much hair hides the skin, 0 to 1, in each of n pixels that show the head.

    Args:
        ears: (n,) how much of the pixel is ear.
    """
    azimuth, y = surface.azimuth, surface.anchor[1]
    style = old_style(person.hair.style)
    if style == "bald":
        return np.zeros_like(y)
    lock = value_noise(
        np.array(person.strands.coarse, np.float32),
        (azimuth + _wave(person, y) + person.strands.phase[1]) * 14 + 32,
    )
    edge = hairline(azimuth, person)
    edge = edge + (0.10 if person.hair.bangs else 0.022) * (lock - 0.5)
    cover = smoothstep(-0.035, 0.05, y - edge) * (1 - smoothstep(0.2, 0.6, ears)) * (y > -1.15)
    if style == "buzz":
        cover = cover * 0.78 * smoothstep(-0.05, 0.27, y - edge)
    return cover


def hair_color(person: Traits, surface: Surface, light: Light, loose: Array) -> Array:
    """Linear colour (3, n) of hair.

    Args:
        loose: bool (n,), whether the pixel shows hanging hair rather than hair on the head.
    """
    x, y, z = surface.anchor
    style = old_style(person.hair.style)
    coarse, fine = (
        np.array(table, np.float32) for table in (person.strands.coarse, person.strands.fine)
    )
    sway = person.hair.waviness * 0.9 * np.sin(y * 5.5 + person.strands.phase[2] * 6)
    across = np.where(loose, x * 13 + sway, (surface.azimuth + _wave(person, y)) * 8.5) + 32
    lock = value_noise(coarse, across)
    strand = value_noise(fine, across * 3.1 + 9)
    if style == "afro":
        curl = value_noise(fine, x * 19 + 50) * value_noise(fine, y * 19 + 50)
        shade = 0.7 + 0.5 * curl + 0.2 * value_noise(fine, z * 23)
    else:
        shade = 0.55 + 0.55 * lock + 0.28 * (strand - 0.5)

    diffuse = clip01((surface.toward_key + 0.35) / 1.35)
    facing = 0.45 + 0.55 * smoothstep(-0.25, 0.35, surface.normal[2])
    occlusion = surface.occlusion
    occlusion = np.where(loose, occlusion * facing, 0.45 + 0.55 * occlusion)
    color = linear(person.hair.color)
    body = color * shade * (diffuse * 0.95 * light.key + light.ambient * (0.45 + 0.5 * surface.sky))

    gloss = (0.06 if style in ("afro", "buzz") else 0.22) * (0.5 + 0.7 * strand) * occlusion
    gloss = gloss * _strand_highlight(surface.normal, light, lock) * diffuse
    tint = (0.35 * light.key + 0.65 * np.sqrt(color)) * (0.35 + 0.65 * float(color.max()) ** 0.4)
    return body * occlusion + gloss * tint


def _strand_highlight(normal: Array, light: Light, lock: Array) -> Array:
    """Highlight along hair that hangs straight down (Kajiya-Kay): it runs across the strands."""
    tangent = normal * normal[1]
    tangent[1] -= 1
    along = dot(light.halfway, normalize(tangent)) + 0.25 * (lock - 0.5)
    return highlight(np.sqrt(clip01(1 - along * along)))


def _wave(person: Traits, y: Array) -> Array | float:
    """How far wavy hair swings sideways at height y, in radians around the skull."""
    if not person.hair.waviness:
        return 0.0
    return person.hair.waviness * 0.12 * np.sin(y * 9 + person.strands.phase[0] * 6)
