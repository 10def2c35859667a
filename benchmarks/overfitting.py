"""Train on 300 faces and measure what is learned by heart, for notebook 3."""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import vaelib  # noqa: F401  # isort: skip  # before keras: TensorFlow starts without log lines
import keras
import numpy as np
import pandas as pd
from PIL import Image
from typer import Option, Typer

from groundwork.files import written_whole
from vaelib.__main__ import main
from vaelib.counterfactuals import find_manifest
from vaelib.data.faces import Faces, read_faces
from vaelib.data.pipeline import make_dataset
from vaelib.data.pixels import load_images
from vaelib.metrics import rmse
from vaelib.pictures import image_grid
from vaelib.training import BATCH_SIZE, compile_recipe, new_vae

OUT = Path(__file__).resolve().parents[1] / "data" / "overfitting"
FEW = 300  # training faces: the first of the training split
VALIDATED = 500  # validation faces, at most
EPOCHS, STEPS = 8, 60  # as in notebook 3
SHOWN = 4  # training faces, and as many validation faces, in faces.png

app = Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@dataclass
class Pictures:
    """Faces of one kind each, float32 (n, h, w, 3) in [0, 1]: those trained on, and others."""

    known: np.ndarray
    others: np.ndarray

    @property
    def shown(self) -> np.ndarray:
        return np.concatenate([self.known[:SHOWN], self.others[:SHOWN]])


@dataclass
class Watch(keras.callbacks.Callback):
    """Measures training faces and others after each epoch, and keeps the best reconstructions.

    Attributes:
        pictures: to measure.
        rows: of each epoch, measured at its end: loss, reconstruction and kl of the training faces
            in nats per face, and rmse of their posterior means in grey levels; the same with val_,
            of validation faces. (What `fit` reports is a mean over an epoch of learning.)
        best, last: reconstructions of `pictures.shown`, after the epoch of the lowest val_loss and
            after the last one.
    """

    pictures: Pictures
    rows: list[dict[str, float]] = field(default_factory=list)
    best: np.ndarray | None = None
    last: np.ndarray | None = None
    lowest: float = np.inf

    def __post_init__(self) -> None:
        super().__init__()

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        known, others = self.pictures.known, self.pictures.others
        row = self.model.evaluate(known, batch_size=250, verbose=0, return_dict=True)
        row["rmse"] = rmse(known, self.reconstruct(known))
        row |= {name: value for name, value in logs.items() if name.startswith("val_")}
        row["val_rmse"] = rmse(others, self.reconstruct(others))
        self.rows.append(row)
        self.last = self.reconstruct(self.pictures.shown)
        if logs["val_loss"] < self.lowest:
            self.lowest, self.best = logs["val_loss"], self.last

    def reconstruct(self, images: np.ndarray) -> np.ndarray:
        return self.model.reconstruct(images, sharpen=False)


@app.command()
def overfitting(
    faces: Annotated[str, Option(help='"portraits", or a folder of them.')] = "portraits",
    steps: Annotated[
        int, Option(min=1, max=1_000_000, help="Batches in each of the 8 epochs.")
    ] = STEPS,
    out: Annotated[Path, Option(help="The folder of the results: history.csv, faces.png.")] = OUT,
) -> None:
    """Train the model of notebook 3's part on overfitting; the last line is JSON."""
    whole = read_faces(faces)
    if find_manifest(whole.folder) is None:
        raise ValueError(
            f"{whole.folder} holds no portraits, and photographs must not come into the course's "
            "figures: name a folder of portraits."
        )
    data = few_faces(whole, FEW)
    out.mkdir(parents=True, exist_ok=True)
    known, others = data.file_names("train"), data.file_names("val")[:FEW]
    pictures = Pictures(load_images(data, known), load_images(data, others))
    history, watch = train_and_watch(data, steps, pictures)
    if watch.best is None:
        raise ValueError("The validation loss was no number in any epoch: nothing is written.")
    with written_whole(out / "history.csv") as aside:
        history.to_csv(aside)
    rows = np.concatenate([pictures.shown, watch.best, watch.last])
    picture = image_grid(rows, columns=2 * SHOWN, gap=0)
    with written_whole(out / "faces.png") as aside:
        Image.fromarray(picture).save(aside, format="PNG")
    print(history.round(1).to_string())
    best = int(history["val_loss"].idxmin())
    found = {"best": best, "faces": len(known), "steps": steps * EPOCHS}
    print(json.dumps(found | {"epochs": history.to_dict("index")}))


def few_faces(faces: Faces, count: int) -> Faces:
    """The same folder with no more than the first `count` training faces."""
    splits = faces.splits.copy()
    splits[faces.file_names("train")[count:]] = "left out"
    return replace(faces, splits=splits)


def train_and_watch(faces: Faces, steps: int, pictures: Pictures) -> tuple[pd.DataFrame, Watch]:
    """Train a model by the course's recipe, as notebook 3 does, in `EPOCHS` epochs.

    Returns:
        The `rows` of `Watch` as a table, and the callback itself.
    """
    size, watch = pictures.known.shape[1], Watch(pictures)
    vae = new_vae(size)
    compile_recipe(vae, EPOCHS * steps)
    vae.fit(
        make_dataset(faces, "train", size, BATCH_SIZE, flip=True, repeat=True),
        epochs=EPOCHS,
        steps_per_epoch=steps,
        validation_data=make_dataset(faces, "val", size, batch_size=250).take(VALIDATED // 250),
        callbacks=[watch],
        shuffle=False,  # the pipeline shuffles
        verbose=2,
    )
    epochs = pd.RangeIndex(1, EPOCHS + 1, name="epoch")
    return pd.DataFrame(watch.rows, epochs).round(2), watch


if __name__ == "__main__":
    main(app)
