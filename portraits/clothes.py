"""The shape of what is worn below the chin: cloth on the torso, collars, lapels and ties.

Pieces are grids laid on the `Torso`. Their anchors carry what the colours depend on: the angle
around the body, the distance from the upper or outer edge (in levels), and which `Piece` it is.
"""

from enum import IntEnum
from functools import cache

import numpy as np

from portraits.maths import Array, clip01, mix, smoothstep
from portraits.mesh import Material, Mesh, grid_triangles, part
from portraits.torso import Torso, coordinates
from portraits.traits import Outfit, Traits


class Piece(IntEnum):
    """The last number of an anchor."""

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
"""How far each row stands off the skin: the first is tucked in, so the edge looks thick."""


def clothes_meshes(person: Traits, torso: Torso) -> list[Mesh]:
    """All pieces of clothing."""
    neckline = person.outfit.neckline
    if neckline == "straps":
        return [_cloth(torso, _edge(neckline), 0.03), _strap(torso, 1), _strap(torso, -1)]
    if neckline == "turtleneck":
        return [_cloth(torso, _edge("crew"), 0.03), _turtleneck(torso)]
    if neckline == "shirt":
        meshes = [_cloth(torso, _edge(edge_of(person.outfit)), 0.03), _collar(torso, person)]
    elif neckline == "suit":
        meshes = [
            _cloth(torso, _edge(edge_of(person.outfit)), 0.03, Piece.SHIRT, 0.05),
            _cloth(torso, _edge("suit"), 0.07),
            _lapel(torso, 1),
            _lapel(torso, -1),
            _collar(torso, person),
        ]
    else:
        return [_cloth(torso, _edge(neckline), 0.045)]
    return [*meshes, _tie(torso)] if person.outfit.tie else meshes


def edge_of(outfit: Outfit) -> str:
    """The edge nearest to the throat, as `edge_level` names it."""
    if outfit.neckline in ("shirt", "suit"):
        return "buttoned" if outfit.tie else "open"
    return "crew" if outfit.neckline == "turtleneck" else outfit.neckline


@cache
def _columns() -> Array:
    """Angles (53,) around the body, closer to each other in front."""
    share = np.linspace(-1, 1, 53)
    return np.pi * (0.4 * share + 0.6 * share**3)


def edge_level(neckline: str, angle: Array) -> Array:
    """Level of the upper edge of the cloth at angles around the body."""
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
def _edge(neckline: str) -> Array:
    return edge_level(neckline, _columns())


def _cloth(
    torso: Torso, edge: Array, thickness: float, piece: Piece = Piece.BODY, reach: float = 0.0
) -> Mesh:
    """Cloth from its edge, at levels (53,), to below the picture."""
    angle = np.repeat(_columns()[:, None], len(_HEM), 1)
    level = edge[:, None] + (1 - edge[:, None]) * _HEM
    shoulder = 0.03 * smoothstep(0.6, 0.8, level) * smoothstep(0.9, 1.4, np.abs(angle))
    points, stiffness = torso.at(angle, level, thickness * _RIM + shoulder * (_RIM > 0))
    beyond = _HEM > 1  # over the upper arms, which the torso does not reach
    points[:, beyond, 0] += 0.8 * np.sin(angle[:, beyond])
    points[:, beyond, 1] -= 0.3
    inside = np.maximum(level - edge[:, None], 0) + 0.001
    return _grid(
        points, stiffness, np.stack([angle, inside, 0 * angle + piece], -1), _HEM, mirrored=True
    )


def _grid(
    points: Array,
    stiffness: Array,
    anchor: Array,
    down: Array,
    material: Material = Material.CLOTH,
    mirrored: bool = False,
) -> Mesh:
    """A piece of cloth.

    Args:
        points: (rows, columns, 3), the rows from right to left if seen with the columns downwards.
        stiffness: (rows, columns).
        anchor: (rows, columns, 3).
        down: (columns,), 0 in those that are tucked in.
        mirrored: whether the rows go from left to right.
    """
    rows, columns, _ = points.shape
    triangles = grid_triangles(rows, columns)
    occlusion = np.broadcast_to(0.75 + 0.25 * (down > 0), (rows, columns))
    return part(
        points.reshape(-1, 3),
        triangles[:, ::-1] if mirrored else triangles,
        material,
        anchor.reshape(-1, 3),
        occlusion.ravel(),
        stiffness.ravel(),
    )


def _turtleneck(torso: Torso) -> Mesh:
    """A rolled collar that stands around the neck."""
    # a section through the roll: up inside, over, and down outside
    level = np.array([0.15, 0.0, 0.0, 0.0, 0.2, 0.40, 0.50, 0.50])
    rise = np.array([0.0, 0.05, 0.09, 0.06, 0.0, 0.0, 0.0, 0.01])
    lift = np.array([0.0, 0.02, 0.055, 0.09, 0.10, 0.10, 0.09, 0.0])
    angle = np.repeat(_columns()[:, None], len(level), 1)
    points, stiffness = torso.at(angle, np.broadcast_to(level, angle.shape), lift)
    points[..., 1] += rise
    down = np.array([0, 0, 1, 1, 1, 1, 1, 0])
    inside = np.linspace(0, 0.4, len(level)) + 0 * angle
    anchor = np.stack([angle, inside, 0 * angle + Piece.TURTLENECK], -1)
    return _grid(points, stiffness, anchor, down, mirrored=True)


