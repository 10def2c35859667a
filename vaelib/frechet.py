"""The Fréchet distance between two clouds of points."""

import numpy as np


def frechet_distance(features: np.ndarray, reference: np.ndarray) -> float:
    """Distance between two clouds of points, each modelled as one normal distribution.

    It is |m1 - m2|^2 + trace(C1 + C2 - 2 (C1 C2)^(1/2)), with means m and covariances C.

    Args:
        features: (n, d), n >= 2.
        reference: (m, d), m >= 2.

    Raises:
        ValueError: the widths differ, or there are fewer than two rows.

    Reference: Dowson and Landau, 1982; Heusel et al., 2017 (arXiv:1706.08500).
    """
    for rows in (features, reference):
        if np.ndim(rows) != 2 or len(rows) < 2 or rows.shape[1] != features.shape[1]:
            raise ValueError(
                f"features have shape {np.shape(features)} and the reference "
                f"{np.shape(reference)}: both must be (n, d) with the same d and n >= 2."
            )
    return frechet_from_moments(moments(features), moments(reference))


def moments(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (d,) and covariance (d, d) of rows (n, d), n >= 2, in float64.

    Raises:
        ValueError: there are fewer than two rows, or a number in them is not finite.
    """
    features = np.asarray(features, "float64")
    if len(features) < 2:
        raise ValueError(f"{len(features)} rows of features have no covariance: give 2 or more.")
    if not np.isfinite(features).all():
        raise ValueError(
            "Some features are NaN or infinite, so they have no Fréchet distance: check the "
            "images for NaN."
        )
    return features.mean(axis=0), np.atleast_2d(np.cov(features, rowvar=False))


def frechet_from_moments(
    first: tuple[np.ndarray, np.ndarray], second: tuple[np.ndarray, np.ndarray]
) -> float:
    """`frechet_distance` of two clouds, each given by its mean and covariance."""
    (mean1, covariance1), (mean2, covariance2) = first, second
    # (C1 C2)^(1/2) has the trace of (R C2 R)^(1/2) with R = C1^(1/2), which is symmetric.
    values, vectors = np.linalg.eigh(covariance1)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    cross = np.sqrt(np.linalg.eigvalsh(root @ covariance2 @ root).clip(0)).sum()
    distance = np.square(mean1 - mean2).sum() + np.trace(covariance1 + covariance2) - 2 * cross
    return max(0.0, float(distance))  # below zero by rounding alone
