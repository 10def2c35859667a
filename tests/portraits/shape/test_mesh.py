"""Normals, grids and tubes: small meshes whose shape is known."""

import numpy as np

from portraits.shape.mesh import (
    Material,
    ellipsoid,
    grid_triangles,
    join,
    part,
    tube,
    vertex_normals,
)


def test_normals_of_a_sphere_point_outwards():
    vertices, triangles = ellipsoid(np.zeros(3), (1.0, 1.0, 1.0), 33, 17)
    normals = vertex_normals(vertices.astype(np.float32), triangles)
    inside = np.abs(vertices[:, 1]) < 0.9  # poles and seam have flat triangles
    seam = np.isclose(vertices[:, 2], 0, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(normals[inside], axis=1), 1, atol=1e-3)
    cosine = (normals * vertices).sum(1)[inside & ~seam]
    assert (np.abs(cosine) > 0.98).all() and len(set(np.sign(cosine))) == 1


def test_normals_are_the_sum_of_the_triangles():
    rng = np.random.default_rng(0)
    vertices = rng.normal(size=(12, 3)).astype(np.float32)
    triangles = rng.permutation(36).reshape(-1, 3) % 12
    expected = np.zeros((12, 3))
    for a, b, c in triangles:
        cross = np.cross(vertices[b] - vertices[a], vertices[c] - vertices[a])
        for corner in (a, b, c):
            expected[corner] += cross
    expected /= np.linalg.norm(expected, axis=1, keepdims=True) + 1e-9
    np.testing.assert_allclose(vertex_normals(vertices, triangles), expected, atol=1e-4)


def test_a_grid_has_two_triangles_a_cell():
    assert len(grid_triangles(4, 5)) == 2 * 3 * 4
    assert len(grid_triangles(4, 5, closed=True)) == 2 * 4 * 4


def test_a_tube_has_its_radius():
    path = np.stack([np.linspace(0, 1, 9), np.zeros(9), np.zeros(9)], 1)
    vertices, _ = tube(path, 0.1)
    np.testing.assert_allclose(np.hypot(vertices[:, 1], vertices[:, 2]), 0.1, atol=1e-9)


def test_joined_meshes_keep_their_triangles():
    one = part(np.eye(3), np.array([[0, 1, 2]]), Material.HAIR)
    two = part(np.eye(3) + 1, np.array([[2, 1, 0]]), Material.JEWEL)
    mesh = join([one, two])
    assert mesh.triangles.tolist() == [[0, 1, 2], [5, 4, 3]]
    assert mesh.material.tolist() == [Material.HAIR, Material.JEWEL]
    np.testing.assert_array_equal(mesh.vertices[3:], two.vertices)
