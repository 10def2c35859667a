"""A classifier of attributes, and the distance FC between sets of pictures in its answers."""

import hashlib
import math
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from keras import layers
from tqdm.keras import TqdmCallback

from groundwork.files import DiskFull, full_disk_explained, written_whole
from groundwork.places import course_folder
from groundwork.progress import on_terminal
from vaelib.archives import load_archive
from vaelib.data.faces import Faces
from vaelib.data.faults import FAULTS, spoiled
from vaelib.data.pipeline import make_dataset, with_more
from vaelib.data.pixels import CACHE, cache_locked, load_pixels, pixels_key
from vaelib.frechet import frechet_from_moments, moments
from vaelib.latent import constant_attributes
from vaelib.schedule import warmup_cosine

CLASSIFIER_VERSION = 2  # increase it when the classifier, its training or the features change
PLACES = "places"  # the last feature map, (n, size / 16, size / 16, 256)
FAULT_WEIGHT = 0.3  # of a fault in FC beside an attribute: a fault of all pictures costs about 9
SCALE = 100  # of FC, so that usual values lie between 1 and 100


class FaceFeatures:
    """A small classifier of a folder's attributes, and the Fréchet distance FC in its answers.

    FC compares a set of pictures with the folder's training faces: it is 100 times the Fréchet
    distance between the features of the two. The features of a picture are the probabilities that
    the classifier gives it: of the attributes, and, with a smaller weight, of three faults (the
    picture is blurred, noisy, sharpened). Real faces have most attributes clearly or clearly not; a
    face with half a hat, or with the mouth of another person, has not. The classifier learns the
    attributes from pictures with and without such faults, so a fault hardly changes what it
    answers about the face, and is itself seen: noise can't make a blurred picture "better".
    docs/distance.md has the experiments.

    For the course's portraits, a classifier comes with the course, so their FC is the same on all
    machines. For other faces it is trained here, once per folder, on the training split
    (architecture and seed are fixed), and kept beside the faces in `.cache/`. The training faces
    have an FC of 0; that of the folder's test split is about the best possible.

    Compare FC only between models of one folder and one image size, since each has its own
    classifier; a smaller FC means pictures more like faces *to this classifier*. It sees what the
    attributes ask for, and the more attributes a folder has, the more that is. Never compare it
    with a published FID, which uses another network (Inception, trained on photographs of things),
    2,048 features, and 50,000 samples.

    Args:
        faces: the folder, as `read_faces` returns it.
        image_size: in pixels, a multiple of 16.

    Raises:
        ValueError: there is one face to train on, or no attribute that varies.

    Attributes:
        attributes: names of the attributes that vary, in the order of the logits.
        classifier: model from images (n, h, w, 3) in [0, 1] to logits (n, k + 3), of `attributes`
            and of `FAULTS`.

    Reference: Heusel et al., 2017, for the distance (arXiv:1706.08500).
    """

    def __init__(self, faces: Faces, image_size: int = 64):
        check_split(faces, "train")
        self.attributes = varying_attributes(faces)
        self.classifier = fc_classifier(faces, image_size, given_classifier(faces, image_size))
        self.reference = _cached_reference(faces, self, image_size)

    def features(self, images: np.ndarray) -> np.ndarray:
        """Images (n, h, w, 3) in [0, 1], or uint8 -> features (n, k + 3).

        Probabilities of `attributes`, and `FAULT_WEIGHT` times those of `FAULTS`.
        """
        probabilities = 1 / (1 + np.exp(-classify(self.classifier, images).astype("float64")))
        probabilities[:, len(self.attributes) :] *= FAULT_WEIGHT
        return probabilities

    def logits(self, images: np.ndarray) -> np.ndarray:
        """Images (n, h, w, 3) in [0, 1], or uint8 -> log-odds of `attributes` (n, k)."""
        return classify(self.classifier, images)[:, : len(self.attributes)]

    def distance(self, images: np.ndarray) -> float:
        """FC of images (n, h, w, 3) in [0, 1] from the folder's training faces."""
        return self.distance_of_features(self.features(images))

    def distance_of_features(self, features: np.ndarray) -> float:
        """FC of pictures whose features (n, k + 3) are known."""
        return SCALE * frechet_from_moments(moments(features), self.reference)


def varying_attributes(faces: Faces) -> list[str]:
    """The attributes that some training faces have and others lack; a ValueError if none has."""
    labels = faces.attributes.loc[faces.file_names("train")]
    constant = set(constant_attributes(labels))
    attributes = [name for name in faces.attributes if name not in constant]
    if not attributes:
        raise ValueError(
            f"The training faces of {faces.folder} all have the same attributes, so no "
            "classifier can learn any: use more faces (`evaluate --no-fc` needs no classifier)."
        )
    return attributes


