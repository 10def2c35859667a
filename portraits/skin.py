"""The colour of the skin, and of all that is painted on it: beard, brows, lips, clothes."""

from dataclasses import dataclass

import numpy as np

from portraits.dress import dressed
from portraits.maths import (
    Array,
    bell,
    clip01,
    column,
    highlight,
    linear,
    mix,
    smoothstep,
    value_noise,
)
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
    """Linear colour (3, n) of skin and clothes, lit."""
    base = _tone(person.build.melanin)
    lip = smoothstep(0.3, 0.7, masks.lips)
    brow = _brows(person, surface)
    color = _blushed(person, base, surface, masks)
    color, beard = _bearded(person, color, base, surface, masks)
    color = mix(color, _brow_color(person), brow)
    color = mix(color, _lip_color(person, base), lip)
    color = _made_up(person, color, base, surface, masks)
    color = mix(color, column([0.16, 0.035, 0.035]), masks.mouth)
    color, clothed = dressed(person, color, surface)

    oiliness = (1 - 0.6 * masks.mouth) * (1 - clothed) * (1 - beard) * (1 - brow)
    oiliness = oiliness * (1 + 2.2 * lip * (0.3 + 0.7 * person.make_up.lipstick))
    return _lit(person, color, oiliness, surface, light)


def _tone(melanin: float) -> Array:
    """Linear colour (3, 1) of skin."""
    position = melanin * (len(SKIN_TONES) - 1)
    i = min(int(position), len(SKIN_TONES) - 2)
    return linear(mix(SKIN_TONES[i], SKIN_TONES[i + 1], position - i))


def _blushed(person: Traits, base: Array, surface: Surface, masks: Masks) -> Array:
    """Skin, redder on cheeks, nose and ears, darker under the eyes: (3, n)."""
    x, y, _ = surface.anchor
    x = np.abs(x)
    cheeks = bell(np.hypot(x - 0.43, (y + 0.36) * 1.15), 0.22)
    cheeks = clip01((0.22 + 0.9 * person.make_up.blush) * cheeks)
    nose = 0.35 * bell(np.hypot(x, y + 0.38), 0.14)
    eye_bags = 0.35 * bell(np.hypot(x - 0.27, y + 0.14), 0.16) * (0.25 + 1.1 * person.build.ageing)
    color = base
    for amount, tint in (
        (cheeks, [1.0, 0.66, 0.66]),
        (nose, [1.0, 0.72, 0.70]),
        (0.45 * masks.ears, [1, 0.75, 0.72]),
        (eye_bags, [0.80, 0.72, 0.74]),
    ):
        color = color * (1 + amount * (column(tint) - 1))
    return color


