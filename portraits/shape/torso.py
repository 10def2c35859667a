"""The torso: neck, shoulders and chest as a surface with two coordinates, to lay clothes on."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from groundwork.compiled import compiled
from portraits.maths import Array, smoothstep
from portraits.shape.head import head_stiffness, load_head, vertices_of
from portraits.shape.mesh import Material

_AXIS_Z = -1.0  # z of the vertical axis through neck and chest
_LEVELS, _ANGLES = 26, 48


@dataclass(frozen=True, slots=True)
class Torso:
    """The torso of one person, as a grid of points.

    Its coordinates are angle and level. The angle goes around the body in radians: 0 in front,
    positive to the right in the picture. The level goes down: 0 below the chin, about 0.35 where
    the neck meets the shoulders, 1 on the upper arms and the chest, below the picture.
    """

    grid: Array
    """float32 (levels, angles, 7): position, normal, stiffness (see `Mesh`)."""

    @classmethod
    def of(cls, vertices: Array) -> "Torso":
        """Build it from the vertices (n, 3) of a head."""
        corners, weights, normals, stiffness = _rays()
        return cls(_grid(vertices, corners, weights, normals, stiffness))

    def at(self, angle: Array, level: Array, lift: Array | float = 0.0) -> tuple[Array, Array]:
        """Find points (n, 3) at a distance `lift` (n,) from the surface, and their stiffness."""
        lift = np.broadcast_to(np.float32(lift), angle.shape)
        return _sample(self.grid, angle, level, lift)


@compiled()
def _grid(vertices, corners, weights, normals, stiffness):
    levels, angles = stiffness.shape
    grid = np.zeros((levels, angles, 7), np.float32)
    for i in range(levels):
        for j in range(angles):
            for c in range(3):
                for k in range(3):
                    grid[i, j, k] += vertices[corners[i, j, c], k] * weights[i, j, c]
            for k in range(3):
                grid[i, j, 3 + k] = normals[i, j, k]
            grid[i, j, 6] = stiffness[i, j]
    return grid


@compiled()
def _sample(grid, angle, level, lift):
    """Interpolate bilinearly in the grid at n coordinates."""
    levels, angles, _ = grid.shape
    points, stiffness = np.empty((len(angle), 3), np.float32), np.empty(len(angle), np.float32)
    for i in range(len(angle)):
        column = (angle[i] / (2 * np.pi) + 0.5) % 1 * angles
        row = min(max(level[i], 0.0), 1.0) * (levels - 1)
        left, above = int(column), min(int(row), levels - 2)
        u, v = column - left, row - above
        left, right = left % angles, (left + 1) % angles
        a, b = (1 - u) * (1 - v), u * (1 - v)
        c, d = (1 - u) * v, u * v
        p, q = grid[above, left], grid[above, right]
        r, s = grid[above + 1, left], grid[above + 1, right]
        for k in range(3):
            points[i, k] = a * p[k] + b * q[k] + c * r[k] + d * s[k]
            normal = a * p[k + 3] + b * q[k + 3] + c * r[k + 3] + d * s[k + 3]
            points[i, k] += normal * lift[i]
        stiffness[i] = a * p[6] + b * q[6] + c * r[6] + d * s[6]
    return points, stiffness


@cache
def coordinates() -> tuple[Array, Array, Array]:
    """Find the head's vertices on the torso: indices (k,), angles (k,), levels (k,)."""
    head = load_head()
    corners, weights, *_ = _rays()
    grid = (head.rest[corners] * weights[..., None]).sum(-2).reshape(-1, 3)
    skin = vertices_of(Material.SKIN)
    x, y, z = head.rest[skin].T
    skin = skin[(y < -1.05) & (y > -2.6) & ((z < -0.35) | (y < -1.4))]
    distance = ((head.rest[skin][:, None] - grid) ** 2).sum(-1)
    x, _, z = head.rest[skin].T
    return skin, np.arctan2(x, z - _AXIS_Z), distance.argmin(1) // _ANGLES / (_LEVELS - 1)


@cache
def _rays() -> tuple[Array, Array, Array, Array]:
    """Find where rays from the body's axis meet the skin of the average head.

    Returns:
        Vertex indices and weights (levels, angles, 3) of the triangles met, the normals
        (levels, angles, 3) and the stiffness (levels, angles) there.
    """
    head = load_head()
    low = (head.part == Material.SKIN) & (head.rest[head.triangles, 1] < -1.1).all(1)
    triangles = head.triangles[low]
    origin, direction = _cones()
    met, u, v = _meet(origin, direction, head.rest, triangles)
    weights = np.stack([1 - u - v, u, v], -1)
    shape = (_LEVELS, _ANGLES, 3)
    corners, weights = triangles[met].reshape(shape), weights.reshape(shape)
    normals = (head.normals[corners] * weights[..., None]).sum(-2)
    normals[..., 1] /= 0.6  # a shorter neck has flatter shoulders
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    stiffness = (head_stiffness()[corners] * weights).sum(-1)
    return corners, weights, normals, stiffness


@compiled()
def _meet(origin, direction, vertices, triangles):
    """Find the nearest triangle (n,) on each ray (n, 3), and its weights u, v (n,) there."""
    n = len(origin)
    met, u, v = np.zeros(n, np.int64), np.zeros(n, np.float32), np.zeros(n, np.float32)
    for i in range(n):
        nearest = np.inf
        dx, dy, dz = direction[i]
        for k in range(len(triangles)):  # Möller and Trumbore's intersection
            x0, y0, z0 = vertices[triangles[k, 0]]
            x1, y1, z1 = vertices[triangles[k, 1]]
            x2, y2, z2 = vertices[triangles[k, 2]]
            x1, y1, z1, x2, y2, z2 = x1 - x0, y1 - y0, z1 - z0, x2 - x0, y2 - y0, z2 - z0
            px, py, pz = dy * z2 - dz * y2, dz * x2 - dx * z2, dx * y2 - dy * x2
            scale = 1 / (x1 * px + y1 * py + z1 * pz + 1e-12)
            x0, y0, z0 = origin[i, 0] - x0, origin[i, 1] - y0, origin[i, 2] - z0
            a = (x0 * px + y0 * py + z0 * pz) * scale
            qx, qy, qz = y0 * z1 - z0 * y1, z0 * x1 - x0 * z1, x0 * y1 - y0 * x1
            b = (dx * qx + dy * qy + dz * qz) * scale
            far = (x2 * qx + y2 * qy + z2 * qz) * scale
            if a > -1e-4 and b > -1e-4 and a + b < 1.0001 and 0.1 < far < nearest:
                nearest = far
                met[i], u[i], v[i] = k, a, b
    return met, u, v


def _cones() -> tuple[Array, Array]:
    """Make the rays: origins and directions (levels * angles, 3), first level, then rising.

    Rising rays meet the shoulders, which are nearly level, at a clear angle.
    """
    level = np.linspace(0, 1, _LEVELS)[:, None]
    angle = (np.arange(_ANGLES) / _ANGLES - 0.5)[None, :] * 2 * np.pi
    lower = np.maximum(level - 0.3, 0) / 0.7
    height = -1.28 - 0.22 * np.minimum(level / 0.3, 1) - 1.22 * lower
    rise = 0.5 * smoothstep(0, 0.4, lower)
    direction = np.stack(np.broadcast_arrays(np.sin(angle), rise, np.cos(angle)), -1)
    origin = np.stack(np.broadcast_arrays(0 * angle, height, 0 * angle + _AXIS_Z), -1)
    return origin.reshape(-1, 3).astype(np.float32), direction.reshape(-1, 3).astype(np.float32)
