"""Sample the build and the face of people."""

import numpy as np

from portraits.people.draws import Draws, limit, rate
from portraits.people.features import feature_spreads
from portraits.people.palettes import IRIS_COLORS
from portraits.people.traits import FACE_SHAPES, Build, Expression, Face, MakeUp, usual_melanin


def sample_build(draw: Draws) -> Build:
    """Sample sex, age, ancestry, weight, skin and iris."""
    male = draw.chance(0.42)
    young = draw.chance(0.64 if male else 0.86)
    age = draw.uniform(0.0, 0.30) if young else draw.uniform(0.66, 1.0)
    ancestry = draw.rng.dirichlet([0.62, 0.38, 0.38]) ** 1.3
    ancestry = tuple((ancestry / ancestry.sum()).tolist())
    caucasian, _, asian = ancestry
    if draw.chance(0.05 * (1.5 * caucasian + asian)):
        melanin = draw.uniform(0.0, 0.035)
    else:
        melanin = limit(usual_melanin(ancestry) + draw.normal(0.08), 0.17, 1)
    gender = limit((0.94 if male else 0.06) + draw.normal(0.05), 0, 1)
    chubby = draw.chance(0.01 if young and not male else 0.02 if young else 0.22)
    weight = draw.uniform(0.75, 1.0) if chubby else limit(draw.normal(0.25), -0.6, 0.25)
    fairness = caucasian**1.3
    iris_odds = {
        IRIS_COLORS[0]: 0.35 + 0.5 * (1 - fairness),
        IRIS_COLORS[1]: 0.25,
        IRIS_COLORS[2]: 0.15 * fairness + 0.01,
        IRIS_COLORS[3]: 0.3 * fairness + 0.01,
    }
    iris = draw.choose(iris_odds)
    return Build(male, age, ancestry, gender, weight, melanin, iris)


def sample_face(draw: Draws, build: Build, expression: Expression, make_up: MakeUp) -> Face:
    """Sample the face; smiles, make-up and build change how often its traits come."""
    smiling = expression.smile > 0.4
    heavy = build.weight > 0.5
    young = build.young
    oval = draw.trait(0.05 if heavy else 0.22 if build.male else 0.38)
    nose_size = draw.trait(rate(build, 0.34, 0.09, 0.50, 0.24) + 0.25 * heavy)
    pointed = rate(build, 0.22, 0.38, 0.16, 0.30)
    nose_point = draw.trait(0.5 * pointed if nose_size > 0.5 else 1.1 * pointed)
    lips = draw.trait(rate(build, 0.18, 0.33, 0.12, 0.20))
    cheekbones = draw.trait(0.80 if smiling else 0.11)
    eyes_narrow = draw.trait(0.14 if smiling else 0.10)
    eye_bags = draw.trait(rate(build, 0.26, 0.08, 0.50, 0.26))
    double_chin = draw.trait(0.55 if heavy else 0.005 if young else 0.10)
    brow_thickness = draw.trait(rate(build, 0.28, 0.09, 0.20, 0.05))
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


def _features(draw: Draws) -> dict[str, float]:
    """Sample the weights of the morph targets that make faces differ."""
    names, spreads = feature_spreads()
    weights = np.clip(draw.rng.standard_normal(len(names)), -2.2, 2.2) * spreads
    features = dict(zip(names, weights.tolist(), strict=True))
    for shape in ("oval", *FACE_SHAPES):
        features[f"head_{shape}"] = 0.0
    features[f"head_{draw.choose(FACE_SHAPES)}"] = draw.uniform(0.2, 0.5)
    for name in ("ear_wing", "mouth_laughlines", "nose_hump"):
        features[name] = draw.normal(0.2)
    return features
