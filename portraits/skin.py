"""The colour of the skin with all that is painted on it, and how it takes the light."""

from dataclasses import dataclass

import numpy as np

from portraits.facial_hair import bearded, brow_color, brow_cover
from portraits.make_up import lip_color, lip_shade, made_up, rouge
from portraits.maths import Array, bell, clip01, column, highlight, linear, mix, smoothstep
from portraits.modelling import modelled
from portraits.shading import Light, Surface
from portraits.traits import Traits

SKIN_TONES = np.array(
    [
        [1.0, 0.86, 0.80],
        [0.96, 0.78, 0.68],
        [0.90, 0.69, 0.56],
        [0.78, 0.56, 0.42],
        [0.60, 0.41, 0.29],
        [0.42, 0.27, 0.19],
        [0.29, 0.18, 0.13],
    ]
)
"""From no melanin to the most; colours as on a screen."""


@dataclass(frozen=True, slots=True)
class Masks:
    """How much each of n pixels belongs to a part of the head, 0 to 1; see `Head.masks`."""

    lips: Array
    eyelids: Array
    ears: Array
    mouth: Array

    def take(self, pixels: Array) -> "Masks":
        """The masks in some of the pixels."""
        return Masks(
            self.lips.take(pixels),
            self.eyelids.take(pixels),
            self.ears.take(pixels),
            self.mouth.take(pixels),
        )


def skin_color(person: Traits, surface: Surface, light: Light, masks: Masks) -> Array:
    """Linear colour (3, n) of skin, lit."""
    base = _tone(person.build.melanin)
    lip = smoothstep(0.3, 0.7, masks.lips)
    brow = brow_cover(person, surface)
    color = modelled(person, _blushed(person, base, surface, masks), surface)
    color = mix(color, lip_color(person, base) * lip_shade(surface), lip)
    color, beard = bearded(person, color, surface, masks.lips, masks.mouth)
    color = mix(color, brow_color(person), brow)
    color = made_up(person, color, base, surface, masks.eyelids)
    color = mix(color, column([0.10, 0.025, 0.025]), masks.mouth)

    oiliness = (1 - 0.6 * masks.mouth) * (1 - beard) * (1 - brow)
    oiliness = oiliness * (1 + 2.4 * lip * (0.3 + 0.7 * person.make_up.lipstick))
    oiliness = oiliness * (1 - 0.45 * person.build.ageing)
    return _lit(person, color, oiliness, surface, light)


def _tone(melanin: float) -> Array:
    """Linear colour (3, 1) of skin."""
    position = melanin * (len(SKIN_TONES) - 1)
    i = min(int(position), len(SKIN_TONES) - 2)
    return linear(mix(SKIN_TONES[i], SKIN_TONES[i + 1], position - i))


def _blushed(person: Traits, base: Array, surface: Surface, masks: Masks) -> Array:
    """Skin (3, n), redder on cheeks, nose and ears, darker under the eyes, duller with age."""
    x, y, _ = surface.anchor
    color = base
    for amount, tint in (
        (rouge(person, surface), [1.0, 0.55, 0.57]),
        (0.35 * bell(np.hypot(x, y + 0.38), 0.14), [1.0, 0.74, 0.72]),
        (0.45 * masks.ears, [1, 0.75, 0.72]),
        (0.35 * bell(np.hypot(np.abs(x) - 0.27, y + 0.12), 0.15), [0.84, 0.76, 0.78]),
        (np.full_like(x, 0.8 * person.build.ageing), [0.94, 0.90, 0.84]),
    ):
        color = color * (1 + amount * (column(tint) - 1))
    return color


def _lit(person: Traits, color: Array, oiliness: Array, surface: Surface, light: Light) -> Array:
    """Light the skin: red light reaches further into the shadow than green and blue."""
    wrap = column([0.42, 0.26, 0.18])
    diffuse = clip01((surface.toward_key + wrap) / (1 + wrap))
    open_sky = surface.occlusion
    occlusion = np.stack([np.sqrt(open_sky) * 0.4 + open_sky * 0.6, open_sky, open_sky])
    key = diffuse * light.key * (0.35 + 0.65 * occlusion) * _brow_shadow(person, surface.anchor[1])
    lit = color * (key + light.ambient * occlusion * (0.55 + 0.6 * surface.sky))
    lit = lit + (0.1 * oiliness * highlight(surface.toward_halfway) * open_sky) * light.key
    if person.lighting.rim:
        edge = (1 - clip01(surface.normal[2])) ** 3 * person.lighting.rim * 0.5
        lit = lit + edge * column([0.9, 0.95, 1.0]) * np.sqrt(color)
    return lit


def _brow_shadow(person: Traits, y: Array) -> Array | float:
    """How much of the key light a brim or bangs let through."""
    if person.outfit.hat in ("cap", "fedora", "sun_hat"):
        return 1 - 0.5 * smoothstep(-0.35, 0.15, y)
    if person.hair.bangs:
        return 1 - 0.35 * smoothstep(0.05, 0.3, y)
    return 1.0
