"""A classifier that judges edits: where it can, it learns from people who were drawn twice."""

import numpy as np
import pandas as pd

from vaelib.classifier import (
    cached_classifier,
    check_split,
    classify,
    train_classifier,
    usual_steps,
    varying_attributes,
)
from vaelib.counterfactuals import ATTRIBUTES, find_cases, find_manifest
from vaelib.data.faces import Faces

PERSONS = 1200  # training people who are drawn again, each with up to ten attributes
AT_ONCE = 300  # of them: their pictures are float32, 1.2 GB at 128 pixels


class Judge:
    """Says which attributes a picture of a face has.

    A classifier that learned from a folder alone takes what goes along with an attribute for the
    attribute: in the portraits no man wears lipstick, so it does not believe a man's, though it is
    there. Where `portraits` drew the folder, the judge learns from training people who are drawn
    again with each of `ATTRIBUTES`, and nothing else changed, too: a quarter of each batch. For
    other folders it is a plain classifier.

    It is trained once per folder, on its training split, and kept beside the faces in `.cache/`.

    Args:
        faces: the folder; it needs two training faces and one attribute that varies among them.
        image_size: width and height of the pictures, in pixels.
        jobs: number of processes that draw; None means one per core.

    Raises:
        ValueError: there is one face to train on, or no attribute that varies, or another version
            of `portraits` drew the folder.

    Attributes:
        attributes: names of the attributes that vary, in the order of the logits.
        classifier: model from images (n, h, w, 3) in [0, 1] to logits (n, k).
    """

    def __init__(self, faces: Faces, image_size: int = 64, jobs: int | None = None):
        check_split(faces, "train")
        self.attributes = varying_attributes(faces)
        manifest = find_manifest(faces.folder)
        name = f"judge-{manifest.version}-{PERSONS}" if manifest else "judge"

        def train():
            more = drawn_again(faces, self.attributes, image_size, jobs) if manifest else None
            steps = usual_steps(faces)
            return train_classifier(faces, self.attributes, steps, image_size, more=more)

        self.classifier = cached_classifier(faces, image_size, name, len(self.attributes), train)

    def logits(self, images: np.ndarray) -> np.ndarray:
        """Images (n, h, w, 3) in [0, 1], or uint8 -> log-odds of `attributes` (n, k)."""
        return classify(self.classifier, images)


def drawn_again(
    faces: Faces, attributes: list[str], image_size: int, jobs: int | None = None
) -> tuple[np.ndarray, np.ndarray] | None:
    """The first training people, drawn with each of `ATTRIBUTES` that they lack.

    Args:
        faces: a folder that `portraits` drew.
        attributes: those whose labels are returned; others are not added.

    Returns:
        uint8 (n, image_size, image_size, 3), and labels, boolean (n, k); None if none of the people
        can be drawn so.
    """
    names = faces.file_names("train")[:PERSONS]
    print(f"Drawing {len(names)} people again, for a classifier that judges edits.", flush=True)
    added = [name for name in ATTRIBUTES if name in attributes]
    pictures, labels = [], []
    for start in range(0, len(names), AT_ONCE):
        cases = find_cases(faces, names[start : start + AT_ONCE], added, image_size, jobs)
        for case in cases.values():
            if case.counterfactuals is not None:
                pictures.append(np.round(255 * case.counterfactuals).astype("uint8"))
                labels.append(case.after[attributes])
    return (np.concatenate(pictures), pd.concat(labels).to_numpy(bool)) if pictures else None
