"""From a person to a picture: camera, backdrop, everything in its colour, film."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from portraits.dress import hat_color, hat_cover, polished_color, through_lens
from portraits.errors import PortraitsError
from portraits.hair_shading import hair_color, hair_cover
from portraits.head import SKULL_CENTER, load_head, vertices_of
from portraits.labels import HALF, Visible
from portraits.maths import Array, clip01, dot, linear, mix, normalize, rotate
from portraits.mesh import Material, Mesh, vertex_normals
from portraits.raster import NOTHING, Raster, rasterize
from portraits.scene import build_scene
from portraits.shading import (
    EYES,
    TEETH,
    Light,
    Surface,
    eye_color,
    teeth_color,
)
from portraits.skin import Masks, sideburns_cover, skin_color
from portraits.traits import Backdrop, Color, Photo, Traits

_PIVOT = np.array([0, -1.0, -0.75], np.float32)  # where the head turns on the neck
_VIEWER = 13.0  # distance of the viewer from the origin, in units of the mesh
_GAMMA = np.float32(1 / 2.2)
_GRAIN = 0.008

Size = int | tuple[int, int]
"""Width and height in pixels; one number where they are the same."""

SMALLEST, LARGEST = 16, 1024  # pixels

SUPERSAMPLING = 1.5
"""How many times larger a picture is drawn before it is scaled down."""

SURVEY_PIXELS = 96
"""Width of the picture that `Visible` counts in."""

# CelebA aligns its 178 x 218 pictures so that the eyes are 39 pixels apart, at row 111. These
# heads are framed a little tighter; their eyes are 0.616 units of the mesh apart.
_PIXELS_PER_UNIT = 39 / 178 / 0.616 * 1.25  # in a picture one pixel wide
_EYE_ROW = 0.51


def width_and_height(size: Size) -> tuple[int, int]:
    """Both sides of a picture in pixels."""
    return (size, size) if isinstance(size, int) else size


def check_size(size: Size) -> None:
    """Raise a `PortraitsError` for a size that can't be drawn."""
    for side in width_and_height(size):
        if not SMALLEST <= side <= LARGEST:
            raise PortraitsError(
                f"The size must be {SMALLEST} to {LARGEST} pixels each way, not {side}."
            )


def render(person: Traits, size: Size = 64) -> Array:
    """Draw a portrait.

    Args:
        size: width and height in pixels, one number for both or two, 16 to 1024.

    Returns:
        uint8 (height, width, 3), red, green and blue; the same for the same arguments.

    Raises:
        PortraitsError: the size is too small or too large.
    """
    check_size(size)
    return _finish(person, draw(person, round(size * SUPERSAMPLING)), size)


def draw(person: Traits, pixels: int) -> Array:
    """Draw a portrait in linear light, before exposure: float32 (3, pixels, pixels)."""
    return _paint(person, _Shot.of(person, pixels))


def survey(person: Traits) -> Visible:
    """Count the pixels that show what hair, hat or the edge of the picture may hide."""
    return _count(person, _Shot.of(person, SURVEY_PIXELS))


def render_and_survey(person: Traits, size: int = 64) -> tuple[Array, Visible]:
    """`render` and `survey` in one; they share their work at 64 pixels."""
    pixels = round(size * SUPERSAMPLING)
    shot = _Shot.of(person, pixels)
    seen = _count(person, shot) if pixels == SURVEY_PIXELS else survey(person)
    return _finish(person, _paint(person, shot), size), seen


@dataclass(frozen=True, slots=True)
class _Shot:
    """What the camera sees of a person, before it has a colour."""

    raster: Raster
    seen: Array
    """int (n,), the flat numbers of the pixels that show the person."""
    material: Array
    """int (n,), the `Material` in each."""
    points: "_Interpolation"
    surface: Surface
    light: Light
    lenses: list[Raster]

    @classmethod
    def of(cls, person: Traits, pixels: int) -> "_Shot":
        """Point the camera at a person and take a picture of pixels x pixels."""
        scene, light, turn = build_scene(person), Light.of(person), _Turn.of(person)
        mesh = scene.mesh
        normals = vertex_normals(mesh.vertices, mesh.triangles)
        vertices = turn(mesh.vertices - _PIVOT, mesh.stiffness) + _PIVOT
        camera = _Camera.aimed(person, vertices, pixels)
        closed = mesh.material <= Material.TEETH_LOWER  # the head; hair and hats are open sheets
        raster = rasterize(*camera.project(vertices), mesh.triangles, pixels, pixels, closed)
        seen = np.flatnonzero(raster.triangle.ravel() != NOTHING)
        points = _Interpolation.at(raster, seen, mesh.triangles)
        surface = _surface(points, mesh, turn(normals, mesh.stiffness), light)
        material = mesh.material[raster.triangle.ravel()[seen]]
        lenses = []
        for vertices, triangles in scene.lenses:
            vertices = rotate(vertices - _PIVOT, turn.head) + _PIVOT
            lenses.append(rasterize(*camera.project(vertices), triangles, pixels, pixels))
        return cls(raster, seen, material, points, surface, light, lenses)


