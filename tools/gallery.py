"""Draw docs/gallery.png, the picture of the README, with the pretrained model."""

from pathlib import Path

import numpy as np
from PIL import Image

import vaelib
from vaelib.pictures import image_grid

ROOT = Path(__file__).resolve().parent.parent
COLUMNS = 12


def main() -> None:
    """Draw a row each of test faces, reconstructions, two edits of one face, and a morph."""
    vae = vaelib.load_model("pretrained")
    faces = vaelib.read_faces("portraits")
    images = vaelib.load_images(faces, faces.file_names("test")[:COLUMNS], vae.image_size)

    train = faces.file_names("train")
    z_train = vae.encode(vaelib.load_images(faces, train, vae.image_size))
    wanted = ["Blond_Hair", "Eyeglasses"]
    vectors = vaelib.attribute_vectors(z_train, faces.attributes.loc[train], wanted)
    plain = {"Blurry": False, "Eyeglasses": False, "Wearing_Hat": False, "Bangs": False}
    men = faces.find("test", Male=True, Goatee=True, **plain)
    women = faces.find("test", Male=False, Blond_Hair=False, Smiling=False, **plain)
    pair = vaelib.load_images(faces, [men[5], women[2]], vae.image_size)
    him, her = vae.encode(pair)
    strengths = np.linspace(0, 2.5, COLUMNS)

    rows = [
        images,
        vae.reconstruct(images),
        vae.decode(vaelib.edit(her, vectors.loc["Blond_Hair"], strengths)),
        vae.decode(vaelib.edit(him, vectors.loc["Eyeglasses"], strengths)),
        vae.decode(vaelib.interpolate(him, her, COLUMNS)),
    ]
    path = ROOT / "docs" / "gallery.png"
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(image_grid(np.concatenate(rows), COLUMNS)).save(path, optimize=True)
    print(f"{path.relative_to(ROOT)} is drawn.")


if __name__ == "__main__":
    main()
