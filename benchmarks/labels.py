"""Measure whether the labels of the portraits can be seen: a classifier's AUC, and switches."""

import json
import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import vaelib  # isort: skip  # before keras: it starts TensorFlow without its log lines
import keras
import numpy as np
import pandas as pd
from typer import Option, Typer

from groundwork.places import data_folder
from groundwork.processes import in_processes
from groundwork.progress import Progress
from portraits import Person, PortraitsError
from portraits.dataset.manifest import MANIFEST, Manifest
from vaelib.__main__ import main
from vaelib.classifier import classify, train_classifier
from vaelib.counterfactuals import as_jpg, find_manifest
from vaelib.data.faces import Faces
from vaelib.data.pixels import load_pixels

CELEBA_RATES = {
    "5_o_Clock_Shadow": 11.1,
    "Arched_Eyebrows": 26.7,
    "Attractive": 51.3,
    "Bags_Under_Eyes": 20.5,
    "Bald": 2.2,
    "Bangs": 15.2,
    "Big_Lips": 24.1,
    "Big_Nose": 23.5,
    "Black_Hair": 23.9,
    "Blond_Hair": 14.8,
    "Blurry": 5.1,
    "Brown_Hair": 20.5,
    "Bushy_Eyebrows": 14.2,
    "Chubby": 5.8,
    "Double_Chin": 4.7,
    "Eyeglasses": 6.5,
    "Goatee": 6.3,
    "Gray_Hair": 4.2,
    "Heavy_Makeup": 38.7,
    "High_Cheekbones": 45.5,
    "Male": 41.7,
    "Mouth_Slightly_Open": 48.3,
    "Mustache": 4.2,
    "Narrow_Eyes": 11.5,
    "No_Beard": 83.5,
    "Oval_Face": 28.4,
    "Pale_Skin": 4.3,
    "Pointy_Nose": 27.7,
    "Receding_Hairline": 8.0,
    "Rosy_Cheeks": 6.6,
    "Sideburns": 5.7,
    "Smiling": 48.2,
    "Straight_Hair": 20.8,
    "Wavy_Hair": 32.0,
    "Wearing_Earrings": 18.9,
    "Wearing_Hat": 4.8,
    "Wearing_Lipstick": 47.2,
    "Wearing_Necklace": 12.3,
    "Wearing_Necktie": 7.3,
    "Young": 77.4,
}
"""The share of CelebA's 202,599 faces with each attribute, in percent, as published."""

COLUMNS = ("rate", "celeba_rate", "ratio", "auc", "switched")
"""The columns of the table of results."""

IMAGE_SIZE = 64
PORTRAITS = data_folder() / "portraits"
BATCH_SIZE = 64  # training faces per step

app = Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


# ------------------------------------------------------------------ measuring it


