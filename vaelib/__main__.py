"""The command line: train a model on a folder of faces, evaluate one on faces it has not seen."""

import json
import sys
from pathlib import Path
from typing import Annotated

import keras
from typer import Argument, Option, Typer

from vaelib import training
from vaelib.data import load_images, read_faces
from vaelib.metrics import rmse
from vaelib.model import VAE, build_decoder, build_encoder

app = Typer(add_completion=False, help=__doc__, pretty_exceptions_enable=False)
FacesOption = Annotated[str, Option(help='"portraits", "celeba", or a folder.')]


@app.command()
def train(
    out: Annotated[Path, Option(help="Folder for the model, the history and the logs.")],
    faces: FacesOption = "portraits",
    epochs: Annotated[int, Option(min=1)] = 8,
    steps_per_epoch: Annotated[int, Option(min=1)] = 70,
    batch_size: Annotated[int, Option(min=1)] = training.BATCH_SIZE,
    image_size: Annotated[int, Option(help="32, 64 or 128 pixels.")] = 64,
    latent_dim: Annotated[int, Option(min=1)] = 128,
    sigma: Annotated[
        float | None, Option(help="Standard deviation of a pixel; learned if left out.")
    ] = None,
    learning_rate: Annotated[float, Option(help="At its peak.")] = training.LEARNING_RATE,
    seed: int = 0,
) -> None:
    """Train a VAE: what notebook 03 does, from a terminal."""
    keras.utils.set_random_seed(seed)
    encoder = build_encoder(image_size, latent_dim)
    vae = VAE(encoder, build_decoder(image_size, latent_dim), sigma)
    data = read_faces(faces)
    training.train(vae, data, out, epochs, steps_per_epoch, batch_size, learning_rate)
    print(f"{out / 'vae.keras'} is trained.")


@app.command()
def evaluate(
    model: Annotated[str, Argument(help='"pretrained", "mine", or a .keras file.')],
    faces: FacesOption = "portraits",
    split: Annotated[str, Option(help="train, val or test.")] = "test",
) -> None:
    """Negative ELBO, its two parts, and the reconstruction error; the last line is JSON."""
    keras.utils.set_random_seed(0)
    vae = training.load_model(model)
    data = read_faces(faces)
    images = load_images(data, data.names(split), vae.image_size)
    vae.compile()
    result = vae.evaluate(images, verbose=0, return_dict=True)
    result["rmse"] = rmse(images, vae.reconstruct(images))
    units = {"rmse": "grey levels of 255"}
    for name, value in result.items():
        print(f"{name:16}{value:12.2f} {units.get(name, 'nats a face')}")
    print(json.dumps({"faces": len(images), **{k: round(v, 3) for k, v in result.items()}}))


def main(app: Typer = app) -> None:
    """Run a command line; bad input ends with one sentence and exit code 2."""
    try:
        app()
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
