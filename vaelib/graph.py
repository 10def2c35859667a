"""Write encoders and decoders as ONNX graphs.

Keras can export ONNX itself, through tf2onnx. That package is patched by Keras to run with today's
NumPy, works only with Keras on TensorFlow, and keeps our channels-last layout with a transposition
around each convolution; weights of 16 and 8 bits would still be ours to write. Our models have a
dozen kinds of layers, so this module writes them with the helpers of the package onnx: channels
first, batch normalisation folded into the weights. Tests compare the graphs with Keras.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from vaelib.model import VAE
from vaelib.scales import Sharpen

OPSET = 17
BITS = (32, 16, 8)
"""Bits of a stored weight; all graphs compute with 32.

With 8, each channel has a scale of its own, and the layers next to the pixels, FINE of all weights,
keep 16: no later layer averages over their errors. With 8 for all, some pixels would be wrong by 20
grey levels; so they are wrong by less than 2. An encoder keeps 16 bits: with 8, the face of a photo
would differ by up to 25 grey levels.
"""
FINE = 0.42


def decoder_graph(vae: VAE, bits: int = 32) -> onnx.ModelProto:
    """The graph of `vae.picture_model`, sharpening included.

    Input `z` (n, latent_dim), output `images` (n, h, w, 3) in [0, 1]; both float32.

    Raises:
        ValueError: a layer that has no counterpart here, or other `bits` than BITS.
    """
    graph = _Graph(bits)
    graph.fine = _last_layers(vae.decoder, FINE)
    graph.read(vae.decoder, "z")
    pictures = _sharpen(graph, graph.names[id(vae.decoder.output)], vae.sharpen)
    pictures = graph.add("Transpose", pictures, perm=[0, 2, 3, 1])
    return graph.model({"z": vae.decoder.input}, {"images": (pictures, vae.decoder.output)})


def encoder_graph(vae: VAE, bits: int = 32) -> onnx.ModelProto:
    """The graph of the encoder, without the draw.

    Input `images` (n, h, w, 3) in [0, 1], outputs `z_mean` and `z_log_var` (n, latent_dim).

    Errors are those of `decoder_graph`.
    """
    graph = _Graph(max(bits, 16) if bits in BITS else bits)
    graph.read(vae.encoder, "images")
    outputs = dict(zip(("z_mean", "z_log_var"), vae.encoder.output))
    named = {name: (graph.names[id(tensor)], tensor) for name, tensor in outputs.items()}
    return graph.model({"images": vae.encoder.input}, named)


class _Graph:
    """A graph in the making: its nodes, its weights, and the name of each Keras tensor in it."""

    def __init__(self, bits: int):
        if bits not in BITS:
            raise ValueError(f"bits is {bits}: choose one of {', '.join(map(str, BITS))}.")
        self.bits = bits
        self.fine: set[str] = set()  # names of the layers that keep 16 bits
        self.names: dict[int, str] = {}
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output; return the name of that."""
        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def constant(self, array: np.ndarray) -> str:
        """Add an array as it is."""
        name = f"weight_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def weight(self, layer: Any, array: np.ndarray, axis: int) -> str:
        """Add weights of a layer, stored with `bits`; `axis` is that of the output channels.

        Runtimes compute Cast and Mul of constants once, when they load the graph.
        """
        array = np.asarray(array, "float32")
        bits = max(self.bits, 16) if layer.name in self.fine else self.bits
        if bits == 32:
            return self.constant(array)
        if bits == 16:
            return self.add("Cast", self.constant(array.astype("float16")), to=TensorProto.FLOAT)
        others = tuple(i for i in range(array.ndim) if i != axis)
        scale = np.maximum(np.abs(array).max(axis=others, keepdims=True), 1e-12)
        scale /= 2 ** (bits - 1) - 1
        stored = self.constant(np.round(array / scale).astype("int8"))
        return self.add("Mul", self.add("Cast", stored, to=TensorProto.FLOAT), self.constant(scale))

    def read(self, model: keras.Model, name: str) -> None:
        """Add all layers of a functional model whose only input gets `name`."""
        self.names[id(model.input)] = name
        if len(model.input.shape) == 4:
            self.names[id(model.input)] = self.add("Transpose", name, perm=[0, 3, 1, 2])
        for layer in model.operations:
            kind = type(layer).__name__
            if kind in ("InputLayer", "Sampling"):  # the draw is left to whoever runs the graph
                continue
            if id(layer.output) in self.names:  # it was folded into the layer before
                continue
            if kind in _WITH_WEIGHTS:
                after = [other for other in model.operations if other.input is layer.output]
                norm = after[0] if [type(x).__name__ for x in after] == [_NORM] else None
                result = _WITH_WEIGHTS[kind](self, layer, *_folded(layer, norm))
                if norm is not None:
                    self.names[id(norm.output)] = result
            elif kind in _PLAIN:
                result = _PLAIN[kind](self, layer)
            else:
                raise ValueError(
                    f"The layer {layer.name} is a {kind}, which the export does not know: "
                    "vaelib/graph.py lists the layers that it knows."
                )
            self.names[id(layer.output)] = result

    def inputs(self, layer: Any) -> list[str]:
        """The names of what a layer gets."""
        return [self.names[id(tensor)] for tensor in keras.tree.flatten(layer.input)]

    def model(self, inputs: dict, outputs: dict) -> onnx.ModelProto:
        """The whole model; `outputs` has the name in the graph and the Keras tensor."""
        nodes = [
            helper.make_node("Identity", [made], [name]) for name, (made, _) in outputs.items()
        ]
        tensors = {name: tensor for name, (_, tensor) in outputs.items()}
        graph = helper.make_graph(
            [*self.nodes, *nodes], "vaelib", _infos(inputs), _infos(tensors), self.weights
        )
        opset = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=8, producer_name="vaelib")
        onnx.checker.check_model(model, full_check=True)
        return model


