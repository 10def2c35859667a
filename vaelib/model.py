"""The variational autoencoder: Sampling, encoder, decoder, and the model that trains them.

Shapes in the comments are for faces of 64 pixels; `b` is the batch size.
"""

import copy
import math
import os
from pathlib import Path

import keras
import numpy as np
from keras import layers, ops

IMAGE_SIZES = (32, 64, 128)


@keras.saving.register_keras_serializable(package="vaelib")
class Sampling(layers.Layer):
    """Draw z from the normal distribution N(z_mean, exp(z_log_var)).

    The draw is z = z_mean + standard deviation * epsilon, with epsilon from N(0, I): the
    randomness comes from outside, so gradients pass through to z_mean and z_log_var.

    Called with the pair (z_mean, z_log_var), each (b, latent_dim); returns z, (b, latent_dim).

    Args:
        seed: start of this layer's own random sequence; None takes one from the global seed.

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


def build_encoder(image_size: int = 64, latent_dim: int = 128) -> keras.Model:
    """The encoder: from a face to a normal distribution over z, and one draw from it.

    Args:
        image_size: 32, 64 or 128, in pixels.
        latent_dim: the length of z.

    Returns:
        Model from images (b, image_size, image_size, 3) in [0, 1]
        to [z_mean, z_log_var, z], each (b, latent_dim).

    Raises:
        ValueError: an image size that is none of the three.
    """
    widths = stage_widths(image_size)
    images = keras.Input((image_size, image_size, 3), name="images")
    x = images  # (b, 64, 64, 3)
    for width in widths:
        # (b, 32, 32, 32), (b, 16, 16, 64), (b, 8, 8, 128), (b, 4, 4, 256)
        x = layers.Conv2D(width, 4, strides=2, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.LeakyReLU(0.2)(x)
    x = layers.Flatten()(x)  # (b, 4096)
    z_mean = layers.Dense(latent_dim, name="z_mean")(x)  # (b, 128)
    z_log_var = layers.Dense(latent_dim, name="z_log_var")(x)  # (b, 128)
    z = Sampling(name="z")((z_mean, z_log_var))  # (b, 128)
    return keras.Model(images, [z_mean, z_log_var, z], name="encoder")


def build_decoder(image_size: int = 64, latent_dim: int = 128) -> keras.Model:
    """The decoder: from a point z of the latent space to a face.

    Args:
        image_size: 32, 64 or 128, in pixels.
        latent_dim: the length of z.

    Returns:
        Model from z (b, latent_dim) to images (b, image_size, image_size, 3) in [0, 1].

    Raises:
        ValueError: an image size that is none of the three.
    """
    *widths, widest = stage_widths(image_size)
    z = keras.Input((latent_dim,), name="z")  # (b, 128)
    x = layers.Dense(4 * 4 * widest, use_bias=False)(z)  # (b, 4096)
    x = layers.BatchNormalization(momentum=0.9)(x)
    x = layers.LeakyReLU(0.2)(x)
    x = layers.Reshape((4, 4, widest))(x)  # (b, 4, 4, 256)
    for width in reversed(widths):
        # (b, 8, 8, 128), (b, 16, 16, 64), (b, 32, 32, 32)
        x = layers.Conv2DTranspose(width, 4, strides=2, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.LeakyReLU(0.2)(x)
    # Each pixel's 12 channels become 2 x 2 pixels of 3: the last doubling at a quarter of the cost.
    x = layers.Conv2D(12, 5, padding="same")(x)  # (b, 32, 32, 12)
    x = ops.nn.depth_to_space(x, 2)  # (b, 64, 64, 3)
    images = layers.Activation("sigmoid", name="images")(x)
    return keras.Model(z, images, name="decoder")


def stage_widths(image_size: int) -> list[int]:
    """Filters of each halving from `image_size` down to 4 x 4: 32, 64, 128, 256, 256."""
    if image_size not in IMAGE_SIZES:
        raise ValueError(f"image_size is {image_size}: choose one of {IMAGE_SIZES}.")
    halvings = int(math.log2(image_size // 4))
    return [min(32 * 2**i, 256) for i in range(halvings)]


def kl_divergence(z_mean, z_log_var):
    """KL(N(z_mean, exp(z_log_var)) || N(0, I)) in nats, one number a face: (b, d), (b, d) -> (b,).

    Reference: Kingma and Welling, 2014, appendix B (arXiv:1312.6114).
    """
    return 0.5 * ops.sum(ops.square(z_mean) + ops.exp(z_log_var) - z_log_var - 1.0, axis=-1)


def gaussian_nll(images, reconstructions, sigma: float):
    """-log N(images; reconstructions, sigma^2 I) in nats, one number a face: (b, h, w, 3) -> (b,).

    It is a density, constants included, so it may well be negative.
    """
    squared_error = ops.square((images - reconstructions) / sigma)
    per_value = 0.5 * squared_error + math.log(sigma) + 0.5 * math.log(2 * math.pi)
    return ops.sum(per_value, axis=(1, 2, 3))


@keras.saving.register_keras_serializable(package="vaelib")
class VAE(keras.Model):
    """A variational autoencoder: an encoder, a decoder, and the loss that ties them together.

    The loss is the negative evidence lower bound (ELBO) in nats: the Gaussian negative
    log-likelihood summed over pixels, plus the KL divergence summed over latents. `fit` and
    `evaluate` report `loss`, `reconstruction` and `kl` as means over all samples of an epoch.
    They take batches of images, or of (images, labels), whose labels are ignored.
    `predict` returns a dict: `reconstruction` of one draw of z, `z_mean` and `z_log_var`.

    Args:
        encoder: model from images to [z_mean, z_log_var, z].
        decoder: model from z to images in [0, 1].
        sigma: standard deviation of a pixel around its reconstruction, images being in [0, 1].
            Smaller asks for sharper reconstructions and leaves z further from N(0, I).

    Raises:
        ValueError: sigma is not above zero, or the two models do not fit together.
    """

    def __init__(self, encoder: keras.Model, decoder: keras.Model, sigma: float = 0.15, **kwargs):
        super().__init__(**kwargs)
        if not sigma > 0:
            raise ValueError(f"sigma is {sigma}: it is a standard deviation, above zero.")
        if encoder.input_shape != decoder.output_shape:
            raise ValueError(
                f"The encoder reads images of shape {encoder.input_shape[1:]} and the decoder "
                f"makes {decoder.output_shape[1:]}: build both with the same image_size."
            )
        if encoder.output_shape[-1] != decoder.input_shape:
            raise ValueError(
                f"The encoder makes z of length {encoder.output_shape[-1][-1]} and the decoder "
                f"reads {decoder.input_shape[-1]}: build both with the same latent_dim."
            )
        self.encoder = encoder
        self.decoder = decoder
        self.sigma = float(sigma)
        self.reconstruction_tracker = keras.metrics.Mean(name="reconstruction")
        self.kl_tracker = keras.metrics.Mean(name="kl")
        self.built = True

    image_size = property(lambda self: self.encoder.input_shape[1], doc="In pixels.")
    latent_dim = property(lambda self: self.decoder.input_shape[-1], doc="The length of z.")

    def call(self, images, training=False):
        z_mean, z_log_var, z = self.encoder(images, training=training)
        reconstruction = self.decoder(z, training=training)
        return {"reconstruction": reconstruction, "z_mean": z_mean, "z_log_var": z_log_var}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The negative ELBO of a batch in nats, mean over its samples; updates the trackers."""
        reconstruction = gaussian_nll(x, y_pred["reconstruction"], self.sigma)  # (b,)
        kl = kl_divergence(y_pred["z_mean"], y_pred["z_log_var"])  # (b,)
        self.reconstruction_tracker.update_state(reconstruction)
        self.kl_tracker.update_state(kl)
        return ops.mean(reconstruction + kl)

    def compile(self, optimizer="adam", jit_compile=False, **kwargs):
        # XLA makes convolutions slower on a CPU; on a GPU, try jit_compile=True.
        super().compile(optimizer, jit_compile=jit_compile, **kwargs)
        self.optimizer.build(self.trainable_variables)  # so that it is saved and loaded whole

    def compile_from_config(self, config):
        # Keras calls this when it loads a compiled model, so that training can go on.
        self.compile(**keras.saving.deserialize_keras_object(config))

    def encode(self, images, batch_size: int = 256) -> np.ndarray:
        """Posterior means: images (n, h, w, 3), n >= 1 -> z_mean (n, latent_dim), float32.

        Raises:
            ValueError: images of another size, or none.
        """
        shape, size = np.shape(images), self.image_size
        if len(shape) == 4 and shape[1:3] != (size, size):
            raise ValueError(
                f"These images are {shape[2]} x {shape[1]} pixels and the model reads "
                f"{size} x {size}: load them with image_size={size}."
            )
        return _in_batches(
            lambda x: self.encoder(x, training=False)[0], images, (size, size, 3), batch_size
        )

    def decode(self, latents, batch_size: int = 256) -> np.ndarray:
        """Faces at points of the latent space: (n, latent_dim), n >= 1 -> (n, h, w, 3), float32.

        Raises:
            ValueError: latents of another length, or none.
        """
        return _in_batches(
            lambda z: self.decoder(z, training=False), latents, (self.latent_dim,), batch_size
        )

    def reconstruct(self, images) -> np.ndarray:
        """Encode to posterior means and decode again: (n, h, w, 3) -> (n, h, w, 3), float32."""
        return self.decode(self.encode(images))

    def sample(self, count: int, seed: int = 0) -> np.ndarray:
        """New faces, decoded from the prior N(0, I): (count, h, w, 3), float32."""
        latents = np.random.default_rng(seed).standard_normal((count, self.latent_dim))
        return self.decode(latents)

    def save(self, filepath, overwrite: bool = True, **kwargs):
        """Save as one `.keras` file, written aside and then renamed: never half a file."""
        path = Path(filepath)
        aside = path.with_name(f".{os.getpid()}.{path.name}")
        if path.exists() and not overwrite:
            raise FileExistsError(f"{path} exists: choose another name, or pass overwrite=True.")
        try:
            super().save(aside, overwrite=True, **kwargs)
            os.replace(aside, path)
        finally:
            aside.unlink(missing_ok=True)

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "encoder": serialize(self.encoder),
            "decoder": serialize(self.decoder),
            "sigma": self.sigma,
        }

    @classmethod
    def from_config(cls, config):
        config = copy.deepcopy(config)  # Keras empties what it reads
        for part in ("encoder", "decoder"):
            config[part] = keras.saving.deserialize_keras_object(config[part])
        return cls(**config)


def _in_batches(function, inputs, shape: tuple, batch_size: int) -> np.ndarray:
    inputs = np.asarray(inputs, "float32")
    if inputs.size == 0 or inputs.shape[1:] != shape:
        wanted = ", ".join(map(str, shape))
        raise ValueError(
            f"The input has shape {inputs.shape} and the model reads (n, {wanted}): "
            "give an array of that shape, of at least one row."
        )
    starts = range(0, len(inputs), batch_size)
    batches = [function(inputs[i : i + batch_size]) for i in starts]
    return np.concatenate([ops.convert_to_numpy(batch) for batch in batches])
