"""The camera: turns a person and projects the scene onto the picture."""

from dataclasses import dataclass

import numpy as np

from groundwork.compiled import compiled
from portraits.maths import Array, rotate
from portraits.people.traits import Photo, Traits
from portraits.picture.raster import Raster, rasterize

PIVOT = np.array([0, -1.0, -0.75], np.float32)
"""The point around which the head turns."""

_VIEWER = 13.0  # distance of the viewer from the origin, in the unit of `Mesh`

# In CelebA's aligned pictures (178 x 218 pixels) eyes are 39 pixels apart, at row 111. The eyes
# of this head are 0.616 units of `Mesh` apart. A square picture shows rows 29 to 207 of CelebA's.
_PIXELS_PER_UNIT = 39 / 178 / 0.616  # in a picture that is one pixel wide
_SQUARE_EYE_ROW = 82 / 178  # in widths of the picture
_EYE_ROW_SLOPE = (111 / 178 - _SQUARE_EYE_ROW) / (218 / 178 - 1)


@dataclass(frozen=True, slots=True)
class Turn:
    """The turn of a person: the rotation matrices of head and body, float32 (3, 3)."""

    head: Array
    body: Array

    @classmethod
    def of(cls, person: Traits) -> "Turn":
        """Compute it from a person's pose."""
        pose = person.pose
        return cls(_rotation(pose.yaw, pose.pitch, pose.roll), _rotation(pose.body_yaw))

    def __call__(self, vectors: Array, stiffness: Array) -> Array:
        """Turn vectors (n, 3) with the head where `stiffness` (n,) is 1, with the body where 0."""
        return _turned(vectors, stiffness, self.head, self.body)


@compiled()
def _turned(vectors, stiffness, head, body):
    turned = np.empty_like(vectors)
    for i in range(len(vectors)):
        x, y, z = vectors[i, 0], vectors[i, 1], vectors[i, 2]
        for k in range(3):
            with_body = body[k, 0] * x + body[k, 1] * y + body[k, 2] * z
            with_head = head[k, 0] * x + head[k, 1] * y + head[k, 2] * z
            turned[i, k] = with_body + (with_head - with_body) * stiffness[i]
    return turned


def _rotation(yaw: float, pitch: float = 0.0, roll: float = 0.0) -> Array:
    """Compute a rotation matrix, float32 (3, 3): first yaw, then pitch, then roll."""
    c, s = np.cos(yaw), np.sin(yaw)
    around_y = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    c, s = np.cos(pitch), np.sin(pitch)
    around_x = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    c, s = np.cos(roll), np.sin(roll)
    around_z = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    return (around_z @ around_x @ around_y).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Camera:
    """Projects the scene onto a picture."""

    width: int
    """The picture's, in pixels, like `height`."""
    height: int
    photo: Photo
    eyes_x: float
    eyes_y: float

    @classmethod
    def aimed(cls, person: Traits, turn: Turn, eyes: Array, width: int, height: int) -> "Camera":
        """Aim at the middle of the eyes; `eyes` (n, 3) are their vertices."""
        x, y = _perspective(rotate(eyes - PIVOT, turn.head) + PIVOT)
        return cls(width, height, person.photo, float(x.mean()), float(y.mean()))

    def rasterize(self, vertices: Array, triangles: Array, closed: Array | None = None) -> Raster:
        """Find the triangle that each pixel shows; see `raster.rasterize`."""
        x, y, depth = self._project(vertices)
        return rasterize(x, y, depth, triangles, self.width, self.height, closed)

    def _project(self, vertices: Array) -> tuple[Array, Array, Array]:
        """Compute x and y in pixels, and depth, of vertices (n, 3): each float32 (n,)."""
        photo = self.photo
        x, y = _perspective(vertices)
        x, y = x - self.eyes_x, y - self.eyes_y
        scale = self.width * _PIXELS_PER_UNIT * photo.zoom
        cosine, sine = np.cos(photo.tilt), np.sin(photo.tilt)
        eye_row = _SQUARE_EYE_ROW + _EYE_ROW_SLOPE * (self.height / self.width - 1)
        column = self.width * (0.5 + photo.shift_x) + scale * (cosine * x - sine * y)
        row = self.width * (eye_row + photo.shift_y) - scale * (sine * x + cosine * y)
        depth = np.ascontiguousarray(vertices[:, 2], np.float32)
        return column.astype(np.float32), row.astype(np.float32), depth


def _perspective(vertices: Array) -> tuple[Array, Array]:
    """Divide x and y by the distance from the viewer."""
    scale = _VIEWER / (_VIEWER - vertices[:, 2])
    return vertices[:, 0] * scale, vertices[:, 1] * scale
