"""The same VAE in PyTorch, converted from the Keras models, to compare the frameworks.

Images are (b, channels, height, width) here; in memory they are channels last, as in Keras.
"""

import math

import keras
import torch
from torch import nn
from torch.nn import functional

from vaelib.model import SMALLEST_SIGMA, VAE

_ACTIVATIONS = {
    "linear": nn.Identity,
    "relu": nn.ReLU,
    "leaky_relu": lambda: nn.LeakyReLU(0.2),
    "sigmoid": nn.Sigmoid,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
}


class TorchVAE(nn.Module):
    """The twin of a `vaelib` VAE: its encoder, decoder, weights and loss, on the CPU.

    The running variance of its batch normalisation is PyTorch's own, n / (n - 1) times that of
    Keras for n values a batch. Training does not depend on it.

    Args:
        vae: the model to copy.

    Raises:
        ValueError: a layer that has no twin here.
    """

    def __init__(self, vae: VAE):
        super().__init__()
        self.encoder = Twin(vae.encoder)
        self.decoder = Twin(vae.decoder)
        self.detail = vae.detail
        self.estimates_sigma = vae.estimates_sigma
        self.register_buffer("sigma", torch.tensor(vae.sigma))

    def forward(self, images, epsilon=None):
        """The negative ELBO in nats, mean over a batch: (b, 3, h, w) -> ().

        Args:
            images: in [0, 1].
            epsilon: the draws from N(0, I) to use, (b, latent_dim); None draws them.
        """
        z_mean, z_log_var, z = self.encoder(images)
        if epsilon is not None:
            z = z_mean + torch.exp(0.5 * z_log_var) * epsilon
        squared_error = weigh_levels(images - self.decoder(z), self.detail).square().sum()
        if self.training and self.estimates_sigma:
            self._follow(squared_error.detach() / images.numel())
        sigma = self.sigma.clone()  # the buffer changes before the next backward pass
        values = images[0].numel()
        reconstruction = 0.5 * squared_error / sigma**2 / len(images)
        reconstruction = reconstruction + values * (sigma.log() + 0.5 * math.log(2 * math.pi))
        kl = 0.5 * (z_mean.square() + z_log_var.exp() - z_log_var - 1.0).sum()
        return reconstruction + kl / len(images)

    @torch.no_grad()
    def _follow(self, mean_squared_error) -> None:
        variance = 0.98 * self.sigma.square() + 0.02 * mean_squared_error
        self.sigma.copy_(variance.sqrt().clamp(min=SMALLEST_SIGMA))


def weigh_levels(errors, detail: float):
    """`vaelib.scales.weigh_levels`, channels first: (b, 3, h, w) -> the same shape."""
    side = errors.shape[-1]
    if side <= 4 or side % 2:
        return errors
    broad = functional.avg_pool2d(errors, 2)
    fine = errors - functional.interpolate(broad, scale_factor=2)
    doubled = functional.interpolate(weigh_levels(broad, detail), scale_factor=2)
    return detail ** (1 / 3) * fine + doubled / detail


class Twin(nn.Module):
    """A functional Keras model in PyTorch, with a copy of its weights.

    Args:
        model: of layers that `_convert` knows; channels last.

    Raises:
        ValueError: a layer that has no twin here.
    """

    def __init__(self, model: keras.Model):
        super().__init__()
        self.parts = nn.ModuleDict()
        self.inputs = [id(tensor) for tensor in model.inputs]
        self.outputs = [id(tensor) for tensor in model.outputs]
        self.steps = []  # (name of the part, ids of what it reads, id of what it makes)
        for depth in sorted(model._nodes_by_depth, reverse=True):
            for node in model._nodes_by_depth[depth]:
                if not node.is_input:
                    self._add(node)
        self.to(memory_format=torch.channels_last)

    def _add(self, node) -> None:
        name = node.operation.name.replace(".", "_")
        if name not in self.parts:
            _refuse_constants(node)
            self.parts[name] = _convert(node.operation)
        reads = [id(tensor) for tensor in node.input_tensors]
        self.steps.append((name, reads, id(node.outputs[0])))

    def forward(self, *inputs):
        values = dict(zip(self.inputs, inputs, strict=True))
        for name, reads, makes in self.steps:
            values[makes] = self.parts[name](*(values[tensor] for tensor in reads))
        outputs = [values[tensor] for tensor in self.outputs]
        return outputs if len(outputs) > 1 else outputs[0]


