"""A shot: the surfaces that the camera sees, pixel by pixel, before they have a colour."""

from dataclasses import dataclass

import numpy as np

from groundwork.compiled import compiled
from portraits.colour.hair import sheet_cover
from portraits.colour.light import Light, Surface
from portraits.maths import Array, clip01, rotate
from portraits.people.traits import Traits
from portraits.picture.camera import PIVOT, Camera, Turn
from portraits.picture.raster import NOTHING, Raster
from portraits.shape.head import SKULL_CENTER
from portraits.shape.mesh import Material, Mesh, vertex_normals
from portraits.shape.scene import build_scene


@dataclass(frozen=True, slots=True)
class Layer:
    """One mesh in the picture: n pixels show it."""

    raster: Raster
    pixels: Array
    """int (n,), indices of the pixels in the flattened picture."""
    material: Array
    """int (n,), the `Material` of each."""
    points: "Interpolation"
    surface: Surface

    @classmethod
    def of(cls, mesh: Mesh, turn: Turn, camera: Camera, light: Light) -> "Layer":
        """Rasterize a mesh and compute its surface in each pixel."""
        normals = turn(vertex_normals(mesh.vertices, mesh.triangles), mesh.stiffness)
        vertices = turn(mesh.vertices - PIVOT, mesh.stiffness) + PIVOT
        closed = mesh.material <= Material.TEETH_LOWER  # the head; hair and hats are open sheets
        raster = camera.rasterize(vertices, mesh.triangles, closed)
        pixels = np.flatnonzero(raster.triangle.ravel() != NOTHING)
        points = Interpolation.at(raster, pixels, mesh.triangles)
        material = mesh.material[raster.triangle.ravel()[pixels]]
        return cls(raster, pixels, material, points, _surface(points, mesh, normals, light))


@dataclass(frozen=True, slots=True)
class Shot:
    """All layers of a picture."""

    body: Layer
    hair: Layer | None
    """Hair that hangs, where it is nearer than the body."""
    hair_cover: Array | None
    """float32 (n,), how much each pixel of `hair` hides what is behind, 0 to 1."""
    lenses: list[Array]
    """bool (height, width) for each lens of glasses: where it is nearer than the body."""
    light: Light
    width: int
    height: int

    @classmethod
    def of(cls, person: Traits, width: int, height: int) -> "Shot":
        """Point the camera at a person and take a shot of width x height pixels."""
        scene, light, turn = build_scene(person), Light.of(person), Turn.of(person)
        camera = Camera.aimed(person, turn, scene.eyes, width, height)
        body = Layer.of(scene.mesh, turn, camera, light)
        hair = cover = None
        if scene.hair is not None:
            hair = _nearer(Layer.of(scene.hair, turn, camera, light), body)
            cover = sheet_cover(person, hair.surface)
        lenses = []
        for vertices, triangles in scene.lenses:
            vertices = rotate(vertices - PIVOT, turn.head) + PIVOT
            lens = camera.rasterize(vertices, triangles)
            lenses.append((lens.triangle != NOTHING) & (lens.depth > body.raster.depth))
        return cls(body, hair, cover, lenses, light, width, height)


def _nearer(layer: Layer, other: Layer) -> Layer:
    """Keep the pixels of a layer that are nearer than another layer."""
    depth = layer.raster.depth.ravel()[layer.pixels]
    front = np.flatnonzero(depth > other.raster.depth.ravel()[layer.pixels])
    return Layer(
        layer.raster,
        layer.pixels[front],
        layer.material[front],
        layer.points.take(front),
        layer.surface.take(front),
    )


@dataclass(frozen=True, slots=True)
class Interpolation:
    """Interpolates values of vertices in the n pixels that show their triangles."""

    corners: Array
    """int (3, n), indices of vertices."""
    weights: Array
    """float32 (3, n)."""

    @classmethod
    def at(cls, raster: Raster, pixels: Array, triangles: Array) -> "Interpolation":
        """Compute corners and weights in the pixels (n,)."""
        u, v = raster.u.ravel()[pixels], raster.v.ravel()[pixels]
        corners = triangles[raster.triangle.ravel()[pixels]]
        return cls(np.ascontiguousarray(corners.T), np.stack([1 - u - v, u, v]))

    def take(self, pixels: Array) -> "Interpolation":
        """Select some of the pixels."""
        return Interpolation(self.corners.take(pixels, 1), self.weights.take(pixels, 1))

    def __call__(self, values: Array) -> Array:
        """Interpolate values (vertices, k) of the vertices: float32 (k, n)."""
        return _interpolate(np.asarray(values, np.float32), self.corners, self.weights)


@compiled()
def _interpolate(values, corners, weights):
    columns = values.shape[1]
    result = np.empty((columns, corners.shape[1]), np.float32)
    for i in range(corners.shape[1]):
        a, b, c = corners[0, i], corners[1, i], corners[2, i]
        for k in range(columns):
            result[k, i] = (
                values[a, k] * weights[0, i]
                + values[b, k] * weights[1, i]
                + values[c, k] * weights[2, i]
            )
    return result


def _surface(points: Interpolation, mesh: Mesh, normals: Array, light: Light) -> Surface:
    """Compute the surface in each pixel; `normals` (vertices, 3) are turned."""
    values = points(np.column_stack([normals, mesh.anchor, mesh.occlusion]))
    normal, anchor, occlusion = values[:3], values[3:6], clip01(values[6])
    toward_key, toward_halfway = _faced(normal, light.direction, light.halfway)
    return Surface(
        normal,
        anchor,
        occlusion,
        azimuth=np.arctan2(anchor[0], anchor[2] - SKULL_CENTER[2]),
        toward_key=toward_key,
        toward_halfway=toward_halfway,
        sky=0.5 + 0.5 * normal[1],
    )


@compiled()
def _faced(normal, key, halfway):
    """Scale normals (3, n) to length 1, turn them to the viewer; return cosines to key and halfway.

    The inner side of hair and hats can be seen, too; it is lit like the outer side.
    """
    toward_key = np.empty(normal.shape[1], np.float32)
    toward_halfway = np.empty_like(toward_key)
    for i in range(len(toward_key)):
        x, y, z = normal[0, i], normal[1, i], normal[2, i]
        length = np.sqrt(x * x + y * y + z * z) + np.float32(1e-9)
        x, y, z = x / length, y / length, abs(z / length)
        normal[0, i], normal[1, i], normal[2, i] = x, y, z
        toward_key[i] = key[0] * x + key[1] * y + key[2] * z
        cosine = halfway[0] * x + halfway[1] * y + halfway[2] * z
        toward_halfway[i] = min(max(cosine, np.float32(0)), np.float32(1))
    return toward_key, toward_halfway
