"""Export the models of the live pages, with what their widgets begin with, and draw the still.

python -m tools.live_models FOLDER    makes it anew: tools/live.py calls this
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import pandas as pd

import vaelib
from groundwork.files import write_whole
from vaelib.data.faces import Faces
from vaelib.export import export, find_people, find_vectors
from vaelib.graph import decoder_graph
from vaelib.model import VAE
from vaelib.pictures import jpg_bytes
from vaelib.widgets import Explorer, Studio

MODELS = {64: "pretrained", 128: "pretrained-128"}  # size of the faces -> name
ON_MAP = 400  # faces
AXES = ["Male", "Blond_Hair", "Smiling", "Eyeglasses"]  # of the map, besides the variance
SLIDERS = ["Blond_Hair", "Black_Hair", "Smiling", "Eyeglasses", "Goatee", "Young"]
STRENGTHS = {"Blond_Hair": 1.5, "Smiling": 2.0}
COLOR = "Black_Hair"
FIRST_BITS = 6  # of the decoder with which a page begins
SMALL = 256  # bytes of a weight that a graph without weights keeps
STEPS = 41  # of the morph
OPTIONS = {  # what each widget begins with, as in the notebooks
    "studio": {"sliders": SLIDERS, "value": STRENGTHS},
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
        first = decoder_graph(vae, FIRST_BITS)
        write_whole(folder / str(size) / "decoder_first.onnx", as_bytes(first))
        if size == 64:
            write_whole(folder / "warm_up.onnx", without_weights(first))
            start, end = morph_ends(vae, faces)
            names = faces.file_names("test")[:ON_MAP]
            images = vaelib.load_images(faces, names, size)
            explorer = Explorer(vae, images, faces.attributes.loc[names], vectors.loc[AXES], COLOR)
            more = explorer_files(explorer) | {"morph.bin": np.stack([start, end])}
            add_files(folder / str(size), index, more, map_entry(explorer, names))
        else:
            studio = Studio(vae, people.images, vectors, SLIDERS, value=STRENGTHS)
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
    folder: Path, index: dict, files: Mapping[str, np.ndarray | bytes], map_: dict
) -> None:
    """Add files to an export, and to its index."""
    for name, content in files.items():
        entry = {}
        if isinstance(content, np.ndarray):
            entry = {"type": content.dtype.name, "shape": list(content.shape)}
            content = content.tobytes()
        write_whole(folder / name, content)
        index["files"][name] = {"bytes": len(content), **entry}
    write_whole(folder / "index.json", json.dumps(index | {"map": map_}, indent=1) + "\n")


if __name__ == "__main__":
    main()
