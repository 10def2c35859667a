"""Export a model for pages without a kernel: graphs, vectors, and faces with latents."""

import hashlib
import json
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from PIL import Image

from groundwork.files import write_all_whole, write_whole
from vaelib.counterfactuals import find_manifest, redraw
from vaelib.data.faces import Faces
from vaelib.data.pixels import load_images
from vaelib.latent import attribute_vectors
from vaelib.metrics import usual_error
from vaelib.model import VAE
from vaelib.pictures import image_grid
from vaelib.runs import make_folder
from vaelib.vectors import WITH_VECTORS, load_vectors

FORMAT = 1  # of index.json
COUNT = 100  # held-out faces
FIRST = 12  # of them, in a picture of their own, which a page needs first
COLUMNS = 10  # of the picture with all faces
BITS: Final = 8


@dataclass(frozen=True)
class People:
    """Held-out faces to choose from: (n, h, w, 3) in [0, 1], and their file names."""

    images: np.ndarray
    names: list[str]


def export(
    vae: VAE,
    out: Path,
    people: People,
    vectors: pd.DataFrame,
    bits: int = BITS,
) -> dict:
    """Write all that a page needs to serve the widgets, into the folder `out`.

    decoder.onnx, encoder.onnx: `vaelib.graph` says what goes in and comes out.
    vectors.bin: (n_attributes, latent_dim).
    z_mean.bin, z_log_var.bin: (n, latent_dim), the posteriors of the people.
    first.png, faces.png: the first FIRST people in one row, and all people in COLUMNS columns.
    first.bin: (FIRST, latent_dim), the posterior means of the first ones.
    latent_mean.bin, latent_factor.bin: the Gaussian of encoded faces, for new faces.
    index.json: names, sizes, and for each file its bytes, its SHA-256, and the type and shape of
    the numbers in it. It is written last, so a folder with an index is whole.

    Args:
        vae: a trained model.
        out: the folder; it is made, and files of these names are replaced.
        people: held-out faces of the model's size, at least one.
        vectors: attribute vectors.
        bits: 32, 16 or 8, for each weight.

    Returns:
        What index.json holds.

    Raises:
        ValueError: a model with a layer that `vaelib.graph` does not know, or other bits.
        ImportError: the package onnx is not installed.
    """
    graph = _graph_module()
    z_mean, z_log_var = vae.posterior(people.images)
    arrays = {
        "vectors.bin": vectors.to_numpy("<f4"),
        "first.bin": z_mean[:FIRST].astype("<f4"),
        "z_mean.bin": z_mean.astype("<f4"),
        "z_log_var.bin": z_log_var.astype("<f4"),
        "latent_mean.bin": vae.latent_mean.astype("<f4"),
        "latent_factor.bin": vae.latent_factor.astype("<f2"),
    }
    files = {
        "decoder.onnx": graph.decoder_graph(vae, bits).SerializeToString(deterministic=True),
        "encoder.onnx": graph.encoder_graph(vae, bits).SerializeToString(deterministic=True),
        "first.png": png_sheet(people.images[:FIRST], FIRST),
        "faces.png": png_sheet(people.images, COLUMNS),
        **{name: array.tobytes() for name, array in arrays.items()},
    }
    index = {
        "format": FORMAT,
        "image_size": vae.image_size,
        "latent_dim": vae.latent_dim,
        "bits": bits,
        "attributes": list(vectors.index),
        "people": people.names,
        "first": len(people.images[:FIRST]),
        "columns": COLUMNS,
        "usual_error": usual_error(vae, people.images),
        "files": {name: _entry(data, arrays.get(name)) for name, data in files.items()},
    }
    make_folder(out)
    (out / "index.json").unlink(missing_ok=True)  # while the files are replaced
    write_all_whole({out / name: data for name, data in files.items()})
    write_whole(out / "index.json", json.dumps(index, indent=1) + "\n")
    return index


def find_people(faces: Faces, image_size: int, count: int = COUNT) -> People:
    """The first test faces; those that `portraits` drew are drawn anew in the model's size.

    Raises:
        ValueError: the folder has no test faces.
    """
    names = faces.file_names("test")[:count]
    if not names:
        raise ValueError(f"{faces.folder} has no test faces: name another folder with --faces.")
    if find_manifest(faces.folder) is None or image_size <= 64:
        return People(load_images(faces, names, image_size), names)
    drawn = {name: redraw(faces, name, {}, image_size, drawn=image_size) for name in names}
    images = {name: image for name, image in drawn.items() if image is not None}
    return People(np.stack([*images.values()]), [*images])


def find_vectors(vae: VAE, name: str, faces: Faces) -> pd.DataFrame:
    """The vectors that come with a model, or else those of the training faces."""
    if name in WITH_VECTORS:
        return load_vectors(name)
    train = faces.file_names("train")
    latents = vae.encode(load_images(faces, train, vae.image_size))
    return attribute_vectors(latents, faces.attributes.loc[train])


def png_sheet(images: np.ndarray, columns: int) -> bytes:
    """Faces side by side without gaps, as the bytes of a small PNG file."""
    file = BytesIO()
    Image.fromarray(image_grid(images, columns, gap=0)).save(file, "png", optimize=True)
    return file.getvalue()


def check_room_for(out: Path) -> None:
    """Refuse a folder that holds something else, so that nothing of the user's is replaced.

    Raises:
        ValueError: `out` is a file, or a folder with files but without index.json.
    """
    if out.exists() and not out.is_dir():
        raise ValueError(f"{out} is a file: choose a folder with --out.")
    if out.is_dir() and any(out.iterdir()) and not (out / "index.json").exists():
        raise ValueError(
            f"{out} holds other files: choose a new folder with --out, or an earlier export."
        )


def _entry(data: bytes, array: np.ndarray | None) -> dict:
    entry: dict = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    if array is not None:
        entry |= {"type": array.dtype.name, "shape": list(array.shape)}
    return entry


def _graph_module():
    try:
        from vaelib import graph
    except ModuleNotFoundError as error:
        if error.name != "onnx":
            raise
        raise ImportError(
            "The package onnx is not installed: install it with "
            '`python -m pip install -c constraints.txt -e ".[cpu,export]"`.'
        ) from error
    return graph
