"""Models and a classifier with known answers, for faces of one colour each."""

import io

import numpy as np
import pandas as pd
from PIL import Image

from vaelib.widgets.base import BATCH

SIZE = 16
COLOUR_NAMES = ["Smiling", "Male", "Eyeglasses"]  # red, green, blue
DEVIATION = 0.1  # of the posterior of a colour
DARK, BRIGHT = 0.25, 0.75  # an attribute that is absent, and one that is present


class ColourModel:
    """Encodes an image as its mean colour, and decodes a colour as an image of it."""

    image_size = SIZE

    def encode(self, images):
        return np.asarray(images, "float32").mean(axis=(1, 2))

    def decode(self, z):
        return np.broadcast_to(np.asarray(z)[:, None, None], (len(z), SIZE, SIZE, 3))


def images_of_labels(labels: np.ndarray) -> np.ndarray:
    """Images in which each colour channel shows a label: boolean (n, 3) -> (n, SIZE, SIZE, 3)."""
    return ColourModel().decode(np.where(labels, BRIGHT, DARK).astype("float32"))


class ColourJudge:
    """A classifier with one attribute per colour channel: whether the channel is bright."""

    def __init__(self, attributes):
        self.attributes = attributes

    def logits(self, images):
        return np.asarray(images).mean(axis=(1, 2)) - 0.5


class SliderModel:
    """A model for the widgets: a latent is a colour and a fourth number that no image shows."""

    image_size, latent_dim = 4, 4

    def __init__(self):
        self.decoded = 0
        self.picture_model = self  # the compiled model, which the widgets call

    def predict_on_batch(self, latents) -> np.ndarray:
        assert latents.shape in ((1, 4), (BATCH, 4))  # so that it is compiled twice at most
        return self.decode(latents)

    def decode(self, latents) -> np.ndarray:
        latents = np.asarray(latents)
        assert latents.ndim == 2
        self.decoded += len(latents)
        return (np.clip(latents[:, None, None, :3], 0, 1) * np.ones((1, 4, 4, 1))).astype("float32")

    def encode(self, images) -> np.ndarray:
        colours = np.asarray(images, "float32").mean(axis=(1, 2))
        return np.concatenate([colours, np.zeros((len(colours), 1))], axis=1).astype("float32")

    def posterior(self, images) -> tuple[np.ndarray, np.ndarray]:
        """The deviation of a colour is DEVIATION; the fourth number is N(0, 1)."""
        z_mean = self.encode(images)
        deviations = np.array([DEVIATION] * 3 + [1], "float32")
        return z_mean, np.broadcast_to(2 * np.log(deviations), z_mean.shape)

    def reconstruct(self, images) -> np.ndarray:
        return self.decode(self.encode(images))


VECTORS = pd.DataFrame(
    [[0.1, 0, 0, 0], [0, 0.2, 0, 0], [0, 0, -0.1, 1]],
    index=["Smiling", "Male", "Young"],
    dtype="float32",
)
COLOURS = np.random.default_rng(0).uniform(0.2, 0.6, (30, 3))
FACES = (COLOURS[:, None, None] * np.ones((1, 4, 4, 1))).astype("float32")
LABELS = pd.DataFrame(
    {"Dark": COLOURS.mean(axis=1) < 0.4, "Red": COLOURS[:, 0] > 0.4},
    index=[f"{i:06}.jpg" for i in range(30)],
)
START = np.array([0.5, 0.25, 0.75, 9], "float32")
END = np.array([0.1, 0.9, 0.3, -9], "float32")


def pixels(value: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(value))).astype(int)


def colour(value: bytes) -> np.ndarray:
    return pixels(value)[0, 0] / 255


def close(one, other) -> bool:
    return np.allclose(one, other, atol=1 / 255)
