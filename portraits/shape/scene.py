"""The scene: all meshes of one person."""

from dataclasses import dataclass, replace

from portraits.maths import Array
from portraits.people.traits import Traits
from portraits.shape.clothes import clothes_meshes, shaded_skin
from portraits.shape.glasses import Glasses
from portraits.shape.hair_sheets import hanging_hair, knotted_hair
from portraits.shape.hair_shell import beard_shell, hair_shell
from portraits.shape.hats import hat_meshes, pressed
from portraits.shape.head import head_mesh, head_vertices, landmarks, vertices_of
from portraits.shape.jewels import earrings, necklaces
from portraits.shape.mesh import EYES, Mesh, join
from portraits.shape.torso import Torso


@dataclass(frozen=True, slots=True)
class Scene:
    """All shapes of one portrait."""

    mesh: Mesh
    hair: Mesh | None
    """Hair that hangs; it is drawn over the rest, partly transparent."""
    eyes: Array
    """float32 (n, 3), vertices of both eyes."""
    lenses: list[tuple[Array, Array]]
    """The lenses of glasses: vertices (n, 3) and triangles of each."""


def build_scene(person: Traits) -> Scene:
    """Build all shapes of a portrait."""
    bare = head_vertices(person)
    covered = bare + beard_shell(person) + hair_shell(person)
    marks = landmarks(bare, covered)
    torso = Torso.of(bare)
    head = head_mesh(covered)
    head = replace(head, occlusion=shaded_skin(person, head.occlusion))
    knots, hanging = knotted_hair(person, marks), hanging_hair(person, marks)
    hat = person.outfit.hat
    if hat != "none":
        head, *knots = (pressed(mesh, marks, hat) for mesh in (head, *knots))
        hanging = hanging and pressed(hanging, marks, hat)
    glasses = Glasses.of(person, marks, covered)
    meshes = [
        head,
        *knots,
        *clothes_meshes(person, torso),
        *hat_meshes(person, marks),
        *earrings(person, marks),
        *necklaces(person, torso),
        *(glasses.meshes if glasses else []),
    ]
    return Scene(
        join(meshes), hanging, bare[vertices_of(*EYES)], glasses.lenses() if glasses else []
    )
