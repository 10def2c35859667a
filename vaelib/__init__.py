"""vaelib: variational autoencoders on faces, small enough to read in an afternoon.

Importing it starts TensorFlow without its log lines; import it before keras or tensorflow.
"""

import os
import sys
from contextlib import contextmanager

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@contextmanager
def _without_log_lines():
    # TensorFlow's C++ code logs to file descriptor 2 while it starts, whatever its log level.
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


with _without_log_lines():
    import keras

    keras.ops.zeros(1)  # the first operation logs, too

from vaelib.data import Faces, load_images, make_dataset, read_faces  # noqa: E402
from vaelib.latent import attribute_vectors, edit, interpolate  # noqa: E402
from vaelib.model import VAE, Sampling, build_decoder, build_encoder  # noqa: E402
from vaelib.training import load_model  # noqa: E402

__all__ = [
    "VAE",
    "Faces",
    "Sampling",
    "attribute_vectors",
    "build_decoder",
    "build_encoder",
    "edit",
    "interpolate",
    "load_images",
    "load_model",
    "make_dataset",
    "read_faces",
]
