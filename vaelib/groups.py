"""Errors of groups of faces, with intervals, and ways to draw some faces more often in training."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pandas as pd

from vaelib.model import VAE

RESAMPLES = 1000  # of a bootstrap


def face_errors(vae: VAE, images: np.ndarray) -> np.ndarray:
    """Mean squared error of each face's reconstruction, in grey levels squared: float64 (n,).

    It is that of posterior means, and of the decoder's own pictures, which are not sharpened.
    The root of its mean over faces is `metrics.rmse`.

    Args:
        images: (n, h, w, 3) in [0, 1].
    """
    errors = np.square(vae.reconstruct(images, sharpen=False) - np.asarray(images, "float32"))
    return 255**2 * errors.mean(axis=(1, 2, 3), dtype="float64")


def group_errors(
    errors: np.ndarray,
    groups: Mapping[str, np.ndarray],
    reference: np.ndarray | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Root mean squared error of each group; or its ratio to that of a model to compare with.

    Args:
        errors: (n,), of `face_errors`.
        groups: name -> boolean (n,), who belongs to it; groups may overlap.
        reference: errors of the same faces by another model; the result is then a ratio, and an
            interval is that of pairs, so it is narrower than the two errors' own.
        seed: of the bootstrap.

    Returns:
        One row per group: faces, the count; value, in grey levels (0 to 255) or a ratio; low and
        high, the ends of its interval of 95%, see `bootstrap`.

    Raises:
        ValueError: a group has no face, or the lengths differ.
    """
    compared = [np.asarray(part) for part in (errors, reference) if part is not None]
    _check_lengths(*compared, *groups.values())
    rows = {}
    for name, belongs in groups.items():
        member = np.asarray(belongs)
        if not member.any():
            raise ValueError(f"The group {name!r} has no face: use more faces, or leave it out.")
        parts = [part[member] for part in compared]
        rows[name] = (
            int(member.sum()),
            root_mean(*parts),
            *bootstrap(root_mean, *parts, seed=seed),
        )
    return pd.DataFrame.from_dict(rows, "index", columns=["faces", "value", "low", "high"])


def root_mean(errors: np.ndarray, reference: np.ndarray | None = None) -> np.ndarray:
    """Root of the mean over the last axis, or its ratio to the one of `reference`."""
    root = np.sqrt(np.asarray(errors).mean(axis=-1))
    return root if reference is None else root / root_mean(reference)


def bootstrap(
    statistic: Callable[..., np.ndarray], *values: np.ndarray, share: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """The interval in which a statistic would lie, had we met other faces of the same kind.

    The faces are drawn again, with replacement, as many as there are, and the statistic is
    computed on each of `RESAMPLES` such draws. The interval says nothing about other models: a
    second training with another seed differs, too.

    Args:
        statistic: from arrays (..., n) to (...), one number per draw.
        values: each (n,); a face keeps its values together.
        share: of the draws that lie within, in (0, 1).

    Returns:
        The low and the high end.

    Reference: Efron, 1979, Bootstrap methods: another look at the jackknife.
    """
    _check_lengths(*values)
    count = len(values[0])
    drawn = np.random.default_rng(seed).integers(count, size=(RESAMPLES, count))
    found = statistic(*(np.asarray(part)[drawn] for part in values))
    low, high = np.quantile(found, [(1 - share) / 2, (1 + share) / 2])
    return float(low), float(high)


def choose_faces(member: pd.Series, share: float, count: int) -> list[str]:
    """Choose the training set: the first faces of the group, and of the others, in file order.

    Args:
        member: boolean, indexed by file name: which training faces belong to the group.
        share: of the group in the set.
        count: faces in the set.

    Raises:
        ValueError: there are too few.
    """
    wanted = {True: round(share * count), False: count - round(share * count)}
    names = []
    for belongs, number in wanted.items():
        found = list(member.index[member == belongs][:number])
        if len(found) < number:
            who = "of the group" if belongs else "not of the group"
            raise ValueError(
                f"There are {len(found)} training faces {who}, and {number} are needed: "
                "draw more portraits, or ask for a smaller --count."
            )
        names += found
    return names


def label_weights(member: np.ndarray, share: float = 0.5) -> np.ndarray:
    """Probabilities of drawing faces such that a group makes up a share of what is drawn.

    Args:
        member: boolean (n,), who belongs to the group.
        share: in [0, 1].

    Returns:
        float64 (n,), with sum 1.

    Raises:
        ValueError: all faces belong to the group, or none.
    """
    count = int(np.sum(member))
    if count in (0, len(member)):
        raise ValueError(f"{count} of {len(member)} faces belong to the group: nothing to weigh.")
    return np.where(member, share / count, (1 - share) / (len(member) - count))


def density_weights(
    latents: np.ndarray, directions: int = 8, smoothing: float = 0.1, bins: int = 20
) -> np.ndarray:
    """Probabilities of drawing faces that are larger where latents are rare; no label is needed.

    The density is a product of histograms, as if latents were independent, and each face's weight
    is 1 over it. The original takes the histograms of all latents. In a product of hundreds of
    factors, one face gets all the weight; so here they are those of the directions along which
    the latents vary most.

    Args:
        latents: (n, latent_dim), posterior means of training faces.
        directions: how many principal directions, at most latent_dim.
        smoothing: added to each density, of coordinates with a standard deviation of 1; a larger
            one makes the weights more alike.
        bins: of each histogram.

    Returns:
        float64 (n,), with sum 1.

    Reference: Amini et al., 2019, Uncovering and mitigating algorithmic bias through learned
    latent structure, section 3.3.
    """
    centred = np.asarray(latents, "float64") - np.mean(latents, axis=0, dtype="float64")
    left, *_ = np.linalg.svd(centred, full_matrices=False)
    weights = np.ones(len(latents))
    for coordinates in left.T[:directions] * np.sqrt(len(latents)):
        density, edges = np.histogram(coordinates, bins, density=True)
        weights /= density[np.digitize(coordinates, edges[1:-1])] + smoothing
    return weights / weights.sum()


def draw_batches(
    pixels: np.ndarray, weights: np.ndarray | None = None, batch_size: int = 64, seed: int = 0
) -> Iterator[tuple[np.ndarray]]:
    """Batches of faces without end, drawn with replacement, for `fit` with `shuffle=False`.

    Args:
        pixels: uint8 (n, h, w, 3).
        weights: (n,), the probability of each face; None draws all alike.

    Yields:
        A tuple of one array, float32 (batch_size, h, w, 3) in [0, 1].
    """
    rng = np.random.default_rng(seed)
    while True:
        rows = rng.choice(len(pixels), batch_size, p=weights)
        yield (pixels[rows].astype("float32") / 255,)


def _check_lengths(*values: np.ndarray) -> None:
    lengths = {len(part) for part in values}
    if len(lengths) != 1:
        raise ValueError(f"The arrays have lengths {sorted(lengths)}: one value for each face.")
