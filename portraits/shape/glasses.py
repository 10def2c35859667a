"""Glasses: their frame and lenses, before brows and cheeks and back to the ears."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from portraits.maths import Array
from portraits.people.traits import Traits
from portraits.shape.head import Landmarks, load_head, vertices_of
from portraits.shape.mesh import SIDES, Material, Mesh, part, tube

_WRAP = 0.13  # how far the outer ends of the lenses are behind the inner ones
_CLEARANCE = 0.035


@dataclass(frozen=True, slots=True)
class Glasses:
    """A pair of glasses, fitted to one person."""

    rims: tuple[Array, Array]
    """Outlines (36, 3) of both lenses, in the order of `Landmarks.eyes`."""
    meshes: list[Mesh]
    """The frame."""

    @classmethod
    def of(cls, person: Traits, marks: Landmarks, face: Array) -> "Glasses | None":
        """Fit glasses, if they are worn, to a head with vertices `face` (n, 3)."""
        if not person.outfit.glasses:
            return None
        width, height = _lens_size(person)
        middles = [(eye[0] + side * 0.025, eye[1] - 0.03) for eye, side in zip(marks.eyes, SIDES)]
        front = _front(face, middles, width, height)
        rims = tuple(
            _rim(person, middle, front, side) for middle, side in zip(middles, SIDES, strict=True)
        )
        return cls(rims, _frame(person, marks, rims, front, face))

    def lenses(self) -> list[tuple[Array, Array]]:
        """Make both lenses: vertices (n, 3) and triangles of each."""
        result = []
        for rim in self.rims:
            n = len(rim)
            number = np.arange(n)
            fan = np.stack([number, (number + 1) % n, np.full(n, n)], -1)
            result.append((np.vstack([rim, rim.mean(0)]), fan))
        return result


@cache
def _around_eyes() -> tuple[Array, Array]:
    """Find the vertices around the eyes, and those on the bridge of the nose."""
    head = load_head()
    skin = vertices_of(Material.SKIN)
    x, y, z = head.rest[skin].T
    eyes = skin[(np.abs(x) > 0.07) & (np.abs(x) < 0.66) & (np.abs(y) < 0.36) & (z > -0.25)]
    return eyes, skin[(np.abs(x) < 0.09) & (np.abs(y - 0.02) < 0.1) & (z > 0.1)]


def _front(face: Array, middles: list[tuple[float, float]], width: float, height: float) -> float:
    """Compute z of the inner ends of the lenses, such that no lens touches the face."""
    eyes, _ = _around_eyes()
    x, y, z = face[eyes].T
    front = 0.30
    for (middle_x, middle_y), side in zip(middles, SIDES, strict=True):
        across, up = side * (x - middle_x) / width, (y - middle_y) / height
        behind = (np.abs(across) < 1.12) & (np.abs(up) < 1.15)
        if behind.any():
            front = max(front, float((z - _bend(across, up))[behind].max()) + _CLEARANCE)
    return front


def _bend(across: Array, up: Array) -> Array:
    """Compute how far forward a point of a lens is, from -1 to 1 from the nose, and up."""
    return -_WRAP * ((across + 1) / 2) ** 2 - 0.04 * np.maximum(-up, 0)


def _rim(person: Traits, middle: tuple[float, float], front: float, side: int) -> Array:
    """Make the outline of one lens, a superellipse: (36, 3)."""
    width, height = _lens_size(person)
    power = 2 / (2 + 3.5 * person.outfit.lens_squareness)
    angle = np.linspace(0, 2 * np.pi, 36, endpoint=False)
    cosine, sine = np.cos(angle), np.sin(angle)
    across = np.sign(cosine) * np.abs(cosine) ** power
    up = np.sign(sine) * np.abs(sine) ** power
    across = across * (1 + 0.05 * up)  # the lower half is a little narrower
    x, y = middle[0] + side * across * width, middle[1] + up * height
    return np.stack([x, y, front + _bend(across, up)], -1)


def _frame(
    person: Traits, marks: Landmarks, rims: tuple[Array, ...], front: float, face: Array
) -> list[Mesh]:
    """Make rims, temples and bridge."""
    thickness = 0.019 + 0.022 * person.outfit.frame_thickness
    shapes = [tube(rim, thickness, closed=True) for rim in rims]
    for rim, side in zip(rims, SIDES, strict=True):
        hinge = rim[np.argmax(side * rim[:, 0])] + np.array([side * 0.01, 0.05, 0.0])
        corner = hinge + np.array([side * 0.03, 0.0, -0.06])
        temple = np.array([side * (marks.half_width - 0.06), hinge[1] + 0.01, -0.15])
        ear = np.array([side * (marks.half_width + 0.01), 0.08, -0.50])
        path = np.stack([hinge, corner, temple, ear])
        shapes.append(tube(path, thickness * 0.9))
    inner = [rim[np.argmin(side * rim[:, 0])] for rim, side in zip(rims, SIDES, strict=True)]
    bridge = np.linspace(*inner, 7)
    bow = np.sin(np.linspace(0, np.pi, 7))
    nose = float(face[_around_eyes()[1], 2].max()) + thickness
    bridge[:, 1] += 0.05 + 0.03 * bow
    bridge[:, 2] += max(nose - front, 0.015) * bow
    shapes.append(tube(bridge, thickness))
    return [part(*shape, Material.FRAME) for shape in shapes]


def _lens_size(person: Traits) -> tuple[float, float]:
    """Compute half the width and half the height of a lens."""
    square = person.outfit.lens_squareness
    larger = 0.03 if person.outfit.sunglasses else 0.0
    return 0.225 + 0.025 * square + larger, 0.20 - 0.045 * square + larger
