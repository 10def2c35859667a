"""Relief of the face: shade of features, folds and wrinkles that the mesh is too coarse for."""

from functools import cache

import numpy as np

from portraits.colour.light import Surface
from portraits.colour.texture import blob, noise, stroke
from portraits.maths import Array, bell, clip01, smoothstep
from portraits.people.traits import Traits

_CELL = np.float32(0.005)
_CHART = (160, 520)  # cells from the middle of the face to the side, and from below to above
_LOWEST = np.float32(-1.7)
_FOREHEAD_LINES = (0.37, 0.49, 0.62)  # y of the anchors
_CROWS_FEET = (
    ((0.49, 0.05), (0.62, 0.13)),
    ((0.50, 0.0), (0.64, 0.01)),
    ((0.49, -0.05), (0.61, -0.12)),
)


def relief(person: Traits, surface: Surface) -> Array:
    """Compute how much lighter (above 0) or darker the relief makes each pixel: (n,)."""
    x, y, z = surface.anchor
    face, ageing = person.face, person.build.ageing
    if ageing:
        y = y + (0.05 * ageing) * (noise(person, 5 * x + 3, 2 * y) - 0.5)  # uneven wrinkles
    values = _look_up(np.abs(x), y)
    smile = min(max(person.expression.smile, 0.0), 1.0)
    amounts = (1, face.nose_size, face.nose_point, face.cheekbones, face.eye_bags, smile, ageing)
    on_face = np.einsum("nk,k->n", values[:, :-1], np.array(amounts, np.float32))
    return on_face * smoothstep(-0.5, -0.3, z) + face.double_chin * values[:, -1]


def _look_up(x: Array, y: Array) -> Array:
    """Look up `_chart` at n positions: (n, 8)."""
    across, up = _CHART
    column = np.minimum(x / _CELL, across - 1).astype(np.int32)
    row = np.minimum(np.maximum((y - _LOWEST) / _CELL, 0), up - 1).astype(np.int32)
    return _chart().take(row * across + column, 0)


@cache
def _chart() -> Array:
    """Compute what each trait adds to the relief, on a grid of half the face: (cells, 8).

    Looking it up is ten times as fast as computing it for every portrait.
    """
    across, up = _CHART
    x = ((np.arange(across, dtype=np.float32) + 0.5) * _CELL)[None, :]
    y = ((np.arange(up, dtype=np.float32) + 0.5) * _CELL + _LOWEST)[:, None]
    x, y = (np.ascontiguousarray(a).ravel() for a in np.broadcast_arrays(x, y))
    paints = (_average, _big_nose, _pointy_nose, _high_bones, _eye_bags, _smile, _age, _chins)
    return np.stack([paint(x, y) for paint in paints], 1).astype(np.float32)


def _average(x: Array, y: Array) -> Array:
    """The relief of every face: a small, blunt nose and shade under the lower lip."""
    bridge = 0.06 * stroke(x, y, (0, 0.0), (0, -0.36), 0.055)
    ball = 0.13 * blob(x, y, (0, -0.36), (0.13, 0.08))
    wing = 0.12 * stroke(x, y, (0.155, -0.34), (0.175, -0.45), 0.035)
    nostrils = 0.16 * blob(x, y, (0, -0.475), (0.17, 0.035))
    fold = 0.05 * stroke(x, y, (0.17, -0.42), (0.31, -0.64), 0.04)
    return bridge + ball - wing - nostrils - fold - 0.13 * blob(x, y, (0, -0.855), (0.15, 0.035))


def _big_nose(x: Array, y: Array) -> Array:
    """Broad wings, and shade below the nose."""
    wing = 0.34 * stroke(x, y, (0.155, -0.34), (0.175, -0.45), 0.038)
    nostrils = 0.20 * blob(x, y, (0, -0.475), (0.17, 0.040))
    return 0.14 * blob(x, y, (0.11, -0.38), (0.045, 0.045)) - wing - nostrils


def _pointy_nose(x: Array, y: Array) -> Array:
    """A thin highlight that ends in a point, in place of a round tip."""
    thin = 0.30 * stroke(x, y, (0, 0.0), (0, -0.36), 0.038)
    tip = 0.46 * blob(x, y, (0, -0.35), (0.045, 0.055))
    ball = 0.13 * blob(x, y, (0, -0.36), (0.13, 0.08))
    return thin + tip - ball - 0.36 * stroke(x, y, (0.095, -0.05), (0.125, -0.40), 0.048)


