"""The Gaussian of encoded faces, from which new faces are drawn."""

import numpy as np


def fit_gaussian(z_mean: np.ndarray, z_log_var: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fit one normal distribution to draws of z for many faces.

    Args:
        z_mean, z_log_var: (n, latent_dim), the posteriors of n >= 2 faces.

    Returns:
        mean (latent_dim,) and factor (latent_dim, latent_dim); factor @ factor.T is the covariance.

    Raises:
        ValueError: there are fewer than two faces.
    """
    if len(z_mean) < 2:
        raise ValueError(f"{len(z_mean)} faces have no covariance: give thousands.")
    size = z_mean.shape[1]
    covariance = np.cov(z_mean, rowvar=False).reshape(size, size)
    # A draw is a mean plus noise: its covariance is that of the means plus the mean variance.
    covariance += np.diag(np.exp(z_log_var.astype("float64")).mean(axis=0))
    return z_mean.mean(axis=0), np.linalg.cholesky(covariance)


def draw_latents(
    count: int, seed: int, mean: np.ndarray, factor: np.ndarray, truncation: float = 1.0
) -> np.ndarray:
    """Draw z from N(mean, factor factor^T): (count, latent_dim), float32.

    Args:
        count: number of draws.
        seed: of the draws.
        mean: (latent_dim,).
        factor: (latent_dim, latent_dim).
        truncation: factor of the distance from the mean; below 1, faces become more alike.
    """
    draws = np.random.default_rng(seed).standard_normal((count, len(mean))).astype("float32")
    return mean + truncation * draws @ factor.T
