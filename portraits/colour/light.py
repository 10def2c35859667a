"""Light, and the surfaces that it falls on."""

from dataclasses import dataclass

import numpy as np

from portraits.maths import Array, clip01, column
from portraits.people.traits import Traits


@dataclass(frozen=True, slots=True)
class Light:
    """The light of one portrait."""

    direction: Array
    """(3,) unit vector towards the key light."""
    halfway: Array
    """(3,) unit vector halfway between the key light and the viewer."""
    key: Array
    """(3, 1), colour of the key light, linear."""
    ambient: Array
    """(3, 1), colour of the sky, linear."""

    @classmethod
    def of(cls, person: Traits) -> "Light":
        """Compute the light from a person's parameters."""
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
    """The surface that each of n pixels shows, before it has a colour. All float32."""

    normal: Array
    """(3, n), unit vectors towards the viewer."""
    anchor: Array
    """(3, n), see `Mesh.anchor`."""
    occlusion: Array
    """(n,), see `Mesh.occlusion`."""
    azimuth: Array
    """(n,), angle of the anchor around the skull in radians, 0 at the nose."""
    toward_key: Array
    """(n,), cosine of the angle between the normal and the key light."""
    toward_halfway: Array
    """(n,), cosine of the angle between the normal and `Light.halfway`, at least 0."""
    sky: Array
    """(n,), share of the sky that the normal faces."""

    def take(self, pixels: Array) -> "Surface":
        """Select some of the pixels."""
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
    """Compute the light (3, n) that a matte surface receives.

    Args:
        wrap: how far the key light reaches into the shadow, 0 to 1.
    """
    key = clip01((surface.toward_key + wrap) / (1 + wrap)) * light.key
    return key + light.ambient * (0.6 * (0.7 + 0.6 * surface.sky))