def _last_layers(model: keras.Model, share: float) -> set[str]:
    """Names of the last layers, which together have at most this share of the weights."""
    left = share * model.count_params()
    names = set()
    for layer in reversed([layer for layer in model.layers if layer.weights]):
        left -= layer.count_params()
        if left < 0:
            break
        names.add(layer.name)
    return names


def _infos(tensors: dict) -> list[onnx.ValueInfoProto]:
    return [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", *tensor.shape[1:]])
        for name, tensor in tensors.items()
    ]


def _folded(layer: Any, norm: Any) -> tuple[np.ndarray, np.ndarray]:
    """The kernel and the bias of a layer, with the batch normalisation after it folded in."""
    kernel = _array(layer.kernel)
    transposed = type(layer).__name__ == _TRANSPOSED
    bias = (
        _array(layer.bias) if layer.use_bias else np.zeros(kernel.shape[-2 if transposed else -1])
    )
    if norm is None:
        return kernel, bias
    mean, variance, gamma, beta = (
        _array(weight) for weight in (norm.moving_mean, norm.moving_variance, norm.gamma, norm.beta)
    )
    factor = gamma / np.sqrt(variance + norm.epsilon)
    return kernel * (factor[:, None] if transposed else factor), (bias - mean) * factor + beta


def _array(weight: Any) -> np.ndarray:
    return keras.ops.convert_to_numpy(weight).astype("float64")


def _convolution(graph: _Graph, layer: Any, kernel: np.ndarray, bias: np.ndarray) -> str:
    """A convolution, or a transposed one: that pads its output, which is the larger side."""
    transposed = type(layer).__name__ == _TRANSPOSED
    larger = layer.output if transposed else layer.input
    pads = [_padding(layer, size, i) for i, size in enumerate(larger.shape[1:3])]
    return graph.add(
        "ConvTranspose" if transposed else "Conv",
        *graph.inputs(layer),
        graph.weight(layer, kernel.transpose(3, 2, 0, 1), axis=1 if transposed else 0),
        graph.constant(bias.astype("float32")),
        strides=list(layer.strides),
        pads=[before for before, _ in pads] + [after for _, after in pads],
    )


