"""Stand-ins for a model and a classifier whose every answer is known: faces of plain colours."""

import numpy as np

SIZE = 16


class ColourModel:
    """Encodes a picture as its mean colour, and decodes a colour as a picture of it."""

    image_size = SIZE

    def encode(self, images):
        return np.asarray(images, "float32").mean(axis=(1, 2))

    def decode(self, z):
        return np.broadcast_to(np.asarray(z)[:, None, None], (len(z), SIZE, SIZE, 3))


class ColourFeatures:
    """A classifier that says of each of three attributes whether its colour is bright."""

    def __init__(self, attributes):
        self.attributes = attributes

    def logits(self, images):
        return np.asarray(images).mean(axis=(1, 2)) - 0.5
