"""Who is drawn: the parameters of one person, sampled at the rates of CelebA's attributes.

Whatever CelebA has a word for comes in two clear kinds, with nothing in between: a nose is big or
it is not. That is what makes a label visible in 64 pixels. How often each kind comes depends on
sex and age as it does in CelebA; ancestry is balanced, and no label follows from it.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

import numpy as np

from portraits.people.palettes import (
    FRAME_COLORS,
    HAT_COLORS,
    JEWEL_COLORS,
    SUIT_COLORS,
    TIE_COLORS,
    cloth_color,
)
from portraits.people.scenery import sample_backdrop
from portraits.people.traits import (
    CURLY_STYLES,
    EARRINGS,
    FACE_SHAPES,
    HAIR_COLORS,
    HANGING_STYLES,
    NECKLACES,
    Build,
    Color,
    Expression,
    Face,
    FacialHair,
    Hair,
    Lighting,
    MakeUp,
    Outfit,
    Photo,
    Pose,
    Strands,
)
from portraits.shape.head import load_head

_SHADOW_COLORS = (
    (0.36, 0.22, 0.20),
    (0.42, 0.20, 0.36),
    (0.22, 0.28, 0.46),
    (0.20, 0.36, 0.36),
    (0.20, 0.19, 0.22),
)
_FAR = 0x9E3779B97F4A7C15F39CC0605CEDC835  # numbers that no group needs: see `PCG64.jumped`
_IRIS_COLORS = ((0.23, 0.13, 0.07), (0.33, 0.21, 0.1), (0.28, 0.36, 0.2), (0.3, 0.45, 0.6))
_FEATURE_SPREAD = {
    "head": 0.12,
    "forehead": 0.18,
    "eye": 0.16,
    "brow": 0.25,
    "cheek": 0.18,
    "chin": 0.20,
    "ear": 0.25,
    "mouth": 0.18,
    "nose": 0.18,
    "neck": 0.2,
    "asym": 0.10,
}
"""Standard deviation of the morph targets of each part of the head."""

_LABELLED_FEATURES = (
    "mouth_scale-vert",
    "mouth_upperlip-height",
    "mouth_lowerlip-height",
    "mouth_upperlip-volume",
    "mouth_lowerlip-volume",
    "nose_volume",
    "nose_scale-horiz",
    "nose_scale-depth",
    "nose_width2",
    "nose_width3",
    "nose_flaring",
    "nose_base",
    "nose_point-width",
    "cheek_bones",
    "cheek_volume",
    "eye_height1",
    "eye_height2",
    "eye_height3",
    "eye_bag",
    "chin_bones",
    "chin_width",
    "head_fat",
    "head_scale-horiz",
    "neck_double",
    "neck_width",
)
"""Targets that also make what CelebA has a word for; they vary little otherwise."""

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
"""How often each style is worn by people who are not bald."""


def sample_traits(seed: int, index: int) -> dict[str, object]:
    """The groups of `Traits`, by name, of person number `index` (from 0) of population `seed`.

    Each group is drawn from random numbers of its own, so a change of one leaves the others as
    they are.

    Raises:
        ValueError: `seed` or `index` is negative.
    """
    if seed < 0 or index < 0:
        raise ValueError(f"seed and index must not be negative, but are {seed} and {index}")
    draws = _groups(seed, index)
    build = _build(next(draws))
    expression = _expression(next(draws), build)
    outfit, tucked = _outfit(next(draws), build)
    photo = _photo(next(draws))
    make_up = _make_up(next(draws), build, expression)
    return {
        "build": build,
        "expression": expression,
        "outfit": outfit,
        "photo": photo,
        "hair": _hair(next(draws), build, outfit, tucked),
        "facial_hair": _facial_hair(next(draws), build),
        "make_up": make_up,
        "face": _face(next(draws), build, expression, make_up),
        "pose": _pose(next(draws)),
        "lighting": _lighting(next(draws)),
        "backdrop": sample_backdrop(next(draws).rng),
        "strands": _strands(next(draws)),
    }


def _groups(seed: int, index: int) -> Iterator["_Draws"]:
    """Random numbers for one group after the other, from places far apart in one sequence."""
    numbers = np.random.PCG64([seed, index])
    start, generator = numbers.state, np.random.Generator(numbers)
    for group in itertools.count():
        numbers.state = start
        numbers.advance(group * _FAR)
        yield _Draws(generator)


class _Draws:
    """Random numbers of the kinds that a person needs."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def uniform(self, low: float, high: float) -> float:
        return low + (high - low) * self.rng.random()

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def normal(self, spread: float) -> float:
        """Normally distributed, cut off at 2.2 standard deviations."""
        return _limit(self.rng.normal() * spread, -2.2 * spread, 2.2 * spread)

    def choose(self, odds: Mapping | Sequence) -> object:
        """Pick a key of a mapping by its odds, or an element of a sequence."""
        if not isinstance(odds, Mapping):
            return odds[int(self.rng.integers(len(odds)))]
        at = self.rng.random() * sum(odds.values())
        for option, share in odds.items():
            at -= share
            if at < 0:
                return option
        return option

    def trait(self, probability: float) -> float:
        """0.75 to 1 with this probability, else 0 to 0.25: clearly so, or clearly not."""
        high = self.chance(probability)
        return self.uniform(0.75, 1) if high else self.uniform(0, 0.25)


