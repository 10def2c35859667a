"""Light, and the surfaces it falls on."""

from dataclasses import dataclass

import numpy as np

from portraits.maths import Array, clip01, column
from portraits.people.traits import Traits


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
    def of(cls, person: Traits) -> "Light":
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
