"""Draw the people of a folder again with an attribute: the true result of an edit."""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from groundwork.processes import in_processes
from vaelib.data.faces import Faces
from vaelib.data.images import load_image
from vaelib.data.pixels import load_images
from vaelib.pictures import jpg_bytes

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
"""The attributes to add to faces that lack them; chosen before anything was measured."""

SAME = 2.0  # grey levels, mean difference of two pictures of one person by two JPG libraries


@dataclass(frozen=True)
class Cases:
    """Faces that lack an attribute, and the wanted result of adding it.

    Attributes:
        attribute: the attribute to add.
        images: float32 (n, size, size, 3) in [0, 1], without it.
        before: boolean DataFrame (n, n_attributes), the labels of `images`.
        after: the labels wanted after the edit: those of the counterfactuals, or, without
            counterfactuals, `before` with the attribute.
        counterfactuals: like `images`, the same people drawn with the attribute; None if
            `portraits` did not draw the folder.
        refused: number of further faces that lack it and can't be drawn with it.
    """

    attribute: str
    images: np.ndarray
    before: pd.DataFrame
    after: pd.DataFrame
    counterfactuals: np.ndarray | None = None
    refused: int = 0


def find_cases(
    faces: Faces,
    file_names: Sequence[str],
    attributes: Sequence[str] = ATTRIBUTES,
    image_size: int = 64,
    jobs: int | None = None,
) -> dict[str, Cases]:
    """Find the faces that lack each attribute, and draw them with it where that is possible.

    The people of a folder that `portraits` drew are drawn again with the attribute, and their
    pictures are compressed to JPG as those of the folder were.

    Args:
        faces: the folder.
        file_names: file names of the faces.
        attributes: the attributes to add; one that all of the faces have is left out.
        image_size: in pixels, as the model needs it.
        jobs: number of processes that draw; None means one per core.

    Returns:
        attribute -> its cases; an attribute without any is left out.

    Raises:
        ValueError: another version of `portraits` drew the folder, or some of its pictures.
    """
    images = load_images(faces, list(file_names), image_size)
    labels = faces.attributes.loc[list(file_names)]
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
    wanted = [[a for a, lack in lacking.items() if lack[i]] for i in range(len(file_names))]
    drawn = []
    for name, image, (picture, some) in zip(
        file_names, images, _draw_all(manifest, file_names, wanted, image_size, jobs)
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
    """Draw one person of a folder again, unchanged and with each of some attributes.

    Args:
        manifest: of the folder, as `find_manifest` returns it.
        name: the file of the person's picture, such as 000001.jpg.
        attributes: those to switch on, one at a time.
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
    faces: Faces,
    name: str,
    switched: Mapping[str, bool],
    image_size: int = 64,
    dials: Mapping[str, float] | None = None,
    drawn: int | None = None,
) -> np.ndarray | None:
    """Draw the person of a picture again, with attributes switched or dials turned.

    Args:
        faces: the folder.
        name: the file of the person's picture.
        switched: attribute -> True or False; empty switches nothing.
        image_size: in pixels.
        dials: name of one of `portraits.DIALS` -> its value; None turns nothing.
        drawn: width and height of the drawing, in pixels, such as 128 for a model of larger faces
            than the folder's, if its pictures are square; None takes those of its pictures.

    Returns:
        float32 (image_size, image_size, 3) in [0, 1]; None where `portraits` did not draw the
        folder, or can't draw such a person.

    Raises:
        ValueError: there is no such dial, or the value is out of its range (a `PortraitsError`).
    """
    from portraits import PortraitsError

    manifest = find_manifest(faces.folder)
    if manifest is None:
        return None
    try:
        person = manifest.person(_number(name)).with_attributes(switched)
    except PortraitsError:
        return None
    for dial, value in (dials or {}).items():
        person = person.with_dial(dial, value)
    picture = person.render((manifest.width, manifest.height) if drawn is None else drawn)
    return as_jpg(picture, image_size).astype("float32") / 255


def read_dials(faces: Faces, names: Sequence[str], dials: Sequence[str]) -> pd.DataFrame | None:
    """Read dials of the people in pictures: facts that no annotator had to guess.

    Args:
        faces: the folder.
        names: the files of their pictures.
        dials: names of `portraits.DIALS`.

    Returns:
        float DataFrame (n, n_dials), indexed by file name; None where `portraits` did not draw the
        folder.
    """
    manifest = find_manifest(faces.folder)
    if manifest is None:
        return None
    people = (manifest.person(_number(name)) for name in names)
    rows = [[person.dial(dial) for dial in dials] for person in people]
    return pd.DataFrame(rows, list(names), list(dials), dtype="float64")


def _number(name: str) -> int:
    """The number of a picture, from the name of its file."""
    return int(Path(name).stem)


def as_jpg(picture: np.ndarray, image_size: int) -> np.ndarray:
    """Compress a picture (h, w, 3) to JPG and read it: uint8 (image_size, image_size, 3)."""
    from portraits.dataset.write import JPG_QUALITY

    return load_image(io.BytesIO(jpg_bytes(picture, JPG_QUALITY)), image_size)


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