def _paint(person: Traits, shot: _Shot) -> Array:
    """Give every pixel its colour in linear light: float32 (3, height, width)."""
    image = _backdrop(person.backdrop, len(shot.raster.depth))
    image.reshape(3, -1)[:, shot.seen] = _colors(
        person, shot.surface, shot.light, shot.material, shot.points
    )
    for lens in shot.lenses:
        _glaze(person, image, (lens.triangle != NOTHING) & (lens.depth > shot.raster.depth))
    return image


def _count(person: Traits, shot: _Shot) -> Visible:
    """Count the pixels that show each of the things that may be hidden."""
    pixels = np.bincount(shot.material, minlength=len(Material))
    head = np.flatnonzero(shot.material == Material.SKIN)
    on_head = shot.surface.take(head)
    masks = load_head().masks
    (ears,) = shot.points.take(head)(masks["ears"][:, None])
    bare = hat_cover(person, on_head, ears) < HALF
    hair = (hair_cover(person, on_head, ears) > HALF) & bare
    return Visible(
        hair=int(pixels[Material.HAIR] + hair.sum()),
        sideburns=int((sideburns_cover(on_head) > HALF)[bare & ~hair].sum()),
        earrings=int(pixels[Material.JEWEL]),
        necklace=int(pixels[Material.NECKLACE]),
        tie=int(pixels[Material.TIE]),
    )


@dataclass(frozen=True, slots=True)
class _Turn:
    """Turns vectors (n, 3) as the person turns: two rotation matrices, float32 (3, 3)."""

    head: Array
    body: Array

    @classmethod
    def of(cls, person: Traits) -> "_Turn":
        pose = person.pose
        return cls(_rotation(pose.yaw, pose.pitch, pose.roll), _rotation(pose.body_yaw))

    def __call__(self, vectors: Array, stiffness: Array) -> Array:
        """Turn with the head where `stiffness` (n,) is 1, with the body where it is 0."""
        return mix(rotate(vectors, self.body), rotate(vectors, self.head), stiffness[:, None])


def _rotation(yaw: float, pitch: float = 0.0, roll: float = 0.0) -> Array:
    """Rotation matrix, float32 (3, 3): first yaw, then pitch, then roll."""
    c, s = np.cos(yaw), np.sin(yaw)
    around_y = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    c, s = np.cos(pitch), np.sin(pitch)
    around_x = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    c, s = np.cos(roll), np.sin(roll)
    around_z = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    return (around_z @ around_x @ around_y).astype(np.float32)


@dataclass(frozen=True, slots=True)
class _Camera:
    """Projects the scene onto a square picture."""

    pixels: int
    photo: Photo
    eyes_x: float
    eyes_y: float

    @classmethod
    def aimed(cls, person: Traits, vertices: Array, pixels: int) -> "_Camera":
        """Aim at the middle of the eyes."""
        x, y = _perspective(vertices[vertices_of(*EYES)])
        return cls(pixels, person.photo, float(x.mean()), float(y.mean()))

    def project(self, vertices: Array) -> tuple[Array, Array, Array]:
        """Position in pixels and depth of vertices (n, 3), each float32 (n,)."""
        photo = self.photo
        x, y = _perspective(vertices)
        x, y = x - self.eyes_x, y - self.eyes_y
        scale = self.pixels * _PIXELS_PER_UNIT * photo.zoom
        cosine, sine = np.cos(photo.tilt), np.sin(photo.tilt)
        column = self.pixels * (0.5 + photo.shift_x) + scale * (cosine * x - sine * y)
        row = self.pixels * (_EYE_ROW + photo.shift_y) - scale * (sine * x + cosine * y)
        depth = np.ascontiguousarray(vertices[:, 2], np.float32)
        return column.astype(np.float32), row.astype(np.float32), depth


