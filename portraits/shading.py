"""Light, and the colour of everything but skin: hair, hats, eyes, teeth, metal and glass."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from portraits.accessories import hat_edge
from portraits.hair import hairline
from portraits.head import load_head, vertices_of
from portraits.maths import (
    Array,
    clip01,
    column,
    dot,
    highlight,
    linear,
    mix,
    normalize,
    smoothstep,
    value_noise,
)
from portraits.mesh import Material
from portraits.person import Person

EYES = (Material.EYE_LEFT, Material.EYE_RIGHT)
TEETH = (Material.TEETH_UPPER, Material.TEETH_LOWER)


@dataclass(frozen=True, slots=True)
class Light:
    """The light of one portrait. Colours are linear light, (3, 1)."""

    direction: Array
    """(3,) unit vector towards the key light."""
    halfway: Array
    """(3,) unit vector halfway between the key light and the viewer."""
    key: Array
    ambient: Array

    @classmethod
    def of(cls, person: Person) -> "Light":
        """Set up the light that a person's parameters ask for."""
        azimuth, elevation = person.lighting.azimuth, person.lighting.elevation
        warmth = person.lighting.warmth
        direction = np.array(
            [
                np.sin(azimuth) * np.cos(elevation),
                np.sin(elevation),
                np.cos(azimuth) * np.cos(elevation),
            ],
            np.float32,
        )
        halfway = direction + np.array([0, 0, 1], np.float32)
        return cls(
            direction,
            halfway / np.linalg.norm(halfway),
            column([1 + warmth, 1, 1 - warmth * 1.4]) * np.float32(person.lighting.key),
            column([0.95, 1, 1.08]) * np.float32(person.lighting.ambient),
        )


@dataclass(frozen=True, slots=True)
class Surface:
    """What is seen in each of n pixels, before it has a colour. All float32."""

    normal: Array
    """(3, n), towards the viewer."""
    anchor: Array
    """(3, n), see `Mesh.anchor`."""
    occlusion: Array
    """(n,), 0 to 1."""
    azimuth: Array
    """(n,), angle of the anchor around the skull, 0 at the nose."""
    toward_key: Array
    """(n,), cosine of the angle between the normal and the key light."""
    toward_halfway: Array
    """(n,), cosine of the angle between the normal and `Light.halfway`, at least 0."""
    sky: Array
    """(n,), share of the sky that the normal faces."""

    def take(self, pixels: Array) -> "Surface":
        """The surface in some of the pixels."""
        return Surface(
            self.normal.take(pixels, 1),
            self.anchor.take(pixels, 1),
            self.occlusion.take(pixels),
            self.azimuth.take(pixels),
            self.toward_key.take(pixels),
            self.toward_halfway.take(pixels),
            self.sky.take(pixels),
        )


def matte(surface: Surface, light: Light, wrap: float) -> Array:
    """Light (3, n) that a matte surface receives.

    Args:
        wrap: how far the key light reaches around the edge of the shadow.
    """
    key = clip01((surface.toward_key + wrap) / (1 + wrap)) * light.key
    return key + light.ambient * (0.6 * (0.7 + 0.6 * surface.sky))


def hair_cover(person: Person, surface: Surface, ears: Array) -> Array:
    """How much hair hides the skin, 0 to 1, in each of n pixels that show the head.

    Args:
        ears: (n,) how much of the pixel is ear.
    """
    azimuth, y = surface.azimuth, surface.anchor[1]
    style = person.hair.style
    if style == "bald":
        return np.zeros_like(y)
    lock = value_noise(
        np.array(person.strands.coarse, np.float32),
        (azimuth + _wave(person, y) + person.strands.phase[1]) * 14 + 32,
    )
    edge = hairline(azimuth, person)
    edge = edge + (0.10 if person.hair.bangs else 0.022) * (lock - 0.5)
    cover = smoothstep(-0.035, 0.05, y - edge) * (1 - smoothstep(0.2, 0.6, ears)) * (y > -1.15)
    if style == "buzz":
        cover = cover * 0.78 * smoothstep(-0.05, 0.27, y - edge)
    return cover


def hat_cover(person: Person, surface: Surface, ears: Array) -> Array:
    """How much a hat hides the head, 0 to 1, in each of n pixels that show the head."""
    if person.outfit.hat == "none":
        return np.zeros_like(ears)
    above = surface.anchor[1] - hat_edge(surface.azimuth)
    return smoothstep(-0.02, 0.015, above) * (1 - smoothstep(0.3, 0.6, ears))


def hair_color(person: Person, surface: Surface, light: Light, loose: Array) -> Array:
    """Linear colour (3, n) of hair.

    Args:
        loose: bool (n,), whether the pixel shows hanging hair rather than hair on the head.
    """
    x, y, z = surface.anchor
    style = person.hair.style
    coarse, fine = (
        np.array(table, np.float32) for table in (person.strands.coarse, person.strands.fine)
    )
    sway = person.hair.waviness * 0.9 * np.sin(y * 5.5 + person.strands.phase[2] * 6)
    across = np.where(loose, x * 13 + sway, (surface.azimuth + _wave(person, y)) * 8.5) + 32
    lock = value_noise(coarse, across)
    strand = value_noise(fine, across * 3.1 + 9)
    if style == "afro":
        curl = value_noise(fine, x * 19 + 50) * value_noise(fine, y * 19 + 50)
        shade = 0.7 + 0.5 * curl + 0.2 * value_noise(fine, z * 23)
    else:
        shade = 0.55 + 0.55 * lock + 0.28 * (strand - 0.5)

    diffuse = clip01((surface.toward_key + 0.35) / 1.35)
    facing = 0.45 + 0.55 * smoothstep(-0.25, 0.35, surface.normal[2])
    occlusion = surface.occlusion
    occlusion = np.where(loose, occlusion * facing, 0.45 + 0.55 * occlusion)
    color = linear(person.hair.color)
    body = color * shade * (diffuse * 0.95 * light.key + light.ambient * (0.45 + 0.5 * surface.sky))

    gloss = (0.06 if style in ("afro", "buzz") else 0.22) * (0.5 + 0.7 * strand) * occlusion
    gloss = gloss * _strand_highlight(surface.normal, light, lock) * diffuse
    tint = (0.35 * light.key + 0.65 * np.sqrt(color)) * (0.35 + 0.65 * float(color.max()) ** 0.4)
    return body * occlusion + gloss * tint