def _bearded(
    person: Traits, color: Array, base: Array, surface: Surface, masks: Masks
) -> tuple[Array, Array | float]:
    """Paint stubble and beard; return the colour (3, n) and how much beard covers the skin."""
    hair = person.facial_hair
    if not any((hair.stubble, hair.mustache, hair.goatee, hair.beard, hair.sideburns)):
        return color, 0.0
    x, y, z = surface.anchor
    x = np.abs(x)
    fine = np.array(person.strands.fine, np.float32)
    ragged = 0.04 * (value_noise(fine, surface.anchor[0] * 31 + 7) - 0.5)
    grows = (1 - masks.lips) * (1 - masks.mouth)

    mustache = smoothstep(0.30, 0.22, x + ragged) * smoothstep(-0.43, -0.485, y + 0.25 * x)
    mustache = mustache * smoothstep(-0.70 - 0.125 * x, -0.61, y + ragged) * (z > -0.05)
    chin = smoothstep(0.27, 0.19, x + ragged) * smoothstep(-0.80, -0.88, y + ragged)
    chin = chin * (y > -1.32) * (z > -0.3)
    beside_mouth = smoothstep(0.30, 0.26, x) * smoothstep(0.19, 0.235, x)
    beside_mouth = beside_mouth * smoothstep(-0.5, -0.6, y) * (y > -1) * (z > -0.1)
    goatee = clip01(chin + beside_mouth)
    cheek_edge = y - 0.75 * np.minimum(np.maximum(x - 0.28, 0), 0.5) + ragged
    around_mouth = smoothstep(0.26, 0.30, np.hypot(x, (y + 0.69) * 1.25))
    beard = smoothstep(-0.52, -0.68, cheek_edge) * around_mouth + smoothstep(-0.85, -0.92, y)
    beard = clip01(beard) * smoothstep(-0.80, -0.62, z) * smoothstep(-1.38, -1.25, y)
    sideburns = sideburns_cover(surface)

    name = person.hair.color_name
    beard_color = linear(np.array(person.hair.color) * (0.75 if name == "Blond" else 0.85))
    beard_color = beard_color * (0.9 if name == "Gray" else 1)
    shadow = hair.stubble * 0.42 * clip01(mustache * 0.9 + beard + 0.6 * goatee) * grows
    color = mix(color, 0.55 * beard_color + 0.15 * base + 0.01, shadow)
    cover = hair.mustache * mustache + hair.goatee * goatee + hair.beard * beard
    cover = np.minimum(cover + 0.85 * hair.sideburns * sideburns, 0.96) * grows
    strands = 0.85 + 0.3 * value_noise(fine, surface.anchor[0] * 47 + y * 31)
    return mix(color, beard_color * strands, cover), cover


def sideburns_cover(surface: Surface) -> Array:
    """Where sideburns grow, 0 to 1, in each of n pixels that show the head."""
    y = surface.anchor[1]
    beside = np.abs(np.abs(surface.azimuth) - 1.3) < 0.15
    return beside * smoothstep(-0.42, -0.34, y) * (y < 0.3)


def _brows(person: Traits, surface: Surface) -> Array:
    """How much brow covers each pixel, 0 to 1."""
    x, y, z = surface.anchor
    x = np.abs(x)
    along = clip01((x - 0.12) / 0.42)
    arch = np.sin(np.pi * clip01(along * 0.75 + 0.12))
    middle = 0.19 + (0.002 + 0.05 * person.face.brow_arch) * arch * 1.4 - 0.05 * along**3
    half_height = (0.03 + 0.045 * person.face.brow_thickness) * (1 - 0.65 * along * along)
    brow = smoothstep(1.25, 0.45, np.abs(y - middle) / half_height)
    brow = brow * smoothstep(0.09, 0.15, x) * smoothstep(0.60, 0.50, x) * (z > -0.3)
    return brow * (0.86 if person.hair.color_name in ("Black", "Brown") else 0.62)


def _brow_color(person: Traits) -> Array:
    if person.hair.color_name == "Gray":
        return linear([0.35, 0.33, 0.32])
    return linear(np.array(person.hair.color) * 0.62 + 0.02)


def _lip_color(person: Traits, base: Array) -> Array:
    lightness = 0.35 + 0.65 * (1 - person.build.melanin)
    lipstick = linear(person.make_up.lip_color) * (0.5 + 0.5 * lightness)
    return mix(base * column([0.86, 0.52, 0.52]), lipstick, person.make_up.lipstick * 0.85)


def _made_up(person: Traits, color: Array, base: Array, surface: Surface, masks: Masks) -> Array:
    """Paint eye shadow, if any, and the line of the lashes."""
    amount = person.make_up.eyes
    x, y, _ = surface.anchor
    if amount:
        lid = bell(np.hypot((np.abs(x) - 0.32) * 0.8, y - 0.085), 0.085)
        color = mix(color, base * column([0.42, 0.32, 0.36]), amount * 0.55 * lid)
    lashes = 0.8 * smoothstep(0.35, 0.9, masks.eyelids) * (y > 0) * (0.35 + 0.5 * amount)
    return color * (1 - lashes)


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