def _rate(build: Build, man: float, woman: float, old_man: float, old_woman: float) -> float:
    """Pick the rate of one of four kinds of people."""
    if build.young:
        return man if build.male else woman
    return old_man if build.male else old_woman


def _build(draw: _Draws) -> Build:
    male = draw.chance(0.42)
    young = draw.chance(0.64 if male else 0.86)
    age = draw.uniform(0.0, 0.30) if young else draw.uniform(0.66, 1.0)
    ancestry = draw.rng.dirichlet([0.62, 0.38, 0.38]) ** 1.3
    ancestry = tuple((ancestry / ancestry.sum()).tolist())
    caucasian, african, asian = ancestry
    if draw.chance(0.05 * (1.5 * caucasian + asian)):
        melanin = draw.uniform(0.0, 0.035)
    else:
        melanin = 0.25 * caucasian + 0.82 * african + 0.36 * asian + draw.normal(0.08)
        melanin = _limit(melanin, 0.17, 1)
    gender = _limit((0.94 if male else 0.06) + draw.normal(0.05), 0, 1)
    chubby = draw.chance(0.01 if young and not male else 0.02 if young else 0.22)
    weight = draw.uniform(0.75, 1.0) if chubby else _limit(draw.normal(0.25), -0.6, 0.25)
    fairness = caucasian**1.3
    iris_odds = {
        _IRIS_COLORS[0]: 0.35 + 0.5 * (1 - fairness),
        _IRIS_COLORS[1]: 0.25,
        _IRIS_COLORS[2]: 0.15 * fairness + 0.01,
        _IRIS_COLORS[3]: 0.3 * fairness + 0.01,
    }
    iris = draw.choose(iris_odds)
    return Build(male, age, ancestry, gender, weight, melanin, iris)


def _face(draw: _Draws, build: Build, expression: Expression, make_up: MakeUp) -> Face:
    smiling = expression.smile > 0.4
    heavy = build.weight > 0.5
    young = build.young
    oval = draw.trait(0.05 if heavy else 0.22 if build.male else 0.38)
    nose_size = draw.trait(_rate(build, 0.34, 0.09, 0.50, 0.24) + 0.25 * heavy)
    pointed = _rate(build, 0.22, 0.38, 0.16, 0.30)
    nose_point = draw.trait(0.5 * pointed if nose_size > 0.5 else 1.1 * pointed)
    lips = draw.trait(_rate(build, 0.18, 0.33, 0.12, 0.20))
    cheekbones = draw.trait(0.80 if smiling else 0.11)
    eyes_narrow = draw.trait(0.14 if smiling else 0.10)
    eye_bags = draw.trait(_rate(build, 0.26, 0.08, 0.50, 0.26))
    double_chin = draw.trait(0.55 if heavy else 0.005 if young else 0.10)
    brow_thickness = draw.trait(_rate(build, 0.28, 0.09, 0.20, 0.05))
    arched = 0.05 if build.male else 0.52 if make_up.eyes > 0.5 else 0.26
    brow_arch = draw.trait(arched)
    fair = build.ancestry[0] > 0.5 and build.melanin < 0.3
    freckles = draw.uniform(0.3, 1) if fair and draw.chance(0.2) else 0.0
    return Face(
        oval,
        nose_size,
        nose_point,
        lips,
        cheekbones,
        eyes_narrow,
        eye_bags,
        double_chin,
        brow_thickness,
        brow_arch,
        freckles,
        _features(draw),
    )


