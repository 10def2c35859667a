"""vaelib: variational autoencoders on faces, small enough to read in an afternoon.

Importing it starts Keras without log lines; import it before keras, tensorflow or jax.
"""

from vaelib.start import start_keras

start_keras()  # before any other module imports keras

from vaelib.data.faces import Faces, read_faces  # noqa: E402
from vaelib.data.pipeline import make_dataset  # noqa: E402
from vaelib.data.pixels import load_images  # noqa: E402
from vaelib.latent import attribute_vectors, edit, interpolate  # noqa: E402
from vaelib.model import VAE, Sampling, build_decoder, build_encoder  # noqa: E402
from vaelib.runs import load_model  # noqa: E402

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
