"""Light and shade painted on the face: what age, bags, bones, folds and freckles look like.

A few triangles can't bend as skin does, so a crease is a dark line beside a light one. Positions
are those of the average head, so that each stays in its place on every face.
"""

import numpy as np

from portraits.maths import Array, bell, clip01, column, smoothstep, table, value_noise
from portraits.shading import Surface
from portraits.traits import Traits

_FOLD = ((0.19, -0.42), (0.40, -0.80))  # from the nose to beside the mouth
_JOWL = ((0.34, -0.84), (0.40, -1.00))
_UNDER_EYE = (0.30, -0.145)


def modelled(person: Traits, skin: Array, surface: Surface) -> Array:
    """Skin (3, n) in linear light, with the shade of everything that a face has."""
    x, y, z = surface.anchor
    front = np.flatnonzero((z > -0.55) & (y > -1.45) & (y < 0.95))
    if not len(front):
        return skin
    x, y, z = x[front], y[front], z[front]
    light = _structure(person, np.abs(x), y, z) + _creases(person, np.abs(x), y)
    light = light + _mottling(person, x, y)
    color = skin[:, front] * (1 + np.maximum(light, -0.75))
    # shade on skin is warm
    color = color * (1 + np.minimum(light, 0) * column([-0.18, 0.05, 0.13]))
    if person.face.freckles:
        color = color * (1 - _freckles(person, x, y) * column([0.14, 0.28, 0.34]))
    skin = skin.copy()
    skin[:, front] = color
    return skin


def _structure(person: Traits, x: Array, y: Array, z: Array) -> Array:
    """How much lighter bones and bulges make the skin, (n,); x is the distance from the middle."""
    face, fat = person.face, clip01(person.build.weight - 0.3)
    high = 2 * face.cheekbones - 1
    on_bone = bell(np.hypot(x - 0.50, 1.7 * (y + 0.20 + 0.15 * (x - 0.5))), 0.13)
    hollow = bell(np.hypot(0.8 * (x - 0.50), 1.2 * (y + 0.56 - 0.55 * (x - 0.5))), 0.15)
    light = high * (0.20 * on_bone - 0.26 * hollow)

    point = face.nose_point
    ridge = bell(x, 0.035 + 0.05 * (1 - point)) * smoothstep(-0.42, -0.36, y) * (y < 0.05)
    tip = bell(np.hypot(x, y + 0.375), 0.05 + 0.07 * (1 - point))
    wings = bell(np.hypot(x - 0.10 - 0.03 * (1 - point), y + 0.40), 0.055)
    light = light + 0.10 * ridge + (0.10 + 0.25 * point) * tip - (0.10 + 0.16 * point) * wings

    chin = face.double_chin
    fold = bell(y + 1.06 - 0.35 * x * x, 0.035) * smoothstep(0.50, 0.30, x)
    roll = bell(y + 1.17 - 0.30 * x * x, 0.06) * smoothstep(0.55, 0.30, x)
    below = bell(y + 1.29 - 0.30 * x * x, 0.05) * smoothstep(0.55, 0.30, x)
    light = light + chin * (0.28 * roll - 0.55 * fold - 0.40 * below)
    apple = bell(np.hypot(x - 0.42, y + 0.47), 0.16)
    return light + 0.22 * fat * apple


def _creases(person: Traits, x: Array, y: Array) -> Array:
    """How much darker folds and wrinkles make the skin, (n,), below 0."""
    old = person.build.ageing
    smile = min(person.expression.smile, 1.0)
    fat = clip01(person.build.weight - 0.3)
    dark = (0.08 + 0.42 * old + 0.12 * smile + 0.15 * fat) * _line(x, y, *_FOLD, 0.035)

    bags = person.face.eye_bags
    amount = 0.06 + 0.14 * old + 0.52 * bags
    under_x, under_y = _UNDER_EYE
    arc = y - under_y + 0.055 - 0.9 * (x - under_x) ** 2
    within = smoothstep(0.24, 0.14, np.abs(x - under_x))
    dark = dark + amount * within * (
        bell(arc, 0.030 + 0.01 * bags) - 0.30 * bell(arc - 0.065, 0.03)
    )
    dark = dark + 0.22 * bags * bell(np.hypot(x - 0.17, y + 0.11), 0.06)
    if old > 0.05:
        brow = smoothstep(0.52, 0.34, x) * smoothstep(0.30, 0.40, y) * (y < 0.80)
        dark = dark + 0.34 * old * brow * np.maximum(np.sin(52 * y + 2.2 * x * x), 0) ** 2
        feet = bell(np.hypot(x - 0.60, y - 0.0), 0.11)
        rays = np.maximum(np.sin(9 * np.arctan2(y, x - 0.50) + 1), 0)
        dark = dark + (0.40 * old + 0.15 * old * smile) * feet * rays
        dark = dark + 0.42 * old * _line(x, y, *_JOWL, 0.032)
        dark = dark + 0.26 * old * bell(np.hypot(0.9 * (x - 0.46), y + 0.60), 0.13)
        between_brows = bell(x - 0.055, 0.018) * bell(y - 0.20, 0.09)
        dark = dark + 0.30 * old * between_brows
        upper_lip = bell(y + 0.60, 0.05) * (x < 0.22) * np.maximum(np.sin(70 * x), 0)
        dark = dark + 0.16 * old * upper_lip
        neck = (y < -1.08) * np.maximum(np.sin(34 * y + 3 * x * x), 0) ** 2
        dark = dark + 0.25 * old * neck
    return -dark


def _line(x: Array, y: Array, start: tuple, end: tuple, width: float) -> Array:
    """1 on the line from `start` to `end`, falling to 1/e at `width` beside it; (n,)."""
    (x0, y0), (x1, y1) = start, end
    length2 = (x1 - x0) ** 2 + (y1 - y0) ** 2
    t = clip01(((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length2)
    return bell(np.hypot(x - x0 - t * (x1 - x0), y - y0 - t * (y1 - y0)), width)


def _mottling(person: Traits, x: Array, y: Array) -> Array:
    """The unevenness of skin, more with age: (n,) around 0."""
    coarse = table(person.strands.coarse)
    fine = table(person.strands.fine)
    broad = value_noise(coarse, x * 7 + 20) + value_noise(coarse, y * 7 + 40 + 2 * x)
    pores = value_noise(fine, x * 39 + 11 * y) + value_noise(fine, y * 41 - 9 * x + 90)
    old = person.build.ageing
    return (0.05 + 0.09 * old) * (broad - 1) + (0.025 + 0.05 * old) * (pores - 1)


def _freckles(person: Traits, x: Array, y: Array) -> Array:
    """Where freckles are, 0 to 1: (n,), on nose and cheeks."""
    fine = table(person.strands.fine)
    a, b = x + 0.6 * y, y - 0.6 * x
    spots = value_noise(fine, a * 51 + 30 + 2 * value_noise(fine, b * 23))
    spots = spots * value_noise(fine, b * 53 + 10 + 2 * value_noise(fine, a * 29 + 70))
    area = bell(np.hypot(0.75 * (np.abs(x) - 0.25), y + 0.30), 0.24)
    return person.face.freckles * area * smoothstep(0.42, 0.6, spots)
