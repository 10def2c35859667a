"""The numbers, against their formulas written out."""

import math

import numpy as np
import pytest

from vaelib.metrics import kl_per_latent, rmse


def test_rmse_of_known_errors():
    black = np.zeros((2, 4, 4, 3), "float32")
    assert rmse(black, black) == 0
    assert rmse(black, black + 1) == pytest.approx(255)
    half = black.copy()
    half[0] = 1  # one face all wrong, one all right
    assert rmse(black, half) == pytest.approx(255 * math.sqrt(0.5))
    assert rmse(black, black + np.float32(10 / 255)) == pytest.approx(10, rel=1e-5)


def test_rmse_has_no_sign_and_two_directions_are_alike():
    a, b = np.random.default_rng(0).random((2, 3, 4, 4, 3)).astype("float32")
    assert rmse(a, b) == pytest.approx(rmse(b, a))
    total = sum((x - y) ** 2 for x, y in zip(a.ravel().tolist(), b.ravel().tolist()))
    assert rmse(a, b) == pytest.approx(255 * math.sqrt(total / a.size))


def test_rmse_returns_a_python_float():
    assert type(rmse(np.zeros((1, 2, 2, 3)), np.ones((1, 2, 2, 3)))) is float


def test_rmse_of_different_faces_is_an_error(one_sentence):
    with pytest.raises(ValueError) as error:
        rmse(np.zeros((2, 4, 4, 3)), np.zeros((3, 4, 4, 3)))
    one_sentence(error.value, "(2, 4, 4, 3)", "(3, 4, 4, 3)")


def test_rmse_does_not_broadcast():
    with pytest.raises(ValueError):
        rmse(np.zeros((2, 4, 4, 3)), np.zeros((1, 4, 4, 3)))


def test_kl_per_latent_is_the_closed_form_averaged_over_faces():
    rng = np.random.default_rng(2)
    mean, log_var = rng.normal(size=(2, 40, 5))
    expected = [
        sum(0.5 * (m * m + math.exp(v) - v - 1) for m, v in zip(mean[:, j], log_var[:, j])) / 40
        for j in range(5)
    ]
    result = kl_per_latent(mean.astype("float32"), log_var.astype("float32"))
    assert result.shape == (5,)
    assert result.dtype == np.float64
    np.testing.assert_allclose(result, expected, rtol=1e-5)


def test_a_latent_that_says_nothing_has_no_kl():
    np.testing.assert_array_equal(kl_per_latent(np.zeros((7, 3)), np.zeros((7, 3))), np.zeros(3))


def test_kl_per_latent_sums_to_the_kl_that_evaluate_reports(new_vae, images):
    vae = new_vae()
    vae.compile()
    reported = vae.evaluate(images, batch_size=7, verbose=0, return_dict=True)["kl"]
    z_mean, z_log_var, _ = vae.encoder(images, training=False)
    assert kl_per_latent(z_mean, z_log_var).sum() == pytest.approx(reported, rel=1e-5)
    assert reported > 0