def _refuse_constants(node) -> None:
    arguments = keras.tree.flatten((node.arguments.args, node.arguments.kwargs))
    if not all(value is None or isinstance(value, keras.KerasTensor) for value in arguments):
        raise _unknown(node.operation, "called with more than its inputs")


def _unknown(layer, how: str = "") -> ValueError:
    kind = f"{type(layer).__name__} {how}".strip()
    return ValueError(
        f"The layer {layer.name!r} is a {kind}, which has no twin in PyTorch yet: "
        "add it to benchmarks/torch_twin.py."
    )


def _convert(layer) -> nn.Module:
    """One Keras layer or operation -> a module that does the same."""
    kind = type(layer).__name__
    if getattr(layer, "data_format", "channels_last") != "channels_last":
        raise _unknown(layer, "with channels first")
    if kind not in _CONVERTERS:
        raise _unknown(layer)
    return _CONVERTERS[kind](layer)


# ------------------------------------------------------------------ layers with weights


class _Conv(nn.Module):
    """A convolution with TensorFlow's padding, which may be one more on the right and below."""

    def __init__(self, layer):
        super().__init__()
        self.weight = _parameter(layer.kernel, (3, 2, 0, 1))  # from (h, w, in, out)
        self.bias = _parameter(layer.bias) if layer.use_bias else None
        self.stride, self.dilation = tuple(layer.strides), tuple(layer.dilation_rate)
        self.groups = layer.groups
        before, after = (0, 0), (0, 0)
        if layer.padding == "same":
            sizes = zip(layer.input.shape[1:3], layer.kernel_size, self.stride, self.dilation)
            before, after = zip(*(_same(*axis) for axis in sizes))
        elif layer.padding != "valid":
            raise _unknown(layer, f"with padding {layer.padding!r}")
        even = before == after
        self.padding = before if even else (0, 0)
        self.extra = None if even else (before[1], after[1], before[0], after[0])
        self.activation = _activation(layer)

    def forward(self, x):
        if self.extra:
            x = functional.pad(x, self.extra)
        options = (self.stride, self.padding, self.dilation, self.groups)
        return self.activation(functional.conv2d(x, self.weight, self.bias, *options))


