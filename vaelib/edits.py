"""Edits against the truth: attributes added to latents, beside the same people drawn with them.

It is the one module that may use `portraits`, which draws a person of a folder again with an
attribute switched on. For any other folder, only the classifier judges.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from PIL import Image

from groundwork.processes import in_processes
from vaelib.data import Faces, load_images
from vaelib.images import load_image
from vaelib.latent import attribute_vectors, edit, regressed_vectors
from vaelib.metrics import FaceFeatures, rmse
from vaelib.model import VAE

if TYPE_CHECKING:
    from portraits.dataset.manifest import Manifest

ATTRIBUTES = (
    "Blond_Hair",
    "Black_Hair",
    "Eyeglasses",
    "Smiling",
    "Male",
    "Bangs",
    "Bald",
    "Mustache",
    "Wearing_Hat",
    "Wearing_Lipstick",
)
"""What is added to faces that lack it: chosen before anything was measured."""

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

SAME = 2.0  # grey levels by which two pictures of one person may differ, between JPG libraries
JPG_QUALITY = 95  # of the portraits' files

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


@dataclass(frozen=True)
class Cases:
    """Faces that lack an attribute, and what they are to become.

    Attributes:
        attribute: what they are to get.
        images: float32 (n, size, size, 3) in [0, 1], without it.
        before: boolean DataFrame (n, n_attributes), the labels of `images`.
        after: the labels wanted of the edits: those of the counterfactuals, or, where there are
            none, `before` with the attribute.
        counterfactuals: like `images`, the same people drawn with the attribute; None where
            nobody can tell.
        refused: how many more lack it and can't be drawn with it.
    """

    attribute: str
    images: np.ndarray
    before: pd.DataFrame
    after: pd.DataFrame
    counterfactuals: np.ndarray | None = None
    refused: int = 0


def find_cases(
    faces: Faces,
    names: Sequence[str],
    attributes: Sequence[str] = ATTRIBUTES,
    image_size: int = 64,
    jobs: int | None = None,
) -> dict[str, Cases]:
    """For each attribute, the faces of `names` that lack it, with the truth where it is known.

    The people of a folder that `portraits` drew are drawn again with the attribute, and their
    pictures go through a JPG file as the folder's did.

    Args:
        faces: the folder.
        names: file names of the faces.
        attributes: what to add; one that all of the faces have is left out.
        image_size: in pixels, as the model reads them.
        jobs: number of processes that draw; None means one per core.

    Raises:
        ValueError: another version of `portraits` drew the folder, or some of its pictures.
    """
    images = load_images(faces, list(names), image_size)
    labels = faces.attributes.loc[list(names)]
    lacking = {attribute: ~labels[attribute].to_numpy() for attribute in attributes}
    lacking = {attribute: lack for attribute, lack in lacking.items() if lack.any()}
    manifest = find_manifest(faces.folder)
    if manifest is None:
        return {
            attribute: Cases(
                attribute, images[lack], labels[lack], labels[lack].assign(**{attribute: True})
            )
            for attribute, lack in lacking.items()
        }
    wanted = [[a for a, lack in lacking.items() if lack[i]] for i in range(len(names))]
    drawn = []
    for name, image, (picture, some) in zip(
        names, images, _draw_all(manifest, names, wanted, image_size, jobs)
    ):
        if np.abs(255 * image - picture).mean() > SAME:
            raise ValueError(
                f"{name} in {faces.folder} does not show the person that `portraits` draws today: "
                f"remove the folder and run `python -m portraits --out {faces.folder}`."
            )
        drawn.append(some)
    cases = {}
    for attribute, lack in lacking.items():
        rows = [i for i in np.flatnonzero(lack) if attribute in drawn[i]]
        if not rows:
            continue
        after = pd.DataFrame([drawn[i][attribute][0] for i in rows], labels.index[rows])
        pictures = np.stack([drawn[i][attribute][1] for i in rows]).astype("float32") / 255
        refused = int(lack.sum()) - len(rows)
        before = labels.iloc[rows]
        after = after[labels.columns]
        cases[attribute] = Cases(attribute, images[rows], before, after, pictures, refused)
    return cases


def find_manifest(folder: Path) -> "Manifest | None":
    """How `portraits` drew the faces in `folder`; None where something else made them.

    Raises:
        ValueError: another version of `portraits` drew them, so it drew other people.
    """
    from portraits import DRAWING_VERSION, PortraitsError  # here: other folders do without it
    from portraits.dataset.manifest import MANIFEST, read_manifest

    try:
        manifest = read_manifest(Path(folder) / MANIFEST)
    except (FileNotFoundError, PortraitsError):
        return None
    if manifest.version != DRAWING_VERSION:
        raise ValueError(
            f"{folder} was drawn by version {manifest.version} of the portraits, this is "
            f"version {DRAWING_VERSION}: remove it and run `python -m portraits --out {folder}`."
        )
    return manifest


def draw_counterfactuals(
    manifest: "Manifest", name: str, attributes: Sequence[str], image_size: int = 64
) -> tuple[np.ndarray, dict[str, tuple[dict[str, bool], np.ndarray]]]:
    """One person of a folder drawn again, as they are and with each of some attributes.

    Args:
        manifest: of the folder, as `find_manifest` returns it.
        name: the file of the person's picture, such as 000001.jpg.
        attributes: what to switch on, one at a time.
        image_size: in pixels.

    Returns:
        The picture, uint8 (image_size, image_size, 3), and by attribute the labels and the
        picture with it; an attribute that can't be switched is left out.
    """
    from portraits import PortraitsError

    person = manifest.person(_number(name))
    size = manifest.width, manifest.height
    drawn = {}
    for attribute in attributes:
        try:
            switched = person.with_attribute(attribute, True)
        except PortraitsError:
            continue
        drawn[attribute] = switched.attributes(), as_jpg(switched.render(size), image_size)
    return as_jpg(person.render(size), image_size), drawn


def redraw(
    faces: Faces, name: str, switched: Mapping[str, bool], image_size: int = 64
) -> np.ndarray | None:
    """The person of a picture, drawn again with attributes switched on or off.

    Args:
        faces: the folder.
        name: the file of the person's picture.
        switched: attribute -> True or False; empty draws the person as they are.
        image_size: in pixels.

    Returns:
        float32 (image_size, image_size, 3) in [0, 1]; None where `portraits` did not draw the
        folder, or can't draw such a person.
    """
    from portraits import PortraitsError

    manifest = find_manifest(faces.folder)
    if manifest is None:
        return None
    try:
        person = manifest.person(_number(name)).with_attributes(switched)
    except PortraitsError:
        return None
    picture = person.render((manifest.width, manifest.height))
    return as_jpg(picture, image_size).astype("float32") / 255


def _number(name: str) -> int:
    """The number of a picture, from the name of its file."""
    return int(Path(name).stem)


def as_jpg(picture: np.ndarray, image_size: int) -> np.ndarray:
    """A picture (h, w, 3) as it is after a JPG file: uint8 (image_size, image_size, 3)."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=JPG_QUALITY)
    return load_image(file, image_size)


def _draw_all(
    manifest: "Manifest",
    names: Sequence[str],
    wanted: Sequence[Sequence[str]],
    image_size: int,
    jobs: int | None,
) -> Iterator[tuple[np.ndarray, dict]]:
    calls = [
        partial(draw_counterfactuals, manifest, name, some, image_size)
        for name, some in zip(names, wanted)
    ]
    return in_processes(calls, 1 if len(calls) < 20 else jobs)  # to start processes takes seconds


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
