"""Hair: where it begins, how far it stands off the head, and the locks that hang down."""

import numpy as np

from portraits.accessories import hat_edge, hat_thickness
from portraits.head import Landmarks, load_head
from portraits.maths import Array, bell, smoothstep
from portraits.mesh import Material, Mesh, ellipsoid, grid_triangles, part
from portraits.traits import Traits

_THICKNESS = {
    "bald": 0.0,
    "buzz": 0.015,
    "short": 0.10,
    "quiff": 0.10,
    "medium": 0.12,
    "long": 0.11,
    "bob": 0.13,
    "updo": 0.06,
    "afro": 0.42,
}
LONG_STYLES = ("bob", "medium", "long")
_STYLES = {
    "crop": "short",
    "side_part": "short",
    "tousled": "quiff",
    "slick": "short",
    "pixie": "short",
    "lob": "medium",
    "shag": "medium",
    "layered": "long",
    "one_shoulder": "long",
    "short_curls": "afro",
    "long_curls": "long",
    "bun": "updo",
    "chignon": "updo",
    "ponytail": "updo",
}


def old_style(style: str) -> str:
    return _STYLES.get(style, style)


_LOWEST = {"medium": -0.55, "bob": -1.05, "long": -2.4}


def hairline(azimuth: Array, person: Traits) -> Array:
    """Height above which hair grows.

    Args:
        azimuth: angle around the skull in radians, 0 at the nose.

    Returns:
        y on the average head, in the shape of `azimuth`.
    """
    hair = person.hair
    rise, recession = hair.hairline, hair.recession
    angles = [0, 0.35, 0.62, 0.85, 1.15, 1.32, 1.5, 1.75, 2.0, 2.4, 3.2]
    bearded = person.facial_hair.sideburns > 0 or person.facial_hair.beard > 0
    before_ear = -0.38 if bearded else -0.12
    if old_style(hair.style) == "updo":
        before_ear = -0.05
    front = [
        0.72 + rise + 0.22 * recession,
        0.73 + rise + 0.34 * recession,
        0.64 + rise + 0.34 * recession,
        0.46 + 0.2 * recession,
        0.31 + 0.1 * recession,
        before_ear,
    ]
    if old_style(hair.style) in LONG_STYLES:
        front = [0.80 + rise, 0.745 + rise, 0.60 + rise, 0.38, 0.02, -0.30]
    if hair.bangs:
        front[:5] = [0.30 + rise, 0.31 + rise, 0.26 + rise, 0.2, 0.1]
    behind_ear = [0.05, 0.12, -0.25, -0.72, -0.80]
    distance = np.abs(azimuth)
    height = np.interp(distance, angles, front + behind_ear).astype(np.float32)
    return height + _parting(azimuth, person)


def _parting(azimuth: Array, person: Traits) -> Array | float:
    """How parting and bangs move the front of the hairline up or down."""
    hair = person.hair
    limit = 0.7 if hair.bangs else 0.6
    slope = hair.parting * np.minimum(np.maximum(azimuth, -limit), limit)
    if hair.bangs:
        return 0.16 * slope * (np.abs(azimuth) < 0.9)
    if old_style(hair.style) in LONG_STYLES:
        return 0.10 * bell(azimuth - 0.5 * hair.parting, 0.16) + 0.16 * slope
    if old_style(hair.style) in ("quiff", "short"):
        return 0.05 * slope - 0.03 * bell(azimuth, 0.12)
    return 0.0


def hair_shell(person: Traits) -> Array:
    """How far hair or hat lift the surface off the head: float32 (n, 3), to add to vertices."""
    head, hair = load_head(), person.hair
    _, y, z = head.rest.T
    ears = head.masks["ears"]
    above = y - hairline(head.azimuth, person)
    cover = smoothstep(-0.05, 0.22, above) * (1 - ears) * (y > -1.1)
    lift = cover * _THICKNESS[old_style(hair.style)] * hair.volume
    lift = lift * (0.55 + 0.45 * smoothstep(0.2, 1.1, y))
    if old_style(hair.style) == "quiff":
        quiff = bell(z - 0.1, 0.35) * smoothstep(0.5, 0.9, y)
        lift = lift + cover * 0.16 * hair.volume * quiff
    if old_style(hair.style) in ("short", "quiff"):
        lift = lift * (1 - 0.55 * smoothstep(0.55, 0.2, y))
    if hair.bangs:
        lift = np.maximum(lift, 0.07 * smoothstep(-0.02, 0.05, above) * (1 - ears))
    if person.outfit.hat != "none":
        lift = _under_hat(lift, person)
    return (head.hair_direction * lift[:, None]).astype(np.float32)


