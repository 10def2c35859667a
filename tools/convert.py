"""Convert a model whose decoder ends with its sharpening into one that the library reads.

python tools/convert.py OLD.keras NEW.keras

Nothing is trained: the weights stay, and the gains of the sharpening move to a layer of their own.
"""

import argparse
import json
import sys
import tempfile
import zipfile
from pathlib import Path

import h5py

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from groundwork.commands import sentence
from vaelib.archives import OLDER_GAINS, TooLarge, read_weights
from vaelib.model import VAE, build_decoder, build_encoder

MOVED = {  # the path of a weight now: its path before
    "layers/sharpen/vars/0": OLDER_GAINS,
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
    if options.new.suffix != ".keras":
        sys.exit(f"{options.new} is no .keras file: give the new one that ending.")
    if not options.new.parent.is_dir():
        sys.exit(f"{options.new.parent} is no folder: make it, or name another.")
    try:
        convert(options.old).save(options.new)
    except (OSError, ValueError) as error:
        sys.exit(sentence(error))
    print(f"{options.new} is {options.old}, converted.")


def convert(path: Path) -> VAE:
    """Read an older model.

    Raises:
        OSError: the file can't be read.
        ValueError: it is not an older model of this library, or declares more than it holds.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read("config.json"))["config"]
        with read_weights(path) as old:
            latent_dim = old["vars/1"].shape[0]
            image_size = 4 * 2 ** len(old[OLDER_GAINS])  # one gain for each halving
            encoder = build_encoder(image_size, latent_dim)
            decoder = build_decoder(image_size, latent_dim)
            vae = VAE(encoder, decoder, config["sigma"], config["detail"])
            _take_weights(vae, old)
    except TooLarge:
        raise
    except (KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is not an older model of this library: leave it.") from error
    return vae


def _take_weights(vae: VAE, old: h5py.File) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "new.weights.h5")
        vae.save_weights(path)
        with h5py.File(path, "r+") as new:

            def take(name: str, item: h5py.Group | h5py.Dataset) -> None:
                if isinstance(item, h5py.Dataset):
                    item[...] = old[MOVED.get(name, name)][...]

            new.visititems(take)
        vae.load_weights(path)


if __name__ == "__main__":
    main()