def build_classifier(n_outputs: int, image_size: int = 64) -> keras.Model:
    """An untrained convolutional network that answers several questions about a face at once.

    The logits are computed from the flattened last feature map: faces are aligned, so the place of
    a feature is informative.

    Args:
        n_outputs: the number of questions.
        image_size: width and height of the images in pixels, a multiple of 16.

    Returns:
        A model from images, float32 (n, image_size, image_size, 3) in [0, 1], to logits, float32
        (n, n_outputs). Its layer `PLACES` is the last feature map.

    Raises:
        ValueError: `image_size` is no multiple of 16.
    """
    if image_size < 16 or image_size % 16:
        raise ValueError(f"The image size must be a multiple of 16, not {image_size}.")
    images = keras.Input((image_size, image_size, 3), name="images")
    x = layers.Rescaling(2.0, -1.0)(images)
    for filters in (32, 64, 128, 256):
        x = layers.Conv2D(filters, 3, strides=2, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.ReLU(name=PLACES if filters == 256 else None)(x)
    x = layers.Dropout(0.3)(layers.Flatten()(x))
    logits = layers.Dense(n_outputs, name="logits")(x)
    return keras.Model(images, logits, name="classifier")


def usual_steps(faces: Faces) -> int:
    """How many steps `FaceFeatures` trains its classifier for."""
    # 20 epochs, so that a small folder is not learned by heart; a part of a large one is enough.
    return min(1500, 20 * math.ceil(len(faces.file_names("train")) / 64))


def train_classifier(
    faces: Faces,
    attributes: list[str],
    steps: int,
    image_size: int = 64,
    batch_size: int = 64,
    learning_rate: float = 2e-3,
    seed: int = 0,
    faults: bool = False,
    more: tuple[np.ndarray, np.ndarray] | None = None,
) -> keras.Model:
    """Train a classifier on the training split of `faces`, with images shifted a little.

    Args:
        attributes: the names to learn, in the order of the logits.
        steps: batches to learn from.
        image_size: width and height of the images in pixels, a multiple of 16.
        batch_size: images per step.
        learning_rate: its peak, after a tenth of the steps; then it falls to zero.
        seed: of the weights, of dropout, of the shifts and of the order of the images.
        faults: give the images faults (`vaelib.data.faults.spoil`), and learn to see these, too:
            their logits come after those of the attributes.
        more: further images, uint8 (n, image_size, image_size, 3), and their labels of
            `attributes`, (n, k): a quarter of each batch.

    Returns:
        The trained model, as `build_classifier` describes it.

    Raises:
        KeyError: an attribute that `faces` does not have.
        ValueError: `image_size` is no multiple of 16.
    """
    missing = set(attributes) - set(faces.attributes.columns)
    if missing:
        raise KeyError(f"{faces.folder} has no attribute {min(missing)!r}.")
    keras.utils.set_random_seed(seed)
    model = build_classifier(len(attributes) + (len(FAULTS) if faults else 0), image_size)
    aside = batch_size // 4 if more else 0
    pipeline = make_dataset(
        faces, "train", image_size, batch_size - aside, labels=attributes, seed=seed, shift=2
    ).repeat()
    if more:
        pipeline = with_more(pipeline, *more, aside, seed)
    if faults:
        pipeline = spoiled(pipeline)
    model.compile(
        keras.optimizers.AdamW(warmup_cosine(steps, learning_rate), weight_decay=1e-4),
        keras.losses.BinaryCrossentropy(from_logits=True),
    )
    print(f"Training a classifier of {len(attributes)} attributes: {steps} steps.", flush=True)
    model.fit(
        pipeline.prefetch(2),
        steps_per_epoch=steps,
        shuffle=False,  # the pipeline shuffles
        callbacks=[TqdmCallback(verbose=2)] if on_terminal() else [],
        verbose=0,
    )
    return model


def classify(classifier: keras.Model, images: np.ndarray) -> np.ndarray:
    """Images (n, h, w, 3) in [0, 1], or uint8, n >= 1 -> logits (n, k)."""
    parts = []
    for start in range(0, len(images), 250):
        batch = np.asarray(images[start : start + 250])
        batch = batch.astype("float32") / (255 if batch.dtype == np.uint8 else 1)
        parts.append(np.asarray(classifier(batch, training=False)))
    return np.concatenate(parts)


def fc_classifier(faces: Faces, image_size: int, given: Path | None = None) -> keras.Model:
    """The classifier of `FaceFeatures`: given, kept, or trained here; see `cached_classifier`."""

    attributes = varying_attributes(faces)
    outputs = len(attributes) + len(FAULTS)

    def train():
        return train_classifier(faces, attributes, usual_steps(faces), image_size, faults=True)

    return cached_classifier(faces, image_size, "classifier", outputs, train, given)


def given_classifier(faces: Faces, image_size: int) -> Path:
    """Where the classifier of FC that comes with the course lies, if it comes for these faces.

    Faces are known by their labels and splits, since the dates of drawn files differ.
    """
    digest = hashlib.sha256(_labels(faces)).hexdigest()[:16]
    name = f"classifier-{CLASSIFIER_VERSION}-{image_size}-{digest}.keras"
    return course_folder() / "pretrained" / name


def cached_classifier(
    faces: Faces,
    image_size: int,
    name: str,
    outputs: int,
    train: Callable[[], keras.Model],
    given: Path | None = None,
) -> keras.Model:
    """The classifier of a folder that is kept under a name in its `.cache/`, or a new one.

    Args:
        faces: the folder.
        image_size: in pixels.
        name: the beginning of the file's name.
        outputs: the number of its logits; a file with another number is not used.
        train: makes it, if there is none.
        given: a file that is taken instead, if it is there.
    """
    path = _cache_path(faces, image_size, name, "keras")
    for kept in (given, path):
        if kept and kept.exists():
            try:
                model = load_archive(kept)
            except Exception:  # half a file, or one that another version wrote
                print(f"{kept} is damaged, so it is not used.", flush=True)
                continue
            if _fits(model, image_size, outputs):
                return model
            print(f"{kept} is no classifier of these faces, so it is not used.", flush=True)
    model = train()
    _keep(path, model.save)
    return model


def _fits(model: keras.Model, image_size: int, outputs: int) -> bool:
    wanted = build_classifier(outputs, image_size)
    layers_of = [[type(layer).__name__ for layer in each.layers] for each in (model, wanted)]
    shapes = [[w.shape for w in each.get_weights()] for each in (model, wanted)]
    return layers_of[0] == layers_of[1] and shapes[0] == shapes[1]


def _cached_reference(
    faces: Faces, measure: FaceFeatures, image_size: int
) -> tuple[np.ndarray, np.ndarray]:
    weights = hashlib.sha256(b"".join(w.tobytes() for w in measure.classifier.get_weights()))
    # Another classifier, though of the same faces, has other features.
    path = _cache_path(faces, image_size, f"reference-{weights.hexdigest()[:8]}", "npz")
    if path.exists():
        try:
            with np.load(path, allow_pickle=False) as kept:
                return kept["mean"], kept["covariance"]
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
            print(f"{path} is damaged and is made anew.", flush=True)
    rows = faces.attributes.index.get_indexer(faces.file_names("train"))
    pixels = load_pixels(faces, image_size)
    parts = range(0, len(rows), 1000)
    features = [measure.features(pixels[rows[start : start + 1000]]) for start in parts]
    mean, covariance = moments(np.concatenate(features))
    _keep(path, lambda aside: np.savez(aside, mean=mean, covariance=covariance))
    return mean, covariance


def _cache_path(faces: Faces, image_size: int, name: str, suffix: str) -> Path:
    digest = hashlib.sha256(f"{CLASSIFIER_VERSION} {pixels_key(faces, image_size)}".encode())
    digest.update(_labels(faces))
    return faces.folder / CACHE / f"{name}-{image_size}-{digest.hexdigest()[:16]}.{suffix}"


def _labels(faces: Faces) -> bytes:
    table = pd.util.hash_pandas_object(faces.attributes).to_numpy().tobytes()
    return table + " ".join([*faces.attributes, *faces.splits]).encode()


def _keep(path: Path, write: Callable[[Path], None]) -> None:
    """Write a file whole, if the folder can be written to and has room for it."""
    if not os.access(path.parent if path.parent.exists() else path.parent.parent, os.W_OK):
        return
    try:
        with full_disk_explained(path):
            path.parent.mkdir(exist_ok=True)
            with cache_locked(path.parent), written_whole(path) as aside:
                write(aside)
    except DiskFull as error:  # what was computed is used all the same
        print(f"{error} The next time, it is computed again.", flush=True)


def check_split(faces: Faces, split: str) -> None:
    """Raise a ValueError unless a split has the two faces that a Fréchet distance needs."""
    if len(faces.file_names(split)) < 2:
        raise ValueError(
            f"The split {split!r} of {faces.folder} has a single face, too few for a classifier or "
            "a Fréchet distance: use more, or another split (`evaluate --no-fc` needs neither)."
        )