def _padding(layer: Any, size: int, axis: int) -> tuple[int, int]:
    """Rows (or columns) that "same" padding adds before and after, for the larger side."""
    if layer.padding != "same":
        raise ValueError(f'The layer {layer.name} has padding {layer.padding!r}, not "same".')
    stride, width = layer.strides[axis], layer.kernel_size[axis]
    total = max((-(-size // stride) - 1) * stride + width - size, 0)
    return total // 2, total - total // 2


def _dense(graph: _Graph, layer: Any, kernel: np.ndarray, bias: np.ndarray) -> str:
    product = graph.add("MatMul", *graph.inputs(layer), graph.weight(layer, kernel, axis=1))
    return graph.add("Add", product, graph.constant(bias.astype("float32")))


def _reshape(graph: _Graph, layer: Any) -> str:
    """From (n, values) to channels first; the values stand with the channels last."""
    shape = graph.constant(np.array([-1, *layer.output.shape[1:]], "int64"))
    return graph.add(
        "Transpose", graph.add("Reshape", *graph.inputs(layer), shape), perm=[0, 3, 1, 2]
    )


def _flatten(graph: _Graph, layer: Any) -> str:
    last = graph.add("Transpose", *graph.inputs(layer), perm=[0, 2, 3, 1])
    return graph.add("Flatten", last)


def _activation(graph: _Graph, layer: Any) -> str:
    if layer.activation is not keras.activations.sigmoid:
        raise ValueError(f"The layer {layer.name} has an activation that is no sigmoid.")
    return graph.add("Sigmoid", *graph.inputs(layer))


def _sharpen(graph: _Graph, pictures: str, layer: Sharpen) -> str:
    """Multiply the levels of the pyramid by their gains, without taking it apart.

    With the means p1, p2, ... of the pictures x, the sum of the weighted levels is
    g0 x + doubled((g1 - g0) p1 + doubled((g2 - g1) p2 + ...)); the broadest level has gain 1.
    """
    gains = [*np.asarray(layer.gains, "float64"), 1.0]
    levels = [pictures]
    for _ in gains[1:]:
        levels.append(graph.add("AveragePool", levels[-1], kernel_shape=[2, 2], strides=[2, 2]))
    twice = graph.constant(np.array([1, 1, 2, 2], "float32"))
    nearest = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric"}
    total = ""
    for i in reversed(range(len(levels))):
        gain = gains[i] - (gains[i - 1] if i else 0.0)
        part = graph.add("Mul", levels[i], graph.constant(np.array(gain, "float32")))
        if total:
            wide = graph.add("Resize", total, "", twice, nearest_mode="floor", **nearest)
            part = graph.add("Add", part, wide)
        total = part
    low, high = (graph.constant(np.array(end, "float32")) for end in (0, 1))
    return graph.add("Clip", total, low, high)


_NORM = "BatchNormalization"
_TRANSPOSED = "Conv2DTranspose"
_WITH_WEIGHTS: dict[str, Callable] = {
    "Conv2D": _convolution,
    _TRANSPOSED: _convolution,
    "Dense": _dense,
}
_PLAIN: dict[str, Callable] = {
    "LeakyReLU": lambda graph, layer: graph.add(
        "LeakyRelu", *graph.inputs(layer), alpha=float(layer.negative_slope)
    ),
    "Add": lambda graph, layer: graph.add("Add", *graph.inputs(layer)),
    "Reshape": _reshape,
    "Flatten": _flatten,
    "DepthToSpace": lambda graph, layer: graph.add(
        "DepthToSpace", *graph.inputs(layer), blocksize=layer.block_size, mode="DCR"
    ),
    "Activation": _activation,
}
