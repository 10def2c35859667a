"""Hats: their shape, and the hair pressed inside.

A hat stands on a ring around the skull. The anchors of its vertices are the angle around the head,
the height (0 at the edge, 1 on top; on a brim 0 inside, 1 outside) and the `HatPiece`.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from portraits.maths import Array, bell, smoothstep
from portraits.people.traits import Traits
from portraits.shape.head import Landmarks
from portraits.shape.mesh import Material, Mesh, grid_triangles, part


class HatPiece(IntEnum):
    """A piece of a hat: the last number of an anchor."""

    CROWN = 0
    CUFF = 1
    BRIM = 2
    UNDER_BRIM = 3


@dataclass(frozen=True, slots=True)
class _HatShape:
    """The shape of a hat: its distance from the skull, and a section from its edge to its top."""

    ease: float
    """Distance of the edge from the skull."""
    above: float
    """Height of the top above the crown."""
    heights: tuple[float, ...]
    """Of the section: 0 at the edge to 1 at the top."""
    radii: tuple[float, ...]
    """Of the section: 1 at the edge to 0 in the middle."""


def _dome(exponent: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Make the heights and radii of a section that is a superellipse."""
    turn = np.linspace(0, np.pi / 2, 11)
    heights, radii = np.sin(turn) ** (2 / exponent), np.cos(turn) ** (2 / exponent)
    return tuple(heights.tolist()), tuple(radii.tolist())


_SHAPES = {
    "beanie": _HatShape(0.10, 0.20, *_dome(2.3)),
    "cap": _HatShape(0.08, 0.18, *_dome(2.5)),
    "sun_hat": _HatShape(0.09, 0.16, *_dome(2.7)),
    "fedora": _HatShape(
        0.09,
        0.34,
        (0.0, 0.12, 0.22, 0.24, 0.50, 0.78, 0.92, 0.99, 1.0, 0.97, 0.95),
        (1.0, 1.0, 0.99, 0.97, 0.93, 0.88, 0.83, 0.74, 0.55, 0.28, 0.0),
    ),
}
_BRIMS = {"cap": 0.60, "fedora": 0.42, "sun_hat": 0.62}


def hat_edge(azimuth: Array) -> Array:
    """Compute the height of a hat's lower edge on the average head."""
    return 0.46 - 0.11 * (1 - np.cos(azimuth))


def lift_under_hat(lift: Array, above: Array) -> Array:
    """Limit how far hair lifts the surface under a hat.

    Args:
        lift: (n,) how far it does without a hat.
        above: (n,) height above the hat's edge.
    """
    return lift + (np.minimum(lift, 0.03) - lift) * smoothstep(-0.12, 0.0, above)


def hat_meshes(person: Traits, marks: Landmarks) -> list[Mesh]:
    """Make the hat, if one is worn."""
    hat = person.outfit.hat
    if hat == "none":
        return []
    meshes = [_crown(hat, marks)]
    if hat == "beanie":
        meshes.append(_cuff(marks))
    else:
        meshes.append(_brim(person, marks))
    return meshes


def pressed(mesh: Mesh, marks: Landmarks, hat: str) -> Mesh:
    """Push all of a mesh that is above the hat's edge inside the hat."""
    x, y, z = mesh.vertices.T
    z = z - marks.center_z
    edge = _edge(marks, np.arctan2(x, z))
    inside = smoothstep(-0.22, -0.02, y - edge)
    rx, rz = (radius - 0.03 for radius in _ring(marks, hat))
    height = marks.top + 0.5 * _SHAPES[hat].above - 0.3
    up = np.maximum(y - 0.3, 0) / height
    beyond = np.sqrt((x / rx) ** 2 + (z / rz) ** 2 + up**2)
    scale = 1 + inside * (np.minimum(1, 0.97 / (beyond + 1e-6)) - 1)
    vertices = np.stack(
        [x * scale, np.where(y > 0.3, 0.3 + (y - 0.3) * scale, y), marks.center_z + z * scale], -1
    )
    return Mesh(
        vertices.astype(np.float32),
        mesh.triangles,
        mesh.material,
        mesh.anchor,
        mesh.occlusion,
        mesh.stiffness,
    )


def _edge(marks: Landmarks, azimuth: Array) -> Array:
    """Compute the height of the hat's lower edge on this head."""
    return hat_edge(azimuth) * (0.4 + 0.6 * marks.top / 1.2) + 0.06


def _ring(marks: Landmarks, hat: str) -> tuple[float, float]:
    """Compute half the width and half the depth of a hat at its edge."""
    ease = _SHAPES[hat].ease
    return marks.half_width + ease, marks.half_depth + ease


