"""Arithmetic in the latent space: attribute vectors, edits, morphs; numpy in, numpy out."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from groundwork.words import suggestion


def attribute_vectors(
    latents: np.ndarray, attributes: pd.DataFrame, attribute_names: list[str] | None = None
) -> pd.DataFrame:
    """Mean latent of the faces that have an attribute minus that of those that lack it.

    Args:
        latents: float array (n, latent_dim), posterior means.
        attributes: boolean DataFrame (n, n_attributes), rows in the order of `latents`.
        attribute_names: those wanted; None takes all that vary (`constant_attributes` lists
            the others).

    Returns:
        DataFrame (n_attributes, latent_dim), in latent units, not normalised:
        adding a row moves an average face from "lacks it" to "has it".

    Raises:
        ValueError: the row counts differ; the attributes are not boolean; a name is not a column;
            or an attribute asked for by name is the same for every face.

    Reference: Larsen et al., 2016, section 4.2 (arXiv:1512.09300).
    """
    names = _checked_names(latents, attributes, attribute_names)
    has = attributes[names].to_numpy("float64")  # (n, k)
    latents = np.asarray(latents, "float64")
    mean_with = has.T @ latents / has.sum(axis=0)[:, None]
    mean_without = (1 - has).T @ latents / (1 - has).sum(axis=0)[:, None]
    return pd.DataFrame((mean_with - mean_without).astype("float32"), index=names)


def regressed_vectors(
    latents: np.ndarray, attributes: pd.DataFrame, attribute_names: list[str] | None = None
) -> pd.DataFrame:
    """The change of the latent with one attribute, all other attributes being equal.

    The mean difference of an attribute contains the attributes that correlate with it: few men
    wear lipstick, so its vector for lipstick also points away from Male. Here one least-squares
    fit explains the latents by all attributes that vary, latents = constant + attributes @
    vectors, so each vector holds the part of its own attribute. Attributes that always occur
    together get equal shares.

    Args and errors are those of `attribute_vectors`.

    Returns:
        DataFrame (n_attributes, latent_dim), in latent units, not normalised.
    """
    names = _checked_names(latents, attributes, attribute_names)
    constant = constant_attributes(attributes)
    explaining = attributes.drop(columns=constant)
    has, latents = explaining.to_numpy("float64"), np.asarray(latents, "float64")
    # Centred data need no constant; lstsq gives equal shares to columns that are equal.
    vectors = np.linalg.lstsq(has - has.mean(axis=0), latents - latents.mean(axis=0))[0]
    return pd.DataFrame(vectors.astype("float32"), index=explaining.columns).loc[names]


def constant_attributes(attributes: pd.DataFrame) -> list[str]:
    """Names of the attributes that every face has, or every face lacks."""
    return [name for name in attributes if attributes[name].nunique() < 2]


def _checked_names(
    latents: np.ndarray, attributes: pd.DataFrame, attribute_names: list[str] | None
) -> list[str]:
    """Check the arguments of `attribute_vectors`; return the names of the attributes wanted."""
    if len(latents) != len(attributes):
        raise ValueError(
            f"{len(latents)} latents and {len(attributes)} rows of attributes: "
            "they must be of the same faces, in the same order."
        )
    if any(dtype.kind != "b" for dtype in attributes.dtypes):
        raise ValueError(
            "The attributes are not all true or false: compare the table with 1 first."
        )
    constant = constant_attributes(attributes)
    if attribute_names is None:
        attribute_names = [name for name in attributes.columns if name not in constant]
    for name in attribute_names:
        if name not in attributes:
            raise ValueError(
                f"There is no attribute {name!r}{suggestion(name, attributes.columns)}"
            )
        if name in constant:
            raise ValueError(
                f"{name} is the same for all {len(attributes)} faces, so it has no direction: "
                "choose an attribute that varies."
            )
    return attribute_names


def edit(
    z: np.ndarray,
    change: np.ndarray | Mapping[str, float],
    strength: float | np.ndarray = 1.0,
    vectors: pd.DataFrame | None = None,
) -> np.ndarray:
    """Add an attribute vector to a latent, z + strength * change, or several vectors at once.

    Args:
        z: (latent_dim,) or (n, latent_dim).
        change: (latent_dim,), a row of `attribute_vectors`; or attribute -> strength, as in
            `edit(z, {"Smiling": 1.2, "Blond_Hair": 0.8}, vectors=vectors)`.
        strength: 0 changes nothing, 1 is the distance between the two mean faces, below 0 takes
            the attribute away. Of shape (k,), it gives k edits of one z: (k, latent_dim).
        vectors: DataFrame (n_attributes, latent_dim), the vectors that `change` names.

    Returns:
        float32 latents.

    Raises:
        ValueError: attributes by name without `vectors`, or one that it lacks.
    """
    if isinstance(change, Mapping):
        change = _sum_of_vectors(change, vectors)
    strength = np.asarray(strength, "float32")
    return (np.asarray(z) + strength[..., None] * np.asarray(change)).astype("float32")


def _sum_of_vectors(strengths: Mapping[str, float], vectors: pd.DataFrame | None) -> np.ndarray:
    if vectors is None:
        raise ValueError("Attributes by name need their vectors: edit(z, {...}, vectors=vectors).")
    for name in strengths:
        if name not in vectors.index:
            raise ValueError(unknown_vector(name, vectors))
    weights = np.array(list(strengths.values()), "float32")
    return weights @ vectors.loc[list(strengths)].to_numpy("float32")


def unknown_vector(name: object, vectors: pd.DataFrame) -> str:
    """The sentence for a name that is not in the index of `vectors`."""
    hint = suggestion(str(name), vectors.index, ": `vectors.index` lists the names.")
    return f"There is no attribute vector {name!r}{hint}"


def interpolate(
    start: np.ndarray, end: np.ndarray, steps: int = 9, spherical: bool = False
) -> np.ndarray:
    """Latents between two faces, both ends included.

    Args:
        start, end: (latent_dim,).
        steps: number of latents, at least 2.
        spherical: False follows the straight line. True turns the direction at a constant rate
            (slerp), and the length changes evenly from that of `start` to that of `end`. A
            straight line between distant points passes closer to the origin than samples of
            N(0, I) lie.

    Returns:
        float32 (steps, latent_dim).

    Raises:
        ValueError: fewer than two steps; or a spherical path between opposite points, or from or
            to the origin, where the direction is undefined.

    Reference: Shoemake, 1985 (slerp); White, 2016, section 2.1 (arXiv:1609.04468).
    """
    if steps < 2:
        raise ValueError(f"steps is {steps}: a morph has at least 2, its two ends.")
    start, end = np.asarray(start, "float64"), np.asarray(end, "float64")
    t = np.linspace(0, 1, steps)[:, None]
    if not spherical:
        return ((1 - t) * start + t * end).astype("float32")
    lengths = np.linalg.norm(start), np.linalg.norm(end)
    if min(lengths) == 0:
        raise ValueError("A spherical morph needs two latents that are not zero: go straight.")
    a, b = start / lengths[0], end / lengths[1]
    angle = np.arccos(np.clip(a @ b, -1, 1))
    if np.pi - angle < 1e-6:
        raise ValueError("The two latents point in opposite directions: go straight.")
    if angle < 1e-6:
        direction = a
    else:
        direction = (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)
    length = (1 - t) * lengths[0] + t * lengths[1]
    return (length * direction).astype("float32")
