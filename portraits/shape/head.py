"""The bare head: reads the baked mesh and its morph targets, and shapes it for one person."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from groundwork.compiled import compiled
from portraits.maths import Array, mix, smoothstep
from portraits.people.traits import FACE_SHAPES, Traits
from portraits.shape.mesh import Material, Mesh, vertex_normals

SKULL_CENTER = np.array([0, 0.25, -0.62], np.float32)

_STRONGEST_FEATURES = 1.25  # largest norm of the weights in `Face.features`

_NECK = -1.05  # the neck is shortened below this y ...
_SHORTENED = 0.45  # ... by this share

_ANCESTRIES = ("ca", "af", "as")  # in the order of `Build.ancestry`


@dataclass(frozen=True)
class Head:
    """The average head and its morph targets: n vertices, m triangles, k targets. Read-only."""

    rest: Array
    """float32 (n, 3), vertices of the base mesh; see `Mesh` for unit and axes."""
    triangles: Array
    """int (m, 3)."""
    part: Array
    """int (m,), the `Material` of each triangle: skin, eyes or teeth."""
    morph_names: tuple[str, ...]
    """M_: ancestry, gender, age; W_: weight; X_: expression; others: features of the face."""
    morphs: Array
    """int8 (k, n * 3), what each morph target adds to `rest` at weight 1, divided by `scales`."""
    scales: Array
    """float32 (k,), the step of the integers in `morphs`."""
    occlusion: Array
    """float32 (n,), see `Mesh.occlusion`."""
    masks: dict[str, Array]
    """float32 (n,) each, 0 to 1: lips, eyelids, ears, (the inside of the) mouth, face."""
    normals: Array
    """float32 (n, 3), normals of the average young head."""
    hair_direction: Array
    """float32 (n, 3), unit vectors: the direction in which hair lifts the surface."""
    azimuth: Array
    """float32 (n,), angle around the skull in radians, 0 at the nose."""


@dataclass(frozen=True, slots=True)
class Landmarks:
    """Measures of one person's head."""

    eyes: tuple[Array, Array]
    """Centres (3,) of the person's left eye (on the right in the picture) and right eye."""
    lobes: tuple[Array, Array]
    """Positions (3,) of the ear lobes, in the order of the eyes."""
    half_width: float
    """Half the skull's width at the temples."""
    top: float
    """y of the crown."""
    back: float
    """z of the back of the skull."""

    @property
    def center_z(self) -> float:
        """z of the middle of the skull."""
        return (self.back + 0.36) / 2 - 0.05

    @property
    def half_depth(self) -> float:
        """Half the skull's depth."""
        return self.center_z - self.back


@cache
def load_head() -> Head:
    """Read head.npz, once per process (about 50 ms)."""
    with np.load(Path(__file__).with_name("head.npz"), allow_pickle=False) as baked:
        rest, triangles, part = baked["rest"], baked["tri"].astype(np.int64), baked["grp"]
        names = tuple(str(name) for name in baked["names"])
        morphs, scales = baked["q"], baked["scale"]
        occlusion = baked["ao"].astype(np.float32) / 255
        masks = baked["masks"].astype(np.float32) / 255
    masks = dict(zip(("lips", "eyelids", "ears", "mouth", "face"), masks, strict=True))
    young = [name.startswith("M_") and name.endswith("young") for name in names]
    average = rest + (morphs[young] * scales[young, None, None]).mean(0)
    normals = vertex_normals(average.astype(np.float32), triangles)
    outward = rest - SKULL_CENTER
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    direction = 0.5 * normals + 0.5 * outward
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    return Head(
        rest,
        triangles,
        part,
        names,
        np.ascontiguousarray(morphs.reshape(len(names), -1)),
        scales,
        _adjusted_occlusion(occlusion, masks["mouth"], triangles, part),
        masks,
        normals,
        direction,
        np.arctan2(rest[:, 0], rest[:, 2] - SKULL_CENTER[2]),
    )


@cache
def vertices_of(*parts: Material) -> Array:
    """Find the vertices of some parts of the head: their indices, in order."""
    head = load_head()
    return np.unique(head.triangles[np.isin(head.part, parts)])


