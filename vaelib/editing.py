"""Edits against the truth: attributes added to latents, beside the same people drawn with them.

It is the one module that may use `portraits`, which draws a person of a folder again with an
attribute switched on. For any other folder, only the classifier judges.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from vaelib.classifier import FaceFeatures
from vaelib.counterfactuals import ATTRIBUTES, Cases
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
"""What a face can't have beside an attribute, by what the words mean: blond hair is not black."""

STRENGTHS = (0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.25, 2.5, 2.75, 3.0, 3.5, 4.0)
"""What `choose_strengths` tries."""

ENOUGH = 0.95  # of the validation edits must be accepted: a little more than one wants on others
NEEDS_TRUTH = (
    "truth_accepted",
    "truth_agree",
    "truth_reconstructed",
    "pixels",
    "pixels_unedited",
    "latents",
    "latents_unedited",
)
"""What `measure` can't tell without counterfactuals."""


# ------------------------------------------------------------------ editing


@dataclass(frozen=True)
class Editor:
    """Adds attributes to latents.

    Attributes:
        vectors: (n_attributes, latent_dim), of `attribute_vectors` or `regressed_vectors`.
        strengths: how often each vector is added; an attribute that is not named, once.
        excludes: for an attribute, those that a face loses when it gets it: their vectors are
            subtracted once from the faces that have them.
    """

    vectors: pd.DataFrame
    strengths: Mapping[str, float] = field(default_factory=dict)
    excludes: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def add(self, z: np.ndarray, has: pd.DataFrame, attribute: str) -> np.ndarray:
        """Give faces an attribute.

        Args:
            z: (n, latent_dim), posterior means.
            has: boolean DataFrame (n, n_attributes), what the faces have now.
            attribute: one of `vectors`.

        Returns:
            float32 (n, latent_dim).

        Raises:
            KeyError: the attribute has no vector.
        """
        z = edit(z, self.vectors.loc[attribute], self.strengths.get(attribute, 1.0))
        lost = [name for name in self.excludes.get(attribute, ()) if name in self.vectors.index]
        return z - has[lost].to_numpy("float32") @ self.vectors.loc[lost].to_numpy("float32")


def naive_editor(latents: np.ndarray, attributes: pd.DataFrame) -> Editor:
    """The first thing to try: add the mean difference, `attribute_vectors`, and that is all.

    Args:
        latents: (n, latent_dim), posterior means of training faces.
        attributes: boolean DataFrame (n, n_attributes), the same faces.
    """
    return Editor(attribute_vectors(latents, attributes))


def improved_editor(latents: np.ndarray, attributes: pd.DataFrame) -> Editor:
    """Vectors that leave the other attributes alone, and what an attribute excludes goes.

    Args are those of `naive_editor`.
    """
    return Editor(regressed_vectors(latents, attributes), excludes=EXCLUDES)


def choose_strengths(
    editor: Editor,
    vae: VAE,
    features: FaceFeatures,
    latents: np.ndarray,
    has: pd.DataFrame,
    attributes: Sequence[str] = ATTRIBUTES,
    strengths: Sequence[float] = STRENGTHS,
    enough: float = ENOUGH,
) -> Editor:
    """The same editor, each strength the weakest with which the classifier accepts enough edits.

    Where none is enough, it is the one with which most are accepted. Give validation faces here
    and measure on others.

    Args:
        latents: (n, latent_dim), posterior means.
        has: boolean DataFrame (n, n_attributes), the same faces.
        strengths: what to try, from weak to strong.
        enough: share of the faces that lack the attribute, in [0, 1].

    Raises:
        ValueError: every one of the faces has an attribute, so it can't be added.
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
            accepted = _says(features, vae.decode(z))[attribute].mean()
            if accepted > best:
                best, chosen[attribute] = accepted, strength
            if accepted >= enough:
                break
    return replace(editor, strengths=chosen)


# ------------------------------------------------------------------ the truth


# ------------------------------------------------------------------ measuring


def measure(editor: Editor, vae: VAE, features: FaceFeatures, cases: Cases) -> dict:
    """How good the edits of one attribute are.

    The *others* are the attributes of `features` without the one that is added. Without the
    truth, what it excludes is not counted either, since nobody can tell what becomes of it.

    Returns:
        faces, refused: counts; strength;
        accepted: share of the edits that the classifier says have the attribute;
        others_agree: share of the others where it says of an edit what the wanted labels say;
        reconstruction_agree: the same of plain reconstructions and the labels of the images,
            the most that one can hope for;
        truth_accepted, truth_agree: both shares of the counterfactuals' own pictures, and
        truth_reconstructed: the first of their reconstructions. Where the classifier does not
        accept the truth, an edit is accepted only if it exaggerates;
        pixels: root mean squared error of the edits from the counterfactuals, in grey levels of
            255; pixels_unedited: that of plain reconstructions;
        latents: mean distance of the edited latents from those of the counterfactuals;
        latents_unedited: that of the latents as they were.
        What needs counterfactuals is None without them.
    """
    attribute, truth = cases.attribute, cases.counterfactuals
    z = vae.encode(cases.images)
    edited = editor.add(z, cases.before, attribute)
    decoded, reconstructed = vae.decode(edited), vae.decode(z)
    left_out = {attribute, *(EXCLUDES.get(attribute, ()) if truth is None else ())}
    others = [name for name in features.attributes if name not in left_out]

    def agree(said: pd.DataFrame, labels: pd.DataFrame) -> float:
        return float((said[others].to_numpy() == labels[others].to_numpy()).mean())

    said = _says(features, decoded)
    result = {
        "faces": len(cases.images),
        "refused": cases.refused,
        "strength": editor.strengths.get(attribute, 1.0),
        "accepted": float(said[attribute].mean()),
        "others_agree": agree(said, cases.after),
        "reconstruction_agree": agree(_says(features, reconstructed), cases.before),
    }
    if truth is None:
        return result | dict.fromkeys(NEEDS_TRUTH)
    said, target = _says(features, truth), vae.encode(truth)
    values = (
        float(said[attribute].mean()),
        agree(said, cases.after),
        float(_says(features, vae.decode(target))[attribute].mean()),
        rmse(truth, decoded),
        rmse(truth, reconstructed),
        float(np.linalg.norm(edited - target, axis=1).mean()),
        float(np.linalg.norm(z - target, axis=1).mean()),
    )
    return result | dict(zip(NEEDS_TRUTH, values))


def _says(features: FaceFeatures, images: np.ndarray) -> pd.DataFrame:
    """What the classifier says of images: boolean (n, n_attributes)."""
    return pd.DataFrame(features.logits(images) > 0, columns=features.attributes)
