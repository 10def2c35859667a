"""The Gaussian of encoded faces, against its formula and against draws."""

import numpy as np
import pytest

from vaelib.prior import draw_latents, fit_gaussian

FACES, LATENTS = 30, 4


@pytest.fixture(scope="module")
def posteriors():
    rng = np.random.default_rng(0)
    z_mean = rng.normal(size=(FACES, LATENTS)) * [2, 1, 0.5, 0.1] + [0, 1, 2, 3]
    return z_mean, rng.normal(size=(FACES, LATENTS)) - 2


def test_the_gaussian_is_that_of_the_formula(posteriors):
    z_mean, z_log_var = posteriors
    mean, factor = fit_gaussian(*posteriors)
    np.testing.assert_allclose(mean, z_mean.mean(axis=0))
    centred = z_mean - z_mean.mean(axis=0)
    expected = centred.T @ centred / (FACES - 1) + np.diag(np.exp(z_log_var).mean(axis=0))
    np.testing.assert_allclose(factor @ factor.T, expected)


def test_draws_have_the_mean_and_the_covariance(posteriors):
    mean, factor = (part.astype("float32") for part in fit_gaussian(*posteriors))
    draws = draw_latents(200_000, 1, mean, factor)
    assert draws.dtype == np.float32
    np.testing.assert_allclose(draws.mean(axis=0), mean, atol=0.02)
    np.testing.assert_allclose(np.cov(draws, rowvar=False), factor @ factor.T, atol=0.05)
    np.testing.assert_array_equal(draws[:3], draw_latents(200_000, 1, mean, factor)[:3])
    half = draw_latents(9, 1, mean, factor, truncation=0.5)
    np.testing.assert_allclose(
        half - mean, (draw_latents(9, 1, mean, factor) - mean) / 2, atol=1e-5
    )


def test_one_face_has_no_gaussian(one_sentence):
    with pytest.raises(ValueError) as error:
        fit_gaussian(np.zeros((1, LATENTS)), np.zeros((1, LATENTS)))
    one_sentence(error.value, "1 face", "covariance")