def _features(draw: _Draws) -> dict[str, float]:
    """Weights of the morph targets that make one face differ from the next."""
    names, spreads = _spreads()
    weights = np.clip(draw.rng.standard_normal(len(names)), -2.2, 2.2) * spreads
    features = dict(zip(names, weights.tolist(), strict=True))
    for shape in ("oval", *FACE_SHAPES):
        features[f"head_{shape}"] = 0.0
    features[f"head_{draw.choose(FACE_SHAPES)}"] = draw.uniform(0.2, 0.5)
    for name in ("ear_wing", "mouth_laughlines", "nose_hump"):
        features[name] = draw.normal(0.2)
    return features


@cache
def _spreads() -> tuple[tuple[str, ...], np.ndarray]:
    """Names and standard deviations of the morph targets of the features."""
    parts = {name: name.split("_")[0] for name in load_head().morph_names}
    names = tuple(name for name, part in parts.items() if part in _FEATURE_SPREAD)
    spreads = [
        _FEATURE_SPREAD[parts[name]] * (0.4 if name in _LABELLED_FEATURES else 1.0)
        for name in names
    ]
    return names, np.array(spreads)


def _hair(draw: _Draws, build: Build, outfit: Outfit, tucked: bool) -> Hair:
    fairness = build.ancestry[0] ** 1.3
    color_name, color = _hair_color(draw, build, fairness)
    style = _hair_style(draw, build, outfit)
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
    recedes = draw.chance(_rate(build, 0.09, 0.03, 0.30, 0.08))
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


def _hair_color(draw: _Draws, build: Build, fairness: float) -> tuple[str, Color]:
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
    return name, _color(np.clip(shade, 0.02, 1))


def _hair_style(draw: _Draws, build: Build, outfit: Outfit) -> str:
    if draw.chance(_rate(build, 0.03, 0.0015, 0.11, 0.004)) and outfit.hat == "none":
        return "bald"
    odds = dict(_HAIR_STYLES["man" if build.male else "woman"])
    african = build.ancestry[1]
    for style in ("afro", "short_curls"):
        odds[style] = odds.get(style, 0.0) * (0.4 + 4 * african)
    return draw.choose(odds)


def _facial_hair(draw: _Draws, build: Build) -> FacialHair:
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


def _make_up(draw: _Draws, build: Build, expression: Expression) -> MakeUp:
    made_up = draw.chance(_rate(build, 0.0, 0.70, 0.0, 0.52))
    eyes = draw.uniform(0.75, 1) if made_up else 0.0
    lips = draw.chance(0.97 if made_up else 0.0 if build.male else 0.38)
    lipstick = draw.uniform(0.75, 1) if lips else 0.0
    lip_color = (draw.uniform(0.55, 0.85), draw.uniform(0.05, 0.24), draw.uniform(0.12, 0.34))
    rosy = made_up and draw.chance(0.24 if expression.smile > 0.4 else 0.10)
    blush = draw.uniform(0.8, 1) if rosy else draw.uniform(0, 0.15)
    return MakeUp(eyes, lipstick, lip_color, blush, draw.choose(_SHADOW_COLORS))