def auc(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Compute the exact area under the ROC curve of each column (Mann-Whitney's U).

    It is the probability that a face with the attribute scores higher than one without it; a tie
    counts half.

    Args:
        scores: (n, k); a higher score means that the attribute is more likely.
        labels: boolean (n, k).

    Returns:
        (k,) in [0, 1]; NaN where a column of labels does not vary.
    """
    labels = np.asarray(labels, bool)
    ranks = pd.DataFrame(scores).rank().to_numpy()  # ties share their average rank
    have = labels.sum(axis=0).astype(float)
    pairs = have * (len(labels) - have)
    wins = np.where(labels, ranks, 0).sum(axis=0) - have * (have + 1) / 2
    return np.divide(wins, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)


def held_out(faces: Faces) -> list[str]:
    """File names of the test faces, "val" and "test" together, in file order."""
    return list(faces.splits.index[faces.splits != "train"])


def varying(faces: Faces) -> list[str]:
    """The attributes that vary among the training faces and among the test faces."""
    parts = (faces.attributes.loc[names] for names in (faces.file_names("train"), held_out(faces)))
    varies = np.logical_and(*(part.nunique() == 2 for part in parts))
    return list(faces.attributes.columns[varies])


def measure_auc(model: keras.Model, faces: Faces, attributes: list[str]) -> pd.Series:
    """Measure the AUC of each attribute on the faces of `held_out`.

    Args:
        model: as `vaelib.classifier.train_classifier` returns it.
        attributes: the names of its logits.
    """
    names = held_out(faces)
    size = model.input_shape[1]
    rows = faces.attributes.index.get_indexer(names)
    scores = classify(model, load_pixels(faces, size)[rows])
    return pd.Series(auc(scores, faces.attributes.loc[names, attributes].to_numpy()), attributes)


# ------------------------------------------------------------------ the switching test


@dataclass(frozen=True)
class Switches:
    """One person's picture, and one for each attribute that could be switched.

    Attributes:
        before: uint8 (size, size, 3).
        after: by attribute, whether it was switched on, and the picture with it switched.
    """

    before: np.ndarray
    after: dict[str, tuple[bool, np.ndarray]]


def switch(person: Person, attribute: str, on: bool) -> Person | None:
    """Return the person with one attribute switched; None if it can't be switched."""
    try:
        return person.with_attribute(attribute, on)
    except PortraitsError:
        return None


def draw_switches(
    manifest: Manifest, number: int, attributes: list[str], size: int = IMAGE_SIZE
) -> Switches:
    """Draw a person as they are, and once for each attribute with it switched.

    Args:
        manifest: how the folder was drawn.
        number: of the person's picture, from 1.
        attributes: what to switch.
        size: width and height of the pictures in pixels.
    """
    person = manifest.person(number)
    has = person.attributes()
    after = {}
    for attribute in attributes:
        switched = switch(person, attribute, not has[attribute])
        if switched is not None:
            after[attribute] = (not has[attribute], as_jpg(switched.render(size), size))
    return Switches(as_jpg(person.render(size), size), after)


def switching_test(
    model: keras.Model,
    manifest: Manifest | None,
    numbers: list[int],
    attributes: list[str],
    jobs: int | None = None,
) -> pd.Series:
    """Measure for how many persons the score follows when an attribute is switched.

    The logit must rise when the attribute is switched on, and fall when it is switched off.

    Args:
        model: as `vaelib.classifier.train_classifier` returns it.
        manifest: how the folder was drawn; None if there are no numbers.
        numbers: of the persons' pictures, from 1.
        attributes: the names of the model's logits.
        jobs: number of processes that draw; None means one per core.

    Returns:
        Shares in [0, 1] by attribute; NaN where no person could be switched.
    """
    right, tried = (pd.Series(0.0, attributes) for _ in range(2))
    size = model.input_shape[1]
    calls = [partial(draw_switches, manifest, number, attributes, size) for number in numbers]
    drawn = in_processes(calls, 1 if len(calls) < 10 else jobs)  # to start processes takes seconds
    with Progress("Switching", len(numbers), "person", silent_below=0) as progress:
        for switches in drawn:
            pictures = [switches.before, *(picture for _, picture in switches.after.values())]
            before, *after = classify(model, np.stack(pictures))
            for (attribute, (on, _)), scores in zip(switches.after.items(), after):
                column = attributes.index(attribute)
                rise = scores[column] - before[column]
                right[attribute] += rise > 0 if on else rise < 0
                tried[attribute] += 1
            progress.advance(1)
    return right / tried.where(tried > 0)


# ------------------------------------------------------------------ the report


def results(faces: Faces, aucs: pd.Series, switched: pd.Series) -> pd.DataFrame:
    """Build the table: one row per attribute of `aucs`, with `COLUMNS`.

    rate and celeba_rate are in percent, ratio is rate over celeba_rate, auc and switched are in
    [0, 1]. Unknown values are NaN.
    """
    rate = faces.attributes[aucs.index].mean() * 100
    celeba_rate = pd.Series(CELEBA_RATES).reindex(aucs.index)
    values = (rate, celeba_rate, rate / celeba_rate, aucs, switched.reindex(aucs.index))
    return pd.DataFrame(dict(zip(COLUMNS, values)))


def as_text(table: pd.DataFrame) -> str:
    """Format the table, one line per attribute."""
    formats = dict(zip(COLUMNS, ("{:.1f}", "{:.1f}", "{:.2f}", "{:.3f}", "{:.2f}")))
    formatters = {name: form.format for name, form in formats.items()}
    return table.to_string(formatters=formatters, na_rep="-")


def summary(table: pd.DataFrame) -> dict:
    """Build the last line, for JSON: NaN becomes None.

    Returns:
        mean_auc, min_auc, switched_min, and attributes: for each its auc, rate, celeba_rate and
        switched, all in [0, 1].
    """
    fields = ["auc", "rate", "celeba_rate", "switched"]
    table = table.assign(rate=table["rate"] / 100, celeba_rate=table["celeba_rate"] / 100)
    return {
        "mean_auc": _rounded(table["auc"].mean()),
        "min_auc": _rounded(table["auc"].min()),
        "switched_min": _rounded(table["switched"].min()),
        "attributes": {
            name: {field: _rounded(row[field]) for field in fields}
            for name, row in table.iterrows()
        },
    }


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else round(float(value), 4)


# ------------------------------------------------------------------ the command


@app.command()
def measure(
    faces: Annotated[Path, Option(help="The folder of portraits.")] = PORTRAITS,
    epochs: Annotated[int, Option(min=1, max=10_000, help="Passes over the training faces.")] = 8,
    persons: Annotated[
        int, Option(min=0, max=1_000_000, help="Persons to switch; with 0 nobody is.")
    ] = 200,
    out: Annotated[Path | None, Option(help="A file for the JSON of the last line.")] = None,
) -> None:
    """Train a classifier of the attributes, and measure which it sees; the last line is JSON."""
    if not faces.is_dir():
        raise FileNotFoundError(
            f"The folder {faces} does not exist: run `python -m portraits --out {faces}`."
        )
    data = vaelib.read_faces(faces)
    manifest = _manifest(faces) if persons else None
    attributes = varying(data)
    steps = epochs * math.ceil(len(data.file_names("train")) / BATCH_SIZE)
    model = train_classifier(data, attributes, steps, IMAGE_SIZE, BATCH_SIZE)
    aucs = measure_auc(model, data, attributes)
    numbers = [int(Path(name).stem) for name in held_out(data)[:persons]]
    switched = switching_test(model, manifest, numbers, attributes)
    table = results(data, aucs, switched)
    print(as_text(table))
    last_line = json.dumps(summary(table))
    if out is not None:
        out.write_text(last_line + "\n", encoding="utf-8")
    print(last_line)


def _manifest(folder: Path) -> Manifest:
    """How the portraits in `folder` were drawn.

    Raises:
        ValueError: they are no portraits, or an older or newer version drew them.
    """
    manifest = find_manifest(folder)
    if manifest is None:
        raise ValueError(
            f"{folder} has no {MANIFEST} that says how the faces were drawn, so none can be drawn "
            "again with an attribute switched: use --persons 0."
        )
    return manifest


if __name__ == "__main__":
    main(app)
