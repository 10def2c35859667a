"""The variational autoencoder: Sampling, encoder, decoder, and the model that trains them.

Shapes in the comments are for faces of 64 pixels; `b` is the batch size.
"""

import copy
import math
from pathlib import Path

import keras
import numpy as np
from keras import layers, ops

from groundwork.files import written_whole

IMAGE_SIZES = (32, 64, 128)
LATENT_DIM = 256
FIRST_SIGMA = 0.25  # about the error of answering with the average face
DETAIL = 1.35  # docs/recipe.md compares others
MOST_SHARPENED = 1.5  # a model that has learned little has no detail, and noise is none
SMALLEST_SIGMA = 0.001  # a quarter of a grey level: images all alike would drive it to zero


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


def build_encoder(image_size: int = 64, latent_dim: int = LATENT_DIM) -> keras.Model:
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
    for i, width in enumerate(widths):
        # The first step goes by 4 pixels, the others by 2: little is computed at full size.
        kernel, stride = (8, 4) if i == 0 else (3, 2)
        # (b, 16, 16, 64), (b, 8, 8, 128), (b, 4, 4, 256)
        x = layers.Conv2D(width, kernel, strides=stride, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.LeakyReLU(0.2)(x)
    x = layers.Flatten()(x)  # (b, 4096)
    z_mean = layers.Dense(latent_dim, name="z_mean")(x)  # (b, 256)
    z_log_var = layers.Dense(latent_dim, name="z_log_var")(x)  # (b, 256)
    z = Sampling(name="z")((z_mean, z_log_var))  # (b, 256)
    return keras.Model(images, [z_mean, z_log_var, z], name="encoder")


def build_decoder(image_size: int = 64, latent_dim: int = LATENT_DIM) -> keras.Model:
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
    z = keras.Input((latent_dim,), name="z")  # (b, 256)
    x = layers.Dense(4 * 4 * widest, use_bias=False)(z)  # (b, 4096)
    x = layers.BatchNormalization(momentum=0.9)(x)
    x = layers.LeakyReLU(0.2)(x)
    x = layers.Reshape((4, 4, widest))(x)  # (b, 4, 4, 256)
    for width in reversed(widths):
        # (b, 8, 8, 128), (b, 16, 16, 64)
        x = layers.Conv2DTranspose(width, 3, strides=2, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.LeakyReLU(0.2)(x)
    # Each place's 48 channels become 4 x 4 pixels of 3: the reverse of the encoder's first step.
    x = layers.Conv2D(48, 3, padding="same")(x)  # (b, 16, 16, 48)
    x = ops.nn.depth_to_space(x, 4)  # (b, 64, 64, 3)
    x = layers.Activation("sigmoid")(x)
    images = Sharpen(name="images")(x)
    return keras.Model(z, images, name="decoder")


def stage_widths(image_size: int) -> list[int]:
    """Filters at a quarter of `image_size` and each halving down to 4 x 4: 64, 128, 256, 256."""
    if image_size not in IMAGE_SIZES:
        raise ValueError(f"image_size is {image_size}: choose one of {IMAGE_SIZES}.")
    stages = int(math.log2(image_size // 4)) - 1
    return [min(64 * 2**i, 256) for i in range(stages)]


@keras.saving.register_keras_serializable(package="vaelib")
class Sharpen(layers.Layer):
    """Give a decoder's pictures back the contrast that faces have, when the training is over.

    A decoder learns to answer with the mean of all faces that fit z, and a mean is smoother than
    each of them: hair becomes a plain surface. So each scale of detail (see `split_scales`) is
    multiplied by its gain, except the broadest, which is colour and light. `VAE.fit_sharpness`
    finds the gains; they are 1 before, and in training nothing is sharpened.

    Called with images (b, h, w, 3) in [0, 1]; returns the same shape, in [0, 1].
    """

    def build(self, input_shape):
        scales = max(0, int(math.log2(input_shape[1] // 4)))
        self.gains = self.add_weight(shape=(scales,), initializer="ones", trainable=False)

    def call(self, images, training=None):
        if training:
            return images
        *details, broadest = split_scales(images)
        sharper = [self.gains[i] * detail for i, detail in enumerate(details)]
        return ops.clip(join_scales([*sharper, broadest]), 0.0, 1.0)


def kl_divergence(z_mean, z_log_var):
    """KL(N(z_mean, exp(z_log_var)) || N(0, I)) in nats, one number a face: (b, d), (b, d) -> (b,).

    Reference: Kingma and Welling, 2014, appendix B (arXiv:1312.6114).
    """
    return 0.5 * ops.sum(ops.square(z_mean) + ops.exp(z_log_var) - z_log_var - 1.0, axis=-1)


def gaussian_nll(images, reconstructions, sigma):
    """-log N(images; reconstructions, sigma^2 I) in nats, one number a face: (b, h, w, 3) -> (b,).

    It is a density, constants included, so it may well be negative.
    """
    squared_error = ops.square((images - reconstructions) / sigma)
    per_value = 0.5 * squared_error + ops.log(sigma) + 0.5 * math.log(2 * math.pi)
    return ops.sum(per_value, axis=(1, 2, 3))


def split_scales(images) -> list:
    """What pictures have at each size of detail: (b, h, w, 3) -> a list of tensors.

    Means over 2 x 2 pixels, again and again, leave ever broader patches: first in the list is what
    the first means leave out, (b, h, w, 3); then what the second leave out, (b, h / 2, w / 2, 3);
    last, the means over the broadest patches, 4 to a side. `join_scales` adds all up again.
    """
    scales = []
    while images.shape[1] > 4 and images.shape[1] % 2 == 0:
        broad = ops.average_pool(images, 2)  # a quarter of the values
        scales.append(images - _double(broad))
        images = broad
    return [*scales, images]


def join_scales(scales: list):
    """The pictures that `split_scales` took apart."""
    *details, images = scales
    for detail in reversed(details):
        images = detail + _double(images)
    return images


def whiten(errors, detail: float = DETAIL):
    """Errors with fine detail made larger and broad patches smaller: (b, h, w, 3) -> the same.

    Neighbouring pixels err together: a cheek that is a little too dark is wrong at a hundred
    pixels. If pixels count as independent, that is a hundred mistakes, and a model cares for broad
    patches long before it cares for edges. So the factor of each scale is `detail` times that of
    the next broader one. All factors of all values multiply to 1, so a density remains a density.

    Args:
        errors: images minus reconstructions.
        detail: 1 changes nothing.
    """
    *fine, broad = split_scales(errors)
    fine = [detail ** (1 / 3 - level) * scale for level, scale in enumerate(fine)]
    return join_scales([*fine, broad / detail ** len(fine)])


def _double(images):
    return ops.repeat(ops.repeat(images, 2, axis=1), 2, axis=2)


@keras.saving.register_keras_serializable(package="vaelib")
class VAE(keras.Model):
    """A variational autoencoder: an encoder, a decoder, and the loss that ties them together.

    The loss is the negative evidence lower bound (ELBO) in nats: the Gaussian negative
    log-likelihood of the whitened errors (see `whiten`), summed over pixels, plus the KL
    divergence, summed over latents. `fit` and `evaluate` report `loss`, `reconstruction` and `kl`
    as means over all samples of an epoch.
    They take batches of images, or of (images, labels), whose labels are ignored.
    `predict` returns a dict: `reconstruction` of one draw of z, `z_mean` and `z_log_var`.

    Args:
        encoder: model from images to [z_mean, z_log_var, z].
        decoder: model from z to images in [0, 1].
        sigma: standard deviation of a (whitened) pixel around its reconstruction, images being in
            [0, 1]. Smaller asks for sharper reconstructions and leaves z further from N(0, I). A
            number stays as it is; None follows the error as it falls, which is the best value at
            any time: FIRST_SIGMA, and then a running root mean squared error.
        detail: for `whiten`; with 1, the pixels count as independent.

    Attributes:
        sigma: as above, now.
        latent_mean, latent_factor: the Gaussian of the encoded faces, N(mean, factor factor^T),
            as `fit_latents` found it; N(0, I) before.

    Raises:
        ValueError: sigma or detail is not above zero, or the two models do not fit together.

    Reference: Kingma and Welling, 2014 (arXiv:1312.6114). The best sigma: Rybkin, Daniilidis and
    Levine, 2021 (arXiv:2006.13202).
    """

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        sigma: float | None = None,
        detail: float = DETAIL,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if sigma is not None and not sigma > 0:
            raise ValueError(f"sigma is {sigma}: it is a standard deviation, above zero.")
        if not detail > 0:
            raise ValueError(f"detail is {detail}: it is a factor, above zero; 1 changes nothing.")
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
        self.detail = detail
        self.sigma_is_learned = sigma is None
        size = self.latent_dim
        self._sigma = self._kept("sigma", (), FIRST_SIGMA if sigma is None else sigma)
        self._latent_mean = self._kept("latent_mean", (size,), 0.0)
        self._latent_factor = self._kept("latent_factor", (size, size), "identity")
        self.reconstruction_tracker = keras.metrics.Mean(name="reconstruction")
        self.kl_tracker = keras.metrics.Mean(name="kl")
        self.built = True

    image_size = property(lambda self: self.encoder.input_shape[1], doc="In pixels.")
    latent_dim = property(lambda self: self.decoder.input_shape[-1], doc="The length of z.")
    # The shortest decimal of the 32 bits, so that a sigma of 0.15 reads 0.15.
    sigma = property(lambda self: float(str(ops.convert_to_numpy(self._sigma))), doc="Of a pixel.")
    latent_mean = property(lambda self: ops.convert_to_numpy(self._latent_mean))
    latent_factor = property(lambda self: ops.convert_to_numpy(self._latent_factor))

    def _kept(self, name: str, shape: tuple, value: float | str):
        # A weight that no gradient moves; it is saved with the others.
        start = value if isinstance(value, str) else keras.initializers.Constant(value)
        return self.add_weight(name=name, shape=shape, initializer=start, trainable=False)

    def call(self, images, training=False):
        z_mean, z_log_var, z = self.encoder(images, training=training)
        reconstruction = self.decoder(z, training=training)
        return {"reconstruction": reconstruction, "z_mean": z_mean, "z_log_var": z_log_var}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The negative ELBO of a batch in nats, mean over its samples; updates the trackers."""
        errors = whiten(x - y_pred["reconstruction"], self.detail)  # (b, 64, 64, 3)
        if training and self.sigma_is_learned:
            mean_squared_error = ops.mean(ops.square(ops.stop_gradient(errors)))
            variance = 0.98 * ops.square(self._sigma) + 0.02 * mean_squared_error
            self._sigma.assign(ops.maximum(ops.sqrt(variance), SMALLEST_SIGMA))
        reconstruction = gaussian_nll(errors, 0.0, self._sigma)  # (b,)
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
        return self.posterior(images, batch_size)[0]

    def _check_size(self, images) -> None:
        shape, size = np.shape(images), self.image_size
        if len(shape) == 4 and shape[1:3] != (size, size):
            raise ValueError(
                f"These images are {shape[2]} x {shape[1]} pixels and the model reads "
                f"{size} x {size}: load them with image_size={size}."
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

    def posterior(self, images, batch_size: int = 256) -> tuple[np.ndarray, np.ndarray]:
        """The normal distribution of each face: images (n, h, w, 3) -> z_mean, z_log_var.

        Both are (n, latent_dim), float32. Errors as those of `encode`.
        """
        self._check_size(images)
        both = _in_batches(
            lambda x: ops.concatenate(self.encoder(x, training=False)[:2], axis=-1),
            images,
            self.encoder.input_shape[1:],
            batch_size,
        )
        return both[:, : self.latent_dim], both[:, self.latent_dim :]

    def fit_latents(self, images) -> None:
        """Find the Gaussian of the encoded faces, for `sample`, and keep it with the weights.

        It has the mean and the full covariance of draws of z for these faces.

        Args:
            images: (n, h, w, 3) in [0, 1], training faces, many more than latent_dim; or batches
                of them, such as `make_dataset` gives.

        Raises:
            ValueError: fewer than two images, or of another size.
        """
        batches = [images] if hasattr(images, "shape") else images
        z_mean, z_log_var = map(np.concatenate, zip(*[self.posterior(b) for b in batches]))
        if len(z_mean) < 2:
            raise ValueError(f"{len(z_mean)} faces have no covariance: give thousands.")
        covariance = np.cov(z_mean, rowvar=False).reshape(self.latent_dim, self.latent_dim)
        # A draw is mean plus noise, so its covariance is that of the means plus the mean noise.
        covariance += np.diag(np.exp(z_log_var.astype("float64")).mean(axis=0))
        self._latent_mean.assign(z_mean.mean(axis=0))
        self._latent_factor.assign(np.linalg.cholesky(covariance))

    def fit_sharpness(self, images) -> None:
        """Find the gains of the decoder's `Sharpen`, if it ends on one; they are kept as weights.

        With them, the reconstructions of these faces have as much contrast at each scale as the
        faces: the same mean square. Errors grow a little (docs/recipe.md has the numbers).

        Args:
            images: (n, h, w, 3) in [0, 1], training faces, some hundred or more.
        """
        sharpen = self.decoder.layers[-1]
        if not isinstance(sharpen, Sharpen):
            return
        sharpen.gains.assign(ops.ones_like(sharpen.gains))
        pairs = zip(split_scales(images), split_scales(self.reconstruct(images)))
        ratios = [float(ops.mean(ops.square(a)) / ops.mean(ops.square(b))) for a, b in pairs]
        sharpen.gains.assign(np.clip(np.sqrt(ratios[:-1]), 1.0, MOST_SHARPENED))

    def sample(
        self, count: int, seed: int = 0, prior: bool = False, truncation: float = 1.0
    ) -> np.ndarray:
        """New faces: (count, h, w, 3), float32.

        Args:
            count: number of faces.
            seed: of the draws.
            prior: True draws from N(0, I); False from the Gaussian of the encoded faces, which
                `fit_latents` finds and which knows where faces are.
            truncation: the draws' distance from their mean is multiplied by it; below 1, faces
                become plainer and more alike.
        """
        return self.decode(self.sample_latents(count, seed, prior, truncation))

    def sample_latents(
        self, count: int, seed: int = 0, prior: bool = False, truncation: float = 1.0
    ) -> np.ndarray:
        """The latents that `sample` decodes: (count, latent_dim), float32."""
        draws = np.random.default_rng(seed).standard_normal((count, self.latent_dim))
        if not prior:
            return self.latent_mean + truncation * draws.astype("float32") @ self.latent_factor.T
        return (truncation * draws).astype("float32")

    def save(self, filepath, overwrite: bool = True, **kwargs):
        """Save as one `.keras` file, written aside and then renamed: never half a file."""
        path = Path(filepath)
        if path.exists() and not overwrite:
            raise FileExistsError(f"{path} exists: choose another name, or pass overwrite=True.")
        with written_whole(path) as aside:
            super().save(aside, overwrite=True, **kwargs)

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "encoder": serialize(self.encoder),
            "decoder": serialize(self.decoder),
            "sigma": None if self.sigma_is_learned else self.sigma,
            "detail": self.detail,
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
