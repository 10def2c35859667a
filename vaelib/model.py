"""The variational autoencoder: Sampling, encoder, decoder, and the model that trains both.

Shapes in the comments are for faces of 64 pixels; `b` is the batch size.
"""

import math

import keras
from keras import layers, ops

from vaelib.checks import check_above_zero, mean_over_batch
from vaelib.latent_model import LatentModel
from vaelib.scales import DETAIL, weigh_levels

LATENT_DIM = 256
STAGE_WIDTHS = {32: (64, 128), 64: (64, 128, 256), 128: (64, 128, 256, 256)}  # by image size
LARGE_WIDTHS = {32: (96, 192), 64: (96, 192, 192), 128: (48, 96, 192, 192)}
IMAGE_SIZES = tuple(STAGE_WIDTHS)
FIRST_SIGMA = 0.25  # about the error of the average face
SMALLEST_SIGMA = 0.001  # a quarter of a grey level; where all images are alike, sigma goes to zero


@keras.saving.register_keras_serializable(package="vaelib")
class Sampling(layers.Layer):
    """Draw z from the normal distribution N(z_mean, exp(z_log_var)).

    The draw is z = z_mean + standard deviation * epsilon, with epsilon from N(0, I). Only epsilon
    is random, so gradients reach z_mean and z_log_var.

    Called with the pair (z_mean, z_log_var), each (b, latent_dim); returns z, (b, latent_dim).

    Args:
        seed: of this layer's own random sequence; None takes one from the global seed.

    Reference: Kingma and Welling, 2014, section 2.4 (arXiv:1312.6114).
    """

    def __init__(self, seed: int | None = None, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs):
        z_mean, z_log_var = inputs
        epsilon = keras.random.normal(ops.shape(z_mean), seed=self.seed_generator)
        return z_mean + ops.exp(0.5 * z_log_var) * epsilon

    def get_config(self):
        return {**super().get_config(), "seed": self.seed}


def build_encoder(image_size: int = 64, latent_dim: int = LATENT_DIM, large=False) -> keras.Model:
    """Build the encoder: from a face to a normal distribution over z, and one draw from it.

    Args:
        image_size: 32, 64 or 128, in pixels; others raise a ValueError.
        latent_dim: the length of z.
        large: more filters, and `residual_blocks` at each size.

    Returns:
        Model from images (b, image_size, image_size, 3) in [0, 1]
        to [z_mean, z_log_var, z], each (b, latent_dim).
    """
    widths = stage_widths(image_size, large)
    x = images = keras.Input((image_size, image_size, 3), name="images")  # (b, 64, 64, 3)
    for i, width in enumerate(widths):
        # The first stride is 4 pixels, the others 2, so little is computed at full size.
        kernel, stride = (8, 4) if i == 0 else (3, 2)  # to 16 x 16 x 64, 8 x 8 x 128, 4 x 4 x 256
        x = activated(layers.Conv2D(width, kernel, stride, padding="same", use_bias=False)(x))
        x = residual_blocks(x, 3) if large else x
    x = layers.Flatten()(x)  # (b, 4096)
    z_mean = layers.Dense(latent_dim, name="z_mean")(x)  # (b, 256)
    z_log_var = layers.Dense(latent_dim, name="z_log_var")(x)  # (b, 256)
    z = Sampling(name="z")((z_mean, z_log_var))  # (b, 256)
    return keras.Model(images, [z_mean, z_log_var, z], name="encoder")


def build_decoder(image_size: int = 64, latent_dim: int = LATENT_DIM, large=False) -> keras.Model:
    """Build the decoder: from a point z of the latent space to a face.

    Args and errors are those of `build_encoder`.

    Returns:
        Model from z (b, latent_dim) to images (b, image_size, image_size, 3) in [0, 1].
    """
    *widths, widest = stage_widths(image_size, large)
    z = keras.Input((latent_dim,), name="z")  # (b, 256)
    x = activated(layers.Dense(4 * 4 * widest, use_bias=False)(z))  # (b, 4096)
    x = layers.Reshape((4, 4, widest))(x)  # (b, 4, 4, 256)
    x = residual_blocks(x, 1) if large else x
    for width in reversed(widths):  # to (b, 8, 8, 128), then (b, 16, 16, 64)
        x = activated(layers.Conv2DTranspose(width, 3, 2, padding="same", use_bias=False)(x))
        x = residual_blocks(x, 1) if large else x
    # The 48 channels of each place become 4 x 4 pixels: the reverse of the encoder's first stride.
    x = layers.Conv2D(48, 3, padding="same")(x)  # (b, 16, 16, 48)
    x = ops.nn.depth_to_space(x, 4)  # (b, 64, 64, 3)
    images = layers.Activation("sigmoid", name="images")(x)
    return keras.Model(z, images, name="decoder")


def activated(x):
    """Batch normalisation and leaky ReLU: any shape -> the same shape."""
    return layers.LeakyReLU(0.2)(layers.BatchNormalization(momentum=0.9)(x))


