"""Accessories: hats, earrings and glasses."""

import numpy as np

from portraits.head import Landmarks
from portraits.maths import Array, smoothstep
from portraits.mesh import Material, Mesh, ellipsoid, grid_triangles, part, tube
from portraits.traits import Traits

_SIDES = (1, -1)  # of the picture: right and left, in the order of `Landmarks.eyes`


def hat_edge(azimuth: Array) -> Array:
    """Height of a hat's lower edge, on the average head, at an angle around the skull."""
    return 0.46 - 0.11 * (1 - np.cos(azimuth))


def hat_thickness(lift: Array, above: Array, y: Array, hat: str) -> Array:
    """How far a hat's surface stands off the head.

    Args:
        lift: (n,) how far the hair does.
        above: (n,) height over the hat's edge.
        y: (n,) height on the average head.
        hat: beanie, cap or brim.
    """
    puff = {"beanie": 0.16, "cap": 0.10, "fedora": 0.12, "sun_hat": 0.12}[hat]
    crown = 0.06 if hat == "cap" else 0.12
    worn = smoothstep(-0.03, 0.04, above)
    lift = lift * (1 - worn) + worn * (puff + crown * smoothstep(0.6, 1.2, y))
    if hat == "beanie":  # its rolled edge
        lift = lift + 0.05 * smoothstep(-0.03, 0.02, above) * smoothstep(0.28, 0.2, above)
    return lift


def accessory_meshes(person: Traits, marks: Landmarks) -> list[Mesh]:
    """Everything worn that has a shape of its own; see `lenses` for the glass in glasses."""
    meshes = []
    if person.outfit.hat in ("cap", "fedora", "sun_hat"):
        meshes.append(_brim(person, marks))
    if person.outfit.earrings:
        meshes += _earrings(person, marks)
    if person.outfit.glasses:
        meshes += _frame(person, marks)
    return meshes


def _brim(person: Traits, marks: Landmarks) -> Mesh:
    """The brim of a hat all around, or of a cap in front."""
    full = person.outfit.hat != "cap"
    reach = np.pi if full else 0.95
    angle, out = np.meshgrid(np.linspace(-reach, reach, 41), np.linspace(0, 1, 4), indexing="ij")
    if full:
        width, sideways, droop = 0.55, 1.0, 0.05 * out
    else:
        width = 0.62 * np.cos(angle / reach * np.pi / 2) ** 0.6
        sideways, droop = 0.25, 0.14 * out * out
    x = (marks.half_width + 0.12 + width * out * sideways) * np.sin(angle)
    z = marks.center_z + (marks.half_depth + 0.13 + width * out) * np.cos(angle)
    vertices = np.stack([x, hat_edge(angle) - droop, z], -1).reshape(-1, 3)
    return part(vertices, grid_triangles(*angle.shape), Material.BRIM)


def _earrings(person: Traits, marks: Landmarks) -> list[Mesh]:
    """A drop under each ear lobe."""
    size = 0.05 + 0.05 * person.outfit.earring_size
    radii = (0.75 * size, 1.35 * size, 0.75 * size)
    meshes = []
    for lobe, side in zip(marks.lobes, _SIDES, strict=True):
        center = lobe + np.array([side * 0.03, -0.9 * size, 0.03])
        meshes.append(part(*ellipsoid(center, radii, 9, 6), Material.JEWEL))
    return meshes


def _frame(person: Traits, marks: Landmarks) -> list[Mesh]:
    """Rims, temples and bridge of a pair of glasses."""
    thickness = 0.016 + 0.018 * person.outfit.frame_thickness
    half_width, _ = _lens_size(person)
    front = _lens_front(marks)
    meshes, inner_ends = [], []
    for eye, side in zip(marks.eyes, _SIDES, strict=True):
        middle = eye[0] + side * 0.01
        meshes.append(part(*tube(_rim(person, marks, eye, side), thickness, True), Material.FRAME))
        hinge = [middle + side * half_width, eye[1] + 0.05, front - 0.10]
        ear = [side * (marks.half_width + 0.06), 0.06, -0.55]
        temple = tube(np.linspace(hinge, ear, 6), thickness * 0.85)
        meshes.append(part(*temple, Material.FRAME))
        inner_ends.append([middle - side * half_width, eye[1] + 0.03, front])
    bridge = np.linspace(*inner_ends, 6)
    bow = np.sin(np.linspace(0, np.pi, 6))
    bridge[:, 1] += 0.03 * bow
    bridge[:, 2] += 0.02 * bow
    meshes.append(part(*tube(bridge, thickness * 0.9), Material.FRAME))
    return meshes


def lenses(person: Traits, marks: Landmarks) -> list[tuple[Array, Array]]:
    """The two lenses of a pair of glasses, each as vertices (n, 3) and triangles; none without."""
    if not person.outfit.glasses:
        return []
    result = []
    for eye, side in zip(marks.eyes, _SIDES, strict=True):
        rim = _rim(person, marks, eye, side)
        middle = [eye[0] + side * 0.01, eye[1] - 0.02, _lens_front(marks) - 0.03]
        n = len(rim)
        fan = np.array([[i, (i + 1) % n, n] for i in range(n)])
        result.append((np.vstack([rim, middle]), fan))
    return result


def _rim(person: Traits, marks: Landmarks, eye: Array, side: int) -> Array:
    """The outline of one lens, a superellipse that bends back towards the ear: (28, 3)."""
    half_width, half_height = _lens_size(person)
    power = 2 / (2 + 3.0 * person.outfit.lens_squareness)
    angle = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    cosine, sine = np.cos(angle), np.sin(angle)
    x = np.sign(cosine) * np.abs(cosine) ** power * half_width
    y = np.sign(sine) * np.abs(sine) ** power * half_height
    outwards = (x * side + half_width) / (2 * half_width)
    z = _lens_front(marks) - 0.10 * outwards**2 - 0.03 * np.maximum(-y / half_height, 0)
    return np.stack([eye[0] + side * 0.01 + x, eye[1] - 0.02 + y, z], -1)


def _lens_size(person: Traits) -> tuple[float, float]:
    """Half the width and half the height of a lens."""
    square = person.outfit.lens_squareness
    larger = 0.03 if person.outfit.sunglasses else 0.0
    return 0.215 + 0.02 * square + larger, 0.155 + 0.045 * (1 - square) + larger


def _lens_front(marks: Landmarks) -> float:
    """z of the glasses, clear of lids and brows."""
    return max(0.335, marks.eye_front + 0.05)
