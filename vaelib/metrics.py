"""Measure a model: ELBO, bits per dimension, reconstruction error, KL per latent, FC."""

import math

import numpy as np
from keras import ops

from vaelib.classifier import FaceFeatures, check_split
from vaelib.data.faces import Faces
from vaelib.data.pixels import load_pixels
from vaelib.model import VAE, gaussian_nll, kl_divergence

SAMPLES = 5000  # new faces for a Fréchet distance
ACTIVE = 0.01  # variance of a latent's posterior means above which it is active


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
    # Summed face by face: a split of CelebA in float64 would not fit into memory.
    total = sum(
        float(np.square(a.astype("float64") - b).sum()) for a, b in zip(images, reconstructions)
    )
    return 255 * math.sqrt(total / images.size)


def usual_error(vae: VAE, images: np.ndarray) -> float:
    """The error of reconstruction that 2 of 100 faces exceed, in grey levels (0 to 255).

    Args:
        images: (n, h, w, 3) in [0, 1], held-out faces, of which some 200 are measured.
    """
    some = images[:: max(1, len(images) // 200)]
    each = zip(some, vae.reconstruct(some))
    return float(np.quantile([rmse(a[None], b[None]) for a, b in each], 0.98))


def kl_per_latent(z_mean: np.ndarray, z_log_var: np.ndarray) -> np.ndarray:
    """KL divergence from N(0, 1) of each latent, in nats, mean over faces.

    A latent near 0 says nothing about the face; the sum is the `kl` that `VAE.evaluate` reports.

    Args:
        z_mean, z_log_var: (n, latent_dim), the output of the encoder.

    Returns:
        (latent_dim,), float64.
    """
    z_mean, z_log_var = (np.asarray(part, "float64")[..., None] for part in (z_mean, z_log_var))
    kl = kl_divergence(z_mean, z_log_var)  # (n, latent_dim): every latent is a z of length 1
    return ops.convert_to_numpy(kl).astype("float64").mean(axis=0)


def active_units(z_mean: np.ndarray, threshold: float = ACTIVE) -> int:
    """Count the latents whose posterior means vary over faces by more than `threshold`.

    Args:
        z_mean: (n, latent_dim), n >= 2.
        threshold: a variance.

    Reference: Burda, Grosse and Salakhutdinov, 2016, section 5.2 (arXiv:1509.00519).
    """
    return int((np.var(np.asarray(z_mean, "float64"), axis=0, ddof=1) > threshold).sum())


def negative_elbo(error: float, kl: float, dimensions: int, sigma: float | None = None) -> float:
    """Negative ELBO of a split in nats per face, from the mean error and KL of its faces.

    Args:
        error: root mean squared error of reconstructions of one draw of z each, in units of
            [0, 1], over all values of all faces (`rmse(...) / 255`).
        kl: nats per face, summed over latents.
        dimensions: values in a face, 12,288 for 64 x 64 x 3.
        sigma: standard deviation of a pixel. None takes the best one for the whole split, which
            is `error`; then models trained with different sigmas can be compared.

    Raises:
        ValueError: sigma (or the error in its place) is not above zero.

    Reference: Kingma and Welling, 2014 (arXiv:1312.6114); the best sigma: Rybkin, Daniilidis and
    Levine, 2021, section 4 (arXiv:2006.13202).
    """
    sigma = error if sigma is None else sigma
    if not sigma > 0:
        raise ValueError(f"sigma is {sigma}: a standard deviation is above zero.")
    # Of all errors only the mean square counts, so one value with that error stands for all.
    nats = gaussian_nll(np.full((1, 1, 1, 1), error, "float64"), 0.0, np.array(sigma, "float64"))
    return dimensions * float(nats[0]) + kl


def bits_per_dimension(nats: float, dimensions: int) -> float:
    """Convert a negative ELBO to bits per dimension, for values of 0 to 255.

    The ELBO is a density of values in [0, 1]; the +8 bits (log2 of 256) make it one of values in
    [0, 256]. Compare it only with other models of this course: papers that report bits of
    *discrete* pixels measure something else.

    Args:
        nats: negative ELBO of one face.
        dimensions: values in a face, 12,288 for 64 x 64 x 3.
    """
    return nats / (dimensions * math.log(2)) + 8


def evaluate(
    vae: VAE,
    faces: Faces,
    split: str = "test",
    features: FaceFeatures | None = None,
    samples: int = SAMPLES,
    seed: int = 0,
) -> dict[str, float]:
    """Measure one model on one split.

    ELBO, bits per dimension and RMSE are those of the model, whose decoder does not sharpen; FC is
    that of the pictures that people see, which `VAE.decode` sharpens.

    Args:
        vae: a trained model.
        faces: the folder.
        split: "train", "val" or "test".
        features: measures FC; None leaves FC out.
        samples: number of new faces for FC, from the prior and from the fitted Gaussian each.
        seed: of all draws.

    Returns:
        In this order, of the model:
        faces, latents, active_units: counts;
        negative_elbo, kl: nats per face, with `sigma`, the best for the split;
        bpd: the negative ELBO in bits per dimension;
        rmse, rmse_sampled: of posterior means and of one draw of z, in grey levels (0 to 255).
        Of the pictures that people see, with `features`:
        fc_reconstructions (of posterior means), fc_prior, fc_gaussian: smaller is better;
        fc_images: of the split's own images, about the best that a model can reach.

    Raises:
        ValueError: a split of one face, with features.
    """
    names = faces.file_names(split)
    if features is not None:
        check_split(faces, split)
    rows, pixels = faces.attributes.index.get_indexer(names), load_pixels(faces, vae.image_size)
    rng = np.random.default_rng(seed)
    squared_error = np.zeros(2)  # of posterior means, of sampled latents
    z_means, z_log_vars, seen = [], [], {"images": [], "reconstructions": []}
    for start in range(0, len(names), 1000):  # CelebA's splits would fill the memory
        images = pixels[rows[start : start + 1000]].astype("float32") / 255
        z_mean, z_log_var = vae.posterior(images)
        noise = rng.standard_normal(z_mean.shape).astype("float32")
        latents = (z_mean, z_mean + np.exp(0.5 * z_log_var) * noise)
        decoded = [vae.decode(z, sharpen=False) for z in latents]
        squared_error += [(rmse(images, d) / 255) ** 2 * images.size for d in decoded]
        z_means.append(z_mean)
        z_log_vars.append(z_log_var)
        if features is not None:
            seen["images"].append(features.features(images))
            shown = ops.convert_to_numpy(vae.sharpen(decoded[0]))
            seen["reconstructions"].append(features.features(shown))
    z_mean, z_log_var = np.concatenate(z_means), np.concatenate(z_log_vars)
    values = images[0].size
    errors = np.sqrt(squared_error / (len(names) * values))
    kl = float(kl_per_latent(z_mean, z_log_var).sum())
    nats = negative_elbo(errors[1], kl, values)
    result = {
        "faces": len(names),
        "negative_elbo": nats,
        "bpd": bits_per_dimension(nats, values),
        "sigma": float(errors[1]),
        "kl": kl,
        "latents": vae.latent_dim,
        "active_units": active_units(z_mean) if len(names) > 1 else 0,
        "rmse": 255 * float(errors[0]),
        "rmse_sampled": 255 * float(errors[1]),
    }
    if features is not None:
        seen["prior"] = [features.features(vae.sample(samples, seed, prior=True))]
        seen["gaussian"] = [features.features(vae.sample(samples, seed))]
        for name in ("reconstructions", "prior", "gaussian", "images"):
            result[f"fc_{name}"] = features.distance_of_features(np.concatenate(seen[name]))
    return result
