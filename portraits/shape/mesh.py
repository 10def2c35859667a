"""Triangle meshes: their data, joining them, and simple shapes."""

from dataclasses import dataclass
from enum import IntEnum
from functools import cache

import numpy as np

from groundwork.compiled import compiled
from portraits.maths import Array


class Material(IntEnum):
    """The material of a triangle; the first five are the parts of the head in head.npz."""

    SKIN = 0
    EYE_LEFT = 1
    EYE_RIGHT = 2
    TEETH_UPPER = 3
    TEETH_LOWER = 4
    HAIR = 5
    FRAME = 6
    HAT = 7
    JEWEL = 8
    NECKLACE = 9
    TIE = 10
    CLOTH = 11


EYES = (Material.EYE_LEFT, Material.EYE_RIGHT)
TEETH = (Material.TEETH_UPPER, Material.TEETH_LOWER)
SIDES = (1, -1)
"""Right and left in the picture, in the order of `EYES`."""


@dataclass(frozen=True, slots=True)
class Mesh:
    """Triangles, with the values that shading needs for each vertex or triangle.

    The unit is that of the MakeHuman base mesh (about 10 cm). The origin lies between the eyes.
    x points to the right in the picture (the person's left), y up, z towards the viewer.
    """

    vertices: Array
    """float32 (n, 3)."""
    triangles: Array
    """int (m, 3), indices of vertices."""
    material: Array
    """int (m,), one `Material` per triangle."""
    anchor: Array
    """float32 (n, 3): where colours look up their pattern. On the head it is the position on the
    average head, so lips, brows and hairline are in place on every head. Hair that hangs, hats
    and clothes have coordinates of their own; their modules describe them."""
    occlusion: Array
    """float32 (n,): the share of the sky that can be seen from there, 0 to 1."""
    stiffness: Array
    """float32 (n,): 1 where the vertex turns with the head, 0 where it stays with the body."""


def part(
    vertices: Array,
    triangles: Array,
    material: Material,
    anchor: Array | None = None,
    occlusion: Array | float = 1.0,
    stiffness: Array | float = 1.0,
) -> Mesh:
    """Make a mesh of one material; by default the anchors are the vertices."""
    n = len(vertices)
    vertices = vertices.astype(np.float32)
    return Mesh(
        vertices,
        triangles,
        np.full(len(triangles), material),
        vertices if anchor is None else anchor.astype(np.float32),
        np.broadcast_to(np.asarray(occlusion, np.float32), n),
        np.broadcast_to(np.asarray(stiffness, np.float32), n),
    )


def join(meshes: list[Mesh]) -> Mesh:
    """Join meshes into one; where surfaces touch, the later one is seen."""
    starts = np.cumsum([0] + [len(mesh.vertices) for mesh in meshes[:-1]])
    return Mesh(
        np.concatenate([mesh.vertices for mesh in meshes]),
        np.concatenate([m.triangles + start for m, start in zip(meshes, starts, strict=True)]),
        np.concatenate([mesh.material for mesh in meshes]),
        np.concatenate([mesh.anchor for mesh in meshes]),
        np.concatenate([mesh.occlusion for mesh in meshes]),
        np.concatenate([mesh.stiffness for mesh in meshes]),
    )


@compiled()
def vertex_normals(vertices: Array, triangles: Array) -> Array:
    """Compute unit normals (n, 3): sums of the adjacent triangles' normals, weighted by area."""
    normals = np.zeros_like(vertices)
    for i in range(len(triangles)):
        a, b, c = triangles[i, 0], triangles[i, 1], triangles[i, 2]
        x0, y0, z0 = vertices[a, 0], vertices[a, 1], vertices[a, 2]
        x1, y1, z1 = vertices[b, 0] - x0, vertices[b, 1] - y0, vertices[b, 2] - z0
        x2, y2, z2 = vertices[c, 0] - x0, vertices[c, 1] - y0, vertices[c, 2] - z0
        x, y, z = y1 * z2 - z1 * y2, z1 * x2 - x1 * z2, x1 * y2 - y1 * x2
        for corner in (a, b, c):
            normals[corner, 0] += x
            normals[corner, 1] += y
            normals[corner, 2] += z
    for i in range(len(normals)):
        x, y, z = normals[i, 0], normals[i, 1], normals[i, 2]
        length = np.sqrt(x * x + y * y + z * z) + np.float32(1e-9)
        for k in range(3):
            normals[i, k] /= length
    return normals


@cache
def grid_triangles(rows: int, columns: int, closed: bool = False) -> Array:
    """Make the triangles (m, 3) of a grid of vertices numbered row by row; don't change them.

    Args:
        closed: whether the last row joins the first.
    """
    i, j = np.meshgrid(np.arange(rows - 1 + closed), np.arange(columns - 1), indexing="ij")
    a = i * columns + j
    b = (i + 1) % rows * columns + j
    halves = [np.stack([a, b, b + 1], -1), np.stack([a, b + 1, a + 1], -1)]
    return np.concatenate([half.reshape(-1, 3) for half in halves])


def tube(path: Array, radius: float, closed: bool = False, sides: int = 5) -> tuple[Array, Array]:
    """Make a tube around a path (n, 3): vertices and triangles."""
    along = np.roll(path, -1, 0) - np.roll(path, 1, 0)
    if not closed:
        along[0] = path[1] - path[0]
        along[-1] = path[-1] - path[-2]
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    side = np.cross(along, [0.0, 0.0, 1.0] if closed else [0.0, 1.0, 0.0])
    side /= np.linalg.norm(side, axis=1, keepdims=True) + 1e-9
    up = np.cross(side, along)
    angle = np.arange(sides) * 2 * np.pi / sides
    cosine, sine = np.cos(angle)[None, :, None], np.sin(angle)[None, :, None]
    rings = path[:, None] + radius * (cosine * side[:, None] + sine * up[:, None])
    rings = np.concatenate([rings, rings[:, :1]], 1)
    return rings.reshape(-1, 3), grid_triangles(len(path), sides + 1, closed)


def ellipsoid(
    center: Array, radii: tuple[float, float, float], rows: int, columns: int
) -> tuple[Array, Array]:
    """Make an ellipsoid of `rows` meridians with `columns` points each: vertices and triangles."""
    longitude, latitude = np.meshgrid(
        np.linspace(0, 2 * np.pi, rows), np.linspace(0, np.pi, columns), indexing="ij"
    )
    unit = np.stack(
        [
            np.cos(longitude) * np.sin(latitude),
            np.cos(latitude),
            np.sin(longitude) * np.sin(latitude),
        ],
        -1,
    ).reshape(-1, 3)
    return np.asarray(center) + np.asarray(radii) * unit, grid_triangles(rows, columns)
