"""Hair that hangs: sheets of strands, from the parting over the skull and down; and knots."""

from dataclasses import dataclass

import numpy as np

from portraits.maths import Array, mix, smoothstep, table, value_noise
from portraits.people.traits import HANGING_STYLES, Traits
from portraits.shape.head import Landmarks
from portraits.shape.mesh import Material, Mesh, ellipsoid, grid_triangles, join, part

# The anchors of a sheet are (strand, down, edge): which strand, 0 at the root to 1 at the tip, and
# the distance from the sheet's edge.
_STRANDS, _POINTS, _WAVY_POINTS = 18, 20, 30
_CENTER_Y = 0.2  # y of the centre of the skull
_FRONT_EDGE = 0.96  # angle in radians, 0 at the nose, where hair that is not tucked begins
_BEHIND_EAR = 1.72
_WAVY = 0.2  # the least waviness that has waves


@dataclass(frozen=True, slots=True)
class _Haircut:
    """How a style is cut; heights are y as in `Mesh`."""

    front: float
    """Height of the tips beside the face, for the shortest hair of this style."""
    back: float
    """Height of the tips at the back, likewise."""
    longer: float
    """How much lower the tips of the longest hair are."""
    flare: float
    """How much wider the hair is at the tips; below 0 it curls inwards."""


_HAIRCUTS = {
    "bob": _Haircut(-0.62, -0.55, 0.3, -0.12),
    "lob": _Haircut(-1.0, -0.95, 0.35, 0.0),
    "shag": _Haircut(-0.55, -1.05, 0.3, 0.10),
    "long": _Haircut(-2.0, -2.1, 0.3, 0.05),
    "layered": _Haircut(-1.15, -2.0, 0.4, 0.12),
    "one_shoulder": _Haircut(-1.9, -2.1, 0.2, 0.05),
    "long_curls": _Haircut(-1.2, -1.6, 0.5, 0.22),
}


def hanging_hair(person: Traits, marks: Landmarks) -> Mesh | None:
    """Make the hair that is partly transparent: both sides, and bangs."""
    hair = person.hair
    sheets = []
    if hair.style in HANGING_STYLES:
        sheets += [_side(person, marks, side) for side in (-1, 1)]
    if hair.bangs and person.outfit.hat == "none" and hair.style != "bald":
        sheets.append(_bangs(person, marks))
    return join(sheets) if sheets else None


def knotted_hair(person: Traits, marks: Landmarks) -> list[Mesh]:
    """Make the hair behind the head: an inner layer, a bun, a chignon or a ponytail."""
    hair, style, volume = person.hair, person.hair.style, person.hair.volume
    if style in HANGING_STYLES:
        return [_inside(person, marks, side) for side in (-1, 1)]
    if style == "bun" and person.outfit.hat == "none":
        return [_knot(person, [0, marks.top + 0.2, -0.72], (0.36, 0.29, 0.36))]
    if style == "chignon":
        side = 1 if hair.parting >= 0 else -1
        return [_knot(person, [0.5 * side, -0.42, -1.12], (0.4 * volume, 0.34, 0.34))]
    if style == "ponytail":
        return [_tail(person, marks)]
    return []


def _side(person: Traits, marks: Landmarks, side: int) -> Mesh:
    """Make the hair on one side of the parting, from the forehead to the neck."""
    hair = person.hair
    tucked = hair.tucked or _brought_over(person, side)
    edge = _BEHIND_EAR if tucked else _FRONT_EDGE - 0.12 * (hair.volume - 0.95)
    strand, down = np.meshgrid(
        np.linspace(0, 1, _STRANDS),
        np.linspace(0, 1, _WAVY_POINTS if hair.waviness >= _WAVY else _POINTS),
        indexing="ij",
    )
    vertices = _strands(person, marks, side, edge, strand, down, 1.0)
    anchor = np.stack([side * (0.05 + strand), down, strand], -1)
    shade = 1 - 0.25 * smoothstep(0.55, 1.0, strand)
    return _sheet(vertices, anchor, shade)


def _inside(person: Traits, marks: Landmarks, side: int) -> Mesh:
    """Make an inner layer of hair, which hides the backdrop behind the gaps of the outer one."""
    strand, down = np.meshgrid(np.linspace(0, 1, 10), np.linspace(0.15, 0.92, 12), indexing="ij")
    vertices = _strands(person, marks, side, _BEHIND_EAR, strand, down, 0.93)
    anchor = np.stack([side * (0.05 + strand), down, strand + 1], -1)
    return _sheet(vertices, anchor, np.full(strand.shape, 0.5))


