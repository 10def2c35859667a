"""The baseline: the VAE of *Generative Deep Learning*, second edition, chapter 3.

It is written anew from the figures in the book: five layers of 64 filters, for 64 pixels.
"""

import vaelib  # noqa: F401  # isort: skip  # before keras: TensorFlow starts without log lines
import keras
from keras import layers

from vaelib.model import VAE, Sampling

LATENT_DIM = 200
BATCH_SIZE = 128
LEARNING_RATE = 5e-4
WEIGHT = 0.163  # of the summed squared error, beside the KL
SIGMA = (2 * WEIGHT) ** -0.5  # the sigma at which our loss has that weight


def build_baseline(image_size: int = 64) -> VAE:
    """Build the baseline VAE, untrained and compiled: Adam at 5e-4, no schedule.

    Args:
        image_size: width and height of the faces in pixels, a multiple of 32.

    Returns:
        A `vaelib` VAE, so that both are trained and measured by the same code.
    """
    vae = VAE(_build_encoder(image_size), _build_decoder(image_size), SIGMA, detail=1.0)
    vae.compile(keras.optimizers.Adam(LEARNING_RATE))
    return vae


def _build_encoder(image_size: int) -> keras.Model:
    images = keras.Input((image_size, image_size, 3), name="images")
    x = images
    for _ in range(5):
        x = layers.Conv2D(64, 3, strides=2, padding="same")(x)
        x = layers.LeakyReLU()(layers.BatchNormalization()(x))
    x = layers.Flatten()(x)  # (b, 256) at 64 pixels
    z_mean = layers.Dense(LATENT_DIM, name="z_mean")(x)
    z_log_var = layers.Dense(LATENT_DIM, name="z_log_var")(x)
    z = Sampling(name="z")((z_mean, z_log_var))
    return keras.Model(images, [z_mean, z_log_var, z], name="encoder")


def _build_decoder(image_size: int) -> keras.Model:
    side = image_size // 32
    z = keras.Input((LATENT_DIM,), name="z")
    x = layers.Dense(side * side * 64)(z)
    x = layers.LeakyReLU()(layers.BatchNormalization()(x))
    x = layers.Reshape((side, side, 64))(x)
    for _ in range(5):
        x = layers.Conv2DTranspose(64, 3, strides=2, padding="same")(x)
        x = layers.LeakyReLU()(layers.BatchNormalization()(x))
    images = layers.Conv2DTranspose(3, 3, padding="same", activation="sigmoid", name="images")(x)
    return keras.Model(z, images, name="decoder")