def _under_hat(lift: Array, person: Traits) -> Array:
    """Press the hair down under the hat, and put the hat on it."""
    head = load_head()
    above = head.rest[:, 1] - hat_edge(head.azimuth)
    below_hat = lift * 0.5 if old_style(person.hair.style) == "afro" else lift
    lift = np.where(above > -0.1, np.minimum(lift, 0.05), below_hat)
    return hat_thickness(lift, above, head.rest[:, 1], person.outfit.hat)


def beard_shell(person: Traits) -> Array | float:
    """How far a beard or goatee lifts the surface: float32 (n, 3), to add to vertices."""
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


def loose_hair(person: Traits, marks: Landmarks) -> list[Mesh]:
    """The hair that the shell of the head can't show: hanging locks, or a bun."""
    if old_style(person.hair.style) in LONG_STYLES:
        return [_curtain(person, marks)]
    if old_style(person.hair.style) == "updo":
        return [_bun(person, marks)]
    return []


def _curtain(person: Traits, marks: Landmarks) -> Mesh:
    """Hair around the back and sides of the head, one sheet from the crown down."""
    hair = person.hair
    style = old_style(hair.style)
    lowest = _LOWEST[style] + 0.5 * (hair.volume - 1)
    highest = 0.40 if person.outfit.hat != "none" else 0.98
    half_angle = 1.95 if style == "medium" else 2.20
    # (33 around, 22 down); angle 0 is the back of the head
    side, down = np.meshgrid(np.linspace(-1, 1, 33), np.linspace(0, 1, 22) ** 0.8, indexing="ij")
    angle, y = side * half_angle, highest + (lowest - highest) * down

    radius = _curtain_radius(y, hair.volume, style, marks.top)
    wave = hair.parting * 9
    swing = np.sin(y * 7.5 + wave + angle * 1.3) * smoothstep(0.5, -0.3, y)
    radius = radius * (1 + 0.055 * hair.waviness * swing)
    sway = 0.06 * hair.waviness * np.sin(y * 6 + wave * 2)
    turned = angle * (1 + sway * np.abs(side))
    thickness = 0.10 + 0.07 * hair.volume + (0.03 if style == "bob" else 0)
    x = (marks.half_width + thickness) * radius * np.sin(turned)
    z = marks.center_z - (marks.half_depth + thickness) * radius * np.cos(turned)
    if style == "long":  # it falls over the shoulders to the front
        z = z + 0.30 * smoothstep(-1.0, -2.2, y) * (np.abs(angle) > 1.2)

    vertices = np.stack([x, y, z], -1).reshape(-1, 3)
    behind = 1 - 0.35 * smoothstep(0.15, 0.9, down) * (np.abs(angle) < 1.2)
    return part(
        vertices,
        grid_triangles(*angle.shape),
        Material.HAIR,
        anchor=np.stack([side, y, down], -1).reshape(-1, 3),
        occlusion=behind.ravel(),
        stiffness=np.maximum(smoothstep(-1.9, -1.0, vertices[:, 1]), 0.35),
    )


def _curtain_radius(y: Array, volume: float, style: str, top: float) -> Array:
    """Radius of the curtain at height y, 1 at the temples."""
    over_crown = (np.maximum(y - 0.22, 0) / (top - 0.22 + 0.10)) ** 2
    radius = np.sqrt(np.maximum(1 - over_crown, 0.05))
    low = smoothstep(0.0, -1.1, y)
    if style == "medium":
        return radius * (1 - 0.10 * low)
    if style == "long":
        return radius * (1 - 0.06 * low + 0.18 * smoothstep(-1.2, -2.4, y))
    bulge = 1 + 0.06 * smoothstep(0.2, -0.6, y) * volume
    tips = 1 - 0.16 * smoothstep(-0.65, -1.05, y)
    return radius * (1 + 0.02 * low) * bulge * tips


def _bun(person: Traits, marks: Landmarks) -> Mesh:
    """A knot of hair, on the crown or at the back of the head."""
    on_crown = person.hair.parting > 0
    center = [0, marks.top + 0.18, -0.75] if on_crown else [0, 0.35, marks.back - 0.2]
    radius = 0.36 * person.hair.volume
    rows, columns = 17, 9
    vertices, triangles = ellipsoid(center, (radius, 0.8 * radius, radius), rows, columns)
    side, down = np.meshgrid(np.linspace(-1, 1, rows), np.linspace(0, 1, columns), indexing="ij")
    anchor = np.stack([side, np.full_like(side, 0.5), down], -1).reshape(-1, 3)
    stiffness = np.maximum(smoothstep(-1.9, -1.0, vertices[:, 1]), 0.35)
    return part(vertices, triangles, Material.HAIR, anchor, 0.9, stiffness)
