"""The ONNX graphs compute what Keras computes."""

import keras
import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

from vaelib.graph import BITS, decoder_graph, encoder_graph
from vaelib.model import VAE, build_decoder, build_encoder

LATENTS = 5


def random_vae(size: int = 32, large: bool = False, latent_dim: int = LATENTS) -> VAE:
    """A model with weights as if it were trained: no zero bias, no plain normalisation."""
    keras.utils.set_random_seed(1)
    parts = [build(size, latent_dim, large) for build in (build_encoder, build_decoder)]
    vae = VAE(*parts)
    rng = np.random.default_rng(2)
    for part in parts:
        for weight in part.weights:
            if "seed" in weight.path:
                continue
            if "variance" in weight.path or "gamma" in weight.path:
                weight.assign(rng.uniform(0.5, 2, weight.shape))
            elif len(weight.shape) == 1:
                weight.assign(rng.normal(0, 0.3, weight.shape))
    vae.sharpen.gains.assign(np.linspace(1.4, 1.1, vae.sharpen.gains.shape[0]))
    return vae


def outputs(model: onnx.ModelProto, **inputs: np.ndarray) -> list[np.ndarray]:
    return ReferenceEvaluator(model).run(None, inputs)


@pytest.mark.parametrize("large", [False, True])
def test_the_decoder_gives_the_pictures_that_keras_gives(large):
    vae = random_vae(large=large)
    z = np.random.default_rng(0).standard_normal((3, LATENTS)).astype("float32")
    (images,) = outputs(decoder_graph(vae), z=z)
    truth = vae.decode(z)
    assert truth.std() > 0.05  # a picture with contrast, so that an error would be seen
    assert np.abs(images - truth).max() < 1e-4


@pytest.mark.parametrize("large", [False, True])
def test_the_encoder_gives_the_posteriors_that_keras_gives(large):
    vae = random_vae(large=large)
    images = np.random.default_rng(0).uniform(0, 1, (3, 32, 32, 3)).astype("float32")
    for found, true in zip(outputs(encoder_graph(vae), images=images), vae.posterior(images)):
        assert found.shape == true.shape
        assert np.abs(found - true).max() < 1e-3 * np.abs(true).max()


def test_fewer_bits_make_smaller_graphs_with_small_errors():
    vae = random_vae(latent_dim=64)
    z = np.random.default_rng(0).standard_normal((3, 64)).astype("float32")
    truth = vae.decode(z)
    graphs = {bits: decoder_graph(vae, bits) for bits in BITS}
    sizes = {bits: graph.ByteSize() for bits, graph in graphs.items()}
    assert sizes[16] < 0.55 * sizes[32]
    assert sizes[8] < 0.8 * sizes[16]
    errors = {bits: np.abs(outputs(g, z=z)[0] - truth).max() for bits, g in graphs.items()}
    assert errors[32] < errors[16] < errors[8]
    assert errors[8] < 2 / 255
    assert errors[16] < 0.5 / 255


def test_the_graph_names_its_inputs_and_outputs_and_takes_any_number_of_faces():
    graph = decoder_graph(random_vae(), 16).graph
    shapes = {
        tensor.name: [d.dim_param or d.dim_value for d in tensor.type.tensor_type.shape.dim]
        for tensor in (*graph.input, *graph.output)
    }
    assert shapes == {"z": ["n", LATENTS], "images": ["n", 32, 32, 3]}


def test_other_bits_and_unknown_layers_are_one_sentence():
    vae = random_vae()
    with pytest.raises(ValueError, match="bits is 4: choose one of 32, 16, 8"):
        decoder_graph(vae, 4)
    z = keras.Input((LATENTS,))
    odd = keras.layers.GaussianNoise(0.1, name="odd")(z)
    odd_decoder = keras.Model(z, build_decoder(32, LATENTS)(odd))
    with pytest.raises(ValueError, match="layer odd is a GaussianNoise, which the export does not"):
        decoder_graph(VAE(vae.encoder, odd_decoder))
