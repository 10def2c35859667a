"""The colour of what is worn on the head: hats, jewels, spectacle frames and lenses."""

import numpy as np

from portraits.accessories import hat_edge
from portraits.maths import Array, highlight, linear, smoothstep, table, value_noise
from portraits.shading import Light, Surface, matte
from portraits.traits import Traits


def hat_cover(person: Traits, surface: Surface, ears: Array) -> Array:
    """How much a hat hides the head, 0 to 1, in each of n pixels that show the head."""
    if person.outfit.hat == "none":
        return np.zeros_like(ears)
    above = surface.anchor[1] - hat_edge(surface.azimuth)
    return smoothstep(-0.02, 0.015, above) * (1 - smoothstep(0.3, 0.6, ears))


def hat_color(person: Traits, surface: Surface, light: Light, brim: Array) -> Array:
    """Linear colour (3, n) of a hat.

    Args:
        brim: bool (n,), whether the pixel shows the brim rather than the hat itself.
    """
    hat = person.outfit.hat
    shade = np.where(brim & (surface.normal[1] < 0), 0.5, 1.0)
    if hat == "beanie":
        coarse = table(person.strands.coarse)
        shade = shade * (0.85 + 0.3 * value_noise(coarse, surface.azimuth * 16 + 3))
    if hat in ("fedora", "sun_hat"):
        above = surface.anchor[1] - hat_edge(surface.azimuth)
        shade = np.where((above < 0.17) & ~brim, 0.4 * shade, shade)  # its ribbon
    return linear(person.outfit.hat_color) * shade * matte(surface, light, wrap=0.3)


def polished_color(
    color: tuple[float, float, float], gloss: float, surface: Surface, light: Light
) -> Array:
    """Linear colour (3, n) of spectacle frames and jewels."""
    shine = highlight(surface.toward_halfway) * gloss
    return linear(color) * matte(surface, light, wrap=0.0) + shine


def through_lens(person: Traits, behind: Array, x: Array, y: Array) -> Array:
    """Linear colour (3, n) of what is seen through a lens.

    Args:
        behind: (3, n) colour without the lens.
        x, y: (n,) position within the lens, 0 to 1 from its upper left corner.
    """
    if person.outfit.sunglasses:
        return behind * 0.10 + 0.018 + 0.10 * smoothstep(0.7, 0.0, y)
    from_streak = np.abs(x + y * 0.7 - 0.55 - 0.3 * person.strands.phase[3]) - 0.07
    reflection = 0.03 + 0.13 * smoothstep(0.08, 0.0, from_streak)
    return behind * 0.93 + reflection * person.lighting.key
