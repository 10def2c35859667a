"""Hair on the scalp and the beard: the hairline, and how far hair lifts the surface."""

import numpy as np

from portraits.maths import Array, bell, smoothstep, table, value_noise
from portraits.people.traits import CURLY_STYLES, HANGING_STYLES, UPDO_STYLES, Traits
from portraits.shape.hats import hat_edge, lift_under_hat
from portraits.shape.head import load_head

_THICKNESS = {
    "bald": 0.0,
    "buzz": 0.018,
    "crop": 0.10,
    "side_part": 0.15,
    "quiff": 0.12,
    "tousled": 0.17,
    "slick": 0.085,
    "pixie": 0.17,
    "short_curls": 0.21,
    "afro": 0.46,
    "bun": 0.055,
    "chignon": 0.06,
    "ponytail": 0.05,
}
"""Thickness of the hair on the crown, by style; other styles have sheets over a thin layer."""

_UNDER_SHEETS = 0.035
_LUMPS = {"tousled": 0.11, "pixie": 0.06, "short_curls": 0.13, "afro": 0.14, "crop": 0.035}
"""Unevenness of the surface, by style."""

_ANGLES = (0, 0.35, 0.62, 0.85, 1.15, 1.32, 1.5, 1.75, 2.0, 2.4, 3.2)
_RECEDED = (0.10, 0.30, 0.36, 0.24, 0.10)
"""How far a receded hairline rises at the first five of `_ANGLES`; most at the temples."""


def hairline(azimuth: Array, person: Traits) -> Array:
    """Compute the height above which hair grows.

    Args:
        azimuth: angle around the skull in radians, 0 at the nose.

    Returns:
        y on the average head, in the shape of `azimuth`.
    """
    hair = person.hair
    bearded = max(person.facial_hair.sideburns, person.facial_hair.beard) > 0
    before_ear = -0.38 if bearded else -0.12
    if hair.style in HANGING_STYLES:
        front = [0.78, 0.735, 0.60, 0.38, 0.02, -0.30]
    else:
        front = [0.72, 0.73, 0.63, 0.46, 0.31, before_ear]
    if hair.style in UPDO_STYLES:
        front[4:] = [0.2, -0.08]
    for i, climb in enumerate(_RECEDED):
        front[i] += hair.hairline * (i < 3) + climb * hair.recession * (not hair.bangs)
        front[i] -= 0.2 * hair.bangs * (i < 4)  # no skin shows under the bangs
        front[i] += 0.07 * (hair.style in CURLY_STYLES[:2])  # thick curls hang over the edge
    behind_ear = [0.05, 0.12, -0.25, -0.72, -0.80]
    height = np.interp(np.abs(azimuth), _ANGLES, front + behind_ear).astype(np.float32)
    slope = np.minimum(np.maximum(azimuth, -0.6), 0.6)
    return height + 0.05 * hair.parting * slope - 0.025 * bell(azimuth, 0.12)


def hair_shell(person: Traits) -> Array:
    """Compute how far hair lifts the surface, also under a hat: float32 (n, 3), to be added."""
    head, hair = load_head(), person.hair
    x, y, z = head.rest.T
    ears = head.masks["ears"]
    above = y - hairline(head.azimuth, person)
    cover = smoothstep(-0.05, 0.20, above) * (1 - ears) * (y > -1.1)
    thickness = _THICKNESS.get(hair.style, _UNDER_SHEETS) * hair.volume
    lift = cover * thickness * (0.55 + 0.45 * smoothstep(0.2, 1.1, y))
    if hair.style == "quiff":
        raised = bell(z - 0.05, 0.35) * smoothstep(0.55, 0.95, y)
        lift = lift + cover * 0.26 * hair.volume * raised
    if hair.style in ("side_part", "pixie", "crop"):  # fuller at the corners of the forehead
        corner = smoothstep(0.15, 0.5, np.abs(x)) * smoothstep(0.35, 0.75, y)
        lift = lift * (1 + 0.3 * corner)
    if hair.style == "side_part":
        heavy_side = smoothstep(-0.5, 0.6, -np.sign(hair.parting + 0.01) * x)
        lift = lift * (0.45 + 0.75 * heavy_side * (1 + 0.4 * smoothstep(-0.9, 0.0, z)))
    if hair.style in ("crop", "side_part", "quiff", "tousled", "slick"):
        lift = lift * (1 - 0.7 * smoothstep(0.62, 0.15, y))  # shorter at the sides
    lift = lift + cover * _lumps(person, above)
    if person.outfit.hat != "none":
        lift = lift_under_hat(lift, y - hat_edge(head.azimuth))
    shell = head.hair_direction * lift[:, None]
    if hair.style in HANGING_STYLES and not hair.tucked:  # it presses the ears flat
        shell[:, 0] -= 0.11 * ears * np.sign(x)
    return shell.astype(np.float32)


def _lumps(person: Traits, above: Array) -> Array | float:
    """Compute the unevenness of the surface, as locks make it: float32 (n,).

    Args:
        above: (n,), height above the hairline.
    """
    size = _LUMPS.get(person.hair.style, 0.0) * (0.6 + 0.6 * person.hair.messiness)
    if not size:
        return 0.0
    head = load_head()
    coarse = table(person.strands.coarse)
    pitch = 7.5 if person.hair.style in CURLY_STYLES else 5.0
    around = value_noise(coarse, head.azimuth * pitch + 32)
    along = value_noise(coarse, head.rest[:, 1] * pitch + head.rest[:, 2] * 3 + 11)
    return size * (around + along - 1) * smoothstep(0.02, 0.3, above)


def beard_shell(person: Traits) -> Array | float:
    """Compute how far a beard or goatee lifts the surface: float32 (n, 3), to be added."""
    hair = person.facial_hair
    if not (hair.beard > 0 or hair.goatee > 0):
        return 0.0
    head = load_head()
    x, y, z = head.rest.T
    amount = hair.beard or hair.goatee * smoothstep(0.3, 0.12, np.abs(x))
    amount = smoothstep(-0.62, -0.95, y) * smoothstep(-0.55, -0.1, z) * amount
    amount = amount * (1 - head.masks["lips"]) * (1 - head.masks["mouth"])
    length = 0.03 + 0.09 * hair.beard_length
    return (head.normals * length * amount[:, None]).astype(np.float32)