def _high_bones(x: Array, y: Array) -> Array:
    """Light on the cheekbones, and shade below them."""
    bone = 0.22 * blob(x, y, (0.48, -0.19), (0.16, 0.085))
    hollow = 0.36 * stroke(x, y, (0.72, -0.36), (0.36, -0.58), 0.10)
    return bone - hollow


def _eye_bags(x: Array, y: Array) -> Array:
    """A light bag under each eye with a dark edge below."""
    from_nose = x - 0.30
    edge = -0.165 + 1.1 * from_nose * from_nose
    within = smoothstep(0.24, 0.13, np.abs(from_nose))
    pouch = 0.20 * bell(y - edge - 0.065, 0.035)
    shade = 0.66 * bell(y - edge, 0.05) + 0.12 * bell(y - edge + 0.07, 0.05)
    return within * (pouch - shade)


def _smile(x: Array, y: Array) -> Array:
    """The fold from the nose to the corner of the mouth."""
    return -0.16 * stroke(x, y, (0.17, -0.42), (0.31, -0.64), 0.04)


def _chins(x: Array, y: Array) -> Array:
    """A fold under the chin, and another one under the second chin."""
    edge = -1.10 + 0.85 * x * x
    fold = 0.60 * bell(y - edge, 0.052) + 0.42 * bell(y - edge + 0.21, 0.055)
    pouch = 0.16 * bell(y - edge + 0.105, 0.05)
    return smoothstep(0.62, 0.40, x) * (pouch - fold)


def _age(x: Array, y: Array) -> Array:
    """Wrinkles, hollows and sagging of a very old face."""
    lines = np.zeros_like(x)
    for height in _FOREHEAD_LINES:
        off = y - height + 0.10 * x * x
        lines += 0.21 * bell(off, 0.022) - 0.08 * bell(off - 0.04, 0.024)
    amount = -lines * smoothstep(0.56, 0.36, x)
    for start, stop in _CROWS_FEET:
        amount -= 0.19 * stroke(x, y, start, stop, 0.020)
    for depth, start, stop, width in (
        (0.20, (0.05, 0.10), (0.065, 0.28), 0.022),  # between the brows
        (0.36, (0.165, -0.40), (0.325, -0.70), 0.032),  # from the nose to the mouth
        (-0.12, (0.235, -0.38), (0.41, -0.70), 0.05),  # the cheek beside it
        (0.27, (0.285, -0.74), (0.315, -0.98), 0.032),  # from the mouth to the chin
        (0.16, (0.16, -0.13), (0.40, -0.20), 0.030),  # under the eyes
        (0.16, (0.34, -1.04), (0.52, -0.86), 0.05),  # below the jowls
    ):
        amount -= depth * stroke(x, y, start, stop, width)
    amount -= 0.18 * blob(x, y, (0.20, 0.06), (0.10, 0.09))  # sunken eyes
    amount -= 0.18 * blob(x, y, (0.60, -0.48), (0.13, 0.20))  # hollow cheeks
    amount += 0.10 * blob(x, y, (0.43, -0.88), (0.09, 0.09))  # jowls
    pleats = bell(x % np.float32(0.09) - 0.045, 0.016) * blob(x, y, (0, -0.55), (0.25, 0.05))
    return amount - 0.08 * pleats


def cast_shadow(person: Traits, anchor: Array) -> Array:
    """Compute how much of the key light comes past nose, brow and chin: (n,), 0 to 1."""
    x, y, z = anchor
    light = person.lighting
    high = clip01(light.elevation / 0.85)
    across = np.sin(light.azimuth)
    aside = -0.16 * across  # the side of the face away from the light
    below_nose = blob(x, y, (aside, -0.50 - 0.03 * high), (0.13, 0.05 + 0.04 * high))
    beside_nose = blob(x, y, (1.6 * aside, -0.30), (0.08, 0.16)) * (z < 0.30)
    below_brow = blob(np.abs(x), y, (0.30, 0.10), (0.17, 0.06))
    neck = smoothstep(-1.0, -1.18, y) * smoothstep(0.16, 0.02, z)
    shadow = (0.25 + 0.30 * high) * below_nose + (0.10 + 0.25 * high) * below_brow
    shadow = shadow + (0.3 * abs(across)) * beside_nose + (0.28 + 0.34 * high) * neck
    return 1 - np.minimum(shadow, 0.75)