def _adjusted_occlusion(occlusion: Array, mouth: Array, triangles: Array, part: Array) -> Array:
    """Lighten mouth, eyes and teeth: the closed face of the base mesh hides them."""
    occlusion = occlusion.copy()
    inside = mouth > 0.5
    occlusion[inside] = np.maximum(occlusion[inside], 0.25)
    eyes = np.unique(triangles[np.isin(part, (Material.EYE_LEFT, Material.EYE_RIGHT))])
    occlusion[eyes] = np.clip(occlusion[eyes] * 1.3, 0.45, 1)
    teeth = np.unique(triangles[np.isin(part, (Material.TEETH_UPPER, Material.TEETH_LOWER))])
    occlusion[teeth] = 0.8
    return occlusion


def morph_weights(person: Traits) -> dict[str, float]:
    """Compute the weights of morph targets for this head and expression; others have 0."""
    return {
        **_build_weights(person),
        **_face_weights(person),
        **_expression_weights(person),
    }


def _build_weights(person: Traits) -> dict[str, float]:
    """Weights of the targets of ancestry, gender, age and weight, interpolated between extremes."""
    build = person.build
    ageing = build.ageing
    extreme = "max" if build.weight > 0 else "min"
    weights = {}
    for gender, gender_share in (("female", 1 - build.gender), ("male", build.gender)):
        for age, age_share in (("young", 1 - ageing), ("old", ageing)):
            share = gender_share * age_share
            weights[f"W_{gender}_{age}_{extreme}"] = share * abs(build.weight)
            for name, ancestry in zip(_ANCESTRIES, build.ancestry, strict=True):
                weights[f"M_{name}_{gender}_{age}"] = ancestry * share
    return weights


def _face_weights(person: Traits) -> dict[str, float]:
    """Weights of the targets of the face: random features, and attributes of CelebA."""
    face, build = person.face, person.build
    weights = _tempered(face.features)
    for shape in FACE_SHAPES:
        weights[f"head_{shape}"] *= 1 - face.oval

    def add(**changes: float) -> None:
        for name, change in changes.items():
            name = name.replace("__", "-")
            weights[name] = weights.get(name, 0.0) + change

    nose, point, bones = (2 * x - 1 for x in (face.nose_size, face.nose_point, face.cheekbones))
    fat, ageing = max(0.0, build.weight), build.ageing
    add(eye_scale=0.28, mouth_angles=0.18)
    add(head_oval=0.72 * face.oval, chin_width=-0.6 * face.oval, chin_height=0.25 * face.oval)
    add(chin_bones=-0.5 * face.oval)
    add(head_round=0.25 * fat, head_fat=0.7 * fat, cheek_volume=0.75 * fat, neck_width=0.6 * fat)
    add(nose_volume=0.75 * nose, nose_scale__horiz=0.95 * nose, nose_width3=0.5 * nose)
    add(nose_scale__depth=0.30 * nose, nose_width2=0.4 * nose, nose_scale__vert=0.2 * nose)
    add(nose_point__width=-0.8 * point, nose_width3=-0.45 * point, nose_width2=-0.25 * point)
    add(nose_flaring=-0.5 * point, nose_base=0.4 * point, nose_scale__depth=0.35 * point)
    full = 1.25 * face.lips - 0.32 - 0.2 * ageing  # much thinner lips would show the teeth
    add(mouth_lowerlip__height=full, mouth_upperlip__height=full)
    add(mouth_lowerlip__volume=0.9 * full, mouth_upperlip__volume=0.9 * full)
    add(mouth_scale__vert=0.9 * face.lips - 0.2)
    add(cheek_bones=0.75 * bones, eye_height2=0.31 - 0.55 * face.eyes_narrow)
    add(eye_bag=face.eye_bags, neck_double=1.25 * face.double_chin + 0.4 * fat + 0.25 * ageing)
    return weights


def _tempered(features: Mapping[str, float]) -> dict[str, float]:
    """Scale the features down if many of them are strong, so that no face is all extremes."""
    strength = sum(weight * weight for weight in features.values()) ** 0.5
    scale = min(1.0, _STRONGEST_FEATURES / max(strength, 1e-6))
    return {name: weight * scale for name, weight in features.items()}


