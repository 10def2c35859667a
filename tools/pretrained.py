"""Make data/pretrained/ from a finished run, a third smaller; for authors, see data/README.md.

python tools/pretrained.py runs/pretrained
"""

import argparse
import sys
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from groundwork.files import write_whole, written_whole
from vaelib.runs import PRETRAINED, load_model

BITS = 16  # of 24 in a weight: an error of 1 in 65,000; the noise in a weight is about 1 in 25


def main() -> None:
    """Copy the history, and the model with rounded weights, compressed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="the folder of the run")
    run = parser.parse_args().run
    try:
        before, after = shrink(run / "vae.keras", PRETRAINED)
        write_whole(PRETRAINED.parent / "history.csv", (run / "history.csv").read_bytes())
    except (OSError, ValueError) as error:
        sys.exit(str(error))
    print(f"{PRETRAINED}: {after / 1e6:.1f} MB, of {before / 1e6:.1f}.")


def shrink(source: Path, target: Path) -> tuple[int, int]:
    """Write a model again, its weights rounded to BITS and the file compressed.

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
                new.writestr(member, old.read(member), zipfile.ZIP_DEFLATED, compresslevel=9)
    return source.stat().st_size, target.stat().st_size


def rounded(weight: np.ndarray, bits: int = BITS) -> np.ndarray:
    """Round a float32 array to `bits` binary digits, since zeros at the end compress well."""
    if weight.dtype != np.float32:
        return weight
    mantissa, exponent = np.frexp(weight)
    return np.ldexp(np.round(mantissa * 2.0**bits), exponent - bits).astype("float32")


if __name__ == "__main__":
    main()
