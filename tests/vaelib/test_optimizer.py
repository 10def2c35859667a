"""The optimizer: against Keras' own Muon and against the singular value decomposition."""

import keras
import numpy as np
import pytest

from vaelib.optimizer import Muon

SHAPES = [(60, 8), (8, 60), (12, 12), (3, 3, 5, 16), (2, 2, 16, 5)]


def matrix(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def variable(shape):
    return keras.Variable(matrix(shape, 1))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("steps", [3, 5])
def test_evens_out_like_keras_step_by_step(shape, steps):
    x = matrix(shape)
    found = np.asarray(Muon().zeropower_via_newtonschulz5(keras.ops.convert_to_tensor(x), steps))
    flat = keras.ops.convert_to_tensor(x.reshape(-1, shape[-1]))
    keras_found = keras.optimizers.Muon().zeropower_via_newtonschulz5(flat, steps)
    assert found.shape == shape
    np.testing.assert_allclose(found.reshape(-1, shape[-1]), np.asarray(keras_found), atol=1e-4)


@pytest.mark.parametrize("shape", SHAPES)
def test_singular_values_come_to_about_one_and_directions_stay(shape):
    x = matrix(shape).reshape(-1, shape[-1])
    found = Muon().zeropower_via_newtonschulz5(keras.ops.convert_to_tensor(matrix(shape)), 5)
    left, _, right = np.linalg.svd(x, full_matrices=False)
    inside = left.T @ np.asarray(found).reshape(x.shape) @ right.T
    values = np.diag(inside)
    assert np.all((values > 0.6) & (values < 1.3))
    np.testing.assert_allclose(inside - np.diag(values), 0, atol=1e-3)


def test_small_directions_do_not_explode():
    """Directions without a gradient stay near zero, whatever rounding makes of them."""
    x = matrix((4096, 3)) @ matrix((3, 128))  # rank 3
    found = np.asarray(Muon().zeropower_via_newtonschulz5(keras.ops.convert_to_tensor(x), 5))
    assert np.linalg.norm(found, 2) < 1.3
    assert np.sum(np.linalg.svd(found, compute_uv=False) > 0.1) == 3


def test_survives_the_rounding_of_a_gpu(monkeypatch):
    """TF32 keeps ten binary digits of what is multiplied."""

    def rounded(x):
        mantissa, exponent = np.frexp(np.asarray(x))
        return np.ldexp(np.round(mantissa * 2**11) / 2**11, exponent)

    multiply = keras.ops.matmul
    monkeypatch.setattr(keras.ops, "matmul", lambda a, b: multiply(rounded(a), rounded(b)))
    for seed in range(5):
        x = matrix((512, 1), seed) @ matrix((1, 128), seed)  # one direction and a little noise
        x += 0.01 * matrix((512, 128), seed)
        found = Muon().zeropower_via_newtonschulz5(keras.ops.convert_to_tensor(x), 5)
        assert np.linalg.norm(np.asarray(found), 2) < 1.3


def test_a_step_of_a_dense_layer_is_that_of_keras():
    ours, theirs = variable((40, 6)), variable((40, 6))
    gradients = [keras.ops.convert_to_tensor(matrix((40, 6), seed)) for seed in range(4)]
    for weights, optimizer in [
        (ours, Muon(0.01)),
        (theirs, keras.optimizers.Muon(0.01, adam_lr_ratio=1 / 3)),
    ]:
        for gradient in gradients:
            optimizer.apply([gradient], [weights])
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=1e-5)


def test_a_step_of_a_kernel_is_that_of_its_matrix():
    kernel, flat = variable((3, 3, 4, 10)), variable((36, 10))
    gradient = matrix((3, 3, 4, 10))
    Muon(0.01).apply([keras.ops.convert_to_tensor(gradient)], [kernel])
    Muon(0.01).apply([keras.ops.convert_to_tensor(gradient.reshape(36, 10))], [flat])
    np.testing.assert_allclose(kernel.numpy().reshape(36, 10), flat.numpy(), atol=1e-6)


def test_biases_move_as_adam_moves_them():
    ours, theirs = variable((7,)), variable((7,))
    for weights, optimizer in [
        (ours, Muon(0.03, adam_weight_decay=None)),
        (theirs, keras.optimizers.Adam(0.01)),
    ]:
        for seed in range(3):
            optimizer.apply([keras.ops.convert_to_tensor(matrix((7,), seed))], [weights])
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=1e-6)


def test_is_saved_and_loaded_with_the_model(tmp_path):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    model.compile(Muon(0.02), "mse")
    model.fit(matrix((8, 4)), matrix((8, 3)), verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert type(again.optimizer) is Muon
    assert again.optimizer.get_config() == model.optimizer.get_config()
    for ours, loaded in zip(model.optimizer.variables, again.optimizer.variables, strict=True):
        np.testing.assert_array_equal(ours.numpy(), loaded.numpy())