def _outfit(draw: _Draws, build: Build) -> tuple[Outfit, bool]:
    """What is worn, and whether long hair would be tucked behind the ears for it."""
    hats = (
        {"none": 0.925, "beanie": 0.025, "cap": 0.030, "fedora": 0.020}
        if build.male
        else {"none": 0.965, "beanie": 0.012, "cap": 0.006, "sun_hat": 0.017}
    )
    hat = draw.choose(hats)
    hat_color = np.array(draw.choose(HAT_COLORS[hat])) + draw.rng.uniform(-0.05, 0.05, 3)
    earrings = draw.chance(_rate(build, 0.015, 0.34, 0.01, 0.46))
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
    tied = {"suit": _rate(build, 0.45, 0, 0.75, 0), "shirt": _rate(build, 0.08, 0, 0.2, 0)}
    bare_throat = neckline in ("v", "scoop", "straps")
    necklace = draw.chance(0.33 if bare_throat and not build.male else 0.02)
    glasses = draw.chance(_rate(build, 0.08, 0.02, 0.22, 0.06))
    return Outfit(
        hat=hat,
        hat_color=_color(np.clip(hat_color, 0.03, 0.85)),
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
        cloth_color=draw.choose(SUIT_COLORS) if neckline == "suit" else cloth_color(draw.rng),
        shirt_color=draw.choose(((0.88, 0.88, 0.9), (0.7, 0.78, 0.88), (0.86, 0.8, 0.82))),
        tie=draw.chance(tied.get(neckline, 0.0)),
        tie_color=draw.choose(TIE_COLORS),
    ), earrings


def _expression(draw: _Draws, build: Build) -> Expression:
    smiling = draw.chance(_rate(build, 0.40, 0.53, 0.42, 0.68))
    smile = draw.uniform(0.75, 1.1) if smiling else draw.uniform(0, 0.08)
    opens = draw.chance(0.75 if smiling else 0.22)
    opening = draw.uniform(0.45, 1) if opens else 0.0
    return Expression(
        smile,
        opening,
        frown=0.0 if smiling else draw.uniform(0, 0.4) * draw.chance(0.4),
        pucker=0.0 if smiling or opens else draw.uniform(0, 0.3) * draw.chance(0.2),
        brows_up=draw.uniform(0, 0.4) * draw.chance(0.3),
        brows_down=draw.uniform(0, 0.3) * draw.chance(0.2),
        smile_left=draw.normal(0.03),
        smile_right=draw.normal(0.03),
        jaw=draw.uniform(0, 1),
        outer_brows=draw.uniform(0.3, 1),
    )


def _pose(draw: _Draws) -> Pose:
    yaw = draw.normal(0.2)
    return Pose(
        yaw,
        pitch=draw.normal(0.06),
        roll=draw.normal(0.05),
        body_yaw=yaw * 0.4 + draw.normal(0.15),
        gaze_x=draw.normal(0.1) - 0.35 * yaw,
        gaze_y=draw.normal(0.06),
    )


def _lighting(draw: _Draws) -> Lighting:
    return Lighting(
        azimuth=draw.normal(0.6),
        elevation=draw.uniform(0.1, 0.85),
        key=draw.uniform(0.72, 1.1),
        ambient=draw.uniform(0.34, 0.55),
        warmth=draw.normal(0.05),
        rim=draw.uniform(0, 0.6) * draw.chance(0.4),
    )


def _strands(draw: _Draws) -> Strands:
    coarse, fine, phase = (draw.rng.random(n) for n in (64, 256, 6))
    return Strands(tuple(coarse.tolist()), tuple(fine.tolist()), tuple(phase.tolist()))


def _photo(draw: _Draws) -> Photo:
    blur = draw.uniform(0.95, 1.35) if draw.chance(0.05) else 0.0
    grain = draw.rng.bit_generator.state["state"]
    return Photo(
        exposure=draw.uniform(0.9, 1.1),
        shift_x=draw.normal(0.008),
        shift_y=draw.normal(0.008),
        zoom=1 + draw.normal(0.03),
        tilt=draw.normal(0.02),
        blur=blur,
        grain=(grain["state"], grain["inc"]),
    )


def _color(values: np.ndarray) -> Color:
    return tuple(values.tolist())


def _limit(x: float, low: float, high: float) -> float:
    return min(max(x, low), high)
