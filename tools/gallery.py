"""Draw docs/gallery.png, the picture of the README, and docs/sizes.png, with pretrained models."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

import vaelib
from groundwork.files import written_whole
from vaelib.counterfactuals import redraw
from vaelib.data.faces import Faces
from vaelib.latent import regressed_vectors
from vaelib.metrics import rmse
from vaelib.model import VAE
from vaelib.pictures import image_grid
from vaelib.plots import show_rows
from vaelib.vectors import load_vectors

DOCS = Path(__file__).resolve().parent.parent / "docs"
COLUMNS = 8
SIZE = 128  # of the faces in both pictures
PEOPLE = 200  # of the test split, for the errors
PLAIN = {"Blurry": False, "Eyeglasses": False, "Wearing_Hat": False, "Bangs": False}


def main() -> None:
    """Draw both pictures; the people are test faces of data/portraits, drawn anew at 128 pixels."""
    faces = vaelib.read_faces("portraits")
    names = faces.file_names("test")[:COLUMNS]
    small, large = vaelib.load_model("pretrained"), vaelib.load_model("pretrained-128")
    DOCS.mkdir(exist_ok=True)
    gallery = image_grid(np.concatenate(gallery_rows(faces, names, large)), COLUMNS)
    with written_whole(DOCS / "gallery.png") as aside:
        Image.fromarray(gallery).save(aside, optimize=True)
    train = faces.file_names("train")
    z_train = vae_means(small, faces, train)
    vectors = {
        64: regressed_vectors(z_train, faces.attributes.loc[train]),
        SIZE: load_vectors("pretrained-128", regressed=True),
    }
    rows = size_rows(faces, names, {64: small, SIZE: large}, vectors)
    with written_whole(DOCS / "sizes.png") as aside:
        show_rows(rows, scale=1, path=aside)
    print("docs/gallery.png and docs/sizes.png are drawn.")
    print_errors(faces, {64: small, SIZE: large})


def vae_means(vae: VAE, faces: Faces, names: list[str]) -> np.ndarray:
    """Posterior means (n, latent_dim) of faces of the folder."""
    return vae.encode(vaelib.load_images(faces, names, vae.image_size))


def drawn(faces: Faces, names: list[str], size: int) -> np.ndarray:
    """People of the folder, drawn again at a size: (n, size, size, 3) in [0, 1]."""
    return np.stack([redraw(faces, name, {}, size, drawn=size) for name in names])


def gallery_rows(faces: Faces, names: list[str], vae: VAE) -> list[np.ndarray]:
    """A row each of test faces, reconstructions, two edits of one face, and a morph."""
    hair, glasses = (
        load_vectors("pretrained-128", regressed).loc[name]
        for regressed, name in ((False, "Blond_Hair"), (True, "Eyeglasses"))
    )
    men = faces.find("test", Male=True, Goatee=True, **PLAIN)
    women = faces.find("test", Male=False, Blond_Hair=False, Smiling=False, **PLAIN)
    him, her = vae.encode(drawn(faces, [men[8], women[0]], vae.image_size))
    strengths = np.linspace(0, 2, COLUMNS)
    images = drawn(faces, names, vae.image_size)
    return [
        images,
        vae.reconstruct(images),
        vae.decode(vaelib.edit(her, hair, strengths)),
        vae.decode(vaelib.edit(him, glasses, strengths)),
        vae.decode(vaelib.interpolate(him, her, COLUMNS)),
    ]


def size_rows(
    faces: Faces,
    names: list[str],
    models: Mapping[int, VAE],
    vectors: Mapping[int, pd.DataFrame],
) -> dict[str, np.ndarray]:
    """The same people and edits by models for faces of several sizes; smaller ones are enlarged."""
    rows = {"drawn": drawn(faces, names, SIZE)}
    people = {size: drawn(faces, names, size) for size in models}
    z = {size: vae.encode(people[size]) for size, vae in models.items()}
    for title, strengths in {
        "reconstructed": {},
        "with glasses": {"Eyeglasses": 1.5},
        "smiling": {"Smiling": 2.0},
    }.items():
        for size, vae in models.items():
            edited = vaelib.edit(z[size], strengths, vectors=vectors[size])
            rows[f"{title}, {size}"] = enlarged(vae.decode(edited), SIZE)
    return rows


def print_errors(faces: Faces, models: Mapping[int, VAE]) -> None:
    """Print the error of each model at 128 pixels; enlarging a drawing has one, too."""
    names = faces.file_names("test")[:PEOPLE]
    truth = drawn(faces, names, SIZE)
    for size, vae in models.items():
        images = drawn(faces, names, size)
        means = vae.decode(vae.encode(images), sharpen=False)
        errors = [rmse(truth, enlarged(x, SIZE)) for x in (images, means)]
        print(
            f"{PEOPLE} people at {SIZE} pixels, RMSE in grey levels: drawn at {size} pixels "
            f"{errors[0]:.2f}, reconstructed by the model for {size} pixels {errors[1]:.2f}"
        )


def enlarged(images: np.ndarray, size: int) -> np.ndarray:
    """Images (n, h, w, 3) in [0, 1], smoothly enlarged to (n, size, size, 3)."""
    levels = np.round(255 * images).astype("uint8")
    wide = [
        Image.fromarray(image).resize((size, size), Image.Resampling.BICUBIC) for image in levels
    ]
    return np.stack([np.asarray(image) for image in wide]) / 255


if __name__ == "__main__":
    main()