def _crown(hat: str, marks: Landmarks) -> Mesh:
    """Make the hat without its brim."""
    cut = _SHAPES[hat]
    height = np.array(cut.heights)
    angle, radius = np.meshgrid(np.linspace(-np.pi, np.pi, 45), cut.radii, indexing="ij")
    rx, rz = _ring(marks, hat)
    edge = _edge(marks, angle)
    x, z = rx * radius * np.sin(angle), rz * radius * np.cos(angle)
    y = edge + (marks.top + cut.above - edge) * height
    if hat == "fedora":
        high = smoothstep(0.45, 1.0, height)
        front = smoothstep(0.1, 1.0, np.cos(angle))
        x = x * (1 - 0.32 * high * front)
        y = y - 0.24 * bell(x, 0.20) * high**2 - 0.10 * high * front
    anchor = np.stack(np.broadcast_arrays(angle, height, float(HatPiece.CROWN)), -1)
    return _sheet(np.stack([x, y, marks.center_z + z], -1), anchor)


def _cuff(marks: Landmarks) -> Mesh:
    """Make the rolled edge of a beanie."""
    angle = np.linspace(-np.pi, np.pi, 45)[:, None]
    rise = np.array([0.0, -0.08, -0.10, -0.06, 0.06, 0.18, 0.24, 0.24])
    out = np.array([-0.05, -0.01, 0.03, 0.065, 0.08, 0.07, 0.035, -0.06])
    rx, rz = _ring(marks, "beanie")
    y = _edge(marks, angle) + rise
    points = np.stack(
        np.broadcast_arrays(
            (rx + out) * np.sin(angle), y, marks.center_z + (rz + out) * np.cos(angle)
        ),
        -1,
    )
    anchor = np.stack(np.broadcast_arrays(angle, rise, float(HatPiece.CUFF)), -1)
    return _sheet(points, anchor)


def _brim(person: Traits, marks: Landmarks) -> Mesh:
    """Make the brim, or the visor of a cap; its inner edge is inside the crown."""
    hat = person.outfit.hat
    reach = 1.12 if hat == "cap" else np.pi
    angle = np.linspace(-reach, reach, 49)[:, None]
    out = np.array([-0.1, 0.2, 0.5, 0.8, 1.0, 1.0, 0.8, 0.5, 0.2, -0.1])  # below, then above
    thick = np.array([0.0] * 5 + [0.022] * 5)
    rx, rz = _ring(marks, hat)
    width, droop = _brim_shape(person, angle, out)
    sideways = 0.30 if hat == "cap" else 1.0
    x = (rx + sideways * width * out) * np.sin(angle)
    z = marks.center_z + (rz + width * out) * np.cos(angle)
    y = _edge(marks, angle) + (0.06 if hat == "cap" else 0.01) - droop + thick
    piece = np.where(thick > 0, float(HatPiece.BRIM), float(HatPiece.UNDER_BRIM))
    anchor = np.stack(np.broadcast_arrays(angle, np.maximum(out, 0), piece), -1)
    return _sheet(np.stack(np.broadcast_arrays(x, y, z), -1), anchor)


def _brim_shape(person: Traits, angle: Array, out: Array) -> tuple[Array, Array]:
    """Compute the width of a brim, and how far it bends down from 0 inside to 1 outside."""
    hat = person.outfit.hat
    width = _BRIMS[hat]
    if hat == "cap":
        return (
            width * np.maximum(np.cos(angle / 1.12 * np.pi / 2), 0) ** 0.5,
            (0.06 * out + 0.24 * out * out) * np.maximum(np.cos(angle * 1.4), 0)
            + 0.07 * angle**2 * np.maximum(out, 0),
        )
    squared = out * np.abs(out)
    if hat == "fedora":
        up = 0.20 * np.sin(angle) ** 2 + 0.12 * smoothstep(0.2, -1.0, np.cos(angle))
        return width + 0 * angle, 0.05 * out + (0.12 - up) * squared
    wave = 0.06 * np.sin(3 * angle + 6 * person.strands.phase[5])
    return width + 0 * angle, 0.04 * out + (0.17 - wave) * squared


def _sheet(points: Array, anchor: Array) -> Mesh:
    """Make a mesh of a grid of points (rows, columns, 3)."""
    rows, columns, _ = points.shape
    return part(
        points.reshape(-1, 3), grid_triangles(rows, columns), Material.HAT, anchor.reshape(-1, 3)
    )
