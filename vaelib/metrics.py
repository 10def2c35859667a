"""What "good" means, in numbers: reconstruction error, and how much each latent knows."""

import numpy as np


def rmse(images: np.ndarray, reconstructions: np.ndarray) -> float:
    """Root mean squared error over all values, in grey levels of 0 to 255.

    Args:
        images, reconstructions: (n, h, w, 3) in [0, 1].

    Raises:
        ValueError: the shapes differ.
    """
    if images.shape != reconstructions.shape:
        raise ValueError(
            f"images have shape {images.shape} and reconstructions {reconstructions.shape}: "
            "they must be of the same faces."
        )
    error = np.asarray(images, "float64") - np.asarray(reconstructions, "float64")
    return 255 * float(np.sqrt(np.mean(error**2)))


def kl_per_latent(z_mean: np.ndarray, z_log_var: np.ndarray) -> np.ndarray:
    """KL divergence from N(0, 1) of each latent, in nats, mean over faces.

    A latent near 0 says nothing about the face; the sum is the `kl` that `VAE.evaluate` reports.

    Args:
        z_mean, z_log_var: (n, latent_dim), what the encoder says.

    Returns:
        (latent_dim,), float64.

    Reference: Kingma and Welling, 2014, appendix B (arXiv:1312.6114).
    """
    z_mean, z_log_var = np.asarray(z_mean, "float64"), np.asarray(z_log_var, "float64")
    return np.mean(0.5 * (z_mean**2 + np.exp(z_log_var) - z_log_var - 1), axis=0)
