"""Convert a model whose decoder ends with its sharpening into one that the library reads.

python tools/convert.py OLD.keras NEW.keras

Nothing is trained: the weights stay the same; the gains of the sharpening move to their own layer.
"""

import argparse
import io
import json
import sys
import tempfile
import zipfile
from pathlib import Path

import h5py

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from vaelib.model import VAE, build_decoder, build_encoder

MOVED = {  # new path of a weight: old path
    "layers/sharpen/vars/0": "decoder/layers/sharpen/vars/0",
    "vars/0": "vars/1",  # the mean of the encoded faces
    "vars/1": "vars/2",  # the factor of their covariance
    "vars/2": "vars/0",  # sigma
}


def main() -> None:
    """Convert one file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("old", type=Path, help="the .keras file to read")
    parser.add_argument("new", type=Path, help="the .keras file to write")
    options = parser.parse_args()
    try:
        convert(options.old).save(options.new)
    except (OSError, ValueError) as error:
        sys.exit(str(error))
    print(f"{options.new} is {options.old}, converted.")


def convert(path: Path) -> VAE:
    """Read an older model.

    Raises:
        OSError: the file can't be read.
        ValueError: it is not an older model of this library.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read("config.json"))["config"]
            weights = io.BytesIO(archive.read("model.weights.h5"))
        with h5py.File(weights) as old:
            latent_dim = old["vars/1"].shape[0]
            image_size = 4 * 2 ** len(
                old[MOVED["layers/sharpen/vars/0"]]
            )  # a gain for each halving
            encoder = build_encoder(image_size, latent_dim)
            vae = VAE(encoder, build_decoder(image_size, latent_dim), config["sigma"])
            vae.detail = config["detail"]
            _take_weights(vae, old)
    except (KeyError, TypeError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is not an older model of this library: leave it.") from error
    return vae


def _take_weights(vae: VAE, old: h5py.File) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "new.weights.h5")
        vae.save_weights(path)
        with h5py.File(path, "r+") as new:
            found = []
            new.visit(found.append)
            for name in found:
                if isinstance(new[name], h5py.Dataset):
                    new[name][...] = old[MOVED.get(name, name)][...]
        vae.load_weights(path)


if __name__ == "__main__":
    main()
