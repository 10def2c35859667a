"""Sample what people wear: make-up, clothes and accessories."""

import numpy as np

from portraits.people.draws import Draws, rate
from portraits.people.palettes import (
    CLOTH_COLORS,
    CLOTH_GRAYS,
    EYE_SHADOW_COLORS,
    FRAME_COLORS,
    HAT_COLORS,
    JEWEL_COLORS,
    SHIRT_COLORS,
    SUIT_COLORS,
    TIE_COLORS,
    color_within,
)
from portraits.people.traits import EARRINGS, NECKLACES, Build, Color, Expression, MakeUp, Outfit


def sample_make_up(draw: Draws, build: Build, expression: Expression) -> MakeUp:
    """Sample make-up; men wear hardly any."""
    made_up = draw.chance(rate(build, 0.0, 0.70, 0.0, 0.52))
    eyes = draw.uniform(0.75, 1) if made_up else 0.0
    lips = draw.chance(0.97 if made_up else 0.0 if build.male else 0.38)
    lipstick = draw.uniform(0.75, 1) if lips else 0.0
    lip_color = (draw.uniform(0.55, 0.85), draw.uniform(0.05, 0.24), draw.uniform(0.12, 0.34))
    rosy = made_up and draw.chance(0.24 if expression.smile > 0.4 else 0.10)
    blush = draw.uniform(0.8, 1) if rosy else draw.uniform(0, 0.15)
    return MakeUp(eyes, lipstick, lip_color, blush, draw.choose(EYE_SHADOW_COLORS))


def sample_outfit(draw: Draws, build: Build) -> tuple[Outfit, bool]:
    """Sample clothes and accessories; return also whether hair is tucked behind the ears."""
    hats = (
        {"none": 0.925, "beanie": 0.025, "cap": 0.030, "fedora": 0.020}
        if build.male
        else {"none": 0.965, "beanie": 0.012, "cap": 0.006, "sun_hat": 0.017}
    )
    hat = draw.choose(hats)
    hat_color = np.array(draw.choose(HAT_COLORS[hat])) + draw.rng.uniform(-0.05, 0.05, 3)
    earrings = draw.chance(rate(build, 0.015, 0.34, 0.01, 0.46))
    if build.male:
        necklines = {"crew": 0.28, "v": 0.12, "turtleneck": 0.06, "shirt": 0.26, "suit": 0.28}
    else:
        necklines = {
            "crew": 0.22,
            "v": 0.22,
            "scoop": 0.24,
            "straps": 0.16,
            "turtleneck": 0.06,
            "shirt": 0.10,
        }
    neckline = draw.choose(necklines)
    tied = {"suit": rate(build, 0.45, 0, 0.75, 0), "shirt": rate(build, 0.08, 0, 0.2, 0)}
    bare_throat = neckline in ("v", "scoop", "straps")
    necklace = draw.chance(0.33 if bare_throat and not build.male else 0.02)
    glasses = draw.chance(rate(build, 0.08, 0.02, 0.22, 0.06))
    return Outfit(
        hat=hat,
        hat_color=color_within(hat_color, 0.03, 0.85),
        earrings=earrings,
        earring_style=draw.choose(EARRINGS),
        earring_size=draw.uniform(0, 1),
        necklace=necklace,
        necklace_style=draw.choose(NECKLACES),
        jewel_color=draw.choose(JEWEL_COLORS),
        glasses=glasses,
        sunglasses=draw.chance(0.2),
        lens_squareness=draw.uniform(0, 1),
        frame_color=draw.choose(FRAME_COLORS),
        frame_thickness=draw.uniform(0, 1),
        neckline=neckline,
        cloth_color=_pick_cloth_color(draw, neckline == "suit"),
        shirt_color=draw.choose(SHIRT_COLORS),
        tie=draw.chance(tied.get(neckline, 0.0)),
        tie_color=draw.choose(TIE_COLORS),
    ), earrings


def _pick_cloth_color(draw: Draws, suit: bool) -> Color:
    """Pick a colour; half of the clothes that are not suits are gray, from black to white."""
    if suit:
        return draw.choose(SUIT_COLORS)
    if draw.chance(0.5):
        color, spread = np.full(3, draw.rng.choice(CLOTH_GRAYS)), 0.03
    else:
        color, spread = np.array(draw.choose(CLOTH_COLORS)), 0.07
    color = color + draw.rng.uniform(-spread, spread, 3)
    return color_within(color, 0.05, 0.9)