def _collar(torso: Torso, person: Traits) -> Mesh:
    """A shirt's collar: it stands around the neck and folds over into two points."""
    closed = person.outfit.tie
    gap, spread = (0.10, 0.62) if closed else (0.42, 0.95)
    top, bottom = (0.0, 0.34) if closed else (0.05, 0.40)
    share = np.linspace(-1, 1, 42)[:, None]
    front = np.abs(share)  # near 0 in the middle of the back, 1 at the points
    fold = np.array([0.0, 0.0, 0.0, 0.25, 0.6, 1.0, 1.0])  # stand, then flap
    lift = np.array([0.0, 0.03, 0.06, 0.08, 0.09, 0.09, 0.04])
    point = smoothstep(0.75, 1.0, front)
    angle = np.sign(share) * mix(np.pi, mix(gap, spread, fold), front)
    level = mix(top, bottom + 0.24 * point, fold) + (0.2 * (np.arange(7) == 0))
    points, stiffness = torso.at(angle, level, lift)
    points[..., 1] += 0.07 * (1 - fold) * (1 - 0.6 * front**2)
    down = np.array([0, 0, 1, 1, 1, 1, 0])
    outer = np.maximum(1 - fold, 0) * 0.3
    is_shirt = Piece.SHIRT_COLLAR if person.outfit.neckline == "suit" else Piece.COLLAR
    anchor = np.stack(np.broadcast_arrays(angle, outer, float(is_shirt)), -1)
    return _grid(points, stiffness, anchor, down)


def _lapel(torso: Torso, side: int) -> Mesh:
    """One side of a suit's collar, folded outwards along the edge of the jacket."""
    along = np.linspace(0, 1, 26)[:, None]  # from the nape down to the chest
    across = np.array([0.0, 0.0, 0.3, 0.7, 1.0, 1.0])
    lift = np.array([0.03, 0.09, 0.12, 0.13, 0.13, 0.04])
    inner = mix(3.1, 0.36, along**0.8)
    notch = 1 - 0.45 * smoothstep(0.05, 0.0, np.abs(along - 0.70))
    width = 0.20 * smoothstep(0.0, 0.5, along) * notch + 0.05
    angle = inner + across * width * 1.5 * along
    level = edge_level("suit", inner) + across * width * (1.25 - 0.4 * along)
    points, stiffness = torso.at(side * angle, level, lift)
    anchor = np.stack(np.broadcast_arrays(angle, 1 - across, float(Piece.LAPEL)), -1)
    return _grid(points, stiffness, anchor, np.array([0, 1, 1, 1, 1, 0]), mirrored=side < 0)


def _strap(torso: Torso, side: int) -> Mesh:
    """A narrow strap over one shoulder."""
    along = np.linspace(0, 1, 20)[:, None]
    across = np.array([-1.0, -1.0, 0.0, 1.0, 1.0])
    lift = np.array([-0.01, 0.03, 0.035, 0.03, -0.01])
    angle = mix(0.62, 2.5, along) + 0.05 * across
    level = 0.98 - 0.32 * np.sin(np.pi * along**0.9) ** 0.7 + 0.03 * across * (along < 0.8)
    points, stiffness = torso.at(side * angle, level, lift)
    anchor = np.stack(np.broadcast_arrays(angle, 0.3 + 0 * across, float(Piece.STRAP)), -1)
    return _grid(points, stiffness, anchor, np.array([0, 1, 1, 1, 0]), mirrored=side > 0)


def _tie(torso: Torso) -> Mesh:
    """A knot at the throat and the blade below it: a strip bulging towards the viewer."""
    down = np.array([0.0, 0.02, 0.08, 0.16, 0.20, 0.205, 0.26, 0.36, 0.5, 0.7])[:, None]
    half_width = np.interp(
        down, [0, 0.02, 0.20, 0.205, 0.3, 0.7], [0.10, 0.13, 0.08, 0.07, 0.10, 0.15]
    )
    bulge = np.interp(down, [0, 0.02, 0.1, 0.2, 0.205, 0.7], [0.04, 0.09, 0.12, 0.08, 0.05, 0.04])
    across = np.linspace(-1, 1, 7)
    spine, stiffness = torso.at(np.zeros(26), np.linspace(0.1, 1, 26), 0.07)
    height = spine[0, 1] + 0.03 - down
    points = np.empty((len(down), len(across), 3))
    points[..., 0] = np.interp(-height, -spine[:, 1], spine[:, 0]) + across * half_width
    points[..., 1] = height
    points[..., 2] = np.interp(-height, -spine[:, 1], spine[:, 2])
    points[..., 2] += bulge * np.sqrt(1 - 0.9 * across**2)
    stiffness = np.interp(-height, -spine[:, 1], stiffness)
    anchor = np.stack(np.broadcast_arrays(across, down, 0.0), -1)
    stiffness = np.broadcast_to(stiffness, points.shape[:2])
    return _grid(points, stiffness, anchor, np.ones(len(across)), Material.TIE)


def shaded_skin(person: Traits, occlusion: Array) -> Array:
    """Darken the skin (n,) next to the cloth: the head's occlusion with that of the clothes."""
    vertices, open_sky = _skin_above(edge_of(person.outfit))
    occlusion = occlusion.copy()
    occlusion[vertices] *= open_sky
    return occlusion


@cache
def _skin_above(edge: str) -> tuple[Array, Array]:
    """Vertices (k,) of the torso, and how much light the cloth leaves them."""
    vertices, angle, level = coordinates()
    shade = 1 - 0.45 * smoothstep(0.30, 0.02, edge_level(edge, angle) - level)
    return vertices, shade.astype(np.float32)
