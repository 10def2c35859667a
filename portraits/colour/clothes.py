"""The colour of clothes: ribs, seams, folds and ties."""

import numpy as np

from portraits.colour.light import Light, Surface, matte
from portraits.maths import Array, bell, linear, smoothstep, table, value_noise
from portraits.people.traits import Traits
from portraits.shape.patterns import ClothPiece


def cloth_color(person: Traits, surface: Surface, light: Light) -> Array:
    """Colour clothes, linear (3, n); `portraits.shape.patterns` describes their anchors."""
    angle, inside, piece = surface.anchor
    outfit = person.outfit
    color = linear(outfit.cloth_color) + np.float32(0.006)
    if outfit.neckline == "suit":
        color = np.where(piece > ClothPiece.STRAP + 0.5, linear(outfit.shirt_color), 0.8 * color)
    shade = _folds(person, angle, inside) * _trim(outfit.neckline, angle, inside, piece)
    soft = 0.55 + 0.45 * surface.occlusion
    return color * (shade * soft) * matte(surface, light, wrap=0.25)


def _folds(person: Traits, angle: Array, inside: Array) -> Array:
    """Compute broad creases, as factors (n,), that run down from the neck."""
    coarse = table(person.strands.coarse)
    creases = value_noise(coarse, angle * 3.2 + 2.5 * inside + 5)
    creases = creases + 0.6 * value_noise(coarse, angle * 7.1 - 4 * inside + 29)
    return 1 + 0.36 * (creases - 0.8) * smoothstep(0.02, 0.25, inside)


def _trim(neckline: str, angle: Array, inside: Array, piece: Array) -> Array:
    """Compute ribs, seams and edges, as factors (n,)."""
    if neckline in ("crew", "v", "scoop", "straps"):
        seam = 1 - 0.38 * bell(inside - 0.075, 0.014)
        ribs = 1 + 0.07 * np.sin(110 * angle) * (inside < 0.075)
        return seam * ribs if neckline != "straps" else seam
    if neckline == "turtleneck":
        knit = 1 + 0.11 * np.sin(46 * angle)
        return np.where(piece > 0.5, knit, 1 + 0.05 * np.sin(60 * angle))
    collar = (np.abs(piece - ClothPiece.COLLAR) < 0.5) | (piece > ClothPiece.SHIRT + 0.5)
    shade = np.where(collar, 1.06 - 0.25 * smoothstep(0.27, 0.30, inside), 0.94)
    lapel = np.abs(piece - ClothPiece.LAPEL) < 0.5
    return np.where(lapel, 1.12 - 0.4 * smoothstep(0.10, 0.02, inside), shade)


def tie_color(person: Traits, surface: Surface, light: Light) -> Array:
    """Colour a tie, linear (3, n): plain or striped, darker below the knot."""
    across, down, _ = surface.anchor
    stripes = 1.0
    if person.strands.phase[4] > 0.45:
        wave = np.sin((34 if person.strands.phase[4] > 0.7 else 60) * (down + 0.10 * across))
        stripes = 0.72 + 0.55 * smoothstep(-0.3, 0.3, wave)
    knot = 1 - 0.45 * smoothstep(0.19, 0.21, down) * smoothstep(0.30, 0.21, down)
    edge = 1 - 0.3 * across**2
    shine = 0.10 * surface.toward_halfway**6
    color = linear(person.outfit.tie_color) * (stripes * knot * edge)
    return color * matte(surface, light, wrap=0.1) + shine * light.key * color**0.5
