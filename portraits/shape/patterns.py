"""The patterns of clothes: where each piece lies on the `Torso`, the same for all people.

The anchors of cloth are the angle around the body, the distance from the upper or outer edge (in
levels) and the `ClothPiece`.
"""

from dataclasses import dataclass
from enum import IntEnum
from functools import cache

import numpy as np

from portraits.maths import Array, clip01, mix, smoothstep
from portraits.people.traits import Outfit
from portraits.shape.mesh import grid_triangles


class ClothPiece(IntEnum):
    """A piece of cloth: the last number of an anchor."""

    BODY = 0
    COLLAR = 1
    LAPEL = 2
    TURTLENECK = 3
    STRAP = 4
    SHIRT = 5
    SHIRT_COLLAR = 6


_HEM = np.array([0.0, 0.0, 0.035, 0.06, 0.12, 0.25, 0.45, 0.7, 1.0, 1.01])
"""Rows of a piece of cloth, from its edge down, as shares of the way to the end."""

_RIM = np.array([-0.02, 0.8, 1.0, 0.9, 0.8, 0.9, 1.0, 1.0, 1.0, 1.0])
"""Distance of each row from the skin; the first is under the skin, so the edge looks thick."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One or more pieces of cloth: n points, each with its coordinates on the `Torso`."""

    angle: Array
    """(n,)"""
    level: Array
    """(n,)"""
    lift: Array
    """(n,), distance of the cloth from the skin."""
    shift: Array
    """(n, 3), to be added to the points."""
    anchor: Array
    """(n, 3)"""
    occlusion: Array
    """(n,)"""
    triangles: Array
    """int (m, 3)"""


def edge_of(outfit: Outfit) -> str:
    """Name the edge that is nearest to the throat, as `edge_level` does."""
    if outfit.neckline in ("shirt", "suit"):
        return "buttoned" if outfit.tied else "open"
    return "crew" if outfit.neckline == "turtleneck" else outfit.neckline


@cache
def _columns() -> Array:
    """Make angles (53,) around the body, denser in front."""
    share = np.linspace(-1, 1, 53)
    return np.pi * (0.4 * share + 0.6 * share**3)


def edge_level(neckline: str, angle: Array) -> Array:
    """Compute the level of the upper edge of cloth at angles around the body."""
    front = np.abs(angle)
    if neckline == "v":
        return 0.42 + 0.55 * clip01(1 - front / 1.15) ** 1.2
    if neckline == "scoop":
        return 0.62 + 0.30 * smoothstep(1.7, 0.2, front) - 0.06 * smoothstep(1.6, 2.2, front)
    if neckline == "straps":
        return 0.97 - 0.12 * smoothstep(0.8, 1.5, front)
    if neckline == "suit":
        return 0.44 + 0.58 * clip01((1.25 - front) / 0.95) ** 1.1
    if neckline == "open":
        return 0.30 + 0.62 * clip01(1 - front / 0.75)
    if neckline == "buttoned":
        return np.full_like(front, 0.25)
    return 0.42 + 0.08 * smoothstep(0.9, 0.0, front)


@cache
def pattern(neckline: str, tie: bool) -> Pattern:
    """Make all pieces of one outfit, but for the tie."""
    if neckline == "straps":
        return _sewn(_cloth("straps", 0.03), _strap(1), _strap(-1))
    if neckline == "turtleneck":
        return _sewn(_cloth("crew", 0.03), _turtleneck())
    throat = "buttoned" if tie else "open"
    if neckline == "shirt":
        return _sewn(_cloth(throat, 0.03), _collar(tie, ClothPiece.COLLAR))
    if neckline == "suit":
        return _sewn(
            _cloth(throat, 0.03, ClothPiece.SHIRT),
            _cloth("suit", 0.07),
            _lapel(1),
            _lapel(-1),
            _collar(tie, ClothPiece.SHIRT_COLLAR),
        )
    return _sewn(_cloth(neckline, 0.045))


def _sewn(*pieces: Pattern) -> Pattern:
    """Join several pieces."""
    starts = np.cumsum([0] + [len(piece.angle) for piece in pieces[:-1]])
    columns = ("angle", "level", "lift", "shift", "anchor", "occlusion")
    return Pattern(
        *(np.concatenate([getattr(piece, name) for piece in pieces]) for name in columns),
        np.concatenate([p.triangles + start for p, start in zip(pieces, starts, strict=True)]),
    )


def _piece(
    angle: Array,
    level: Array,
    lift: Array,
    edge: float | Array,
    kind: ClothPiece,
    tucked: Array,
    shift_x: Array | float = 0.0,
    shift_y: Array | float = 0.0,
    mirrored: bool = False,
) -> Pattern:
    """Make a piece that is a grid of points.

    Args:
        angle: this, `level`, `lift`, `edge` and the shifts are broadcast to (rows, columns).
            Where the columns go down, the rows go from right to left.
        edge: distance from the upper or outer edge.
        tucked: bool (columns,), which columns are out of sight.
        mirrored: whether the rows go from left to right instead.
    """
    values = (angle, level, lift, edge, shift_x, shift_y, 1 - 0.25 * tucked)
    angle, level, lift, edge, shift_x, shift_y, occlusion = np.broadcast_arrays(*values)
    triangles = grid_triangles(*angle.shape)
    zero = 0 * edge
    return Pattern(
        angle.ravel(),
        level.ravel(),
        lift.ravel(),
        np.stack([shift_x, shift_y, zero], -1).reshape(-1, 3),
        np.stack([angle, edge, zero + kind], -1).reshape(-1, 3),
        occlusion.ravel(),
        triangles[:, ::-1] if mirrored else triangles,
    )