def _strands(
    person: Traits,
    marks: Landmarks,
    side: int,
    edge: float,
    strand: Array,
    down: Array,
    scale: float,
) -> Array:
    """Compute points (s, t, 3) of strands that lie on the skull and then fall.

    Args:
        side: 1 on the right in the picture, -1 on the left.
        edge: angle around the head, 0 at the nose, where the strand nearest to the face falls.
        strand: (s, t), 0 nearest to the face to 1 at the back.
        down: (s, t), 0 at the root to 1 at the tip.
        scale: how large the skull below is, 1 as it is.
    """
    hair, cut = person.hair, _HAIRCUTS[person.hair.style]
    center, radii = _skull(person, marks)
    azimuth = edge + (np.pi - edge) * strand
    lowest = mix(cut.front, cut.back, smoothstep(0.0, 0.6, strand)) - cut.longer * hair.length
    flare = cut.flare
    if _brought_over(person, side):  # it goes around the neck to the other side
        lowest, flare = np.full(strand.shape, -0.8), -0.55
    bare = person.outfit.hat == "none"
    bend = 1.3 / (1.3 + _CENTER_Y - lowest)  # the part of a strand that lies on the skull
    over = np.minimum(down / bend, 1.0)
    if not bare:
        over = 0.86 + 0.14 * over  # the hat covers what is higher
    fall = np.maximum(down - bend, 0) / (1 - bend)

    # the root lies on the parting, which runs over the crown to the back
    front = 0.74 + 0.30 * hair.recession
    rise = front + (2.75 - front) * strand
    across = 0.30 * hair.parting * (1 - strand) + side * 0.02
    root = np.stack([np.broadcast_to(across, strand.shape), np.sin(rise), np.cos(rise)])
    root = root / np.sqrt((root * root).sum(0))
    falls = np.stack([side * np.sin(azimuth), np.full(strand.shape, -0.05), np.cos(azimuth)])
    direction = _between(root, falls, over)
    x, y, z = center[:, None, None] + scale * radii[:, None, None] * direction

    wave = _waves(person, strand, down * (1.3 + _CENTER_Y - lowest), side)
    growing = smoothstep(0.15, 0.55, down)
    y = y - fall * (y - lowest)
    wide = 1 + flare * fall**2 + 0.12 * growing * (wave + 0.5 * hair.waviness)
    wide = wide + 0.05 * hair.messiness * growing * (_noise(person, strand * 9 + side * 3) - 0.5)
    x = x * wide
    z = center[2] + (z - center[2]) * wide
    forward = smoothstep(0.5, 0.0, strand) * smoothstep(-0.7, -1.6, y)
    if hair.style == "one_shoulder":
        x = x - 0.25 * side * forward
    return np.stack([x, y, z + 0.35 * forward], -1)


def _brought_over(person: Traits, side: int) -> bool:
    """Tell whether the hair of this side lies over the other shoulder."""
    return person.hair.style == "one_shoulder" and side * (person.hair.parting or 1) > 0


def _skull(person: Traits, marks: Landmarks) -> tuple[Array, Array]:
    """Compute the centre (3,) and the radii (3,) of the ellipsoid that the hair lies on."""
    hair = person.hair
    thick = (0.07 + 0.10 * hair.volume) * (1.7 if hair.style == "long_curls" else 1.0)
    top = 0.06 + 0.06 * hair.volume
    center = np.array([0, _CENTER_Y, marks.center_z])
    size = [marks.half_width + thick, marks.top - _CENTER_Y + top, marks.half_depth + 0.8 * thick]
    return center, np.array(size)


def _waves(person: Traits, strand: Array, length: Array, side: int) -> Array:
    """Compute the swing of waves, -1 to 1, at a distance `length` from the root of a strand."""
    hair = person.hair
    if hair.waviness < _WAVY:
        return np.zeros_like(strand)
    phase = 6.3 * person.strands.phase[0] + side + 2.5 * _noise(person, strand * 5 + 2 * side)
    pitch = 10.5 if hair.style == "long_curls" else 8.0
    return hair.waviness * np.sin(pitch * length + phase)


