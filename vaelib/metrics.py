"""What "good" means, in numbers: ELBO, reconstruction error, KL per latent, Fréchet distance."""

import hashlib
import math
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from keras import layers
from tqdm.keras import TqdmCallback

from groundwork.files import written_whole
from groundwork.progress import on_terminal
from vaelib.archives import load_archive
from vaelib.data import CACHE, Faces, cache_locked, fingerprint, load_pixels, make_dataset
from vaelib.latent import constant_attributes
from vaelib.model import VAE
from vaelib.training import warmup_cosine

CLASSIFIER_VERSION = 1  # count it up when the classifier or its training changes
SAMPLES = 5000  # new faces that a Fréchet distance is measured on
ACTIVE = 0.01  # variance of a latent's posterior means above which it is active

# ------------------------------------------------------------------ the two parts of the ELBO


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


def active_units(z_mean: np.ndarray, threshold: float = ACTIVE) -> int:
    """How many latents tell faces apart: those whose posterior means vary by more than `threshold`.

    Args:
        z_mean: (n, latent_dim), n >= 2.
        threshold: of the variance over faces.

    Reference: Burda, Grosse and Salakhutdinov, 2016, section 5.2 (arXiv:1509.00519).
    """
    return int((np.var(np.asarray(z_mean, "float64"), axis=0, ddof=1) > threshold).sum())


def negative_elbo(error: float, kl: float, dimensions: int, sigma: float | None = None) -> float:
    """Negative ELBO of a split in nats a face, from the mean errors of its faces.

    Args:
        error: root mean squared error of reconstructions of one draw of z each, in units of
            [0, 1], over all values of all faces (`rmse(...) / 255`).
        kl: nats a face, summed over latents.
        dimensions: values in a face, 12,288 for 64 x 64 x 3.
        sigma: standard deviation of a pixel. None takes the one that is best for the split as a
            whole, which is `error`: then models that were trained with any sigma compare.

    Raises:
        ValueError: sigma (or the error in its place) is not above zero.

    Reference: Kingma and Welling, 2014 (arXiv:1312.6114); the best sigma: Rybkin, Daniilidis and
    Levine, 2021, section 4 (arXiv:2006.13202).
    """
    sigma = error if sigma is None else sigma
    if not sigma > 0:
        raise ValueError(f"sigma is {sigma}: a standard deviation is above zero.")
    per_value = 0.5 * (error / sigma) ** 2 + math.log(sigma) + 0.5 * math.log(2 * math.pi)
    return dimensions * per_value + kl


def bits_per_dimension(nats: float, dimensions: int) -> float:
    """A negative ELBO in bits for each of the image's values, of 0 to 255.

    The ELBO is a density of values in [0, 1]; the +8 bits (log2 of 256) turn it into one of values
    in [0, 256]. Compare it with other models of this course alone: papers that report bits of
    *discrete* pixels measure something else.

    Args:
        nats: negative ELBO of one face.
        dimensions: values in a face, 12,288 for 64 x 64 x 3.
    """
    return nats / (dimensions * math.log(2)) + 8


# ------------------------------------------------------------------ all of them


def evaluate(
    vae: VAE,
    faces: Faces,
    split: str = "test",
    features: "FaceFeatures | None" = None,
    samples: int = SAMPLES,
    seed: int = 0,
) -> dict[str, float]:
    """Every number of this module for one model on one split, always in the same order.

    Args:
        vae: a trained model.
        faces: the folder.
        split: "train", "val" or "test".
        features: what measures FC; None leaves the three FC out.
        samples: new faces for FC, from the prior and from the fitted Gaussian each.
        seed: of all draws.

    Returns:
        faces, latents, active_units: counts;
        negative_elbo, kl: nats a face, with `sigma`, the best for the split;
        bpd: the first in bits per dimension;
        rmse, rmse_sampled: of posterior means and of sampled latents, in grey levels of 255;
        fc_reconstructions (of posterior means), fc_prior, fc_gaussian: the smaller, the better;
        fc_images: that of the split's own images, which no model can expect to beat.

    Raises:
        ValueError: a split of one face, with features.
    """
    names = faces.names(split)
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
        decoded = [vae.decode(z) for z in (z_mean, z_mean + np.exp(0.5 * z_log_var) * noise)]
        squared_error += [(rmse(images, d) / 255) ** 2 * images.size for d in decoded]
        z_means.append(z_mean)
        z_log_vars.append(z_log_var)
        if features is not None:
            seen["images"].append(features.features(images))
            seen["reconstructions"].append(features.features(decoded[0]))
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