def _perspective(vertices: Array) -> tuple[Array, Array]:
    scale = _VIEWER / (_VIEWER - vertices[:, 2])
    return vertices[:, 0] * scale, vertices[:, 1] * scale


@dataclass(frozen=True, slots=True)
class _Interpolation:
    """Carries values from the vertices of the triangles seen to the n pixels that show them."""

    corners: Array
    """int (3, n), vertex numbers."""
    weights: Array
    """float32 (3, n)."""

    @classmethod
    def at(cls, raster: Raster, pixels: Array, triangles: Array) -> "_Interpolation":
        u, v = raster.u.ravel()[pixels], raster.v.ravel()[pixels]
        corners = triangles[raster.triangle.ravel()[pixels]]
        return cls(np.ascontiguousarray(corners.T), np.stack([1 - u - v, u, v]))

    def take(self, pixels: Array) -> "_Interpolation":
        return _Interpolation(self.corners.take(pixels, 1), self.weights.take(pixels, 1))

    def __call__(self, values: Array) -> Array:
        """Interpolate values (vertices, k) of the vertices; shape (k, n)."""
        a, b, c = (
            values.take(corner, 0) * weight[:, None]
            for corner, weight in zip(self.corners, self.weights, strict=True)
        )
        return np.ascontiguousarray((a + b + c).T)


def _surface(points: _Interpolation, mesh: Mesh, normals: Array, light: Light) -> Surface:
    """What each pixel shows; `normals` (vertices, 3) are the mesh's, turned."""
    values = np.concatenate([normals, mesh.anchor, mesh.occlusion[:, None]], 1, dtype=np.float32)
    values = points(values)
    normal, anchor, occlusion = normalize(values[:3]), values[3:6], clip01(values[6])
    normal[2] = np.abs(normal[2])  # the inner side of hair and hats is seen, too
    return Surface(
        normal,
        anchor,
        occlusion,
        azimuth=np.arctan2(anchor[0], anchor[2] - SKULL_CENTER[2]),
        toward_key=dot(light.direction, normal),
        toward_halfway=clip01(dot(light.halfway, normal)),
        sky=0.5 + 0.5 * normal[1],
    )


def _colors(
    person: Traits, surface: Surface, light: Light, material: Array, points: _Interpolation
) -> Array:
    """Linear colour (3, n) of n pixels."""
    colors = np.zeros((3, len(material)), np.float32)
    _color_head(person, surface, light, material, points, colors)

    def paint(materials: tuple[Material, ...], color: Callable[[Surface, Array], Array]) -> None:
        pixels = np.flatnonzero(np.logical_or.reduce([material == m for m in materials]))
        if len(pixels):
            colors[:, pixels] = color(surface.take(pixels), material[pixels])

    def polished(color: Color, gloss: float) -> Callable[[Surface, Array], Array]:
        return lambda seen, _: polished_color(color, gloss, seen, light)

    for eye in EYES:
        paint((eye,), lambda seen, _, eye=eye: eye_color(person, seen, light, eye))
    paint(TEETH, lambda seen, kind: teeth_color(seen, light, kind == Material.TEETH_LOWER))
    paint((Material.FRAME,), polished(person.outfit.frame_color, gloss=0.5))
    paint((Material.JEWEL,), polished(person.outfit.jewel_color, gloss=0.9))
    return colors


def _color_head(
    person: Traits,
    surface: Surface,
    light: Light,
    material: Array,
    points: _Interpolation,
    colors: Array,
) -> None:
    """Fill in `colors` (3, n) where skin, hair or hat is seen: one over the other."""
    head = np.flatnonzero(material == Material.SKIN)
    on_head = surface.take(head)
    masks = load_head().masks
    masks = [masks[name] for name in ("lips", "eyelids", "ears", "mouth")]
    masks = Masks(*points.take(head)(np.stack(masks, 1)))
    hair = hair_cover(person, on_head, masks.ears)
    hat = hat_cover(person, on_head, masks.ears)

    bare = np.flatnonzero((hair < 0.99) & (hat < 0.99))
    if len(bare):
        skin = skin_color(person, on_head.take(bare), light, masks.take(bare))
        colors[:, head[bare]] = skin

    def lay_over(cover: Array, shown: Array, loose: Array, color: Callable) -> None:
        """Lay a colour over the head where `shown`, by `cover`, and over the `loose` pixels."""
        pixels = np.concatenate([head[shown], loose])
        if len(pixels):
            weight = np.concatenate([cover[shown], np.ones(len(loose), np.float32)])
            is_loose = np.arange(len(pixels)) >= len(shown)
            over = color(person, surface.take(pixels), light, is_loose)
            colors[:, pixels] = mix(colors[:, pixels], over, weight)

    locks = np.flatnonzero(material == Material.HAIR)
    lay_over(hair, np.flatnonzero((hair > 0.004) & (hat < 0.99)), locks, hair_color)
    brim = np.flatnonzero(material == Material.BRIM)
    lay_over(hat, np.flatnonzero(hat > 0.004), brim, hat_color)