def _same(size: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    reach = (kernel - 1) * dilation + 1
    total = max((-(-size // stride) - 1) * stride + reach - size, 0)
    return total // 2, total - total // 2


class _ConvTranspose(nn.Module):
    """A transposed convolution that makes `stride` pixels of each, as TensorFlow's "same"."""

    def __init__(self, layer):
        super().__init__()
        dilated = tuple(layer.dilation_rate) != (1, 1)
        if layer.padding != "same" or layer.output_padding is not None or dilated:
            raise _unknown(layer, "with more options than padding='same'")
        self.weight = _parameter(layer.kernel, (3, 2, 0, 1))  # from (h, w, out, in)
        self.bias = _parameter(layer.bias) if layer.use_bias else None
        self.stride = tuple(layer.strides)
        spare = [k - s for k, s in zip(layer.kernel_size, layer.strides)]
        self.padding = tuple(max(n, 0) // 2 for n in spare)
        self.output_padding = tuple(max(-n, 0) for n in spare)
        self.cut = any(n > 0 and n % 2 for n in spare)
        self.activation = _activation(layer)

    def forward(self, x):
        options = (self.stride, self.padding, self.output_padding)
        y = functional.conv_transpose2d(x, self.weight, self.bias, *options)
        if self.cut:
            height, width = (n * s for n, s in zip(x.shape[2:], self.stride))
            y = y[:, :, :height, :width].contiguous(memory_format=torch.channels_last)
        return self.activation(y)


class _Dense(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.weight = _parameter(layer.kernel, (1, 0))
        self.bias = _parameter(layer.bias) if layer.use_bias else None
        self.activation = _activation(layer)

    def forward(self, x):
        y = functional.linear(_channels_last(x), self.weight, self.bias)
        return self.activation(_channels_first(y))


def _batch_normalization(layer) -> nn.Module:
    rank = len(layer.input.shape)
    if layer.axis not in (-1, rank - 1):
        raise _unknown(layer, f"over axis {layer.axis}")
    kind = {2: nn.BatchNorm1d, 4: nn.BatchNorm2d}[rank]
    norm = kind(layer.moving_mean.shape[0], layer.epsilon, 1 - layer.momentum)
    # Where Keras has no scale or no centre, 1 and 0 stay as they are.
    for parameter, there, mine in (
        (norm.weight, layer.scale, layer.gamma),
        (norm.bias, layer.center, layer.beta),
    ):
        parameter.requires_grad = there
        if there:
            parameter.data.copy_(_tensor(mine))
    norm.running_mean.copy_(_tensor(layer.moving_mean))
    norm.running_var.copy_(_tensor(layer.moving_variance))
    return norm


def _tensor(weight) -> torch.Tensor:
    return torch.tensor(keras.ops.convert_to_numpy(weight))


def _parameter(weight, order: tuple | None = None) -> nn.Parameter:
    tensor = _tensor(weight)
    return nn.Parameter(tensor.permute(order).contiguous() if order else tensor)


def _activation(layer) -> nn.Module:
    name = layer.activation.__name__
    if name not in _ACTIVATIONS:
        raise _unknown(layer, f"with activation {name!r}")
    return _ACTIVATIONS[name]()


# ------------------------------------------------------------------ layers without


class _Function(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *inputs):
        return self.function(*inputs)


def _channels_last(x):
    return x.permute(0, 2, 3, 1) if x.ndim == 4 else x


def _channels_first(x):
    return x.permute(0, 3, 1, 2) if x.ndim == 4 else x


def _relu(layer) -> nn.Module:
    if layer.max_value is not None or layer.threshold:
        raise _unknown(layer, "with a threshold or a greatest value")
    return nn.LeakyReLU(float(layer.negative_slope))


def _reshape(layer) -> nn.Module:
    shape = tuple(getattr(layer, "target_shape", ()))  # the operation has none
    if len(shape) not in (1, 3):
        raise _unknown(layer, f"to {shape}")
    return _Function(lambda x: _channels_first(_channels_last(x).reshape(len(x), *shape)))


def _depth_to_space(layer) -> nn.Module:
    size = layer.block_size

    def shuffle(x):  # nn.PixelShuffle has another order of channels
        b, c, h, w = x.shape
        x = _channels_last(x).reshape(b, h, w, size, size, c // size**2)
        return _channels_first(x.permute(0, 1, 3, 2, 4, 5).reshape(b, h * size, w * size, -1))

    return _Function(shuffle)


def _space_to_depth(layer) -> nn.Module:
    size = layer.block_size

    def shuffle(x):
        b, c, h, w = x.shape
        x = _channels_last(x).reshape(b, h // size, size, w // size, size, c)
        return _channels_first(x.permute(0, 1, 3, 2, 4, 5).reshape(b, h // size, w // size, -1))

    return _Function(shuffle)


def _up_sampling(layer) -> nn.Module:
    if layer.interpolation not in ("nearest", "bilinear"):
        raise _unknown(layer, f"with interpolation {layer.interpolation!r}")
    return nn.Upsample(scale_factor=tuple(map(float, layer.size)), mode=layer.interpolation)


def _sample(z_mean, z_log_var):
    return z_mean + torch.exp(0.5 * z_log_var) * torch.randn_like(z_mean)


_CONVERTERS = {
    # layers
    "Activation": _activation,
    "Add": lambda layer: _Function(lambda *terms: sum(terms[1:], terms[0])),  # the operation, too
    "BatchNormalization": _batch_normalization,
    "Conv2D": _Conv,
    "Conv2DTranspose": _ConvTranspose,
    "Dense": _Dense,
    "Flatten": lambda layer: _Function(lambda x: _channels_last(x).flatten(1)),
    "LeakyReLU": lambda layer: nn.LeakyReLU(float(layer.negative_slope)),
    "ReLU": _relu,
    "Reshape": _reshape,
    "Sampling": lambda layer: _Function(_sample),
    "UpSampling2D": _up_sampling,
    # operations of keras.ops
    "DepthToSpace": _depth_to_space,
    "LeakyRelu": lambda layer: nn.LeakyReLU(float(layer.negative_slope)),
    "Relu": lambda layer: nn.ReLU(),
    "Sigmoid": lambda layer: nn.Sigmoid(),
    "Silu": lambda layer: nn.SiLU(),
    "SpaceToDepth": _space_to_depth,
}
