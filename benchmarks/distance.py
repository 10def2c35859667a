"""Measure what FC makes of pictures whose faults are known, beside the features that it had."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated

import vaelib  # isort: skip  # before keras: it starts TensorFlow without its log lines
import keras
import matplotlib
import numpy as np
import pandas as pd
from keras import layers
from tqdm import tqdm
from typer import Option, Typer

from groundwork.progress import on_terminal
from vaelib.__main__ import main
from vaelib.classifier import (
    PLACES,
    FaceFeatures,
    check_split,
    classify,
    train_classifier,
    usual_steps,
)
from vaelib.data.faces import Faces
from vaelib.data.faults import blur, sharpen, turn_hue
from vaelib.data.pixels import load_pixels
from vaelib.frechet import frechet_from_moments, moments
from vaelib.metrics import SAMPLES
from vaelib.model import VAE

FIGURE = Path("build/benchmarks/distance.png")
FACES = 1000  # test faces at most
SHOWN = 10  # faces in a row of the figure
MOUTH = (0.64, 0.80, 0.32, 0.68)  # top, bottom, left, right of an aligned face, as shares
TEST, BLURRED = "test faces", "blur 0.7 px"
RECONSTRUCTED, NEW = "reconstructions", "fitted Gaussian"

CHAINS = {
    "more blur": (TEST, "blur 0.5 px", BLURRED, "blur 1 px"),
    "more noise": (TEST, "noise 4", "noise 8", "noise 16"),
    "more hue": (TEST, "hue 10 degrees", "hue 20 degrees", "hue 40 degrees"),
    "more sharpening": (TEST, "details x 1.5", "details x 2"),
    "other halves": (TEST, "halves of two faces"),
    "another mouth": (TEST, "the mouth of another"),
    "fewer people": (TEST, "200 people", "50 people"),
    "noise on blur": (BLURRED, "blur 0.7 px, noise 4", "blur 0.7 px, noise 8"),
    "noise on reconstructions": (
        RECONSTRUCTED,
        "reconstructions, noise 4",
        "reconstructions, noise 8",
    ),
    "sharpened reconstructions": (
        RECONSTRUCTED,
        "reconstructions, details x 1.5",
        "reconstructions, details x 2",
    ),
    "noise on new faces": (NEW, f"{NEW}, noise 4", f"{NEW}, noise 8"),
    "sharpened new faces": (NEW, f"{NEW}, details x 1.5", f"{NEW}, details x 2"),
    "new faces": (RECONSTRUCTED, NEW, "N(0, I)"),
}
"""Experiments that a person would put in this order, the best first."""

Experiments = dict[str, Callable]

app = Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def add_noise(images: np.ndarray, levels: float) -> np.ndarray:
    """Add normal noise with a standard deviation of so many grey levels (of 255)."""
    rng = np.random.default_rng(0)
    return images + rng.standard_normal(images.shape, "float32") * (levels / 255)


def join_halves(images: np.ndarray) -> np.ndarray:
    """Give each face the right half of the next one."""
    joined, middle = images.copy(), images.shape[2] // 2
    joined[:, :, middle:] = np.roll(images, -1, axis=0)[:, :, middle:]
    return joined


def exchange_mouths(images: np.ndarray) -> np.ndarray:
    """Give each face the mouth of the next one."""
    top, bottom, left, right = (round(share * images.shape[1]) for share in MOUTH)
    pasted = images.copy()
    pasted[:, top:bottom, left:right] = np.roll(images, -1, axis=0)[:, top:bottom, left:right]
    return pasted


def repeat_people(images: np.ndarray, people: int) -> np.ndarray:
    """As many images as before, of the first few people alone."""
    return images[np.arange(len(images)) % people]


def experiments(images: np.ndarray, vae: VAE, samples: int = SAMPLES) -> Experiments:
    """The pictures of every experiment, made when they are asked for.

    Args:
        images: float32 (n, h, w, 3) in [0, 1], test faces.
        vae: a model; its pictures are those that people see, sharpened.
        samples: new faces, from the fitted Gaussian and from N(0, I) each.

    Returns:
        name -> a function that returns an array or tensor, float32 (m, h, w, 3).
    """
    width = images.shape[2] / 64  # a pixel is one of 64, as in `vaelib.data.faults`
    blurred, decoded = np.asarray(blur(images, 0.7 * width)), vae.reconstruct(images)
    made: Experiments = {TEST: lambda: images}
    for pixels in (0.5, 0.7, 1.0):
        made[f"blur {pixels:g} px"] = partial(blur, images, pixels * width)
    for levels in (4, 8, 16):
        made[f"noise {levels}"] = partial(add_noise, images, levels)
    for degrees in (10, 20, 40):
        made[f"hue {degrees} degrees"] = partial(turn_hue, images, degrees)
    made["halves of two faces"] = partial(join_halves, images)
    made["the mouth of another"] = partial(exchange_mouths, images)
    for people in (200, 50):
        made[f"{people} people"] = partial(repeat_people, images, people)
    drawn = vae.sample(samples, 0)
    for name, base in ((TEST, images), (BLURRED, blurred), (RECONSTRUCTED, decoded), (NEW, drawn)):
        before = "" if name == TEST else f"{name}, "
        if before:
            made[name] = partial(np.asarray, base)
        for levels in (4, 8) if before else ():
            made[f"{before}noise {levels}"] = partial(add_noise, base, levels)
        for gain in (1.5, 2) if name != BLURRED else ():
            made[f"{before}details x {gain:g}"] = partial(sharpen, base, gain)
    made["N(0, I)"] = partial(vae.sample, samples, 0, prior=True)
    return made


def averaged_features(classifier: keras.Model) -> keras.Model:
    """The features that FC had: the last feature map of a classifier, averaged over places."""
    places = classifier.get_layer(PLACES).output
    return keras.Model(classifier.input, layers.GlobalAveragePooling2D()(places))


class Averaged:
    """The distance that FC was, with the features of `averaged_features`.

    Its classifier is trained here, on attributes alone, and not kept.

    Args:
        faces: the folder; its training faces are the reference.
        attributes: those to learn.
        image_size: in pixels.
    """

    def __init__(self, faces: Faces, attributes: list[str], image_size: int):
        classifier = train_classifier(faces, attributes, usual_steps(faces), image_size)
        self.model = averaged_features(classifier)
        pixels, rows = load_pixels(faces, image_size), faces.rows(faces.file_names("train"))
        parts = [pixels[rows[start : start + 1000]] for start in range(0, len(rows), 1000)]
        self.reference = moments(np.concatenate([classify(self.model, part) for part in parts]))

    def distance(self, images: np.ndarray) -> float:
        """The distance of images (n, h, w, 3) in [0, 1] from the training faces."""
        return frechet_from_moments(moments(classify(self.model, images)), self.reference)


def measure(
    made: Experiments, distances: Mapping[str, Callable[[np.ndarray], float]]
) -> pd.DataFrame:
    """Measure every experiment: a row for each, a column for each distance.

    Pictures are rounded to 256 levels first, as those that people see.
    """
    rows = {}
    for name, make in tqdm(made.items(), "Measuring", disable=not on_terminal(), leave=False):
        shown = np.round(np.clip(np.asarray(make()), 0, 1) * 255).astype("uint8") / np.float32(255)
        rows[name] = {column: distance(shown) for column, distance in distances.items()}
    return pd.DataFrame.from_dict(rows, orient="index")


def broken(column: pd.Series) -> list[str]:
    """The names of the `CHAINS` in which a later experiment is not further away than the last."""
    return [
        name
        for name, chain in CHAINS.items()
        if not (np.diff(column[list(chain)].to_numpy()) > 0).all()
    ]


def as_text(table: pd.DataFrame) -> str:
    """Format the table: each distance, and beside it that as a multiple of reconstructions'."""
    shown = table.copy()
    for column in table:
        shown[f"{column}, of reconstructions"] = table[column] / table.loc[RECONSTRUCTED, column]
    return shown.to_string(float_format="{:.3f}".format)


