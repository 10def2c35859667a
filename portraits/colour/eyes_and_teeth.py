"""The colour of eyes and teeth."""

from functools import cache

import numpy as np

from portraits.colour.light import Light, Surface
from portraits.maths import (
    Array,
    clip01,
    column,
    dot,
    linear,
    mix,
    normalize,
    smoothstep,
    table,
    value_noise,
)
from portraits.people.traits import Traits
from portraits.shape.head import load_head, vertices_of
from portraits.shape.mesh import Material


def eye_color(person: Traits, surface: Surface, light: Light, left: Array) -> Array:
    """Colour the eyeballs, linear (3, n): white, iris, pupil, and a glint of the light.

    Args:
        left: bool (n,), whether the pixel shows the person's left eye.
    """
    center = np.where(left, _eye_center(Material.EYE_LEFT), _eye_center(Material.EYE_RIGHT))
    outward = normalize(surface.anchor - center)
    gaze = np.array([person.pose.gaze_x, person.pose.gaze_y, 1.0], np.float32)
    from_gaze = _angle(gaze, outward)
    x, y = np.abs(surface.anchor[0]), surface.anchor[1]
    color = mix(_eye_white(x, y), _iris(person, outward, gaze, from_gaze), _in_iris(from_gaze))
    color = color * (1 - 0.97 * smoothstep(0.25, 0.19, from_gaze))  # the pupil

    received = clip01(surface.toward_key * 0.5 + 0.5) * light.key * 0.62 + light.ambient * 0.72
    lid_shadow = 1 - 0.62 * smoothstep(-0.005, 0.075, y)
    toward_glint = np.array([np.sin(person.lighting.azimuth) * 0.35, 0.26, 1.0], np.float32)
    toward_glint[:2] += 0.6 * gaze[:2]  # it is on the cornea, which moves with the gaze
    glint = smoothstep(0.21, 0.09, _angle(toward_glint, outward)) * 1.1
    moist = 0.22 * smoothstep(0.02, 0.0, np.abs(y + 0.05)) * light.key
    return color * received * (0.25 + 0.75 * surface.occlusion) * lid_shadow + glint + moist


def _in_iris(from_gaze: Array) -> Array:
    """Compute how much of a pixel is iris or pupil, from its angle to the gaze (n,)."""
    return smoothstep(0.56, 0.50, from_gaze)


def _eye_white(x: Array, y: Array) -> Array:
    """Colour the white of the eye (3, n): pink near the nose and at the lower lid."""
    corner = np.maximum(smoothstep(0.225, 0.185, x), 0.5 * smoothstep(-0.035, -0.065, y))
    corner = np.maximum(corner, 0.35 * smoothstep(0.38, 0.44, x))
    return mix(column([0.74, 0.72, 0.70]), column([0.62, 0.33, 0.29]), corner)


def _iris(person: Traits, outward: Array, gaze: Array, from_gaze: Array) -> Array:
    """Colour the iris (3, n): fibres around the pupil, and a dark ring around them."""
    around = np.arctan2(outward[1] - gaze[1], outward[0] - gaze[0])
    fine = table(person.strands.fine)
    fibres = 0.75 + 0.5 * value_noise(fine, around * 9 + 40)
    inner = 1 + 0.5 * smoothstep(0.36, 0.24, from_gaze)
    ring = smoothstep(0.40, 0.53, from_gaze)
    lower = 1 - 0.5 * outward[1]  # the iris is lighter opposite to the glint
    return linear(person.build.iris) * (1.25 * fibres * inner * lower * (1 - 0.75 * ring))


@cache
def _eye_center(eye: Material) -> Array:
    """Compute the centre of an eyeball on the average head: (3, 1)."""
    return load_head().rest[vertices_of(eye)].mean(0)[:, None]


def _angle(vector: Array, unit_vectors: Array) -> Array:
    """Compute the angles (n,) in radians between a vector (3,) and unit vectors (3, n)."""
    cosine = dot(vector / np.linalg.norm(vector), unit_vectors)
    return np.arccos(np.minimum(np.maximum(cosine, -1), 1))


def teeth_color(surface: Surface, light: Light, lower: Array) -> Array:
    """Colour the teeth, linear (3, n), darker inside the mouth.

    Args:
        lower: bool (n,), whether the tooth is one of the lower ones.
    """
    x, y, z = surface.anchor
    key = clip01(surface.toward_key * 0.35 + 0.6) * light.key * 0.66
    depth = smoothstep(-0.12, 0.22, z) * 0.95 + 0.03
    gap = np.abs((np.abs(x) / np.float32(0.058)) % 1 - 0.5)  # the gaps between teeth
    shade = depth * np.where(lower, 0.70, 1.0) * (1 - 0.16 * smoothstep(0.38, 0.5, gap))
    gum = np.where(lower, smoothstep(-0.70, -0.76, y), smoothstep(-0.55, -0.50, y))
    color = mix(column([0.86, 0.81, 0.71]), column([0.55, 0.22, 0.21]), gum)
    return color * (key + light.ambient * 0.66) * shade