def _expression_weights(person: Traits) -> dict[str, float]:
    """Weights of the targets of the expression."""
    face = person.expression
    smile, opening, narrow = face.smile, face.opening, person.face.eyes_narrow
    # a smile opens the mouth with the lips rather than with the jaw, and shows the teeth
    smiling = min(smile / 0.75, 1.0)
    upper_lip = opening * mix(0.15, 0.66 * smile * (0.62 + 0.38 * opening), smiling)
    lower_lip = opening * mix(0.25, 0.66 * smile * (0.62 + 0.38 * opening), smiling)
    jaw = opening * mix(0.18 + 0.18 * face.jaw, 0.10 + 0.16 * face.jaw, smiling)
    return {
        "X_mouthSmile": 0.95 * smile,
        "X_smileL": face.smile_left * smile,
        "X_smileR": face.smile_right * smile,
        "X_mouthFrown": face.frown,
        "X_mouthShrugLower": 0.35 * max(0.0, 1 - opening / 0.2),  # else lips at rest would part
        "X_mouthUpperUp": upper_lip,
        "X_mouthLowerDown": lower_lip,
        "X_jawOpen": jaw,
        "X_mouthPucker": face.pucker * (1 - 0.6 * person.face.lips),
        "X_mouthStretch": 0.35 * smile,
        "X_mouthDimple": 0.3 * smile,
        "X_cheekSquint": 0.7 * smile,
        "X_eyeSquint": 0.15 * smile + 0.45 * narrow * (1 - 0.5 * smiling),
        "X_eyeBlink": 0.34 * narrow * (1 - 0.4 * person.build.ageing),
        "X_eyeWide": 0.32 * (1 - narrow),
        "X_browInnerUp": face.brows_up,
        "X_browOuterUp": face.brows_up * face.outer_brows,
        "X_browDown": face.brows_down,
    }


def head_vertices(person: Traits) -> Array:
    """Compute the vertices of the person's bare head: float32 (n, 3)."""
    head = load_head()
    given = morph_weights(person)
    weights = np.array([given.get(name, 0.0) for name in head.morph_names], np.float32)
    vertices = _blend(head.rest.ravel(), head.morphs, weights * head.scales).reshape(-1, 3)
    # a shorter neck, so that collar, tie and necklace are in the picture
    below = np.maximum(_NECK - vertices[:, 1], 0)
    vertices[:, 1] += _SHORTENED * below * smoothstep(0, 0.3, below)
    return vertices


@compiled()
def _blend(rest, morphs, weights):
    """Add the weighted sum of morphs (k, n) to `rest` (n,)."""
    blend = rest.copy()
    for k in range(len(weights)):
        weight = weights[k]
        if weight != 0:
            for i in range(len(blend)):
                blend[i] += weight * np.float32(morphs[k, i])
    return blend


def head_mesh(vertices: Array) -> Mesh:
    """Make the mesh of the head from its vertices (n, 3), which hair and beard have moved."""
    head = load_head()
    return Mesh(vertices, head.triangles, head.part, head.rest, head.occlusion, head_stiffness())


@cache
def head_stiffness() -> Array:
    """Compute `Mesh.stiffness` of the head: float32 (n,)."""
    return smoothstep(-1.9, -1.0, load_head().rest[:, 1]).astype(np.float32)


def landmarks(bare: Array, covered: Array) -> Landmarks:
    """Measure a head: the skull on bare vertices (n, 3), eyes and lobes on those with hair."""
    left, right, left_lobe, right_lobe, temples, upper, skin = _landmark_indices()
    return Landmarks(
        eyes=(covered[left].mean(0), covered[right].mean(0)),
        lobes=(covered[left_lobe].mean(0), covered[right_lobe].mean(0)),
        half_width=float(np.abs(bare[temples, 0]).max()),
        top=float(bare[skin, 1].max()),
        back=float(bare[upper, 2].min()),
    )


@cache
def _landmark_indices() -> tuple[Array, ...]:
    """Find the vertices that `landmarks` uses, in its order."""
    head = load_head()
    skin = vertices_of(Material.SKIN)
    x, y, _ = head.rest[skin].T
    lobes = []
    for side in (1, -1):
        ear = skin[(head.masks["ears"][skin] > 0.5) & (np.sign(x) == side)]
        lobes.append(ear[np.argsort(head.rest[ear, 1])[:6]])
    return (
        vertices_of(Material.EYE_LEFT),
        vertices_of(Material.EYE_RIGHT),
        *lobes,
        skin[np.abs(y - 0.3) < 0.2],
        skin[y > 0],
        skin,
    )