def _strand_highlight(normal: Array, light: Light, lock: Array) -> Array:
    """Highlight along hair that hangs straight down (Kajiya-Kay): it runs across the strands."""
    tangent = normal * normal[1]
    tangent[1] -= 1
    along = dot(light.halfway, normalize(tangent)) + 0.25 * (lock - 0.5)
    return highlight(np.sqrt(clip01(1 - along * along)))


def _wave(person: Person, y: Array) -> Array | float:
    """How far wavy hair swings sideways at height y, in radians around the skull."""
    if not person.hair.waviness:
        return 0.0
    return person.hair.waviness * 0.12 * np.sin(y * 9 + person.strands.phase[0] * 6)


def hat_color(person: Person, surface: Surface, light: Light, brim: Array) -> Array:
    """Linear colour (3, n) of a hat.

    Args:
        brim: bool (n,), whether the pixel shows the brim rather than the hat itself.
    """
    hat = person.outfit.hat
    shade = np.where(brim & (surface.normal[1] < 0), 0.5, 1.0)
    if hat == "beanie":
        coarse = np.array(person.strands.coarse, np.float32)
        shade = shade * (0.85 + 0.3 * value_noise(coarse, surface.azimuth * 16 + 3))
    if hat == "brim":
        above = surface.anchor[1] - hat_edge(surface.azimuth)
        shade = np.where((above < 0.17) & ~brim, 0.4 * shade, shade)  # its ribbon
    return linear(person.outfit.hat_color) * shade * matte(surface, light, wrap=0.3)


def eye_color(person: Person, surface: Surface, light: Light, eye: Material) -> Array:
    """Linear colour (3, n) of an eyeball: white, iris, pupil, and the glint of the light."""
    outward = normalize(surface.anchor - _eye_center(eye))
    gaze = np.array([person.pose.gaze_x, person.pose.gaze_y, 1.0], np.float32)
    from_gaze = _angle(gaze, outward)
    in_iris = smoothstep(0.56, 0.50, from_gaze)
    ring = smoothstep(0.40, 0.56, from_gaze) * in_iris
    iris = linear(person.build.iris) * 1.6 * (1 - 0.6 * ring)
    pupil = smoothstep(0.25, 0.19, from_gaze)
    color = mix(column([0.90, 0.87, 0.85]), iris, in_iris) * (1 - 0.95 * pupil)

    received = clip01(surface.toward_key * 0.6 + 0.5) * light.key * 0.75 + light.ambient * 0.75
    lid_shadow = 1 - 0.45 * smoothstep(0.03, 0.11, surface.anchor[1])
    toward_glint = np.array([np.sin(person.lighting.azimuth) * 0.35, 0.28, 1.0], np.float32)
    glint = smoothstep(0.17, 0.08, _angle(toward_glint, outward)) * 0.9
    return color * received * surface.occlusion * lid_shadow + glint


@cache
def _eye_center(eye: Material) -> Array:
    """Centre of an eyeball on the average head, (3, 1)."""
    return load_head().rest[vertices_of(eye)].mean(0)[:, None]


def _angle(vector: Array, unit_vectors: Array) -> Array:
    """Angle in radians between a vector (3,) and unit vectors (3, n); shape (n,)."""
    cosine = dot(vector / np.linalg.norm(vector), unit_vectors)
    return np.arccos(np.minimum(np.maximum(cosine, -1), 1))


def teeth_color(surface: Surface, light: Light, lower: Array) -> Array:
    """Linear colour (3, n) of teeth, darker inside the mouth.

    Args:
        lower: bool (n,), whether the tooth is one of the lower ones.
    """
    key = clip01(surface.toward_key * 0.35 + 0.65) * light.key * 0.72
    depth = smoothstep(-0.15, 0.17, surface.anchor[2]) * 0.92 + 0.05
    shade = depth * np.where(lower, 0.78, 1.0)
    return column([0.95, 0.92, 0.85]) * (key + light.ambient * 0.75) * shade


def polished_color(
    color: tuple[float, float, float], gloss: float, surface: Surface, light: Light
) -> Array:
    """Linear colour (3, n) of spectacle frames and jewels."""
    shine = highlight(surface.toward_halfway) * gloss
    return linear(color) * matte(surface, light, wrap=0.0) + shine


def through_lens(person: Person, behind: Array, x: Array, y: Array) -> Array:
    """Linear colour (3, n) of what is seen through a lens.

    Args:
        behind: (3, n) colour without the lens.
        x, y: (n,) position within the lens, 0 to 1 from its upper left corner.
    """
    if person.outfit.sunglasses:
        return behind * 0.10 + 0.018 + 0.10 * smoothstep(0.7, 0.0, y)
    from_streak = np.abs(x + y * 0.7 - 0.55 - 0.3 * person.strands.phase[3]) - 0.07
    reflection = 0.03 + 0.13 * smoothstep(0.08, 0.0, from_streak)
    return behind * 0.93 + reflection * person.lighting.key
