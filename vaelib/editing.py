"""Edit attributes in latent space, and measure the edits.

Where `portraits` drew the faces, edits can be learned from people drawn without and with an
attribute, and an edit is compared with a picture of the same person who has the attribute
(`vaelib.counterfactuals`). Elsewhere, a plain classifier judges.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
import pandas as pd

from vaelib.counterfactuals import ATTRIBUTES, Cases
from vaelib.judge import Judge
from vaelib.latent import attribute_vectors, edit, regressed_vectors
from vaelib.metrics import rmse
from vaelib.model import VAE

EXCLUDES: dict[str, tuple[str, ...]] = {
    "Blond_Hair": ("Black_Hair", "Brown_Hair", "Gray_Hair", "Bald"),
    "Black_Hair": ("Blond_Hair", "Brown_Hair", "Gray_Hair", "Bald"),
    "Male": ("Wearing_Lipstick", "Heavy_Makeup", "Rosy_Cheeks"),
    "Bangs": ("Bald", "Receding_Hairline", "Wearing_Hat"),
    "Bald": (
        "Black_Hair",
        "Blond_Hair",
        "Brown_Hair",
        "Gray_Hair",
        "Bangs",
        "Receding_Hairline",
        "Straight_Hair",
        "Wavy_Hair",
        "Wearing_Hat",
    ),
    "Mustache": ("No_Beard",),
    "Wearing_Hat": ("Bald", "Bangs", "Receding_Hairline"),
}
"""Attributes that a face loses when it gets another: blond hair is not black."""

STRENGTHS = (0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.25, 2.5, 2.75, 3.0, 3.5, 4.0, 5.0, 6.0)
"""The strengths that `choose_strengths` tries."""

RIDGES = (100.0, 300.0, 1000.0, 3000.0, 10_000.0)
"""The penalties that `paired_editor` tries."""

STEPS = 4  # of a paired edit
ENOUGH = 0.95  # share of accepted edits on validation faces; on test faces it is a little less
NEEDS_TRUTH = (
    "truth_accepted",
    "truth_agree",
    "truth_reconstructed",
    "pixels",
    "pixels_unedited",
    "latents",
    "latents_unedited",
)
"""The results of `measure` that need counterfactuals."""


@dataclass(frozen=True)
class Editor:
    """Vectors and strengths that add attributes to latents.

    Attributes:
        vectors: (n_attributes, latent_dim), of `attribute_vectors` or `regressed_vectors`.
        strengths: attribute -> factor of its vector; 1 for an attribute that is not named.
        excludes: attribute -> those that a face loses when it gets the attribute: their vectors
            are subtracted from the faces that have them.
    """

    vectors: pd.DataFrame
    strengths: Mapping[str, float] = field(default_factory=dict)
    excludes: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def add(self, z: np.ndarray, has: pd.DataFrame, attribute: str) -> np.ndarray:
        """Add an attribute to faces.

        Args:
            z: (n, latent_dim), posterior means.
            has: boolean DataFrame (n, n_attributes), the attributes of the faces before the edit.
            attribute: one of `vectors`.

        Returns:
            float32 (n, latent_dim).

        Raises:
            ValueError: the attribute has no vector.
        """
        z = edit(z, {attribute: self.strengths.get(attribute, 1.0)}, vectors=self.vectors)
        lost = [name for name in self.excludes.get(attribute, ()) if name in self.vectors.index]
        return z - has[lost].to_numpy("float32") @ self.vectors.loc[lost].to_numpy("float32")


@dataclass(frozen=True)
class Move:
    """The move of a face that gets an attribute: another one for each face.

    Called with latents (n, latent_dim), it returns moves, float32 (n, latent_dim): `mean` plus what
    `matrix` makes of where a face lies. Who has long hair loses more of it to baldness.

    Attributes:
        mean: (latent_dim,), the mean move.
        centre: (latent_dim,), the mean of the faces it was learned from.
        matrix: (latent_dim, latent_dim).
    """

    mean: np.ndarray
    centre: np.ndarray
    matrix: np.ndarray

    def __call__(self, z: np.ndarray) -> np.ndarray:
        return (self.mean + (z - self.centre) @ self.matrix).astype("float32")


@dataclass(frozen=True)
class PairedEditor:
    """Moves and strengths that add attributes to latents; `paired_editor` learns them.

    A face goes in several steps, each of which depends on where it is by then: along a curve.

    Attributes:
        moves: attribute -> its move.
        strengths: attribute -> factor of its move; 1 for an attribute that is not named.
        steps: the number of steps.
    """

    moves: Mapping[str, Move]
    strengths: Mapping[str, float] = field(default_factory=dict)
    steps: int = STEPS

    def add(self, z: np.ndarray, has: pd.DataFrame, attribute: str) -> np.ndarray:
        """Add an attribute to faces; args and result are those of `Editor.add`.

        Raises:
            ValueError: the attribute has no move.
        """
        if attribute not in self.moves:
            raise ValueError(f"No move adds {attribute}: choose one of {', '.join(self.moves)}.")
        for _ in range(self.steps):
            step = self.moves[attribute](z) / self.steps
            z = z + np.float32(self.strengths.get(attribute, 1.0)) * step
        return z


def paired_editor(pairs: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> PairedEditor:
    """Learn how to add attributes from people who were drawn twice.

    Least squares with a penalty (ridge regression) explains the difference of the two latents of a
    person by the first one. The penalty is the one of `RIDGES` with which the moves of the last
    fifth of the people are predicted best from the others.

    Args:
        pairs: attribute -> posterior means of people without it, and of the same people with it,
            both (n, latent_dim).
    """
    moves = {}
    for attribute, (without, having) in pairs.items():
        known = max(1, min(math.ceil(0.8 * len(without)), len(without) - 1))
        rest, true = without[known:], having[known:]

        def error(ridge, without=without[:known], having=having[:known], rest=rest, true=true):
            return np.square(rest + learn_move(without, having, ridge)(rest) - true).sum()

        moves[attribute] = learn_move(without, having, min(reversed(RIDGES), key=error))
    return PairedEditor(moves)


def learn_move(without: np.ndarray, having: np.ndarray, ridge: float) -> Move:
    """Ridge regression of `having - without` on `without`, both (n, latent_dim)."""
    without, having = without.astype("float64"), having.astype("float64")
    mean, centre = (having - without).mean(axis=0), without.mean(axis=0)
    z, rest = without - centre, having - without - mean
    penalised = z.T @ z + ridge * np.eye(z.shape[1])
    return Move(mean, centre, np.linalg.solve(penalised, z.T @ rest))


AnyEditor = TypeVar("AnyEditor", Editor, PairedEditor)


def naive_editor(latents: np.ndarray, attributes: pd.DataFrame) -> Editor:
    """An editor that adds the mean difference, `attribute_vectors`, and subtracts nothing.

    Args:
        latents: (n, latent_dim), posterior means of training faces.
        attributes: boolean DataFrame (n, n_attributes), the same faces.
    """
    return Editor(attribute_vectors(latents, attributes))


def improved_editor(latents: np.ndarray, attributes: pd.DataFrame) -> Editor:
    """An editor that adds `regressed_vectors` and subtracts the attributes in `EXCLUDES`.

    Args are those of `naive_editor`.
    """
    return Editor(regressed_vectors(latents, attributes), excludes=EXCLUDES)


def choose_strengths(
    editor: AnyEditor,
    vae: VAE,
    judge: Judge,
    latents: np.ndarray,
    has: pd.DataFrame,
    attributes: Sequence[str] = ATTRIBUTES,
    strengths: Sequence[float] = STRENGTHS,
    enough: float = ENOUGH,
) -> AnyEditor:
    """Find the weakest strength of each attribute with which the judge accepts enough edits.

    If no strength is enough, the one with most accepted edits is chosen. Use validation faces
    here, and other faces for `measure`.

    Args:
        latents: (n, latent_dim), posterior means.
        has: boolean DataFrame (n, n_attributes), the same faces.
        attributes: those whose strength is found.
        strengths: the strengths to try, from weak to strong.
        enough: share of accepted edits of the faces that lack the attribute, in [0, 1].

    Returns:
        The same editor with the strengths found.

    Raises:
        ValueError: all of the faces have an attribute, so it can't be added.
    """
    chosen = {}
    for attribute in attributes:
        lack = ~has[attribute].to_numpy()
        if not lack.any():
            raise ValueError(
                f"All {len(has)} validation faces have {attribute}: give more, or leave it out."
            )
        best = -1.0
        for strength in strengths:
            tried = replace(editor, strengths={attribute: strength})
            z = tried.add(latents[lack], has[lack], attribute)
            accepted = classified(judge, vae.decode(z))[attribute].mean()
            if accepted > best:
                best, chosen[attribute] = accepted, strength
            if accepted >= enough:
                break
    return replace(editor, strengths=chosen)


def measure(editor: Editor | PairedEditor, vae: VAE, judge: Judge, cases: Cases) -> dict:
    """Measure the edits of one attribute.

    The *others* are the attributes of `judge` without the one that is added. Without
    counterfactuals, the attributes that it excludes are left out too: their true values are not
    known.

    Returns:
        faces, refused: counts;
        strength: the factor of the attribute's vector;
        accepted: share of the edits in which the judge finds the attribute;
        others_agree: share of the others for which its answer is the wanted label;
        reconstruction_agree: the same share for unedited reconstructions and the labels of the
            images, an upper limit for `others_agree`;
        truth_accepted, truth_agree: `accepted` and `others_agree` for the counterfactuals' own
            pictures;
        truth_reconstructed: `accepted` for their reconstructions. Where the judge does not
            find the attribute in the truth, it finds it only in an edit that is too strong;
        pixels: root mean squared error of the edits, compared with the counterfactuals, in grey
            levels (0 to 255); pixels_unedited: the same of unedited reconstructions;
        latents: mean distance between the edited latents and those of the counterfactuals;
        latents_unedited: the same for the unedited latents.
        The results in `NEEDS_TRUTH` are None without counterfactuals.
    """
    attribute, truth = cases.attribute, cases.counterfactuals
    z = vae.encode(cases.images)
    edited = editor.add(z, cases.before, attribute)
    decoded, reconstructed = vae.decode(edited), vae.decode(z)
    left_out = {attribute, *(EXCLUDES.get(attribute, ()) if truth is None else ())}
    others = [name for name in judge.attributes if name not in left_out]

    def agree(found: pd.DataFrame, labels: pd.DataFrame) -> float:
        return float((found[others].to_numpy() == labels[others].to_numpy()).mean())

    found = classified(judge, decoded)
    result = {
        "faces": len(cases.images),
        "refused": cases.refused,
        "strength": editor.strengths.get(attribute, 1.0),
        "accepted": float(found[attribute].mean()),
        "others_agree": agree(found, cases.after),
        "reconstruction_agree": agree(classified(judge, reconstructed), cases.before),
    }
    if truth is None:
        return result | dict.fromkeys(NEEDS_TRUTH)
    found, target = classified(judge, truth), vae.encode(truth)
    values = (
        float(found[attribute].mean()),
        agree(found, cases.after),
        float(classified(judge, vae.decode(target))[attribute].mean()),
        rmse(truth, decoded),
        rmse(truth, reconstructed),
        float(np.linalg.norm(edited - target, axis=1).mean()),
        float(np.linalg.norm(z - target, axis=1).mean()),
    )
    return result | dict(zip(NEEDS_TRUTH, values))


def classified(judge: Judge, images: np.ndarray) -> pd.DataFrame:
    """The attributes that the judge finds in images: boolean (n, n_attributes)."""
    return pd.DataFrame(judge.logits(images) > 0, columns=judge.attributes)
