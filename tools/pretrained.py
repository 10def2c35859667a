"""Make a file of data/pretrained/ in one command: draw portraits, train, shrink; for authors.

python tools/pretrained.py
python tools/pretrained.py --size 128
python tools/pretrained.py --classifier
"""

import argparse
import io
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py
import keras
import numpy as np
import pandas as pd

from groundwork.files import write_all_whole, written_whole
from groundwork.places import data_folder
from portraits.dataset.write import write_dataset
from vaelib.archives import WEIGHTS
from vaelib.classifier import fc_classifier, given_classifier
from vaelib.data.faces import Faces, read_faces
from vaelib.data.pipeline import make_dataset
from vaelib.latent import attribute_vectors, regressed_vectors
from vaelib.model import VAE
from vaelib.runs import PRETRAINED, RUNS, load_model
from vaelib.training import new_vae, train
from vaelib.vectors import WITH_VECTORS, vectors_path

SEED = 4242  # of the people: the folder data/portraits holds those of seed 0
STEPS = 500  # in an epoch
LATENT_DIM = 384
PEOPLE = 18_000  # training faces from which vectors are learned, as in notebook 5


@dataclass(frozen=True)
class Recipe:
    """One pretrained model.

    Attributes:
        model: its name, for `load_model`.
        folder: of its portraits, in the data folder.
        people: portraits to draw; nine tenths are trained on.
        epochs: of `STEPS` batches each.
        bits: of 24 in a weight that are kept: RMSE is the same to a hundredth, and the file has
            14 MB.
    """

    model: str
    folder: str
    people: int
    epochs: int
    bits: int


RECIPES = {
    64: Recipe("pretrained", "many", 100_000, 18, 9),
    128: Recipe("pretrained-128", "many-128", 50_000, 12, 9),
}


def main() -> None:
    """Draw the portraits, train the model, and write it and its history to data/pretrained/.

    After a stop at any moment, the same command continues.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, choices=RECIPES, default=64, help="of faces, in pixels")
    parser.add_argument("--run", type=Path, help="folder of the run; runs/pretrained, or -128")
    parser.add_argument(
        "--precision",
        choices=("bfloat16", "float32"),
        default="bfloat16",
        help="float32 is the faster one on processors without AMX",
    )
    parser.add_argument(
        "--classifier",
        action="store_true",
        help="only that of FC, for the faces in data/portraits/",
    )
    arguments = parser.parse_args()
    recipe, size = RECIPES[arguments.size], arguments.size
    run, model = arguments.run or RUNS / recipe.model, PRETRAINED[recipe.model]
    try:
        if arguments.classifier:
            print(make_classifier(read_faces("portraits")))
            return
        if not (run / "vae.keras").exists():
            folder = data_folder() / recipe.folder
            faces = read_faces(write_dataset(folder, recipe.people, size, SEED))
            vae = new_vae(size, LATENT_DIM, large=True)
            train(vae, faces, run, recipe.epochs, STEPS, precision=arguments.precision)
        history = model.with_name(model.stem.replace("vae", "history") + ".csv")
        with TemporaryDirectory() as folder:
            small = Path(folder) / "vae.keras"
            before, after = shrink(run / "vae.keras", small, recipe.bits)
            files = {model: small.read_bytes(), history: (run / "history.csv").read_bytes()}
            if recipe.model in WITH_VECTORS:  # notebook 5 computes those of the smaller model
                faces = read_faces(data_folder() / recipe.folder)
                files[vectors_path(model)] = vectors(load_model(small), faces)
        write_all_whole(files)
    except (OSError, ValueError) as error:
        sys.exit(str(error))
    print(f"{model}: {after / 1e6:.1f} MB, of {before / 1e6:.1f}.")


def shrink(source: Path, target: Path, bits: int) -> tuple[int, int]:
    """Write a model again, its weights rounded to `bits` binary digits and compressed.

    Returns:
        The sizes of both files in bytes.

    Raises:
        FileNotFoundError, ValueError: see `load_model`.
    """
    save_small(load_model(source), target, bits)
    return source.stat().st_size, target.stat().st_size


def save_small(model: keras.Model, target: Path, bits: int) -> None:
    """Write a model whose weights are rounded to `bits` binary digits, and compressed."""
    model.set_weights([rounded(weight, bits) for weight in model.get_weights()])
    with written_whole(target) as compressed, TemporaryDirectory() as folder:
        rounded_only = Path(folder) / "rounded.keras"
        model.save(rounded_only)
        with zipfile.ZipFile(rounded_only) as old, zipfile.ZipFile(compressed, "w") as new:
            for member in old.infolist():
                content = old.read(member)
                if member.filename == WEIGHTS:
                    content = compressed_arrays(content)
                new.writestr(member, content, zipfile.ZIP_DEFLATED, compresslevel=9)


def make_classifier(faces: Faces, size: int = 64) -> Path:
    """Write the classifier of `FaceFeatures` for these faces; train it, unless one is kept.

    At 13 of 24 bits in a weight, FC is the same to a thousandth of it.
    """
    classifier, path = fc_classifier(faces, size), given_classifier(faces, size)
    bare = keras.Model(classifier.input, classifier.output, name="classifier")  # no optimizer
    save_small(bare, path, 13)
    return path


def vectors(vae: VAE, faces: Faces) -> bytes:
    """The attribute vectors of both kinds, from training faces, as a table for `load_vectors`."""
    names = faces.file_names("train")[:PEOPLE]
    images = make_dataset(faces, "train", vae.image_size, 500, shuffle=False)
    parts = (vae.encode(batch) for batch in images.take(PEOPLE // 500))
    z, labels = np.concatenate([*parts])[:PEOPLE], faces.attributes.loc[names]
    kinds = {False: attribute_vectors(z, labels), True: regressed_vectors(z, labels)}
    table = pd.concat(kinds, names=["regressed", "attribute"])
    return table.to_csv(float_format="%.4g").encode()


def rounded(weight: np.ndarray, bits: int) -> np.ndarray:
    """Round a float32 array to `bits` binary digits, since zeros at the end compress well."""
    if weight.dtype != np.float32:
        return weight
    mantissa, exponent = np.frexp(weight)
    return np.ldexp(np.round(mantissa * 2.0**bits), exponent - bits).astype("float32")


def compressed_arrays(content: bytes) -> bytes:
    """Write an HDF5 file again, first bytes of all numbers together, then second ones, and so on.

    Exponents are alike, and so are zeros at the end: each kind compresses better by itself.
    """
    made = io.BytesIO()
    with h5py.File(io.BytesIO(content)) as old, h5py.File(made, "w") as new:

        def copy(name: str, item: h5py.Group | h5py.Dataset) -> None:
            if isinstance(item, h5py.Dataset):
                packed = {"shuffle": True, "compression": 9} if item.shape else {}
                again = new.create_dataset(name, data=item[()], **packed)
            else:
                again = new.require_group(name)
            again.attrs.update(item.attrs)

        new.attrs.update(old.attrs)
        old.visititems(copy)
    return made.getvalue()


if __name__ == "__main__":
    main()
