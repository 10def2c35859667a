"""Accessories: hats, earrings and glasses."""

from functools import cache

import numpy as np

from portraits.head import Landmarks, load_head, vertices_of
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
    puff = {"beanie": 0.13, "cap": 0.10, "fedora": 0.12, "sun_hat": 0.12}[hat]
    crown = {"beanie": 0.14, "cap": 0.05, "fedora": 0.22, "sun_hat": 0.12}[hat]
    worn = smoothstep(-0.03, 0.04, above)
    lift = lift * (1 - worn) + worn * (puff + crown * smoothstep(0.6, 1.2, y))
    if hat == "beanie":  # its rolled edge
        lift = lift + 0.06 * smoothstep(-0.03, 0.02, above) * smoothstep(0.30, 0.22, above)
    return lift


def accessory_meshes(person: Traits, marks: Landmarks, surface: Array) -> list[Mesh]:
    """Everything worn that has a shape of its own; see `lenses` for the glass in glasses.

    Args:
        surface: float32 (n, 3), the vertices of the head with hair and hat on.
    """
    meshes = []
    if person.outfit.hat in ("cap", "fedora", "sun_hat"):
        meshes.append(_brim(person, marks, surface))
    if person.outfit.earrings:
        meshes += _earrings(person, marks)
    if person.outfit.glasses:
        meshes += _frame(person, marks)
    return meshes


def _brim(person: Traits, marks: Landmarks, surface: Array) -> Mesh:
    """The brim of a hat all around, or the visor of a cap; it grows out of the hat's surface."""
    hat = person.outfit.hat
    reach = 0.95 if hat == "cap" else np.pi
    angle, out = np.meshgrid(np.linspace(-reach, reach, 41), np.linspace(0, 1, 5), indexing="ij")
    inner = _hat_rim(surface, angle)
    if hat == "cap":
        width = 0.55 * np.cos(angle / reach * np.pi / 2) ** 0.6
        droop = 0.02 * out + 0.15 * out * out + 0.10 * (angle / reach) ** 2 * out
        outward = np.stack([0.25 * np.sin(angle), 0 * angle, np.cos(angle)])
    else:
        wide = hat == "sun_hat"
        width = 0.62 if wide else 0.40
        wave = 0.05 * np.sin(3 * angle + 6 * person.strands.phase[5]) if wide else 0.0
        sides_up = 0.0 if wide else 0.16 * np.sin(angle) ** 2  # a fedora's brim curls up
        droop = (0.16 if wide else 0.06) * out * out - (sides_up + wave) * out * out
        outward = np.stack([np.sin(angle), 0 * angle, np.cos(angle)])
    vertices = inner - 0.03 * outward + width * out * outward
    vertices[1] -= droop
    return part(
        np.moveaxis(vertices, 0, -1).reshape(-1, 3), grid_triangles(*angle.shape), Material.BRIM
    )


def _hat_rim(surface: Array, angle: Array) -> Array:
    """Points (3, …) of the hat's surface (n, 3) along its edge, at angles around the head."""
    azimuth, near = _rim_vertices()
    turn = 2 * np.pi
    even = np.linspace(-np.pi, np.pi, 48, endpoint=False)
    rim = []
    for coordinate in surface[near].T:
        around = np.interp(even, azimuth, coordinate, period=turn)
        # the nearest vertices lie a little above and below the edge: smooth that
        around = np.mean([np.roll(around, shift) for shift in range(-3, 4)], 0)
        rim.append(np.interp(angle, even, around, period=turn))
    return np.stack(rim)


@cache
def _rim_vertices() -> tuple[Array, Array]:
    """Azimuths (k,), in order, and numbers (k,) of the vertices along the edge of a hat."""
    head = load_head()
    skin = vertices_of(Material.SKIN)
    above = np.abs(head.rest[skin, 1] - hat_edge(head.azimuth[skin]) - 0.05)
    sector = np.floor(head.azimuth[skin] / 0.16)  # the vertex nearest to the edge, of each sector
    order = np.lexsort([above, sector])
    first = np.unique(sector[order], return_index=True)[1]
    numbers = skin[order[first]]
    numbers = numbers[np.argsort(head.azimuth[numbers])]
    return head.azimuth[numbers], numbers


def _earrings(person: Traits, marks: Landmarks) -> list[Mesh]:
    """A stud on, a drop under, or a hoop through each ear lobe."""
    style, size = person.outfit.earring_style, 0.062 + 0.05 * person.outfit.earring_size
    meshes = []
    for lobe, side in zip(marks.lobes, _SIDES, strict=True):
        if style == "hoop":
            angle = np.linspace(0, 2 * np.pi, 20, endpoint=False)
            radius = 0.13 + size
            circle = np.stack(
                [
                    side * 0.25 * radius * np.cos(angle),
                    radius * np.sin(angle),
                    radius * np.cos(angle),
                ]
            )
            center = lobe + np.array([side * 0.04, -0.8 * radius, 0.03])
            meshes.append(part(*tube(center + circle.T, 0.032, True), Material.JEWEL))
            continue
        tall, drop = (1.1, 0.0) if style == "stud" else (1.7, 1.4)
        radii = (0.85 * size, tall * size, 0.85 * size)
        center = lobe + np.array([side * 0.04, -drop * size, 0.06])
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
