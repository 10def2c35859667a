"""Measures whether the labels of the portraits can be seen: a classifier's AUC, and switches."""

import io
import json
import math
import multiprocessing
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext, redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import vaelib  # isort: skip  # before keras: it starts TensorFlow without its log lines
import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from keras import layers
from PIL import Image
from tqdm import tqdm
from tqdm.keras import TqdmCallback
from typer import Option, Typer

from portraits import DRAWING_VERSION, Person, PortraitsError
from portraits.dataset import usable_cores
from vaelib.__main__ import main
from vaelib.data import Faces, load_image, load_pixels, make_dataset
from vaelib.training import warmup_cosine

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
"""How many of CelebA's 202,599 faces have each attribute, in percent, as published."""

COLUMNS = ("rate", "celeba_rate", "ratio", "auc", "switched")
"""The columns of the table of results."""

IMAGE_SIZE = 64
SHIFT = 2  # pixels, either way
JPG_QUALITY = 95  # of the portraits' files

app = Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


# ------------------------------------------------------------------ the classifier


def build_classifier(n_attributes: int, image_size: int = IMAGE_SIZE) -> keras.Model:
    """An untrained convolutional classifier of several attributes at once.

    It is small enough to train in four minutes on two cores. The last feature map is flattened,
    not averaged: faces are aligned, so where something is tells much of what it is.

    Args:
        n_attributes: the number of attributes.
        image_size: width and height of the images in pixels, a multiple of 16.

    Returns:
        A model from images, float32 (n, image_size, image_size, 3) in [0, 1], to logits, float32
        (n, n_attributes).

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
    x = layers.Dropout(0.3)(layers.Flatten()(x))
    return keras.Model(images, layers.Dense(n_attributes, name="logits")(x), name="classifier")


def train_classifier(
    faces: Faces,
    attributes: list[str],
    epochs: int = 8,
    image_size: int = IMAGE_SIZE,
    batch_size: int = 64,
    learning_rate: float = 2e-3,
    seed: int = 0,
) -> keras.Model:
    """Train a classifier on the training split of `faces`, with images shifted a little.

    Args:
        attributes: the names to learn, in the order of the logits.
        epochs: passes over the training split.
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
    keras.utils.set_random_seed(seed)
    columns = _columns(faces, attributes)
    model = build_classifier(len(attributes), image_size)
    with nullcontext() if sys.stderr.isatty() else redirect_stderr(io.StringIO()):
        load_pixels(faces, image_size)  # its progress bar is for terminals
    pipeline = make_dataset(faces, "train", image_size, batch_size, labels=True, seed=seed)
    pipeline = pipeline.map(
        lambda images, labels: (random_shift(images, SHIFT), tf.gather(labels, columns, axis=1))
    )
    steps = epochs * len(pipeline)
    model.compile(
        keras.optimizers.AdamW(warmup_cosine(steps, learning_rate), weight_decay=1e-4),
        keras.losses.BinaryCrossentropy(from_logits=True),
        jit_compile=False,  # compiling takes longer than it saves here
    )
    on_terminal = sys.stderr.isatty()
    model.fit(
        pipeline.prefetch(2),
        epochs=epochs,
        shuffle=False,  # the pipeline shuffles
        callbacks=[TqdmCallback()] if on_terminal else [],
        verbose=0 if on_terminal else 2,
    )
    return model


def random_shift(images: tf.Tensor, by: int) -> tf.Tensor:
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