def _cloth(neckline: str, thickness: float, kind: ClothPiece = ClothPiece.BODY) -> Pattern:
    """Make cloth from its edge to below the picture."""
    angle = _columns()[:, None]
    edge = edge_level(neckline, angle)
    level = edge + (1 - edge) * _HEM
    tucked = _RIM < 0
    padding = 0.03 * smoothstep(0.6, 0.8, level) * smoothstep(0.9, 1.4, np.abs(angle))
    beyond = _HEM > 1  # on the upper arms, beyond the torso
    return _piece(
        angle,
        level,
        thickness * _RIM + padding * ~tucked,
        np.maximum(level - edge, 0) + 0.001,
        kind,
        tucked,
        shift_x=0.8 * np.sin(angle) * beyond,
        shift_y=-0.3 * beyond,
        mirrored=True,
    )


def _turtleneck() -> Pattern:
    """Make a rolled collar that stands around the neck."""
    # a section of the roll: up inside, over, and down outside
    level = np.array([0.15, 0.0, 0.0, 0.0, 0.2, 0.40, 0.50, 0.50])
    rise = np.array([0.0, 0.05, 0.09, 0.06, 0.0, 0.0, 0.0, 0.01])
    lift = np.array([0.0, 0.02, 0.055, 0.09, 0.10, 0.10, 0.09, 0.0])
    edge = np.linspace(0, 0.4, len(level))
    angle = _columns()[:, None]
    kind = ClothPiece.TURTLENECK
    return _piece(angle, level, lift, edge, kind, lift < 0.03, shift_y=rise, mirrored=True)


def _collar(closed: bool, kind: ClothPiece) -> Pattern:
    """Make a shirt's collar: it stands around the neck and folds over to two points."""
    gap, spread = (0.10, 0.62) if closed else (0.42, 0.95)
    top, bottom = (0.0, 0.34) if closed else (0.05, 0.40)
    share = np.linspace(-1, 1, 42)[:, None]
    front = np.abs(share)  # near 0 in the middle of the back, 1 at the points
    fold = np.array([0.0, 0.0, 0.0, 0.25, 0.6, 1.0, 1.0])  # stand, then flap
    lift = np.array([0.0, 0.03, 0.06, 0.08, 0.09, 0.09, 0.04])
    tucked = lift < 0.05
    point = smoothstep(0.75, 1.0, front)
    angle = np.sign(share) * mix(np.pi, mix(gap, spread, fold), front)
    level = mix(top, bottom + 0.24 * point, fold) + 0.2 * (lift == 0)
    rise = 0.07 * (1 - fold) * (1 - 0.6 * front**2)
    return _piece(angle, level, lift, 0.3 * (1 - fold), kind, tucked, shift_y=rise)


def _lapel(side: int) -> Pattern:
    """Make a lapel: one side of a suit's collar, folded outwards along the edge."""
    along = np.linspace(0, 1, 26)[:, None]  # from the back of the neck to the chest
    across = np.array([0.0, 0.0, 0.3, 0.7, 1.0, 1.0])
    lift = np.array([0.03, 0.09, 0.12, 0.13, 0.13, 0.04]) * (0.6 + 0.4 * along)
    tucked = np.array([1, 0, 0, 0, 0, 1]) > 0
    inner = mix(3.1, 0.36, along**0.8)
    notch = 1 - 0.45 * smoothstep(0.05, 0.0, np.abs(along - 0.70))
    width = 0.20 * smoothstep(0.0, 0.5, along) * notch + 0.05
    angle = inner + across * width * 1.5 * along
    level = edge_level("suit", inner) + across * width * (1.25 - 0.4 * along)
    return _piece(
        side * angle, level, lift, 1 - across, ClothPiece.LAPEL, tucked, mirrored=side < 0
    )


def _strap(side: int) -> Pattern:
    """Make a narrow strap over one shoulder."""
    along = np.linspace(0, 1, 20)[:, None]
    across = np.array([-1.0, -1.0, 0.0, 1.0, 1.0])
    lift = np.array([-0.01, 0.03, 0.035, 0.03, -0.01])
    angle = side * (mix(0.62, 2.5, along) + 0.05 * across)
    level = 0.98 - 0.32 * np.sin(np.pi * along**0.9) ** 0.7 + 0.03 * across * (along < 0.8)
    edge = np.float64(0.3)
    return _piece(angle, level, lift, edge, ClothPiece.STRAP, lift < 0, mirrored=side > 0)
