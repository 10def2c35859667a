"""Counts of multiply-adds: by hand, by a convolution written out, and by TensorFlow itself."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from benchmarks import arithmetic
from benchmarks.baseline import build_baseline
from vaelib import VAE, build_decoder, build_encoder
from vaelib.optimizer import Muon


def tiny(encoder_layers=(), decoder_layers=()) -> VAE:
    """Faces of 4 pixels, two latents, and a few layers more."""
    x = images = keras.Input((4, 4, 3))
    for layer in encoder_layers:
        x = layer(x)
    z = layers.Dense(2)(layers.Flatten()(x))
    y = given = keras.Input((2,))
    y = layers.Reshape((4, 4, 3))(layers.Dense(48, use_bias=False)(y))
    for layer in decoder_layers:
        y = layer(y)
    return VAE(keras.Model(images, [z, z, z]), keras.Model(given, y))


def test_dense_layers_by_hand():
    counts = arithmetic.of_training(tiny())
    # 48 values to 2 latents, which need no gradient of the face, and 2 latents to 48 values.
    assert counts["dense layers"] == {"forward": 192, "weights": 192, "inputs": 96}
    assert sum(counts["convolutions"].values()) == 0
    assert arithmetic.total(counts) == 480


def test_convolutions_by_hand():
    there = [layers.Conv2D(5, 3, strides=2, padding="same"), layers.Conv2D(7, 1)]
    wider = layers.Conv2DTranspose(4, 3, strides=2, padding="same")
    back = [wider, layers.AveragePooling2D(2), layers.Conv2D(3, 1)]
    found = arithmetic.of_training(tiny(there, back))["convolutions"]
    first = (2 * 2) * (3 * 3 * 3) * 5  # places, a patch, filters
    second = (2 * 2) * 5 * 7
    transposed = (4 * 4) * 3 * (3 * 3 * 4)  # places of the input, channels, a patch of the output
    last = (4 * 4) * 4 * 3
    assert found["forward"] == found["weights"] == first + second + transposed + last
    assert found["inputs"] == second + transposed + last  # nobody asks for the gradient of a face


def test_what_comes_before_the_first_weights_needs_no_gradient():
    plain = arithmetic.of_training(tiny([layers.Conv2D(5, 3, padding="same")]))
    doubled = tiny(
        [layers.UpSampling2D(2), layers.AveragePooling2D(2), layers.Conv2D(5, 3, padding="same")]
    )
    assert arithmetic.of_training(doubled) == plain
    learned = tiny([layers.BatchNormalization(), layers.Conv2D(5, 3, padding="same")])
    assert arithmetic.of_training(learned)["convolutions"]["inputs"] == 16 * 27 * 5


def test_models_within_models_are_counted():
    block = [layers.Conv2D(5, 3, padding="same"), layers.Conv2D(3, 3, padding="same")]
    nested = tiny([keras.Sequential([keras.Input((4, 4, 3)), *block])])
    again = tiny([layers.Conv2D(5, 3, padding="same"), layers.Conv2D(3, 3, padding="same")])
    assert arithmetic.of_training(nested) == arithmetic.of_training(again)


def test_groups_of_channels_share_the_work():
    assert arithmetic.of_training(tiny([layers.Conv2D(6, 1, groups=3)]))["convolutions"][
        "forward"
    ] == (16 * 6)


def test_what_can_not_be_counted_is_named():
    with pytest.raises(ValueError, match=r"'deep' is a DepthwiseConv2D, .* can't be counted yet"):
        arithmetic.of_training(tiny([layers.DepthwiseConv2D(3, name="deep")]))


@pytest.mark.parametrize("kind", ["ours", "baseline"])
def test_tensorflow_counts_the_same_forward(kind):
    """TensorFlow's profiler counts floating-point operations: two for each multiply-add."""
    vae = VAE(build_encoder(32, 8), build_decoder(32, 8)) if kind == "ours" else build_baseline(32)

    def products(model, shape) -> int:
        answer = tf.function(lambda x: model(x, training=False))
        graph = answer.get_concrete_function(tf.TensorSpec((1, *shape))).graph
        options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
        options["output"] = "none"
        options["account_type_regexes"] = ["Conv2D", "Conv2DBackpropInput", "MatMul"]
        return tf.compat.v1.profiler.profile(graph, cmd="op", options=options).total_float_ops

    theirs = products(vae.encoder, (32, 32, 3)) + products(vae.decoder, (vae.latent_dim,))
    ours = sum(family["forward"] for family in arithmetic.of_training(vae).values())
    assert 2 * ours == theirs


@pytest.mark.parametrize("shape", [(60, 8), (8, 60), (3, 3, 5, 16), (12, 12), (7,)])
def test_products_of_muon_are_those_that_it_makes(monkeypatch, shape):
    made, multiply = [], keras.ops.matmul

    def counted(a, b):
        made.append(a.shape[0] * a.shape[1] * b.shape[1])
        return multiply(a, b)

    weights = keras.Variable(np.ones(shape, "float32"))
    gradient = keras.ops.convert_to_tensor(np.ones(shape, "float32"))
    optimizer = Muon()
    optimizer.build([weights])
    monkeypatch.setattr(keras.ops, "matmul", counted)
    optimizer.apply([gradient], [weights])
    assert sum(made) == arithmetic.of_muon([shape])
