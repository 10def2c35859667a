"""The colour of the skin, with make-up and facial hair, in the light."""

from dataclasses import dataclass

import numpy as np

from portraits.colour.facial_hair import bearded, with_brows
from portraits.colour.light import Light, Surface
from portraits.colour.make_up import blushed, eyes_made_up, lip_color
from portraits.colour.relief import cast_shadow, relief
from portraits.colour.texture import blob, noise
from portraits.maths import Array, bell, clip01, column, dot, highlight, linear, mix, smoothstep
from portraits.people.traits import Traits

_MELANIN = (0.0, 0.06, 0.17, 0.36, 0.56, 0.78, 1.0)
SKIN_TONES = np.array(
    [
        [0.935, 0.785, 0.72],
        [0.925, 0.765, 0.695],
        [0.89, 0.685, 0.565],
        [0.80, 0.58, 0.445],
        [0.64, 0.42, 0.295],
        [0.44, 0.285, 0.205],
        [0.31, 0.20, 0.15],
    ]
)
"""Colours as on a screen, one for each of `_MELANIN`."""


@dataclass(frozen=True, slots=True)
class Masks:
    """How much each of n pixels belongs to parts of the head, 0 to 1; see `Head.masks`."""

    lips: Array
    eyelids: Array
    ears: Array
    mouth: Array

    def take(self, pixels: Array) -> "Masks":
        """Select some of the pixels."""
        return Masks(
            self.lips.take(pixels),
            self.eyelids.take(pixels),
            self.ears.take(pixels),
            self.mouth.take(pixels),
        )


def skin_color(person: Traits, surface: Surface, light: Light, masks: Masks) -> Array:
    """Colour the skin, linear (3, n), in the light."""
    base = _tone(person.build.melanin)
    y = surface.anchor[1]
    lip = smoothstep(0.3, 0.7, masks.lips)
    mouth = masks.mouth
    color = _complexion(person, base, surface, masks)
    color = color * _shade(relief(person, surface))
    color, beard = bearded(person, color, base, surface, masks.lips, mouth)
    color, brow = with_brows(person, color, surface)
    color = mix(color, lip_color(person, base, y), lip * (1 - 0.6 * beard))
    color = eyes_made_up(person, color, surface, masks.eyelids)
    color = mix(color, column([0.16, 0.035, 0.035]), mouth)
    matt = (1 - 0.6 * mouth) * (1 - 0.8 * beard) * (1 - brow)
    sheen = lip * bell(y + 0.745, 0.05) * (0.5 + 0.9 * person.make_up.lipstick)
    return _lit(person, color, matt, sheen * matt, surface, light)


def _tone(melanin: float) -> Array:
    """Compute the linear colour (3, 1) of skin without details."""
    return linear([np.interp(melanin, _MELANIN, channel) for channel in SKIN_TONES.T])


def _complexion(person: Traits, base: Array, surface: Surface, masks: Masks) -> Array:
    """Colour bare skin (3, n): blood, pores, freckles, and spots of age."""
    x, y, _ = surface.anchor
    x = np.abs(x)
    u, ageing = surface.azimuth, person.build.ageing
    mottle = noise(person, 4 * u + 3 * y, 4 * y - 3 * u) - 0.5
    pores = noise(person, 29 * u + 17 * y, 31 * y - 15 * u) - 0.5
    warm = 0.16 * blob(x, y, (0.43, -0.33), (0.24, 0.17)) + 0.20 * blob(
        x, y, (0, -0.36), (0.14, 0.10)
    )
    warm = warm + 0.35 * masks.ears + (0.10 + 0.16 * ageing) * mottle
    below_eyes = blob(x, y, (0.27, -0.13), (0.15, 0.06)) + blob(x, y, (0.19, 0.0), (0.06, 0.08))
    color = blushed(person, base, x, y)
    color = color * (1 + warm * column([0.04, -0.42, -0.40]))
    color = color * (1 - (0.13 + 0.12 * ageing) * below_eyes * column([0.8, 1, 0.85]))
    color = color * (1 + 0.10 * (1 + ageing) * mottle + (0.09 + 0.10 * ageing) * pores)
    if person.face.freckles:
        dots = noise(person, 24 * u + 13 * y, 24 * y - 13 * u) * noise(
            person, 31 * y, 29 * u + 9 * y
        )
        dots = smoothstep(0.32, 0.52, dots)
        where = blob(x, y, (0.24, -0.26), (0.36, 0.26))
        color = color * (1 - person.face.freckles * where * dots * column([0.34, 0.5, 0.6]))
    if ageing:
        spots = noise(person, 7 * u + 5 * y + 2, 7 * y - 5 * u) + 0.5 * pores
        spots = smoothstep(0.86, 1.06, spots)
        gray = column([0.30, 0.34, 0.30]) * base[:1]
        color = color * (1 - 0.26 * ageing * spots * column([0.7, 1, 1.1]))
        color = mix(color, gray * 2.2, 0.09 * ageing)
    return color


def _shade(amount: Array) -> Array:
    """Turn relief (n,) into factors (3, n): shade is warm, since light goes through skin."""
    return np.minimum(np.maximum(1 + amount * column([0.86, 1.03, 1.08]), 0.22), 1.55)


def _lit(
    person: Traits, color: Array, matt: Array, sheen: Array, surface: Surface, light: Light
) -> Array:
    """Light the skin by key, fill and sky; red light reaches further into the shadow.

    Args:
        color: (3, n), the colour in white light.
        matt: (n,), how much bare skin shines, 0 where it is covered.
        sheen: (n,), how much wet lips shine.
    """
    wrap = column([0.46, 0.28, 0.20])
    diffuse = clip01((surface.toward_key + wrap) / (1 + wrap))
    open_sky = surface.occlusion
    occlusion = np.stack([np.sqrt(open_sky) * 0.4 + open_sky * 0.6, open_sky, open_sky])
    y = surface.anchor[1]
    passes = cast_shadow(person, surface.anchor) * _brow_shadow(person, y)
    key = diffuse * light.key * ((0.35 + 0.65 * occlusion) * passes)
    opposite = light.direction * np.array([-1, 0.3, 1], np.float32)
    fill = clip01(0.4 + 0.6 * dot(opposite, surface.normal))
    sky = light.ambient * occlusion * (0.30 + 0.55 * surface.sky + 0.26 * fill)
    lit = color * (1.16 * key + 1.12 * sky)
    soft = highlight(surface.toward_halfway)
    zone = 0.6 + 0.9 * bell(surface.anchor[0], 0.2) * (y > -0.5)
    shine = 0.055 * (1 - 0.4 * person.build.ageing) * matt * zone * soft
    lit = lit + (shine + 0.30 * sheen * soft * soft) * open_sky * passes * light.key
    if person.lighting.rim:
        edge = (1 - clip01(surface.normal[2])) ** 3 * person.lighting.rim * 0.5
        lit = lit + edge * column([0.9, 0.95, 1.0]) * np.sqrt(color)
    return lit


def _brow_shadow(person: Traits, y: Array) -> Array | float:
    """Compute how much of the key light comes past a brim or bangs."""
    if person.outfit.hat in ("cap", "fedora", "sun_hat"):
        return 1 - 0.5 * smoothstep(-0.35, 0.15, y)
    if person.hair.bangs:
        return 1 - 0.35 * smoothstep(0.05, 0.3, y)
    return 1.0
