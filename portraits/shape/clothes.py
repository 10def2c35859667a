"""Clothes on one person's torso, and a tie."""

from functools import cache

import numpy as np

from portraits.maths import Array, smoothstep
from portraits.people.traits import Traits
from portraits.shape.mesh import Material, Mesh, grid_triangles, part
from portraits.shape.patterns import edge_level, edge_of, pattern
from portraits.shape.torso import Torso, coordinates


def clothes_meshes(person: Traits, torso: Torso) -> list[Mesh]:
    """Make all clothes."""
    outfit = person.outfit
    cut = pattern(outfit.neckline, outfit.tied)
    points, stiffness = torso.at(cut.angle, cut.level, cut.lift)
    points += cut.shift
    cloth = part(points, cut.triangles, Material.CLOTH, cut.anchor, cut.occlusion, stiffness)
    return [cloth, _tie(torso)] if outfit.tied else [cloth]


def _tie(torso: Torso) -> Mesh:
    """Make a tie, knot and blade: a strip that bulges towards the viewer."""
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
    return part(
        points.reshape(-1, 3),
        grid_triangles(*points.shape[:2]),
        Material.TIE,
        anchor.reshape(-1, 3),
        stiffness=np.repeat(stiffness, len(across)),
    )


def shaded_skin(person: Traits, occlusion: Array) -> Array:
    """Darken the skin next to the cloth: change the head's occlusion (n,)."""
    vertices, open_sky = _skin_above(edge_of(person.outfit))
    occlusion = occlusion.copy()
    occlusion[vertices] *= open_sky
    return occlusion


@cache
def _skin_above(edge: str) -> tuple[Array, Array]:
    """Find the vertices (k,) of the torso, and the factors (k,) of their occlusion."""
    vertices, angle, level = coordinates()
    shade = 1 - 0.45 * smoothstep(0.30, 0.02, edge_level(edge, angle) - level)
    return vertices, shade.astype(np.float32)
