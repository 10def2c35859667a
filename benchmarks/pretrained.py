"""Measure the pretrained model and other runs against the floor: the grain of the portraits."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import vaelib  # isort: skip  # before keras: it starts TensorFlow without its log lines
import numpy as np
import pandas as pd
from typer import Argument, Option, Typer

from vaelib.__main__ import main
from vaelib.classifier import FaceFeatures
from vaelib.counterfactuals import as_jpg, find_manifest
from vaelib.data.faces import Faces
from vaelib.metrics import evaluate
from vaelib.model import VAE

SHOWN = ("rmse", "rmse_sampled", "kl", "bpd", "fc_reconstructions", "fc_gaussian", "fc_prior")

app = Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def pretrained(
    models: Annotated[
        list[str] | None, Argument(help='"pretrained", "mine", or .keras files of runs.')
    ] = None,
    faces: Annotated[str, Option(help='"portraits", or a folder of them.')] = "portraits",
    persons: Annotated[
        int, Option(min=1, max=1_000_000, help="Test portraits for the floor.")
    ] = 1000,
) -> None:
    """Measure models on the test portraits, beside the error that no model can avoid.

    For a run, the curve of its training is printed, too. The last line is JSON.
    """
    data = vaelib.read_faces(faces)
    floor = grain(data, persons)
    print(f"grain: {floor:.2f} grey levels, the smallest RMSE of a model that knows all but it")
    result, measures = {"grain": round(floor, 3)}, {}
    for name in models or ["pretrained"]:
        vae = vaelib.load_model(name)
        if vae.image_size not in measures:
            measures[vae.image_size] = FaceFeatures(data, vae.image_size)
        numbers = evaluate(vae, data, "test", measures[vae.image_size])
        result[name] = {key: round(numbers[key], 3) for key in SHOWN}
        print(f"\n{name}: {vae.image_size} pixels, {vae.count_params():,} weights")
        print("\n".join(f"{key:20}{value:>10}" for key, value in result[name].items()))
        history = Path(name).parent / "history.csv"
        if history.is_file():
            print(curve(pd.read_csv(history, index_col="epoch"), vae).to_string(index=False))
    print(json.dumps(result))


def grain(faces: Faces, persons: int) -> float:
    """RMSE between test portraits and the same ones without their grain, in grey levels.

    Each person is drawn twice, with two different grains, and compressed to JPG as the pictures
    of the folder were. The two differ by the square root of 2 times what each has.

    Raises:
        ValueError: `portraits` did not draw the folder.
    """
    manifest = find_manifest(faces.folder)
    if manifest is None:
        raise ValueError(f"{faces.folder} holds no portraits: only of those the grain is known.")
    squares = []
    for name in faces.file_names("test")[:persons]:
        person = manifest.person(int(Path(name).stem))
        other = replace(person, photo=replace(person.photo, grain=other_grain(person.photo.grain)))
        pictures = [as_jpg(who.render(manifest.width), manifest.width) for who in (person, other)]
        squares.append(np.square(np.subtract(*(picture.astype("float64") for picture in pictures))))
    return math.sqrt(np.mean(squares) / 2)


def other_grain(grain: tuple[int, int]) -> tuple[int, int]:
    """Another start of the generator of the grain: (state, increment)."""
    state, increment = grain
    return (state + 2**64) % 2**128, increment


def curve(history: pd.DataFrame, vae: VAE) -> pd.DataFrame:
    """The training over time: minutes, and bits per dimension of training and validation faces.

    Args:
        history: as `vaelib.training.train` returns it.
        vae: the trained model; of it, the image size is used.
    """
    dimensions = 3 * vae.image_size**2

    def bits(nats: pd.Series) -> pd.Series:
        return (nats / dimensions / math.log(2) + 8).round(3)

    return pd.DataFrame(
        {
            "epoch": history.index,
            "minutes": (history["seconds"] / 60).round(1),
            "training_bpd": bits(history["loss"]),
            "validation_bpd": bits(history["val_loss"]),
        }
    )


if __name__ == "__main__":
    main(app)
