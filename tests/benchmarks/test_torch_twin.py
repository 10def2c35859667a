"""The twin in PyTorch: outputs, gradients and a step of training are those of Keras."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from benchmarks.baseline import build_baseline
from vaelib import VAE, build_decoder, build_encoder

torch = pytest.importorskip("torch", reason="PyTorch is an extra: pip install -e .[torch]")
from benchmarks.torch_twin import TorchVAE, Twin  # noqa: E402

SEEN = np.random.default_rng(0).random((4, 32, 32, 3), "float32")


def to_torch(images: np.ndarray):
    """Images, or z, for the twin."""
    tensor = torch.from_numpy(images)
    return tensor.permute(0, 3, 1, 2) if tensor.ndim == 4 else tensor


def from_torch(tensor) -> np.ndarray:
    tensor = tensor.detach()
    return (tensor.permute(0, 2, 3, 1) if tensor.ndim == 4 else tensor).numpy()


def shaken(model: keras.Model) -> keras.Model:
    """No bias or scale stays at 0 or 1, where they start: so that none goes unnoticed."""
    rng = np.random.default_rng(1)
    for weight in model.weights:
        if len(weight.shape) == 1 and weight.dtype == "float32":
            weight.assign(weight + rng.uniform(0.02, 0.1, weight.shape))
    return model


def compare(model: keras.Model, inputs: np.ndarray, training: bool = False, count: int = 1):
    """The first `count` outputs of the model and of its twin."""
    theirs = Twin(model).train(training)(to_torch(inputs))
    ours = model(inputs, training=training)
    ours, theirs = (x if isinstance(x, list) else [x] for x in (ours, theirs))
    for one, other in zip(ours[:count], theirs):
        np.testing.assert_allclose(from_torch(other), one.numpy(), atol=1e-4, rtol=1e-4)


def build(kind: str) -> VAE:
    if kind == "baseline":
        return build_baseline(32)
    return VAE(build_encoder(32, 8), build_decoder(32, 8))


@pytest.fixture(params=["ours", "baseline"])
def vae(request):
    keras.utils.set_random_seed(0)
    vae = build(request.param)
    shaken(vae.encoder), shaken(vae.decoder)
    return vae


@pytest.mark.parametrize("training", [False, True])
def test_the_twin_answers_as_the_model(vae, training):
    compare(vae.encoder, SEEN, training, count=2)  # the third is a random draw
    z = np.random.default_rng(2).standard_normal((4, vae.latent_dim), "float32")
    compare(vae.decoder, z, training)


def keras_loss(vae: VAE, epsilon: np.ndarray):
    """The loss of a training batch with given draws, through the VAE's own `compute_loss`."""
    z_mean, z_log_var, _ = vae.encoder(SEEN, training=True)
    z = z_mean + ops.exp(0.5 * z_log_var) * epsilon
    answer = {"reconstruction": vae.decoder(z, training=True)}
    return vae.compute_loss(SEEN, y_pred={**answer, "z_mean": z_mean, "z_log_var": z_log_var})


def test_a_step_of_training_is_the_same(vae):
    twin = TorchVAE(vae).train()
    epsilon = np.random.default_rng(3).standard_normal((4, vae.latent_dim), "float32")
    ours = keras.optimizers.Adam(1e-3)
    theirs = torch.optim.Adam(twin.parameters(), 1e-3, eps=1e-7)
    for _ in range(2):  # the second loss tells of the weights and of sigma after the first step
        with tf.GradientTape() as tape:
            loss = keras_loss(vae, epsilon)
        weights = vae.trainable_variables
        gradients = tape.gradient(loss, [weight.value for weight in weights])
        ours.apply(gradients, weights)

        theirs.zero_grad()
        twin_loss = twin(to_torch(SEEN), torch.from_numpy(epsilon))
        twin_loss.backward()
        theirs.step()
        assert twin_loss.item() == pytest.approx(float(loss), rel=1e-4)
        norm = torch.stack([p.grad.norm() for p in twin.parameters()]).norm().item()
        assert norm == pytest.approx(float(tf.linalg.global_norm(gradients)), rel=1e-3)
    assert float(twin.sigma) == pytest.approx(vae.sigma, rel=1e-5)


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("kernel", [1, 2, 3, 4, 5])
def test_convolutions_pad_as_in_tensorflow(kernel, stride):
    images = SEEN[:1, :7, :8]
    inputs = keras.Input(images.shape[1:])
    for layer in (layers.Conv2D, layers.Conv2DTranspose):
        outputs = layer(2, kernel, stride, padding="same")(inputs)
        compare(shaken(keras.Model(inputs, outputs)), images)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: ops.nn.space_to_depth(x, 2),
        lambda x: ops.nn.depth_to_space(layers.Conv2D(8, 3, dilation_rate=2)(x), 2),
        lambda x: layers.UpSampling2D(2)(x),
        lambda x: layers.UpSampling2D(3, interpolation="bilinear")(x),
        lambda x: layers.Add()([x, layers.Conv2D(3, 1, activation="silu")(x)]),
        lambda x: layers.ReLU()(x) + layers.Activation("tanh")(x),
        lambda x: layers.Reshape((4, 8, 6))(x),
        lambda x: layers.Reshape((192,))(layers.Dense(3)(x)),
        lambda x: ops.silu(layers.BatchNormalization(scale=False)(layers.Conv2D(4, 3)(x))),
    ],
)
def test_other_layers(function):
    images = SEEN[:2, :8, :8] - 0.5
    inputs = keras.Input((8, 8, 3))
    compare(shaken(keras.Model(inputs, function(inputs))), images)


@pytest.mark.parametrize(
    "function, words",
    [
        (lambda x: layers.MaxPooling2D(name="pool")(x), "'pool' is a MaxPooling2D,"),
        (lambda x: x + 1.0, "Add called with more than its inputs"),
        (lambda x: layers.ReLU(6)(x), "greatest value"),
        (lambda x: layers.Conv2DTranspose(1, 3)(x), "padding='same'"),
        (lambda x: layers.Conv2D(1, 3, activation="softplus")(x), "activation 'softplus'"),
        (lambda x: layers.BatchNormalization(axis=1)(x), "over axis 1"),
    ],
)
def test_what_has_no_twin_is_named_in_one_sentence(function, words):
    inputs = keras.Input((8, 8, 3))
    with pytest.raises(ValueError, match="no twin in PyTorch yet") as caught:
        Twin(keras.Model(inputs, function(inputs)))
    assert words in str(caught.value) and str(caught.value).endswith(".")