def _bangs(person: Traits, marks: Landmarks) -> Mesh:
    """Make bangs: hair over the forehead, down to just above the brows."""
    hair = person.hair
    center, radii = _skull(person, marks)
    strand, down = np.meshgrid(np.linspace(-1, 1, 17), np.linspace(0, 1, 9), indexing="ij")
    sweep = 0.45 * hair.parting
    azimuth = 0.82 * strand + sweep * (down - 0.5)
    lowest = -0.12 + 0.10 * (0.5 - hair.length) + 0.10 * np.abs(strand + 0.6 * hair.parting)
    elevation = mix(1.22, lowest, down)
    direction = np.stack(
        [
            np.sin(azimuth) * np.cos(elevation),
            np.sin(elevation),
            np.cos(azimuth) * np.cos(elevation),
        ]
    )
    size = radii * 0.5 + 0.5 * np.array(
        [marks.half_width + 0.06, marks.top - _CENTER_Y + 0.06, marks.half_depth + 0.08]
    )
    vertices = np.moveaxis(center[:, None, None] + size[:, None, None] * direction, 0, -1)
    # the forehead lies before the ellipsoid
    vertices[..., 2] += 0.07 * smoothstep(0.2, 0.8, down)
    anchor = np.stack([3 + strand, down, 0.6 * (1 - np.abs(strand))], -1)
    return _sheet(vertices, anchor, np.ones(strand.shape))


def _knot(person: Traits, center: list[float], radii: tuple[float, float, float]) -> Mesh:
    """Make a knot of hair behind the head."""
    rows, columns = 17, 11
    vertices, triangles = ellipsoid(np.array(center), radii, rows, columns)
    side, down = np.meshgrid(np.linspace(-1, 1, rows), np.linspace(0, 1, columns), indexing="ij")
    anchor = np.stack([side * 2, down, np.ones_like(side)], -1).reshape(-1, 3)
    stiffness = smoothstep(-1.6, -0.6, vertices[:, 1])
    return part(vertices, triangles, Material.HAIR, anchor, 0.85, stiffness)


def _tail(person: Traits, marks: Landmarks) -> Mesh:
    """Make a ponytail, from the back of the head over a shoulder, thin at both ends."""
    hair = person.hair
    around, down = np.meshgrid(np.linspace(0, 2 * np.pi, 11), np.linspace(0, 1, 22), indexing="ij")
    side = 1 if hair.parting >= 0 else -1
    heights = (0.35, 0.30, -0.45, -1.2, -1.75 - 0.4 * hair.length)
    bends = (0.0, 0.12, 0.4, 0.7, 1.0)
    y = np.interp(down, bends, heights)
    x = side * np.interp(down, bends, (0.1, 0.35, 0.80, 0.74, 0.60))
    z = np.interp(down, bends, (marks.back + 0.2, marks.back, -1.0, -0.45, -0.1))
    x = x + 0.07 * smoothstep(0.2, 0.5, down) * _waves(
        person, np.zeros_like(down), 2.4 * down, side
    )
    lock = _noise(person, 1.5 * np.cos(around) + 5 * down)
    radius = np.interp(down, (0, 0.1, 0.35, 0.7, 1), (0.1, 0.14, 0.22, 0.19, 0.01))
    radius = radius * hair.volume * (0.85 + 0.3 * lock)
    vertices = np.stack([x + radius * np.cos(around), y, z + radius * np.sin(around)], -1)
    anchor = np.stack([np.cos(around), down, np.ones_like(down)], -1)
    return _sheet(vertices, anchor, np.full(down.shape, 0.85))


def _sheet(vertices: Array, anchor: Array, shade: Array) -> Mesh:
    """Make a mesh of a grid of strands: vertices and anchors (s, t, 3), occlusion (s, t)."""
    points = vertices.reshape(-1, 3)
    stiffness = np.maximum(smoothstep(-1.7, -0.8, points[:, 1]), 0.2)
    triangles = grid_triangles(*shade.shape)
    return part(points, triangles, Material.HAIR, anchor.reshape(-1, 3), shade.ravel(), stiffness)


def _between(a: Array, b: Array, weight: Array) -> Array:
    """Compute unit vectors (3, …) on the great circles from `a` (weight 0) to `b` (weight 1)."""
    b = b / np.sqrt((b * b).sum(0))
    angle = np.arccos(np.clip((a * b).sum(0), -1, 1)) + 1e-6
    return (np.sin((1 - weight) * angle) * a + np.sin(weight * angle) * b) / np.sin(angle)


def _noise(person: Traits, x: Array) -> Array:
    return value_noise(table(person.strands.coarse), x + 16)
