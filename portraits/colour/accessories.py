"""The colour of hats, jewels, spectacle frames and lenses."""

import numpy as np

from portraits.colour.light import Light, Surface, matte
from portraits.maths import Array, column, highlight, linear, smoothstep, table, value_noise
from portraits.people.traits import Traits
from portraits.shape.hats import HatPiece


def hat_color(person: Traits, surface: Surface, light: Light) -> Array:
    """Colour a hat, linear (3, n); `portraits.shape.hats` describes its anchors."""
    angle, height, piece = surface.anchor
    hat = person.outfit.hat
    on_crown = piece < HatPiece.CUFF - 0.5
    shade = np.where(piece > HatPiece.BRIM + 0.5, np.float32(0.45), np.float32(1.0))
    if hat == "beanie":
        shade = _knitted(angle, height, on_crown)
    elif hat == "cap":
        seam = np.abs((angle / (np.pi / 3) + 0.5) % 1 - 0.5)
        shade = shade * (1 - 0.35 * smoothstep(0.045, 0.015, seam) * on_crown)
        edge = smoothstep(0.86, 0.90, height) * smoothstep(0.97, 0.93, height)
        shade = shade * (1 - 0.25 * edge * ~on_crown)
        shade = shade * np.where(on_crown, 1.0, 0.7)
        joint = smoothstep(0.14, 0.04, height) * smoothstep(1.3, 1.0, np.abs(angle))
        shade = shade * (1 - 0.45 * joint * (piece < HatPiece.BRIM + 0.5))
    else:
        ribbon = smoothstep(0.215, 0.195, height) * on_crown
        woven = 1.0
        if hat == "sun_hat":
            woven = 0.93 + 0.10 * np.sin(64 * height) + 0.05 * np.sin(80 * angle)
        shade = shade * (1 - 0.72 * ribbon) * (woven + (1 - woven) * ribbon)
    folds = value_noise(table(person.strands.coarse), angle * 2.3 + 3 * height + 9)
    shade = shade * (0.9 + 0.2 * folds)
    return linear(person.outfit.hat_color) * shade * matte(surface, light, wrap=0.3)


def _knitted(angle: Array, height: Array, on_crown: Array) -> Array:
    """Compute the ribs of a beanie and the shadow above its rolled edge, as factors (n,)."""
    ribs = np.sin(34 * angle) * smoothstep(1.0, 0.9, height)
    under_roll = smoothstep(0.42, 0.28, height) * on_crown
    return (1 + np.where(on_crown, 0.10, 0.16) * ribs) * (1 - 0.35 * under_roll)


def polished_color(
    color: tuple[float, float, float], gloss: float, surface: Surface, light: Light
) -> Array:
    """Colour spectacle frames or jewels, linear (3, n)."""
    shine = highlight(surface.toward_halfway) * gloss
    return linear(color) * matte(surface, light, wrap=0.0) + shine


def through_lens(person: Traits, behind: Array, x: Array, y: Array) -> Array:
    """Colour what is seen through a lens, linear (3, n).

    Args:
        behind: (3, n), the colour without the lens.
        x, y: (n,), position within the lens, 0 to 1 from its upper left corner.
    """
    glare = smoothstep(0.55, 0.0, y)  # of the sky, at the top
    from_streak = np.abs(x + y * 0.7 - 0.55 - 0.3 * person.strands.phase[3])
    streak = smoothstep(0.15, 0.07, from_streak)
    if person.outfit.sunglasses:
        tint = column([1.0, 0.9, 0.78] if person.strands.phase[4] > 0.5 else [0.9, 0.95, 1.0])
        through = behind * tint * (0.07 + 0.16 * smoothstep(0.3, 1.0, y))
        return through + (0.012 + 0.07 * glare + 0.05 * streak) * person.lighting.key
    return behind * 0.92 + (0.025 + 0.07 * glare + 0.09 * streak) * person.lighting.key


def necklace_color(person: Traits, surface: Surface, light: Light) -> Array:
    """Colour a necklace, linear (3, n); pearls are nearly white."""
    outfit = person.outfit
    color = np.array(outfit.jewel_color)
    if outfit.necklace_style == "pearls":
        color = 0.2 * color + 0.8 * np.array([0.95, 0.91, 0.86])
    return polished_color(tuple(color), 0.7, surface, light)
