"""Export the models of the live pages, with what their widgets begin with, and draw the still.

python -m tools.live_models FOLDER    makes it anew: tools/live.py calls this
"""

import json
import sys
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
from PIL import Image

import vaelib
from groundwork.files import write_whole
from vaelib.data.faces import Faces
from vaelib.export import export, find_people, find_vectors
from vaelib.graph import decoder_graph
from vaelib.latent import edit
from vaelib.model import VAE
from vaelib.pictures import image_grid, jpg_bytes
from vaelib.widgets import Explorer, Studio

MODELS = {64: "pretrained", 128: "pretrained-128"}  # size of the faces -> name
ON_MAP = 400  # faces
AXES = ["Male", "Blond_Hair", "Smiling", "Eyeglasses"]  # of the map, besides the variance
SLIDERS = ["Blond_Hair", "Black_Hair", "Smiling", "Eyeglasses", "Goatee", "Young"]
STRENGTHS = {"Blond_Hair": 1.5, "Smiling": 2.0}
COLOR = "Black_Hair"
SMALL = 256  # bytes of a weight that a graph without weights keeps
BEGINS = 6  # row of the person with whom the studio begins: her hair shows its colour
IN_NOTEBOOK = 0  # and of the person with whom it begins in notebook 5
# Strengths of each slider at which their faces are decoded beforehand: a page's first seconds.
BEFOREHAND = np.round(np.arange(-20, 21) / 10, 1)
COLUMNS = 8  # of a picture of such faces
QUALITY = 90  # of its WebP file
STEPS = 41  # of the morph
OPTIONS = {  # what each widget begins with, as in the notebooks
    "studio": {"sliders": SLIDERS, "value": STRENGTHS, "face": BEGINS},
    "morph": {"steps": STEPS},
    "explorer": {"color": COLOR},
    "inside": {},
}


def main() -> None:
    """Make the folder named on the command line."""
    folder = Path(sys.argv[1])
    faces = vaelib.read_faces("portraits")
    for size, name in MODELS.items():
        vae = vaelib.load_model(name)
        people = find_people(faces, size)
        vectors = find_vectors(vae, name, faces)
        index = export(vae, folder / str(size), people, vectors)
        rows = [BEGINS, IN_NOTEBOOK]
        add_files(folder / str(size), index, *ahead_files(vae, people.images, rows, vectors))
        if size == 64:
            write_whole(folder / "warm_up.onnx", without_weights(decoder_graph(vae, 8)))
            start, end = morph_ends(vae, faces)
            names = faces.file_names("test")[:ON_MAP]
            images = vaelib.load_images(faces, names, size)
            explorer = Explorer(vae, images, faces.attributes.loc[names], vectors.loc[AXES], COLOR)
            more = explorer_files(explorer) | {"morph.bin": np.stack([start, end])}
            add_files(folder / str(size), index, more, {"map": map_entry(explorer, names)})
        else:
            studio = Studio(vae, people.images, vectors, SLIDERS, value=STRENGTHS)
            studio.choose(BEGINS)
            write_whole(folder / "still-studio.jpg", jpg_bytes(studio.still()))
    write_whole(folder / "options.json", json.dumps(OPTIONS))


def as_bytes(graph: onnx.ModelProto) -> bytes:
    """A graph as the bytes of its file, the same each time."""
    return graph.SerializeToString(deterministic=True)


def without_weights(graph: onnx.ModelProto) -> bytes:
    """The file of a graph whose large weights are all 0: it takes few bytes when compressed."""
    empty = onnx.ModelProto()
    empty.CopyFrom(graph)
    for weight in empty.graph.initializer:
        if len(weight.raw_data) > SMALL:
            weight.raw_data = bytes(len(weight.raw_data))
    return as_bytes(empty)


def ahead_files(
    vae: VAE, images: np.ndarray, rows: list[int], vectors: pd.DataFrame
) -> tuple[dict[str, bytes], dict]:
    """People decoded beforehand: where the studio begins, and along each slider from there.

    Args:
        vae: the model.
        images: (n, h, w, 3) in [0, 1].
        rows: of `images`, who is decoded.
        vectors: attribute vectors.

    Returns:
        For each person a picture of the reconstruction and of the beginning, and one for each
        slider: file name -> the bytes of a WebP file. And what index.json says of them, which
        web/live/ahead.js reads.
    """
    values: dict[str, list[dict[str, float]]] = {"start": [{}, STRENGTHS]}
    for name in SLIDERS:
        values[name] = [{**STRENGTHS, name: float(strength)} for strength in BEFOREHAND]
    files = {}
    for row, z in zip(rows, vae.encode(images[rows])):
        for name, strengths in values.items():
            latents = np.stack([edit(z, value, vectors=vectors) for value in strengths])
            sheet = image_grid(vae.decode(latents), COLUMNS, gap=0)
            files[f"ahead_{row}_{name}.webp"] = webp_bytes(sheet)
    step = float(np.round(BEFOREHAND[1] - BEFOREHAND[0], 3))
    about = {"rows": rows, "start": STRENGTHS, "sliders": SLIDERS}
    about |= {"low": float(BEFOREHAND[0]), "step": step, "count": len(BEFOREHAND)}
    return files, {"ahead": about}


def webp_bytes(picture: np.ndarray) -> bytes:
    """A picture (h, w, 3), uint8, as the bytes of a WebP file, which is not exact."""
    file = BytesIO()
    Image.fromarray(picture).save(file, "WEBP", quality=QUALITY, method=6)
    return file.getvalue()


def morph_ends(vae: VAE, faces: Faces) -> np.ndarray:
    """The latents of the two faces of notebook 6: (2, latent_dim)."""
    plain = {"Blurry": False, "Wearing_Hat": False, "Eyeglasses": False}
    man = faces.find("test", Male=True, Goatee=True, **plain)[:4][-1]
    woman = faces.find("test", Male=False, Blond_Hair=True, Smiling=True, **plain)[:13][-1]
    return vae.encode(vaelib.load_images(faces, [man, woman], vae.image_size))


def explorer_files(explorer: Explorer) -> dict[str, np.ndarray | bytes]:
    """The map's directions, places of the faces along all of them, labels, and thumbnails."""
    axes = explorer._axes.to_numpy("float32")
    labels: pd.DataFrame = explorer._labels
    return {
        "map_axes.bin": axes,
        "map_points.bin": (explorer._centred @ axes.T).astype("float32"),
        "map_mean.bin": explorer._mean.astype("float32"),
        "map_labels.bin": labels.to_numpy("uint8"),
        "map.jpg": explorer.sheet,
    }


def map_entry(explorer: Explorer, names: list[str]) -> dict:
    """What index.json says of the map."""
    return {
        "directions": explorer.directions,
        "attributes": explorer.attributes,
        "names": names,
        "columns": explorer.sheet_columns,
        "color": explorer.color,
    }


def add_files(
    folder: Path, index: dict, files: Mapping[str, np.ndarray | bytes], about: dict
) -> None:
    """Add files to an export, and to its index, with what it says about them."""
    for name, content in files.items():
        entry = {}
        if isinstance(content, np.ndarray):
            entry = {"type": content.dtype.name, "shape": list(content.shape)}
            content = content.tobytes()
        write_whole(folder / name, content)
        index["files"][name] = {"bytes": len(content), **entry}
    index |= about
    write_whole(folder / "index.json", json.dumps(index, indent=1) + "\n")


if __name__ == "__main__":
    main()
