"""The same people drawn again with an attribute: the truth that edits are held against."""

import io
import json
import multiprocessing
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from vaelib.data.faces import Faces
from vaelib.data.images import load_image
from vaelib.data.pixels import load_images

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

SAME = 2.0  # grey levels by which two pictures of one person may differ, between JPG libraries

JPG_QUALITY = 95  # of the portraits' files


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
    file_names: Sequence[str],
    attributes: Sequence[str] = ATTRIBUTES,
    image_size: int = 64,
    jobs: int | None = None,
) -> dict[str, Cases]:
    """For each attribute, the faces of `file_names` that lack it, with the truth where it is known.

    The people of a folder that `portraits` drew are drawn again with the attribute, and their
    pictures go through a JPG file as the folder's did.

    Args:
        faces: the folder.
        file_names: file names of the faces.
        attributes: what to add; one that all of the faces have is left out.
        image_size: in pixels, as the model reads them.
        jobs: processes that draw; None is one a core.

    Raises:
        ValueError: another version of `portraits` drew the folder, or some of its pictures.
    """
    images = load_images(faces, list(file_names), image_size)
    labels = faces.attributes.loc[list(file_names)]
    lacking = {attribute: ~labels[attribute].to_numpy() for attribute in attributes}
    lacking = {attribute: lack for attribute, lack in lacking.items() if lack.any()}
    manifest = read_manifest(faces.folder)
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


def read_manifest(folder: Path) -> dict | None:
    """How `portraits` drew the faces in `folder`; None where something else made them.

    Raises:
        ValueError: another version of `portraits` drew them, so it drew other people.
    """
    from portraits import DRAWING_VERSION

    path = Path(folder) / "manifest.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        manifest = {name: manifest[name] for name in ("version", "seed", "width", "height")} | {
            "switched": manifest.get("switched", "")
        }
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return None
    if manifest["version"] != DRAWING_VERSION:
        raise ValueError(
            f"{folder} was drawn by version {manifest['version']} of the portraits, this is "
            f"version {DRAWING_VERSION}: remove it and run `python -m portraits --out {folder}`."
        )
    return manifest


def draw_counterfactuals(
    manifest: Mapping, name: str, attributes: Sequence[str], image_size: int = 64
) -> tuple[np.ndarray, dict[str, tuple[dict[str, bool], np.ndarray]]]:
    """One person of a folder drawn again, as they are and with each of some attributes.

    Args:
        manifest: of the folder, as `read_manifest` returns it.
        name: the file of the person's picture, such as 000001.jpg.
        attributes: what to switch on, one at a time.
        image_size: in pixels.

    Returns:
        The picture, uint8 (image_size, image_size, 3), and by attribute the labels and the
        picture with it; an attribute that can't be switched is left out.
    """
    from portraits import PortraitsError

    person = _person(manifest, name)
    size = manifest["width"], manifest["height"]
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

    manifest = read_manifest(faces.folder)
    if manifest is None:
        return None
    try:
        person = _person(manifest, name).with_attributes(switched)
    except PortraitsError:
        return None
    picture = person.render((manifest["width"], manifest["height"]))
    return as_jpg(picture, image_size).astype("float32") / 255


def _person(manifest: Mapping, name: str) -> Any:
    from portraits import Person

    person = Person.sample(manifest["seed"], int(Path(name).stem) - 1)
    spelled = manifest["switched"].split()
    return person.with_attributes({word[1:]: word[0] == "+" for word in spelled})


def as_jpg(picture: np.ndarray, image_size: int) -> np.ndarray:
    """A picture (h, w, 3) as it is after a JPG file: uint8 (image_size, image_size, 3)."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=JPG_QUALITY)
    return load_image(file, image_size)


def _draw_all(
    manifest: Mapping,
    names: Sequence[str],
    wanted: Sequence[Sequence[str]],
    image_size: int,
    jobs: int | None,
) -> Iterator[tuple[np.ndarray, dict]]:
    from portraits.dataset import usable_cores

    tasks = [(manifest, name, some, image_size) for name, some in zip(names, wanted)]
    jobs = jobs or usable_cores()
    if jobs == 1 or len(tasks) < 20:  # to start processes takes seconds
        yield from (draw_counterfactuals(*task) for task in tasks)
        return
    # Spawned, not forked: TensorFlow has threads, and they do not survive a fork.
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        futures = [pool.submit(draw_counterfactuals, *task) for task in tasks]
        try:
            yield from (future.result() for future in futures)
        finally:
            pool.shutdown(cancel_futures=True)
