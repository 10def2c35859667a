"""The optimizer: against the singular value decomposition and against Keras' own Muon."""

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy as to_numpy

from vaelib.optimizer import POLYNOMIALS, Muon

SHAPES = [(60, 8), (8, 60), (12, 12), (3, 3, 5, 16), (2, 2, 16, 5)]


def matrix(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def variable(shape):
    return keras.Variable(matrix(shape, 1))


def evened_out(x):
    return np.asarray(Muon().zeropower_via_newtonschulz5(keras.ops.convert_to_tensor(x)))


def polynomials(s):
    for a, b, c in POLYNOMIALS:
        s = a * s + b * s**3 + c * s**5
    return s


@pytest.mark.parametrize("shape", SHAPES)
def test_singular_values_go_through_the_polynomials_and_directions_stay(shape):
    x = matrix(shape)
    left, values, right = np.linalg.svd(x.reshape(-1, shape[-1]), full_matrices=False)
    values = values / np.sqrt(np.linalg.norm(values**2))
    expected = (left * polynomials(values)) @ right
    assert evened_out(x).shape == shape
    np.testing.assert_allclose(evened_out(x).reshape(expected.shape), expected, atol=1e-4)


def test_the_polynomials_bring_all_but_the_smallest_values_to_about_one():
    values = polynomials(np.geomspace(0.01, 1, 1000))
    assert values.min() == pytest.approx(0.73, abs=2e-3)
    assert values.max() == pytest.approx(1.27, abs=2e-3)
    assert polynomials(1e-6) == pytest.approx(78e-6, rel=0.01)


def test_no_other_polynomial_of_the_kind_comes_as_close_to_one():
    """Its error is largest at four places, with changing sign: Chebyshev's mark of the best."""
    low, high = 0.01, 1.0
    for a, b, c in POLYNOMIALS:
        s = np.linspace(low, high, 100_000)
        error = 1 - (a * s + b * s**3 + c * s**5)
        bends = 1 + np.flatnonzero(np.diff(np.sign(np.diff(error))))
        ends = error[[0, *bends, -1]]
        assert len(ends) == 4
        np.testing.assert_allclose(ends * [1, -1, 1, -1], np.abs(error).max(), atol=2e-3)
        low, high = 1 - np.abs(error).max(), 1 + np.abs(error).max()


def test_small_directions_do_not_explode():
    """Directions without a gradient stay near zero, whatever rounding makes of them."""
    x = matrix((4096, 3)) @ matrix((3, 128))  # rank 3
    found = evened_out(x)
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
        assert np.linalg.norm(evened_out(x), 2) < 1.3


def test_a_step_of_a_dense_layer_is_that_of_keras_but_for_the_polynomials(monkeypatch):
    evening_out = Muon.zeropower_via_newtonschulz5
    monkeypatch.setattr(keras.optimizers.Muon, evening_out.__name__, evening_out)
    ours, theirs = variable((40, 6)), variable((40, 6))
    gradients = [keras.ops.convert_to_tensor(matrix((40, 6), seed)) for seed in range(4)]
    for weights, optimizer in [
        (ours, Muon(0.01)),
        (theirs, keras.optimizers.Muon(0.01, adam_lr_ratio=1 / 3, momentum=0.85)),
    ]:
        for gradient in gradients:
            optimizer.apply([gradient], [weights])
    np.testing.assert_allclose(to_numpy(ours), to_numpy(theirs), atol=1e-5)


def test_a_step_of_a_kernel_is_that_of_its_matrix():
    kernel, flat = variable((3, 3, 4, 10)), variable((36, 10))
    gradient = matrix((3, 3, 4, 10))
    Muon(0.01).apply([keras.ops.convert_to_tensor(gradient)], [kernel])
    Muon(0.01).apply([keras.ops.convert_to_tensor(gradient.reshape(36, 10))], [flat])
    np.testing.assert_allclose(to_numpy(kernel).reshape(36, 10), to_numpy(flat), atol=1e-6)


@pytest.mark.parametrize(
    "options", [{"ns_steps": 3}, {"muon_a": 3.0}, {"muon_b": -4.0}, {"muon_c": 2.0}]
)
def test_what_has_no_effect_is_refused(options, one_sentence):
    with pytest.raises(ValueError) as error:
        Muon(**options)
    one_sentence(error.value, *options, "leave it out")


def test_kernels_of_excluded_layers_move_as_adam_moves_them():
    def kernel(name):
        return keras.Variable(matrix((3, 3, 4, 10), 1), name=name)

    gradient = keras.ops.convert_to_tensor(matrix((3, 3, 4, 10)))
    last, theirs = kernel("last"), kernel("theirs")
    Muon(0.03, exclude_layers=["last"], adam_weight_decay=None).apply([gradient], [last])
    keras.optimizers.Adam(0.01).apply([gradient], [theirs])
    np.testing.assert_allclose(to_numpy(last), to_numpy(theirs), atol=1e-6)


def test_without_an_rms_rate_a_step_is_not_scaled():
    x = keras.ops.convert_to_tensor(matrix((40, 6)))
    np.testing.assert_array_equal(to_numpy(Muon(rms_rate=None).lr_adjust(x)), to_numpy(x))
    np.testing.assert_allclose(to_numpy(Muon().lr_adjust(x)), 0.2 * 40**0.5 * to_numpy(x), 1e-6)


def test_biases_move_as_adam_moves_them():
    ours, theirs = variable((7,)), variable((7,))
    for weights, optimizer in [
        (ours, Muon(0.03, adam_weight_decay=None)),
        (theirs, keras.optimizers.Adam(0.01)),
    ]:
        for seed in range(3):
            optimizer.apply([keras.ops.convert_to_tensor(matrix((7,), seed))], [weights])
    np.testing.assert_allclose(to_numpy(ours), to_numpy(theirs), atol=1e-6)


def test_is_saved_and_loaded_with_the_model(tmp_path):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    model.compile(Muon(0.02), "mse")
    model.fit(matrix((8, 4)), matrix((8, 3)), verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert type(again.optimizer) is Muon
    assert again.optimizer.get_config() == model.optimizer.get_config()
    for ours, loaded in zip(model.optimizer.variables, again.optimizer.variables, strict=True):
        np.testing.assert_array_equal(to_numpy(ours), to_numpy(loaded))
