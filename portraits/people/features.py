"""The features of a face: the morph targets that shape it, and how much each varies."""

from functools import cache

import numpy as np

_FEATURES: dict[str, tuple[float, str]] = {
    "head": (
        0.12,
        "oval round rectangular square triangular invertedtriangular diamond fat scale-horiz "
        "scale-vert scale-depth back-scale-depth age angle",
    ),
    "forehead": (0.18, "trans nubian scale-vert temple"),
    "eye": (
        0.16,
        "scale height1 height2 height3 bag bag-height space corner1 corner2 eyefold "
        "eyefold-angle epicanthus",
    ),
    "brow": (0.25, "angle y z"),
    "cheek": (0.18, "bones volume inner y"),
    "chin": (0.20, "prominent width height bones jaw-drop prognathism cleft triangle"),
    "ear": (0.25, "scale wing lobe"),
    "mouth": (
        0.18,
        "scale-horiz scale-vert scale-depth upperlip-height lowerlip-height upperlip-volume "
        "lowerlip-volume cupidsbow philtrum-volume y angles laughlines",
    ),
    "nose": (
        0.18,
        "scale-vert scale-horiz scale-depth volume width1 width2 width3 hump point-width "
        "flaring nostrils-width greek curve base point y angle compress",
    ),
    "neck": (0.20, "double width"),
    "asym": (
        0.10,
        "brown-1 brown-2 cheek-1 cheek-2 eye-1 eye-3 jaw-1 jaw-2 mouth-1 nose-1 nose-3 temple-1",
    ),
}
"""Part of the head: standard deviation of its morph targets, and their names."""

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
"""Targets that `portraits.shape.head` also uses for attributes of CelebA; they vary less."""


@cache
def feature_spreads() -> tuple[tuple[str, ...], np.ndarray]:
    """Return the names, in the order of `Head.morph_names`, and their standard deviations (n,)."""
    spreads = {
        f"{part}_{name}": spread
        for part, (spread, names) in _FEATURES.items()
        for name in names.split()
    }
    for name in _LABELLED_FEATURES:
        spreads[name] *= 0.4
    return tuple(spreads), np.array(list(spreads.values()))
