"""Beards, stubble, sideburns and brows, painted on the skin."""

import numpy as np

from portraits.maths import Array, bell, clip01, linear, mix, smoothstep, table, value_noise
from portraits.shading import Surface
from portraits.traits import Traits


def bearded(
    person: Traits, skin: Array, surface: Surface, lips: Array, mouth: Array
) -> tuple[Array, Array | float]:
    """Paint stubble and beard.

    Args:
        skin: linear colour (3, n).
        lips, mouth: (n,), how much of each pixel is lip, or the inside of the mouth.

    Returns:
        The colour (3, n), and how much beard covers the skin (n,).
    """
    hair = person.facial_hair
    if not any((hair.stubble, hair.mustache, hair.goatee, hair.beard, hair.sideburns)):
        return skin, 0.0
    x, y, z = surface.anchor
    fine = table(person.strands.fine)
    grain = value_noise(fine, surface.anchor[0] * 47 + y * 9 + 7)
    mustache, goatee, beard = _areas(np.abs(x), y, z, 0.05 * (grain - 0.5))
    grows = (1 - smoothstep(0.55, 0.9, lips)) * (1 - mouth)
    color = linear(
        np.array(person.hair.color) * (0.75 if person.hair.color_name != "Gray" else 0.9)
    )

    if hair.stubble:
        area = clip01(mustache + beard + goatee) * grows
        a, b = x + 0.5 * y, y - 0.5 * x
        dots = value_noise(fine, 61 * a + 3 + 3 * value_noise(fine, 37 * b))
        dots = dots * value_noise(fine, 67 * b + 40 + 3 * value_noise(fine, 41 * a + 90))
        shadow = hair.stubble * area * (0.46 + 0.45 * smoothstep(0.05, 0.5, dots))
        skin = mix(skin, 0.6 * color + 0.12 * skin + 0.008, np.minimum(shadow, 0.72))
    cover = hair.mustache * mustache + hair.goatee * goatee + hair.beard * beard
    cover = cover + hair.sideburns * sideburns_cover(surface)
    cover = np.minimum(cover, 0.97) * grows
    strands = 0.62 + 0.75 * value_noise(fine, x * 55 + 20 * y + 20)
    return mix(skin, color * strands, cover), cover


def _areas(x: Array, y: Array, z: Array, ragged: Array) -> tuple[Array, Array, Array]:
    """Where mustache, goatee and full beard grow, each (n,) from 0 to 1; x is from the middle."""
    mustache = smoothstep(0.36, 0.27, x + ragged) * smoothstep(-0.42, -0.49, y + 0.22 * x)
    mustache = mustache * smoothstep(-0.76, -0.68, y + ragged + 0.1 * x) * (z > -0.05)
    chin = smoothstep(0.31, 0.22, x + ragged) * smoothstep(-0.74, -0.82, y + ragged)
    chin = chin * (y > -1.32) * (z > -0.3)
    beside_mouth = bell(x - 0.30, 0.075) * smoothstep(-0.52, -0.60, y) * (y > -0.95) * (z > -0.1)
    goatee = clip01(chin + beside_mouth)
    cheek = y - 0.75 * np.minimum(np.maximum(x - 0.28, 0), 0.5) + ragged
    beard = smoothstep(-0.50, -0.62, cheek) * smoothstep(0.12, 0.24, x)
    beard = clip01(beard + smoothstep(-0.74, -0.82, y) + goatee)
    beard = beard * smoothstep(-0.80, -0.62, z) * smoothstep(-1.38, -1.22, y)
    return mustache, goatee, beard


def sideburns_cover(surface: Surface) -> Array:
    """Where sideburns grow, 0 to 1, in each of n pixels that show the head."""
    y = surface.anchor[1]
    beside = smoothstep(0.24, 0.17, np.abs(np.abs(surface.azimuth) - 1.24))
    return beside * smoothstep(-0.46, -0.36, y) * smoothstep(0.34, 0.26, y)


def brow_cover(person: Traits, surface: Surface) -> Array:
    """How much brow covers each pixel (n,), 0 to 1."""
    face = person.face
    x, y, z = surface.anchor
    x = np.abs(x)
    along = clip01((x - 0.10) / 0.46)
    peak = bell(along - 0.64, 0.36)
    middle = 0.185 + (0.025 + 0.10 * face.brow_arch) * peak - 0.03 * along**4
    half_height = (0.030 + 0.050 * face.brow_thickness) * (1 - 0.62 * along * along)
    fine = table(person.strands.fine)
    hairs = value_noise(fine, x * 60 + y * 25 + 5)
    brow = smoothstep(1.3, 0.45, np.abs(y - middle) / half_height + 0.35 * (hairs - 0.5))
    brow = brow * smoothstep(0.07, 0.14, x) * smoothstep(0.62, 0.52, x) * (z > -0.3)
    dark = person.hair.color_name in ("Black", "Brown")
    return brow * ((0.78 if dark else 0.62) + 0.18 * face.brow_thickness)


def brow_color(person: Traits) -> Array:
    """Linear colour (3, 1) of the brows."""
    if person.hair.color_name == "Gray":
        return linear([0.35, 0.33, 0.32])
    return linear(np.array(person.hair.color) * 0.55 + 0.015)