def residual_blocks(x, count: int):
    """Add to each place what a convolution sees around it, `count` times; the shape stays."""
    for _ in range(count):
        x = x + activated(layers.Conv2D(x.shape[-1], 3, padding="same", use_bias=False)(x))
    return x


def stage_widths(image_size: int, large: bool = False) -> tuple[int, ...]:
    """Numbers of filters at a quarter of `image_size` and at each halving down to 4 x 4."""
    if image_size not in IMAGE_SIZES:
        raise ValueError(f"image_size is {image_size}: choose one of {IMAGE_SIZES}.")
    return (LARGE_WIDTHS if large else STAGE_WIDTHS)[image_size]


def kl_divergence(z_mean, z_log_var):
    """KL(N(z_mean, exp(z_log_var)) || N(0, I)) in nats per face: (b, d), (b, d) -> (b,).

    Reference: Kingma and Welling, 2014, appendix B (arXiv:1312.6114).
    """
    return 0.5 * ops.sum(ops.square(z_mean) + ops.exp(z_log_var) - z_log_var - 1.0, axis=-1)


def gaussian_nll(images, reconstructions, sigma):
    """-log N(images; reconstructions, sigma^2 I) in nats per face: (b, h, w, 3) -> (b,).

    It is the logarithm of a density, with its constants, so it may be negative.
    """
    squared_error = ops.square((images - reconstructions) / sigma)
    per_value = 0.5 * squared_error + ops.log(sigma) + 0.5 * math.log(2 * math.pi)
    return ops.sum(per_value, axis=(1, 2, 3))


@keras.saving.register_keras_serializable(package="vaelib")
class VAE(LatentModel):
    """An encoder, a decoder, and their loss, the negative ELBO, in nats per face.

    `LatentModel` holds the methods of a trained model: encode, decode, sample, save.

    `fit` and `evaluate` take batches of images, or of (images, labels), and ignore the labels.
    They report `loss`, `reconstruction` and `kl` as means over all faces of an epoch. `predict`
    returns a dict: `reconstruction` of one draw of z, `z_mean` and `z_log_var`.

    Args:
        encoder: model from images to [z_mean, z_log_var, z].
        decoder: model from z to images in [0, 1].
        sigma: standard deviation of a pixel around its reconstruction, images being in [0, 1].
            A smaller one makes reconstructions sharper and moves z further from N(0, I). None
            takes a running estimate of the root mean squared error, which is the best sigma.
        detail: for `weigh_levels`; 1 gives the textbook's loss, where all pixels are independent.

    References: Kingma and Welling, 2014 (arXiv:1312.6114); the best sigma: Rybkin, Daniilidis and
    Levine, 2021 (arXiv:2006.13202).
    """

    def __init__(self, encoder, decoder, sigma=None, detail=DETAIL, **kwargs):
        super().__init__(encoder, decoder, **kwargs)
        check_above_zero(sigma=FIRST_SIGMA if sigma is None else sigma, detail=detail)
        self.detail, self.estimates_sigma = detail, sigma is None
        self._sigma = self.kept_weight("sigma", (), FIRST_SIGMA if sigma is None else sigma)
        self.reconstruction_tracker = keras.metrics.Mean(name="reconstruction")
        self.kl_tracker = keras.metrics.Mean(name="kl")
        self.built = True

    @property
    def sigma(self) -> float:
        """Standard deviation of a pixel around its reconstruction."""
        shortest = str(ops.convert_to_numpy(self._sigma))  # 0.15, not 0.15000000596
        return float(shortest)

    def call(self, images, training=False):
        z_mean, z_log_var, z = self.encoder(images, training=training)
        reconstruction = self.decoder(z, training=training)
        return {"reconstruction": reconstruction, "z_mean": z_mean, "z_log_var": z_log_var}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Negative ELBO of a batch, in nats per face; it is the textbook's if `detail` is 1."""
        errors = weigh_levels(x - y_pred["reconstruction"], self.detail)  # fine errors count more
        if training and self.estimates_sigma:
            self._estimate_sigma(errors)
        reconstruction = gaussian_nll(errors, 0.0, self._sigma)  # (b,), of N(0, sigma^2 I)
        kl = kl_divergence(y_pred["z_mean"], y_pred["z_log_var"])  # (b,)
        self.reconstruction_tracker.update_state(reconstruction)
        self.kl_tracker.update_state(kl)
        return mean_over_batch(reconstruction + kl)

    def _estimate_sigma(self, errors):
        """Follow the root mean squared error, slowly."""
        mean_squared_error = ops.mean(ops.square(ops.stop_gradient(errors)))
        variance = 0.98 * ops.square(self._sigma) + 0.02 * mean_squared_error
        self._sigma.assign(ops.maximum(ops.sqrt(variance), SMALLEST_SIGMA))

    def get_config(self):
        sigma = None if self.estimates_sigma else self.sigma
        return {**super().get_config(), "sigma": sigma, "detail": self.detail}
