"""One person's head, hair and accessories, put together."""

from dataclasses import dataclass, replace

from portraits.accessories import accessory_meshes, lenses
from portraits.clothes import clothes_meshes, shaded_skin
from portraits.hair import beard_shell, hair_shell
from portraits.hair_sheets import hanging_hair, knotted_hair
from portraits.head import head_mesh, head_vertices, landmarks, vertices_of
from portraits.maths import Array
from portraits.mesh import EYES, Mesh, join
from portraits.torso import Torso
from portraits.traits import Traits


@dataclass(frozen=True, slots=True)
class Scene:
    """All there is to draw of a person."""

    mesh: Mesh
    hair: Mesh | None
    """Hanging hair, drawn over the rest."""
    eyes: Array
    """float32 (n, 3), the vertices of both eyes."""
    lenses: list[tuple[Array, Array]]
    """The glass of glasses, if any: vertices (n, 3) and triangles of each."""


def build_scene(person: Traits) -> Scene:
    """Build the geometry of a portrait."""
    bare = head_vertices(person)
    covered = bare + beard_shell(person) + hair_shell(person)
    marks = landmarks(bare, covered)
    torso = Torso.of(bare)
    head = head_mesh(covered)
    meshes = [
        replace(head, occlusion=shaded_skin(person, head.occlusion)),
        *clothes_meshes(person, torso),
        *knotted_hair(person, marks),
        *accessory_meshes(person, marks, covered),
    ]
    return Scene(
        join(meshes), hanging_hair(person, marks), bare[vertices_of(*EYES)], lenses(person, marks)
    )
