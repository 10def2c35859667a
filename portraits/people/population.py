"""Sample people whose attributes are about as frequent as in CelebA.

An attribute is either clearly present or clearly absent: a nose is big or it is not. So its label
can be seen in 64 pixels. How frequent an attribute is depends on sex and age, as in CelebA.
Ancestry is balanced, and no label depends on it.
"""

from typing import Any

from portraits.people.draws import Draws, draws_by_group, rate
from portraits.people.faces import sample_build, sample_face
from portraits.people.hair import sample_facial_hair, sample_hair
from portraits.people.scenery import sample_backdrop
from portraits.people.traits import Build, Expression, Lighting, Photo, Pose, Strands
from portraits.people.wardrobe import sample_make_up, sample_outfit


def sample_traits(seed: int, index: int) -> dict[str, Any]:
    """Sample person number `index` (from 0) of population `seed`: the groups of `Traits` by name.

    Each group has its own random numbers, so a change in how one is sampled leaves the others as
    they are.

    Raises:
        ValueError: `seed` or `index` is negative.
    """
    if seed < 0 or index < 0:
        raise ValueError(f"seed and index must not be negative, but are {seed} and {index}")
    draws = draws_by_group(seed, index)
    build = sample_build(next(draws))
    expression = _expression(next(draws), build)
    outfit, tucked = sample_outfit(next(draws), build)
    photo = _photo(next(draws))
    make_up = sample_make_up(next(draws), build, expression)
    return {
        "build": build,
        "expression": expression,
        "outfit": outfit,
        "photo": photo,
        "hair": sample_hair(next(draws), build, outfit, tucked),
        "facial_hair": sample_facial_hair(next(draws), build),
        "make_up": make_up,
        "face": sample_face(next(draws), build, expression, make_up),
        "pose": _pose(next(draws)),
        "lighting": _lighting(next(draws)),
        "backdrop": sample_backdrop(next(draws).rng),
        "strands": _strands(next(draws)),
    }


def _expression(draw: Draws, build: Build) -> Expression:
    smiling = draw.chance(rate(build, 0.40, 0.53, 0.42, 0.68))
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


def _pose(draw: Draws) -> Pose:
    yaw = draw.normal(0.2)
    return Pose(
        yaw,
        pitch=draw.normal(0.06),
        roll=draw.normal(0.05),
        body_yaw=yaw * 0.4 + draw.normal(0.15),
        gaze_x=draw.normal(0.1) - 0.35 * yaw,
        gaze_y=draw.normal(0.06),
    )


def _lighting(draw: Draws) -> Lighting:
    return Lighting(
        azimuth=draw.normal(0.6),
        elevation=draw.uniform(0.1, 0.85),
        key=draw.uniform(0.72, 1.1),
        ambient=draw.uniform(0.34, 0.55),
        warmth=draw.normal(0.05),
        rim=draw.uniform(0, 0.6) * draw.chance(0.4),
    )


def _strands(draw: Draws) -> Strands:
    coarse, fine, phase = (draw.rng.random(n) for n in (64, 256, 6))
    return Strands(tuple(coarse.tolist()), tuple(fine.tolist()), tuple(phase.tolist()))


def _photo(draw: Draws) -> Photo:
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
