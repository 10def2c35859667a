"""Light and shade that a painter would add to a face: features, folds and wrinkles."""

import numpy as np

from portraits.maths import Array, bell, clip01, smoothstep
from portraits.shading import Surface
from portraits.texture import blob, noise, stroke
from portraits.traits import Traits

_FOREHEAD_LINES = (0.36, 0.46, 0.565, 0.67)  # heights of the anchors
_CROWS_FEET = (
    ((0.49, 0.05), (0.62, 0.13)),
    ((0.50, 0.0), (0.64, 0.01)),
    ((0.49, -0.05), (0.61, -0.12)),
)


def relief(person: Traits, surface: Surface) -> Array:
    """How much lighter (above 0) or darker each of n pixels is for the relief of the face."""
    amount = np.zeros(len(surface.occlusion), np.float32)
    _, y, z = surface.anchor
    front = np.flatnonzero((z > -0.5) & (y > -1.75))
    face = surface.take(front)
    x, y, z = face.anchor
    x = np.abs(x)
    relief = _features(person, x, y) * smoothstep(-0.5, -0.3, z) + _throat(person, x, y)
    if person.build.ageing > 0:
        relief = relief + 0.78 * person.build.ageing * _age(person, face, x)
    amount[front] = relief
    return amount


def _features(person: Traits, x: Array, y: Array) -> Array:
    """Nose, cheekbones, the pouches under the eyes, the fold of a smile."""
    face = person.face
    bones, bags, point = face.cheekbones, face.eye_bags, face.nose_point
    amount = 0.17 * bones * blob(x, y, (0.50, -0.19), (0.15, 0.085))
    amount -= 0.34 * bones * stroke(x, y, (0.72, -0.36), (0.36, -0.58), 0.10)
    amount += 0.05 * bones * blob(x, y, (0.40, -0.80), (0.1, 0.1))
    # one looks at a nose by its highlight: a thin one ends in a point, a broad one in a ball
    amount += (0.06 + 0.26 * point) * stroke(x, y, (0, 0.0), (0, -0.36), 0.055 - 0.02 * point)
    amount += 0.42 * point * blob(x, y, (0, -0.35), (0.045, 0.055))
    amount += 0.13 * (1 - point) * blob(x, y, (0, -0.36), (0.13, 0.08))
    amount -= 0.38 * point * stroke(x, y, (0.095, -0.05), (0.125, -0.40), 0.045)
    size = face.nose_size
    amount -= (0.12 + 0.24 * size) * stroke(x, y, (0.155, -0.34), (0.175, -0.45), 0.035)
    amount += 0.12 * size * blob(x, y, (0.11, -0.38), (0.04, 0.04))
    amount -= (0.16 + 0.16 * size) * blob(x, y, (0.0, -0.475), (0.17, 0.035))
    if bags:
        amount += bags * _eye_bags(x, y)
    fold = 0.05 + 0.16 * min(person.expression.smile, 1.0)
    amount -= fold * stroke(x, y, (0.17, -0.42), (0.31, -0.64), 0.04)
    amount -= 0.13 * blob(x, y, (0, -0.855), (0.15, 0.035))  # under the lower lip
    return amount


def _eye_bags(x: Array, y: Array) -> Array:
    """A lit pouch under each eye with a dark edge below."""
    from_nose = x - 0.30
    edge = -0.165 + 1.1 * from_nose * from_nose
    within = smoothstep(0.24, 0.13, np.abs(from_nose))
    pouch = 0.10 * bell(y - edge - 0.065, 0.035)
    return within * (
        1.5 * pouch - 0.62 * bell(y - edge, 0.045) - 0.12 * bell(y - edge + 0.07, 0.05)
    )


def _throat(person: Traits, x: Array, y: Array) -> Array:
    """The shade of a second chin: one fold under the chin, another where it meets the neck."""
    double = person.face.double_chin
    if not double:
        return np.zeros((), np.float32)
    edge = -1.10 + 0.85 * x * x
    within = smoothstep(0.62, 0.40, x)
    fold = 0.42 * bell(y - edge, 0.045) + 0.30 * bell(y - edge + 0.21, 0.05)
    return double * within * (0.12 * bell(y - edge + 0.105, 0.05) - fold)


def _age(person: Traits, surface: Surface, x: Array) -> Array:
    """Wrinkles, hollows and sagging of a very old face."""
    side, y, z = surface.anchor
    wobble = 0.05 * (noise(person, side * 5 + 3, y * 2) - 0.5)
    strength = 0.6 + 0.8 * noise(person, side * 4, y * 9 + 5)
    lines = np.zeros_like(x)
    for height in _FOREHEAD_LINES:
        off = y - height - wobble + 0.10 * x * x
        lines += 0.26 * bell(off, 0.022) - 0.10 * bell(off - 0.04, 0.024)
    amount = -lines * smoothstep(0.56, 0.36, x) * strength
    for start, stop in _CROWS_FEET:
        amount -= 0.24 * stroke(x, y, start, stop, 0.020)
    amount -= 0.26 * stroke(x, y, (0.05, 0.10), (0.065, 0.28), 0.022)  # between the brows
    amount -= 0.46 * stroke(x, y + wobble, (0.165, -0.40), (0.325, -0.70), 0.032)
    amount += 0.14 * stroke(x, y + wobble, (0.235, -0.38), (0.41, -0.70), 0.05)
    amount -= 0.34 * stroke(x, y, (0.285, -0.74), (0.315, -0.98), 0.032)
    amount -= 0.20 * stroke(x, y + wobble, (0.16, -0.13), (0.40, -0.20), 0.030)
    amount -= 0.20 * blob(x, y, (0.20, 0.06), (0.10, 0.09))  # sunken eyes
    amount -= 0.22 * blob(x, y, (0.60, -0.48), (0.13, 0.20))  # hollow cheeks
    amount += 0.12 * blob(x, y, (0.43, -0.88), (0.09, 0.09))  # jowls
    amount -= 0.20 * stroke(x, y, (0.34, -1.04), (0.52, -0.86), 0.05)
    amount -= (
        0.10 * bell(x % np.float32(0.09) - 0.045, 0.016) * blob(x, y, (0, -0.55), (0.25, 0.05))
    )
    amount = amount * smoothstep(-0.6, -0.3, z)
    cords = stroke(x, y, (0.14, -1.15), (0.10, -1.6), 0.04)
    return amount - 0.18 * cords


def cast_shadow(person: Traits, anchor: Array) -> Array:
    """How much of the key light reaches each of n pixels past nose, brow and chin, 0 to 1."""
    x, y, z = anchor
    light = person.lighting
    high = clip01(light.elevation / 0.85)
    aside = -0.16 * np.sin(light.azimuth)  # shadows fall away from the light
    below_nose = blob(x, y, (aside, -0.50 - 0.03 * high), (0.13, 0.05 + 0.04 * high))
    beside_nose = blob(x, y, (1.6 * aside, -0.30), (0.08, 0.16)) * abs(np.sin(light.azimuth))
    from_eye = np.abs(np.abs(x) - 0.30)
    below_brow = bell(y - 0.10, 0.06) * smoothstep(0.26, 0.10, from_eye)
    neck = smoothstep(-1.0, -1.18, y) * smoothstep(0.16, 0.02, z)
    shadow = (0.25 + 0.30 * high) * below_nose + (0.10 + 0.25 * high) * below_brow
    shadow = shadow + 0.3 * beside_nose * (z < 0.30) + (0.28 + 0.34 * high) * neck
    return 1 - np.minimum(shadow, 0.75)
