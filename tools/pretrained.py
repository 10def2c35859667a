"""Make data/pretrained/ in one command: draw portraits, train, shrink; for authors.

python tools/pretrained.py
"""

import argparse
import io
import sys
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py
import numpy as np

from groundwork.files import write_whole, written_whole
from groundwork.places import data_folder
from portraits.dataset.write import write_dataset
from vaelib.archives import WEIGHTS
from vaelib.data.faces import read_faces
from vaelib.runs import PRETRAINED, RUNS, load_model
from vaelib.training import new_vae, train

PEOPLE = 100_000
SEED = 4242  # of the people: the folder data/portraits holds those of seed 0
EPOCHS, STEPS = 18, 500
LATENT_DIM = 384
BITS = 9  # of 24 in a weight: RMSE is the same to a hundredth, and the file has 14 MB


def main() -> None:
    """Draw the portraits, train the model, and write it and its history to data/pretrained/.

    After a stop at any moment, the same command continues.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, default=RUNS / "pretrained", help="folder of the run")
    parser.add_argument(
        "--precision",
        choices=("bfloat16", "float32"),
        default="bfloat16",
        help="float32 is the faster one on processors without AMX",
    )
    arguments = parser.parse_args()
    run = arguments.run
    try:
        if not (run / "vae.keras").exists():
            faces = read_faces(write_dataset(data_folder() / "many", PEOPLE, seed=SEED))
            vae = new_vae(latent_dim=LATENT_DIM, large=True)
            train(vae, faces, run, EPOCHS, STEPS, precision=arguments.precision)
        before, after = shrink(run / "vae.keras", PRETRAINED)
        write_whole(PRETRAINED.parent / "history.csv", (run / "history.csv").read_bytes())
    except (OSError, ValueError) as error:
        sys.exit(str(error))
    print(f"{PRETRAINED}: {after / 1e6:.1f} MB, of {before / 1e6:.1f}.")


def shrink(source: Path, target: Path) -> tuple[int, int]:
    """Write a model again, its weights rounded to BITS and compressed.

    Returns:
        The sizes of both files in bytes.

    Raises:
        FileNotFoundError, ValueError: see `load_model`.
    """
    vae = load_model(source)
    vae.set_weights([rounded(weight) for weight in vae.get_weights()])
    with written_whole(target) as compressed, TemporaryDirectory() as folder:
        rounded_only = Path(folder) / "vae.keras"
        vae.save(rounded_only)
        with zipfile.ZipFile(rounded_only) as old, zipfile.ZipFile(compressed, "w") as new:
            for member in old.infolist():
                content = old.read(member)
                if member.filename == WEIGHTS:
                    content = compressed_arrays(content)
                new.writestr(member, content, zipfile.ZIP_DEFLATED, compresslevel=9)
    return source.stat().st_size, target.stat().st_size


def rounded(weight: np.ndarray, bits: int = BITS) -> np.ndarray:
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