def logits(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """The classifier's scores: uint8 (n, size, size, 3) -> float32 (n, n_attributes)."""
    return model.predict(images.astype("float32") / 255, batch_size=256, verbose=0)


# ------------------------------------------------------------------ measuring it


def auc(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Area under the ROC curve of each column, exactly: Mann-Whitney's U over all pairs.

    It is the chance that a face with the attribute scores higher than one without it; a tie
    counts half.

    Args:
        scores: (n, k), higher means more likely.
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
    """File names of the faces to test on, "val" and "test" together, in file order."""
    return list(faces.splits.index[faces.splits != "train"])


def varying(faces: Faces) -> list[str]:
    """The attributes that some have and some lack, among training and among test faces."""
    parts = (faces.attributes.loc[names] for names in (faces.names("train"), held_out(faces)))
    varies = np.logical_and(*(part.nunique() == 2 for part in parts))
    return list(faces.attributes.columns[varies])


def measure_auc(model: keras.Model, faces: Faces, attributes: list[str]) -> pd.Series:
    """The AUC of each attribute on the faces of `held_out`.

    Args:
        model: as `train_classifier` returns it.
        attributes: the names of its logits.
    """
    names = held_out(faces)
    size = model.input_shape[1]
    rows = faces.attributes.index.get_indexer(names)
    scores = logits(model, load_pixels(faces, size)[rows])
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
    """The same person with one attribute switched; None if that can't be done."""
    try:
        return person.with_attribute(attribute, on)
    except PortraitsError:
        return None


def draw_switches(
    seed: int, number: int, attributes: list[str], size: int = IMAGE_SIZE
) -> Switches:
    """Draw a person, and draw the person again with each of the attributes switched.

    Args:
        seed: of the population.
        number: of the person's picture, from 1.
        attributes: what to switch.
        size: width and height of the pictures in pixels.
    """
    person = Person.sample(seed, number - 1)
    has = person.attributes()
    after = {}
    for attribute in attributes:
        switched = switch(person, attribute, not has[attribute])
        if switched is not None:
            after[attribute] = (not has[attribute], as_jpg(switched.render(size)))
    return Switches(as_jpg(person.render(size)), after)


def as_jpg(picture: np.ndarray) -> np.ndarray:
    """A square picture as it is after a JPG file: uint8 (size, size, 3), the same shape."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=JPG_QUALITY)
    return load_image(file, picture.shape[0])


def switching_test(
    model: keras.Model,
    seed: int,
    numbers: list[int],
    attributes: list[str],
    jobs: int | None = None,
) -> pd.Series:
    """The share of persons whose score moves the right way when an attribute is switched.

    The logit must rise when the attribute is switched on, and fall when it is switched off.

    Args:
        model: as `train_classifier` returns it.
        seed: of the population.
        numbers: of the persons' pictures, from 1.
        attributes: the names of the model's logits.
        jobs: processes that draw; None is one a core.

    Returns:
        Shares in [0, 1] by attribute; NaN where no person could be switched.
    """
    right, tried = (pd.Series(0.0, attributes) for _ in range(2))
    size = model.input_shape[1]
    drawn = _draw_all(seed, numbers, attributes, size, jobs or usable_cores())
    for switches in _progress(drawn, len(numbers)):
        pictures = [switches.before, *(picture for _, picture in switches.after.values())]
        before, *after = logits(model, np.stack(pictures))
        for (attribute, (on, _)), scores in zip(switches.after.items(), after):
            column = attributes.index(attribute)
            rise = scores[column] - before[column]
            right[attribute] += rise > 0 if on else rise < 0
            tried[attribute] += 1
    return right / tried.where(tried > 0)


def _draw_all(
    seed: int, numbers: list[int], attributes: list[str], size: int, jobs: int
) -> Iterator[Switches]:
    if jobs == 1 or len(numbers) < 10:  # to start processes takes seconds
        yield from (draw_switches(seed, number, attributes, size) for number in numbers)
        return
    # Spawned, not forked: TensorFlow has threads, and they do not survive a fork.
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        tasks = [pool.submit(draw_switches, seed, n, attributes, size) for n in numbers]
        try:
            yield from (task.result() for task in tasks)
        finally:
            pool.shutdown(cancel_futures=True)


def _progress(drawn: Iterator[Switches], total: int) -> Iterator[Switches]:
    """A bar on a terminal, else a line every tenth of the way."""
    if sys.stderr.isatty():
        yield from tqdm(drawn, "Switching", total, unit="person", leave=False)
        return
    for done, switches in enumerate(drawn, start=1):
        yield switches
        if done * 10 // total > (done - 1) * 10 // total:
            print(f"switched: {done} of {total} persons", flush=True)


# ------------------------------------------------------------------ the report


def results(faces: Faces, aucs: pd.Series, switched: pd.Series) -> pd.DataFrame:
    """The table: one row an attribute of `aucs`, and `COLUMNS`.

    rate and celeba_rate are percent, ratio is the one over the other, auc and switched are in
    [0, 1]. What is not known is NaN.
    """
    rate = faces.attributes[aucs.index].mean() * 100
    celeba_rate = pd.Series(CELEBA_RATES).reindex(aucs.index)
    values = (rate, celeba_rate, rate / celeba_rate, aucs, switched.reindex(aucs.index))
    return pd.DataFrame(dict(zip(COLUMNS, values)))


def as_text(table: pd.DataFrame) -> str:
    """The table for a reader, one line an attribute."""
    formats = dict(zip(COLUMNS, ("{:.1f}", "{:.1f}", "{:.2f}", "{:.3f}", "{:.2f}")))
    formatters = {name: form.format for name, form in formats.items()}
    return table.to_string(formatters=formatters, na_rep="-")


def summary(table: pd.DataFrame) -> dict:
    """What the last line of the command says, ready for JSON: NaN has become None.

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
    faces: Annotated[Path, Option(help="The folder of portraits.")] = Path("data/portraits"),
    epochs: Annotated[int, Option(min=1, help="Passes over the training faces.")] = 8,
    persons: Annotated[int, Option(min=0, help="How many to switch; 0 leaves it out.")] = 200,
    out: Annotated[Path | None, Option(help="A file for the JSON of the last line.")] = None,
) -> None:
    """Train a classifier of the attributes, and tell which can be seen; the last line is JSON."""
    if not faces.is_dir():
        raise FileNotFoundError(f"The folder {faces} does not exist: run `python -m portraits`.")
    data = vaelib.read_faces(faces)
    seed = _population(faces) if persons else 0
    attributes = varying(data)
    model = train_classifier(data, attributes, epochs)
    aucs = measure_auc(model, data, attributes)
    numbers = [int(Path(name).stem) for name in held_out(data)[:persons]]
    switched = switching_test(model, seed, numbers, attributes)
    table = results(data, aucs, switched)
    print(as_text(table))
    last_line = json.dumps(summary(table))
    if out is not None:
        out.write_text(last_line + "\n", encoding="utf-8")
    print(last_line)


def _population(folder: Path) -> int:
    """The seed of the portraits in `folder`.

    Raises:
        ValueError: they are no portraits, or an older or newer version drew them.
    """
    path = folder / "manifest.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        seed, version = int(manifest["seed"]), manifest["version"]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        raise ValueError(
            f"{path} does not say how the faces were drawn, so none can be drawn again with an "
            "attribute switched: use --persons 0."
        ) from None
    if version != DRAWING_VERSION:
        raise ValueError(
            f"{folder} was drawn by version {version} of the portraits, this is version "
            f"{DRAWING_VERSION}: remove it and run `python -m portraits`, or use --persons 0."
        )
    return seed


def _columns(faces: Faces, attributes: list[str]) -> list[int]:
    missing = set(attributes) - set(faces.attributes.columns)
    if missing:
        raise KeyError(f"{faces.folder} has no attribute {min(missing)!r}.")
    return [faces.attributes.columns.get_loc(name) for name in attributes]


if __name__ == "__main__":
    main(app)