def _backdrop(backdrop: Backdrop, pixels: int) -> Array:
    """What is behind the person, in linear light: float32 (3, pixels, pixels)."""
    x, y = _positions(pixels)
    across, down = np.float32(np.cos(backdrop.angle)), np.float32(np.sin(backdrop.angle))
    t = clip01(0.5 + 0.8 * ((x - 0.5) * across + (y - 0.5) * down))
    image = mix(linear(backdrop.start)[..., None], linear(backdrop.stop)[..., None], t)
    for spot in backdrop.spots:
        blot = np.exp(-((x - spot.x) ** 2 + (y - spot.y) ** 2) / spot.radius**2)
        image = image + blot * spot.strength * linear(spot.color)[..., None]
    return np.ascontiguousarray(np.minimum(np.maximum(image, 0.003), 1))


def _positions(pixels: int) -> tuple[Array, Array]:
    """x (1, pixels) and y (pixels, 1) of the pixels, in picture widths."""
    position = np.arange(pixels, dtype=np.float32) / np.float32(pixels)
    return position[None, :], position[:, None]


def _glaze(person: Traits, image: Array, lens: Array) -> None:
    """Put glass before an image (3, height, width) where `lens` (height, width) is true."""
    if not lens.any():
        return
    row, column = np.nonzero(lens)
    x, y = (
        (at - at.min()) / (np.ptp(at) + 1e-6 * len(lens)) for at in (column, row)
    )  # positions within the lens
    image[:, lens] = through_lens(person, image[:, lens], x, y)


def _finish(person: Traits, image: Array, size: int) -> Array:
    """From linear light (3, height, width) to the picture: film, scaling, blur and grain."""
    drawn = _develop(image, person.photo.exposure)
    picture = Image.fromarray(drawn).resize((size, size), Image.Resampling.HAMMING)
    picture = np.asarray(picture, np.float32) / 255
    if person.photo.blur:
        picture = _blur(picture, person.photo.blur * size / 64)
    picture = picture + _grain(person.photo, picture.shape)
    return (clip01(picture) * 255 + 0.5).astype(np.uint8)


def _develop(image: Array, exposure: float) -> Array:
    """Linear light (3, height, width) to a picture, uint8 (height, width, 3)."""
    image = image * np.float32(exposure)
    image = clip01(image / (1 + 0.18 * image) * np.float32(1.12))  # highlights burn out softly
    return (image**_GAMMA * 255 + 0.5).astype(np.uint8).transpose(1, 2, 0)


def _blur(picture: Array, sigma: float) -> Array:
    """Gaussian blur of a picture (height, width, 3), mirrored at its edges."""
    radius = int(4 * sigma + 0.5)
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    kernel = (kernel / kernel.sum()).astype(np.float32)
    for axis in (0, 1):
        margin = [(0, 0)] * 3
        margin[axis] = (radius, radius)
        padded = np.moveaxis(np.pad(picture, margin, "symmetric"), axis, 0)
        n = len(padded) - 2 * radius
        blurred = sum(weight * padded[i : i + n] for i, weight in enumerate(kernel))
        picture = np.moveaxis(blurred, 0, axis)
    return picture


def _grain(photo: Photo, shape: tuple[int, ...]) -> Array:
    """Film grain; the same for a person at the same size."""
    generator = np.random.PCG64()
    state, increment = photo.grain
    generator.state = {
        "bit_generator": "PCG64",
        "state": {"state": state, "inc": increment},
        "has_uint32": 0,
        "uinteger": 0,
    }
    return np.random.Generator(generator).normal(0, _GRAIN, shape)
