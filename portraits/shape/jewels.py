"""Earrings and necklaces."""

import numpy as np

from portraits.maths import Array, mix, smoothstep
from portraits.people.traits import Outfit, Traits
from portraits.shape.head import Landmarks
from portraits.shape.mesh import SIDES, Material, Mesh, ellipsoid, part, tube
from portraits.shape.patterns import edge_level, edge_of
from portraits.shape.torso import Torso

_LOWEST = {"chain": 0.60, "pearls": 0.46, "pendant": 0.52}
"""The level of a necklace on the `Torso`, in front."""


def earrings(person: Traits, marks: Landmarks) -> list[Mesh]:
    """Make a stud, a drop or a hoop for each ear lobe, if earrings are worn."""
    if not person.outfit.earrings:
        return []
    style, size = person.outfit.earring_style, person.outfit.earring_size
    meshes = []
    for lobe, side in zip(marks.lobes, SIDES, strict=True):
        lobe = lobe + np.array([side * 0.035, 0.0, 0.05])
        if style == "hoop":
            shapes = [_hoop(lobe, side, 0.11 + 0.08 * size)]
        elif style == "stud":
            radius = 0.062 + 0.03 * size
            shapes = [ellipsoid(lobe, (radius, radius, radius), 9, 6)]
        else:
            length, radius = 0.10 + 0.09 * size, 0.045 + 0.025 * size
            middle = lobe - np.array([0, 0.06 + length, 0])
            shapes = [
                ellipsoid(lobe, (0.04, 0.04, 0.04), 7, 5),
                tube(np.linspace(lobe, middle, 3), 0.018, sides=4),
                ellipsoid(middle, (radius, length, radius), 9, 7),
            ]
        meshes += [part(*shape, Material.JEWEL) for shape in shapes]
    return meshes


def _hoop(lobe: Array, side: int, radius: float) -> tuple[Array, Array]:
    """Make a ring, turned to be seen from the front: vertices and triangles."""
    angle = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    across = radius * np.sin(angle)
    circle = np.stack([side * 0.7 * across, radius * (np.cos(angle) - 1), 0.7 * across], -1)
    return tube(lobe + circle, 0.026, closed=True)


def necklaces(person: Traits, torso: Torso) -> list[Mesh]:
    """Make a chain, a string of pearls or a chain with a pendant, if a necklace is worn."""
    outfit = person.outfit
    if not outfit.necklace:
        return []
    path, stiffness = _around_neck(outfit, torso)
    if outfit.necklace_style == "pearls":
        return [_beads(path, stiffness, 0.042)]
    sides = 5
    chain = tube(path, 0.025, sides=sides)
    meshes = [part(*chain, Material.NECKLACE, stiffness=np.repeat(stiffness, sides + 1))]
    if outfit.necklace_style == "pendant":
        middle = len(path) // 2
        center = path[middle] + np.array([0, -0.08, 0.03])
        pendant = ellipsoid(center, (0.065, 0.09, 0.04), 9, 7)
        meshes.append(part(*pendant, Material.NECKLACE, stiffness=stiffness[middle]))
    return meshes


def _around_neck(outfit: Outfit, torso: Torso) -> tuple[Array, Array]:
    """Compute points (41, 3) from one side of the neck to the other, and their stiffness."""
    angle = np.linspace(-1.8, 1.8, 41)
    lowest = _LOWEST[outfit.necklace_style]
    level = mix(0.30, lowest, smoothstep(1.7, 0.0, np.abs(angle)))
    if outfit.neckline == "turtleneck":
        level = 0.60 + 0.10 * smoothstep(1.7, 0.0, np.abs(angle))
    on_cloth = smoothstep(-0.06, 0.0, level - edge_level(edge_of(outfit), angle))
    return torso.at(angle, level, 0.025 + 0.05 * on_cloth)


def _beads(path: Array, stiffness: Array, radius: float) -> Mesh:
    """Make beads side by side along a path (n, 3)."""
    step = np.sqrt((np.diff(path, axis=0) ** 2).sum(1))
    along = np.concatenate([[0.0], np.cumsum(step)])
    at = np.arange(radius, along[-1], 2.05 * radius)
    centers = np.stack([np.interp(at, along, coordinate) for coordinate in path.T], -1)
    bead, triangles = ellipsoid(np.zeros(3), (radius, radius, radius), 7, 5)
    vertices = (centers[:, None] + bead).reshape(-1, 3)
    starts = np.arange(len(centers))[:, None, None] * len(bead)
    stiffness = np.repeat(np.interp(at, along, stiffness), len(bead))
    triangles = (triangles + starts).reshape(-1, 3)
    return part(vertices, triangles, Material.NECKLACE, stiffness=stiffness)