def draw(made: Experiments, path: Path) -> None:
    """Draw the first faces of every experiment, a row for each."""
    matplotlib.use("Agg")
    from vaelib.plots import show_rows

    rows = {name: np.clip(np.asarray(make())[:SHOWN], 0, 1) for name, make in made.items()}
    count = min(map(len, rows.values()))
    rows = {name: images[:count] for name, images in rows.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    show_rows(rows, path=path)


@app.command()
def distance(
    faces: Annotated[str, Option(help='"portraits", "celeba", or a folder.')] = "portraits",
    model: Annotated[str, Option(help='"pretrained", "mine", or a .keras file.')] = "pretrained",
    samples: Annotated[int, Option(min=2, max=1_000_000, help="New faces of each kind.")] = SAMPLES,
    figure: Annotated[Path, Option(help="The picture to write, a PNG.")] = FIGURE,
) -> None:
    """Measure FC of pictures with known faults; the last line is JSON.

    Beside FC stands the distance that it was before: in the last map of a classifier that learned
    attributes alone, averaged over places.
    """
    data, vae = vaelib.read_faces(faces), vaelib.load_model(model)
    check_split(data, "test")
    new = FaceFeatures(data, vae.image_size)
    old = Averaged(data, new.attributes, vae.image_size)
    rows = data.rows(data.file_names("test")[:FACES])
    images = load_pixels(data, vae.image_size)[rows].astype("float32") / 255
    made = experiments(images, vae, samples)
    table = measure(made, {"old": old.distance, "new": new.distance})
    print(as_text(table))
    wrong = {column: broken(table[column]) for column in table}
    for column, chains in wrong.items():
        print(f"{column}: out of order: {', '.join(chains) or 'none'}")
    draw(made, figure)
    print(f"The picture is {figure}.")
    print(json.dumps({"distances": table.round(4).to_dict(), "out_of_order": wrong}))


if __name__ == "__main__":
    main(app)
