"""Count the multiply-adds of a training step: layers forward and backward, and Muon's products.

They are those of matrix products and convolutions, as if each were computed in full, padding
included. Sums, normalisation, activations and the loss are left out: they multiply no matrices.
"""

import math
from collections.abc import Iterable

import keras
from keras import layers, tree

from vaelib.model import VAE
from vaelib.optimizer import POLYNOMIALS

KINDS = ("forward", "weights", "inputs")
"""What is computed: the outputs of a layer, the gradients of its weights, those of its inputs."""


def of_training(vae: VAE) -> dict[str, dict[str, int]]:
    """Multiply-adds of one image, forward and backward.

    Args:
        vae: built.

    Returns:
        By family of layers ("convolutions", "dense layers"): counts by `KINDS`.

    Raises:
        ValueError: a layer with weights that can't be counted; it is named.
    """
    counts = {name: dict.fromkeys(KINDS, 0) for name in ("convolutions", "dense layers")}
    # The decoder's input depends on the encoder's weights; the encoder's is a face.
    for model, input_learns in ((vae.encoder, False), (vae.decoder, True)):
        for layer, learns in _with_inputs(model, input_learns):
            family = "dense layers" if isinstance(layer, layers.Dense) else "convolutions"
            count = of_layer(layer)
            for kind in KINDS if learns else KINDS[:2]:
                counts[family][kind] += count
    return counts


def total(counts: dict[str, dict[str, int]]) -> int:
    """All that `of_training` counted."""
    return sum(sum(family.values()) for family in counts.values())


def of_layer(layer: keras.Layer) -> int:
    """Multiply-adds of a layer for one example, forward; 0 for a layer without a matrix.

    Raises:
        ValueError: it has a matrix of weights, and is no convolution and no dense layer.
    """
    if type(layer) is layers.Conv2D:  # each place of the output has a whole kernel
        return math.prod(layer.output.shape[1:3]) * math.prod(layer.kernel.shape)
    if type(layer) is layers.Conv2DTranspose:  # each place of the input has one
        return math.prod(layer.input.shape[1:3]) * math.prod(layer.kernel.shape)
    if type(layer) is layers.Dense:
        return math.prod(layer.output.shape[1:-1]) * math.prod(layer.kernel.shape)
    if any(len(weight.shape) > 1 for weight in layer.weights):
        raise ValueError(
            f"The layer {layer.name!r} is a {type(layer).__name__}, whose multiply-adds can't be "
            "counted yet: add it to benchmarks/arithmetic.py."
        )
    return 0


def of_muon(shapes: Iterable[tuple[int, ...]]) -> int:
    """Multiply-adds of the products of matrices in a step of `vaelib.optimizer.Muon`.

    They don't depend on the batch.

    Args:
        shapes: of the weights; those with less than two axes are Adam's, and cost nothing here.
    """
    count = 0
    for shape in shapes:
        if len(shape) > 1:
            short, long = sorted((math.prod(shape[:-1]), shape[-1]))
            # The Gram matrix and the last product; then small ones. The first polynomial takes a
            # square, each later one four products: two for its Gram matrix, a square, and one more.
            count += 2 * long * short**2 + (1 + 4 * (len(POLYNOMIALS) - 1)) * short**3
    return count


def _with_inputs(model: keras.Model, input_learns: bool) -> list[tuple[keras.Layer, bool]]:
    """The layers of a functional model; does the input of each depend on weights that learn?

    If not, no gradient of its input is computed.
    """
    learning = {id(tensor) for tensor in model.inputs} if input_learns else set()
    found = []
    for layer in model.layers:
        if isinstance(layer, layers.InputLayer):
            continue
        learns = any(id(tensor) in learning for tensor in tree.flatten(layer.input))
        if isinstance(layer, keras.Model):
            found += _with_inputs(layer, learns)
        else:
            found.append((layer, learns))
        if learns or layer.trainable_weights:
            learning |= {id(tensor) for tensor in tree.flatten(layer.output)}
    return found
