"""Load a .keras file from an unknown source: no code runs, and the memory has a limit.

Keras itself runs no code of the file (its safe mode). But a file of a few megabytes can declare
gigabytes: as the sizes in its zip archive, as the shapes of its arrays, or as layers of a billion
units. Such a file is refused before the memory is taken.
"""

import io
import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import keras

WEIGHTS = "model.weights.h5"
MOST_EXPANDED = 10  # times the size of the file; weights look like noise and compress little
SPARE = 100_000_000  # bytes on top, for small files: an untrained model holds many zeros
OLDER_GAINS = "decoder/layers/sharpen/vars/0"  # the decoder of an older model sharpened


class TooLarge(ValueError):
    """A .keras file declares more than it holds; the message is one sentence."""


class OlderModel(ValueError):
    """A .keras file was saved by an older version; the message is one sentence."""


def load_archive(path: str | Path) -> keras.Model:
    """Load a .keras file in Keras' safe mode, once its sizes are checked.

    Raises:
        TooLarge: it declares far more bytes than it has, or its layers more weights than it holds.
        OlderModel: it is a model of an older version of this library.
        Exception: whatever a damaged file makes `zipfile`, `h5py` and Keras raise.
    """
    path = Path(path)
    with read_weights(path) as weights:
        if OLDER_GAINS in weights:
            raise OlderModel(
                f"{path} was saved by an older version: convert it with "
                "`python tools/convert.py OLD NEW` from the course's repository."
            )
        most = sum(math.prod(array.shape) for array in _arrays(weights))
    with _weights_limited(path, most):
        return keras.saving.load_model(path)


@contextmanager
def read_weights(path: Path) -> Iterator[h5py.File]:
    """Open the weights of a .keras file, once its sizes are checked.

    Raises:
        TooLarge: it declares far more bytes than it has.
        Exception: whatever a damaged file makes `zipfile` and `h5py` raise.
    """
    allowed = MOST_EXPANDED * path.stat().st_size + SPARE
    with zipfile.ZipFile(path) as archive:
        declared = sum(member.file_size for member in archive.infolist())
        _check(path, declared, allowed)
        weights = io.BytesIO(archive.read(WEIGHTS))
    with h5py.File(weights) as file:
        declared = sum(math.prod(array.shape) * array.dtype.itemsize for array in _arrays(file))
        _check(path, declared, allowed)
        yield file


def _arrays(weights: h5py.File) -> list[h5py.Dataset]:
    arrays = []
    weights.visititems(lambda _, item: arrays.append(item) if hasattr(item, "shape") else None)
    return arrays


def _check(path: Path, declared: int, allowed: int) -> None:
    if declared > allowed:
        raise TooLarge(
            f"{path} is not loaded: it would need {declared / 1e9:.1f} GB of memory, and a model "
            f"in a file of its size needs at most {allowed / 1e9:.1f} GB. Get it from a source "
            "that you trust, or train your own."
        )


@contextmanager
def _weights_limited(path: Path, most: int) -> Iterator[None]:
    # Every layer makes its weights with this method, whatever the layer and its settings.
    made, add_weight = 0, keras.layers.Layer.add_weight

    def add_limited(layer, *args, **kwargs):
        nonlocal made
        made += math.prod(kwargs.get("shape", args[0] if args else None) or ())
        if made > most:
            raise TooLarge("Keras gives this error another text.")
        return add_weight(layer, *args, **kwargs)

    keras.layers.Layer.add_weight = add_limited
    try:
        yield
    except Exception as error:
        if made <= most:
            raise
        raise TooLarge(
            f"{path} is not loaded: its layers would have more than the {most:,} weights that are "
            "in the file. Get it from a source that you trust, or train your own."
        ) from error
    finally:
        keras.layers.Layer.add_weight = add_weight