# ------------------------------------------------------------------ the Fréchet distance


def frechet_distance(features: np.ndarray, reference: np.ndarray) -> float:
    """Distance between two clouds of points, each taken for one normal distribution.

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


def check_split(faces: Faces, split: str) -> None:
    """Raise a ValueError unless a split has the two faces that a Fréchet distance needs."""
    if len(faces.names(split)) < 2:
        raise ValueError(
            f"The split {split!r} of {faces.folder} has a single face, and a Fréchet distance "
            "compares many: use more faces, name another split, or leave it out with --no-fc."
        )


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
            "Some features are NaN or infinite, so they have no Fréchet distance: look at the "
            "images, which may be NaN."
        )
    return features.mean(axis=0), np.atleast_2d(np.cov(features, rowvar=False))


def frechet_from_moments(
    first: tuple[np.ndarray, np.ndarray], second: tuple[np.ndarray, np.ndarray]
) -> float:
    """`frechet_distance` of two clouds of which only mean and covariance are known."""
    (mean1, covariance1), (mean2, covariance2) = first, second
    # (C1 C2)^(1/2) has the trace of (R C2 R)^(1/2) with R = C1^(1/2), which is symmetric.
    values, vectors = np.linalg.eigh(covariance1)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    cross = np.sqrt(np.linalg.eigvalsh(root @ covariance2 @ root).clip(0)).sum()
    distance = np.square(mean1 - mean2).sum() + np.trace(covariance1 + covariance2) - 2 * cross
    return max(0.0, float(distance))  # below zero by rounding alone


class FaceFeatures:
    """A small classifier of a folder's attributes, and the Fréchet distance FC in its features.

    FC compares a set of pictures with the folder's training faces: it is the Fréchet distance
    between the features of the two, 256 numbers a picture, the last feature map of the classifier
    averaged over its places. The classifier is trained here, once a folder, on the training split
    (architecture and seed are fixed), and kept beside the faces in `.cache/`. 0 would be the
    training faces themselves; the folder's own test split gives the best that can be hoped for.

    FC must never be compared with a published FID. FID uses another network (Inception, trained on
    photographs of things), 2,048 features, and 50,000 samples; neither do FC of two folders
    compare, nor of two image sizes, since each has its own classifier. A smaller FC of two models
    of the same folder means that one's pictures look more like faces *to this classifier*.

    Args:
        faces: the folder, as `read_faces` returns it.
        image_size: in pixels, a multiple of 16.

    Raises:
        ValueError: one face to train on, or no attribute that varies among them.

    Attributes:
        attributes: names of the attributes that vary, the order of the logits.
        classifier: model from images (n, h, w, 3) in [0, 1] to [logits, features].

    Reference: Heusel et al., 2017, for the distance (arXiv:1706.08500).
    """

    def __init__(self, faces: Faces, image_size: int = 64):
        check_split(faces, "train")
        train_labels = faces.attributes.loc[faces.names("train")]
        constant = set(constant_attributes(train_labels))
        self.attributes = [name for name in faces.attributes if name not in constant]
        if not self.attributes:
            raise ValueError(
                f"The training faces of {faces.folder} all have the same attributes, so no "
                "classifier can learn any: use more faces, or leave FC out with --no-fc."
            )
        self.classifier = _cached_classifier(faces, self.attributes, image_size)
        self.reference = _cached_reference(faces, self, image_size)

    def features(self, images: np.ndarray) -> np.ndarray:
        """Images (n, h, w, 3) in [0, 1], or uint8 -> features (n, 256)."""
        return classify(self.classifier, images)[1]

    def logits(self, images: np.ndarray) -> np.ndarray:
        """Images (n, h, w, 3) in [0, 1], or uint8 -> log-odds of `attributes` (n, k)."""
        return classify(self.classifier, images)[0]

    def distance(self, images: np.ndarray) -> float:
        """FC of images (n, h, w, 3) in [0, 1] from the folder's training faces."""
        return self.distance_of_features(self.features(images))

    def distance_of_features(self, features: np.ndarray) -> float:
        """FC of pictures whose features (n, 256) are known."""
        return frechet_from_moments(moments(features), self.reference)


