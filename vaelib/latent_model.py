"""Use a model with a latent space: encode, decode, sample new faces, and save it as one file."""

import copy
from functools import cached_property
from pathlib import Path

import keras
import numpy as np
from keras import ops

from groundwork.files import written_whole
from vaelib.checks import check_parts, in_batches
from vaelib.prior import draw_latents, fit_gaussian
from vaelib.scales import Sharpen, contrast_gains


class LatentModel(keras.Model):
    """An encoder and a decoder, and what is measured on them after the training.

    Args:
        encoder: model from images to [z_mean, z_log_var, z].
        decoder: model from z to images in [0, 1].

    Attributes:
        sharpen: the layer that `decode` calls on the decoder's pictures; it changes nothing
            before `fit_sharpness` sets its gains.
        latent_mean, latent_factor: the Gaussian of encoded faces, N(mean, factor factor^T), as
            `fit_latents` found it; N(0, I) before.

    Raises:
        ValueError: encoder and decoder have different image sizes or latent sizes.
    """

    def __init__(self, encoder: keras.Model, decoder: keras.Model, **kwargs):
        super().__init__(**kwargs)
        check_parts(encoder, decoder)
        self.encoder, self.decoder = encoder, decoder
        self.sharpen = Sharpen(self.image_size)
        self._latent_mean = self.kept_weight("latent_mean", (self.latent_dim,), 0.0)
        self._latent_factor = self.kept_weight("latent_factor", (self.latent_dim,) * 2, "identity")

    def kept_weight(self, name: str, shape: tuple, value: float | str):
        """Add a weight that no gradient moves; it is saved with the others.

        Where several devices train, it is the mean of what they assign.
        """
        start = value if isinstance(value, str) else keras.initializers.Constant(value)
        return self.add_weight(
            name=name, shape=shape, initializer=start, trainable=False, aggregation="mean"
        )

    image_size = property(lambda self: self.encoder.input_shape[1], doc="In pixels.")
    latent_dim = property(lambda self: self.decoder.input_shape[-1], doc="The length of z.")
    latent_mean = property(lambda self: ops.convert_to_numpy(self._latent_mean))
    latent_factor = property(lambda self: ops.convert_to_numpy(self._latent_factor))

    def encode(self, images, batch_size: int = 256) -> np.ndarray:
        """Posterior means: images (n, h, w, 3), n >= 1 -> z_mean (n, latent_dim), float32."""
        return self.posterior(images, batch_size)[0]

    def posterior(self, images, batch_size: int = 256) -> list[np.ndarray]:
        """The normal distribution of each face: images (n, h, w, 3) -> z_mean, z_log_var."""
        encoder, shape = self.encoder, self.encoder.input_shape[1:]
        return in_batches(lambda x: encoder(x, training=False)[:2], images, shape, batch_size)

    def decode(self, latents, batch_size: int = 256, sharpen: bool = True) -> np.ndarray:
        """Faces at points of the latent space: (n, latent_dim), n >= 1 -> (n, h, w, 3), float32.

        With `sharpen=False` they are the decoder's output, on which the ELBO is defined.
        """
        model = self.picture_model if sharpen else self.decoder
        shape = (self.latent_dim,)
        return in_batches(lambda z: [model(z, training=False)], latents, shape, batch_size)[0]

    @cached_property
    def picture_model(self) -> keras.Model:
        """From z to the pictures that people see: the decoder, then sharpening."""
        return keras.Sequential([self.decoder, self.sharpen])

    def reconstruct(self, images, sharpen: bool = True) -> np.ndarray:
        """Encode to posterior means and decode again: (n, h, w, 3) -> (n, h, w, 3), float32."""
        return self.decode(self.encode(images), sharpen=sharpen)

    def fit_latents(self, images) -> None:
        """Fit the Gaussian of encoded training faces, for `sample`, and keep it as weights.

        Args:
            images: (n, h, w, 3), with n much larger than latent_dim; or batches of them.
        """
        batches = [images] if hasattr(images, "shape") else images
        z_mean, z_log_var = map(np.concatenate, zip(*[self.posterior(b) for b in batches]))
        mean, factor = fit_gaussian(z_mean, z_log_var)
        self._latent_mean.assign(mean)
        self._latent_factor.assign(factor)

    def fit_sharpness(self, images) -> None:
        """Set the gains of `sharpen`, measured on hundreds of training faces, (n, h, w, 3)."""
        self.sharpen.gains.assign(contrast_gains(images, self.reconstruct(images, sharpen=False)))

    def sample(self, count: int, seed: int = 0, prior=False, truncation=1.0) -> np.ndarray:
        """New faces, (count, h, w, 3), of latents that `sample_latents` draws."""
        return self.decode(self.sample_latents(count, seed, prior, truncation))

    def sample_latents(self, count: int, seed: int = 0, prior=False, truncation=1.0) -> np.ndarray:
        """Draw latents, (count, latent_dim): from N(0, I) with `prior`, else from the Gaussian.

        See `prior.draw_latents`.
        """
        mean, factor = self.latent_mean, self.latent_factor
        if prior:
            mean, factor = np.zeros_like(mean), np.eye(len(mean), dtype="float32")
        return draw_latents(count, seed, mean, factor, truncation)

    def save(self, filepath, overwrite: bool = True, **kwargs):
        """Save as one `.keras` file: the old one stays until the new one is whole."""
        if Path(filepath).exists() and not overwrite:
            raise FileExistsError(f"{filepath} exists: choose another name, or overwrite=True.")
        if self.compiled and not self.optimizer.built:  # else Keras can't load it again
            self.optimizer.build(self.trainable_variables)
        with written_whole(filepath) as aside:
            super().save(aside, **kwargs)

    def get_config(self):
        parts = {"encoder": self.encoder, "decoder": self.decoder}
        config = {name: keras.saving.serialize_keras_object(part) for name, part in parts.items()}
        return {**super().get_config(), **config}

    @classmethod
    def from_config(cls, config):
        config = copy.deepcopy(config)  # Keras empties what it reads
        for part in ("encoder", "decoder"):
            config[part] = keras.saving.deserialize_keras_object(config[part])
        return cls(**config)
