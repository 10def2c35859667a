"""Sample the hair of people, on the head and on the face."""

import numpy as np

from portraits.people.draws import Draws, rate
from portraits.people.palettes import color_within
from portraits.people.traits import (
    CURLY_STYLES,
    HAIR_COLORS,
    HANGING_STYLES,
    Build,
    Color,
    FacialHair,
    Hair,
    Outfit,
)

_HAIR_STYLES: dict[str, dict[str, float]] = {
    "man": {
        "buzz": 0.14,
        "crop": 0.16,
        "side_part": 0.17,
        "quiff": 0.13,
        "tousled": 0.14,
        "slick": 0.08,
        "shag": 0.05,
        "lob": 0.03,
        "long": 0.03,
        "short_curls": 0.06,
        "afro": 0.02,
        "long_curls": 0.01,
        "ponytail": 0.02,
    },
    "woman": {
        "buzz": 0.005,
        "pixie": 0.06,
        "side_part": 0.02,
        "bob": 0.11,
        "lob": 0.11,
        "shag": 0.09,
        "long": 0.15,
        "layered": 0.13,
        "one_shoulder": 0.08,
        "short_curls": 0.04,
        "afro": 0.03,
        "long_curls": 0.07,
        "bun": 0.05,
        "chignon": 0.04,
        "ponytail": 0.05,
    },
}
"""How often people who are not bald wear each style."""


def sample_hair(draw: Draws, build: Build, outfit: Outfit, tucked: bool) -> Hair:
    """Sample the hair on the head.

    Args:
        tucked: whether hair that hangs is behind the ears in any case.
    """
    fairness = build.ancestry[0] ** 1.3
    color_name, color = _pick_hair_color(draw, build, fairness)
    style = _pick_hair_style(draw, build, outfit)
    hangs = style in HANGING_STYLES
    can_have_bangs = outfit.hat == "none" and style not in (
        "bald",
        "buzz",
        "afro",
        "slick",
        "quiff",
        "short_curls",
        "long_curls",
    )
    bangs = can_have_bangs and draw.chance(0.13 if build.male else 0.27)
    wavy = draw.chance(0.35 if build.male else 0.56)
    waviness = draw.uniform(0.65, 1) if wavy else draw.uniform(0, 0.12)
    if style in CURLY_STYLES:
        waviness = 1.0
    recedes = draw.chance(rate(build, 0.09, 0.03, 0.30, 0.08))
    recession = draw.uniform(0.7, 1) if recedes and not bangs else draw.uniform(0, 0.15)
    return Hair(
        color_name,
        color,
        style,
        bangs,
        waviness,
        recession,
        parting=0.0 if draw.chance(0.35) else draw.uniform(-1, 1),
        volume=draw.uniform(0.65, 1.25),
        hairline=draw.uniform(-0.05, 0.06),
        length=draw.uniform(0, 1),
        tucked=hangs and (tucked or draw.chance(0.15)),
        highlights=draw.uniform(0.2, 1) if draw.chance(0.3) else 0.0,
        messiness=draw.uniform(0, 1),
    )


def _pick_hair_color(draw: Draws, build: Build, fairness: float) -> tuple[str, Color]:
    old = not build.young
    gray = 0.0 if not old else 0.30 if build.male else 0.14
    if draw.chance(gray):
        name = "Gray"
    else:
        blond = 0.44 if not build.male else 0.26
        name = draw.choose(
            {
                "Black": 0.06 + 0.50 * (1 - fairness),
                "Brown": 0.24 + 0.18 * fairness,
                "Blond": 0.04 + blond * fairness,
                "Red": 0.06 * fairness,
            }
        )
    dark, light = np.array(HAIR_COLORS[name])
    t = draw.uniform(0, 1)
    shade = (1 - t) * dark + t * light + draw.rng.normal(0, 0.008, 3)
    return name, color_within(shade, 0.02, 1)


def _pick_hair_style(draw: Draws, build: Build, outfit: Outfit) -> str:
    if draw.chance(rate(build, 0.03, 0.0015, 0.11, 0.004)) and outfit.hat == "none":
        return "bald"
    odds = dict(_HAIR_STYLES["man" if build.male else "woman"])
    african = build.ancestry[1]
    for style in ("afro", "short_curls"):
        odds[style] = odds.get(style, 0.0) * (0.4 + 4 * african)
    return draw.choose(odds)


def sample_facial_hair(draw: Draws, build: Build) -> FacialHair:
    """Sample stubble or a beard; women have none."""
    stubble = mustache = goatee = beard = sideburns = 0.0
    kind = draw.choose(
        {
            "none": 0.52,
            "stubble": 0.22,
            "mustache": 0.03,
            "goatee": 0.12,
            "beard": 0.06,
            "sideburns": 0.02,
        }
    )
    if build.male and kind != "none":
        mustached = draw.chance(0.3)
        if kind == "stubble":
            stubble = draw.uniform(0.7, 1)
            sideburns = draw.uniform(0.7, 1) * draw.chance(0.15)
        elif kind == "mustache":
            mustache = draw.uniform(0.8, 1)
        elif kind == "goatee":
            goatee = draw.uniform(0.8, 1)
            mustache = draw.uniform(0.8, 1) * mustached
            sideburns = draw.uniform(0.8, 1) * draw.chance(0.35)
        elif kind == "beard":
            beard, mustache, goatee = draw.uniform(0.8, 1), draw.uniform(0.8, 1), 1.0
        if kind in ("beard", "sideburns"):
            sideburns = draw.uniform(0.8, 1)
    return FacialHair(stubble, mustache, goatee, beard, sideburns, draw.uniform(0, 1) ** 2)