def build_classifier(n_attributes: int, image_size: int = 64) -> keras.Model:
    """An untrained convolutional classifier of several attributes at once.

    The last feature map is flattened for the logits, not averaged: faces are aligned, so where
    something is tells much of what it is. Averaged, it is the features.

    Args:
        n_attributes: the number of attributes.
        image_size: width and height of the images in pixels, a multiple of 16.

    Returns:
        A model from images, float32 (n, image_size, image_size, 3) in [0, 1], to logits, float32
        (n, n_attributes), and features, float32 (n, 256).

    Raises:
        ValueError: `image_size` is no multiple of 16.
    """
    if image_size < 16 or image_size % 16:
        raise ValueError(f"The image size must be a multiple of 16, not {image_size}.")
    images = keras.Input((image_size, image_size, 3), name="images")
    x = layers.Rescaling(2.0, -1.0)(images)
    for filters in (32, 64, 128, 256):
        x = layers.Conv2D(filters, 3, strides=2, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    features = layers.GlobalAveragePooling2D(name="features")(x)
    x = layers.Dropout(0.3)(layers.Flatten()(x))
    logits = layers.Dense(n_attributes, name="logits")(x)
    return keras.Model(images, [logits, features], name="classifier")


def train_classifier(
    faces: Faces,
    attributes: list[str],
    steps: int,
    image_size: int = 64,
    batch_size: int = 64,
    learning_rate: float = 2e-3,
    seed: int = 0,
) -> keras.Model:
    """Train a classifier on the training split of `faces`, with images shifted a little.

    Args:
        attributes: the names to learn, in the order of the logits.
        steps: batches to learn from.
        image_size: width and height of the images in pixels, a multiple of 16.
        batch_size: images a step.
        learning_rate: at its peak; it climbs for a tenth of the steps and falls to zero.
        seed: of the weights, of dropout, of the shifts and of the order of the images.

    Returns:
        The trained model, as `build_classifier` describes it.

    Raises:
        KeyError: an attribute that `faces` does not have.
        ValueError: `image_size` is no multiple of 16.
    """
    missing = set(attributes) - set(faces.attributes.columns)
    if missing:
        raise KeyError(f"{faces.folder} has no attribute {min(missing)!r}.")
    columns = [faces.attributes.columns.get_loc(name) for name in attributes]
    keras.utils.set_random_seed(seed)
    model = build_classifier(len(attributes), image_size)
    pipeline = make_dataset(faces, "train", image_size, batch_size, labels=True, seed=seed)
    pipeline = pipeline.map(
        lambda images, labels: (random_shift(images), tf.gather(labels, columns, axis=1))
    )
    model.compile(
        keras.optimizers.AdamW(warmup_cosine(steps, learning_rate), weight_decay=1e-4),
        [keras.losses.BinaryCrossentropy(from_logits=True), None],
        jit_compile=False,  # compiling takes longer than it saves here
    )
    print(f"Training a classifier of {len(attributes)} attributes: {steps} steps.", flush=True)
    model.fit(
        pipeline.repeat(),
        steps_per_epoch=steps,
        shuffle=False,  # the pipeline shuffles
        callbacks=[TqdmCallback(verbose=2)] if on_terminal() else [],
        verbose=0,
    )
    return model


def classify(classifier: keras.Model, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Images (n, h, w, 3) in [0, 1], or uint8, n >= 1 -> logits (n, k), features (n, 256)."""
    parts = []
    for start in range(0, len(images), 250):
        batch = np.asarray(images[start : start + 250])
        batch = batch.astype("float32") / (255 if batch.dtype == np.uint8 else 1)
        parts.append([np.asarray(out) for out in classifier(batch, training=False)])
    logits, features = (np.concatenate(part) for part in zip(*parts))
    return logits, features


def random_shift(images: tf.Tensor, by: int = 2) -> tf.Tensor:
    """Shift each image of a batch by its own number of pixels, -by to by, down and to the right.

    What comes in at an edge is the image mirrored there. Images are never flipped: a parting or a
    pose would change sides.

    Args:
        images: (n, size, size, 3).
        by: in pixels.
    """
    count, size = tf.shape(images)[0], images.shape[1]
    images = tf.pad(images, [[0, 0], [by, by], [by, by], [0, 0]], "REFLECT")
    for axis in (1, 2):
        start = tf.random.uniform((count, 1), 0, 2 * by + 1, tf.int32)
        images = tf.gather(images, start + tf.range(size), axis=axis, batch_dims=1)
    return images


# ------------------------------------------------------------------ what is kept beside the faces


def _cached_classifier(faces: Faces, attributes: list[str], image_size: int) -> keras.Model:
    path = _cache_path(faces, image_size, "classifier", "keras")
    if path.exists():
        try:
            return load_archive(path)
        except Exception:  # half a file, or one that another version wrote
            print(f"{path} is damaged, so the classifier is trained again.", flush=True)
    # Large folders need not be seen whole, small ones not so often that they are learned by heart.
    steps = min(1500, 20 * math.ceil(len(faces.names("train")) / 64))
    model = train_classifier(faces, attributes, steps, image_size)
    _keep(path, model.save)
    return model


def _cached_reference(
    faces: Faces, measure: FaceFeatures, image_size: int
) -> tuple[np.ndarray, np.ndarray]:
    path = _cache_path(faces, image_size, "reference", "npz")
    if path.exists():
        try:
            with np.load(path, allow_pickle=False) as kept:
                return kept["mean"], kept["covariance"]
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
            print(f"{path} is damaged and is made anew.", flush=True)
    rows = faces.attributes.index.get_indexer(faces.names("train"))
    pixels = load_pixels(faces, image_size)
    parts = range(0, len(rows), 1000)
    features = [measure.features(pixels[rows[start : start + 1000]]) for start in parts]
    mean, covariance = moments(np.concatenate(features))
    _keep(path, lambda aside: np.savez(aside, mean=mean, covariance=covariance))
    return mean, covariance


def _cache_path(faces: Faces, image_size: int, name: str, suffix: str) -> Path:
    digest = hashlib.sha256(f"{CLASSIFIER_VERSION} {fingerprint(faces, image_size)}".encode())
    digest.update(pd.util.hash_pandas_object(faces.attributes).to_numpy().tobytes())
    digest.update(" ".join([*faces.attributes, *faces.splits]).encode())
    return faces.folder / CACHE / f"{name}-{image_size}-{digest.hexdigest()[:16]}.{suffix}"


def _keep(path: Path, write: Callable[[Path], None]) -> None:
    """Write a file whole; a folder that can't be written to does without."""
    if not os.access(path.parent if path.parent.exists() else path.parent.parent, os.W_OK):
        return
    path.parent.mkdir(exist_ok=True)
    with cache_locked(path.parent), written_whole(path) as aside:
        write(aside)
