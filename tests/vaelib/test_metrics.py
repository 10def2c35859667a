"""The numbers, against their formulas written out."""

import math

import numpy as np
import pytest

import vaelib
from vaelib.classifier import FaceFeatures
from vaelib.metrics import (
    active_units,
    bits_per_dimension,
    evaluate,
    kl_per_latent,
    negative_elbo,
    rmse,
)


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


def test_active_units_counts_the_latents_that_vary():
    z_mean = np.random.default_rng(3).normal(size=(500, 4)) * [1, 0.2, 0.05, 0] + [0, 5, 5, 5]
    assert active_units(z_mean) == 2
    assert active_units(z_mean, threshold=0.5) == 1
    assert active_units(z_mean, threshold=0.001) == 3
    assert type(active_units(z_mean.astype("float32"))) is int


def log_density(x: float, mean: float, sigma: float) -> float:
    return math.log(math.exp(-(((x - mean) / sigma) ** 2) / 2) / (sigma * math.sqrt(2 * math.pi)))


@pytest.mark.parametrize("sigma", [0.1, 0.5])
def test_negative_elbo_is_a_sum_of_log_densities(sigma):
    images, means = np.random.default_rng(4).random((2, 3, 2, 2, 3)) * 0.3
    error = math.sqrt(np.square(images - means).mean())
    pairs = list(zip(images.ravel().tolist(), means.ravel().tolist()))
    expected = -sum(log_density(x, mean, sigma) for x, mean in pairs) / 3 + 7.5
    assert negative_elbo(error, 7.5, 12, sigma) == pytest.approx(expected, rel=1e-6, abs=1e-5)


def test_the_best_sigma_is_the_error():
    best = negative_elbo(0.08, 100, 12288)
    assert best == pytest.approx(negative_elbo(0.08, 100, 12288, 0.08))
    for sigma in (0.04, 0.0799, 0.0801, 0.16):
        assert negative_elbo(0.08, 100, 12288, sigma) > best


@pytest.mark.parametrize("error, sigma", [(0.0, None), (0.1, 0.0), (0.1, -1.0)])
def test_a_sigma_that_is_not_above_zero_is_an_error(error, sigma, one_sentence):
    with pytest.raises(ValueError) as caught:
        negative_elbo(error, 1, 12, sigma)
    one_sentence(caught.value, "above zero")


def test_bits_of_values_that_say_nothing_are_eight():
    """A uniform density on [0, 1] has 0 nats; halving its width saves a bit for each value."""
    assert bits_per_dimension(0, 12) == 8
    assert bits_per_dimension(-12 * math.log(2), 12) == pytest.approx(7)


KEYS = [
    "faces",
    "negative_elbo",
    "bpd",
    "sigma",
    "kl",
    "latents",
    "active_units",
    "rmse",
    "rmse_sampled",
]


def test_evaluate_agrees_with_the_model_at_the_same_sigma(faces, new_vae):
    """Both draw z; one sample of a broad posterior differs, one of a narrow one does not."""
    vae = new_vae()
    result = evaluate(vae, faces, "train")
    assert list(result) == KEYS
    assert result["faces"] == 17 and result["latents"] == 4
    again = new_vae(sigma=result["sigma"], detail=1.0)
    again.compile()
    pictures = vaelib.load_images(faces, faces.file_names("train"), vae.image_size)
    reported = again.evaluate(pictures, verbose=0, return_dict=True)
    assert result["kl"] == pytest.approx(reported["kl"], rel=1e-5)
    expected = reported["reconstruction"] + reported["kl"]
    assert result["negative_elbo"] == pytest.approx(expected, abs=0.02 * vae.image_size**2 * 3)
    bits = result["negative_elbo"] / (32 * 32 * 3) / math.log(2) + 8
    assert result["bpd"] == pytest.approx(bits)
    plain = vae.reconstruct(pictures, sharpen=False)
    assert result["rmse"] == pytest.approx(rmse(pictures, plain), rel=1e-6)
    assert result["sigma"] * 255 == pytest.approx(result["rmse_sampled"])
    assert result["active_units"] == active_units(vae.encode(pictures))


def test_sharpening_changes_fc_alone(small_faces, new_vae, trainings):
    vae = new_vae()
    features = FaceFeatures(small_faces, vae.image_size)
    plain = evaluate(vae, small_faces, "test", features, samples=20)
    vae.sharpen.gains.assign([1.5, 1.4, 1.3])
    sharp = evaluate(vae, small_faces, "test", features, samples=20)
    changed = {name for name in plain if plain[name] != sharp[name]}
    assert changed == {"fc_reconstructions", "fc_prior", "fc_gaussian"}
    pictures = vae.reconstruct(
        vaelib.load_images(small_faces, small_faces.file_names("test"), vae.image_size)
    )
    assert sharp["fc_reconstructions"] == pytest.approx(features.distance(pictures), rel=1e-4)


def test_evaluate_repeats_and_takes_a_split(faces, vae):
    assert evaluate(vae, faces, "val") == evaluate(vae, faces, "val")
    assert evaluate(vae, faces, "val", seed=1) != evaluate(vae, faces, "val")
    assert evaluate(vae, faces)["faces"] == len(faces.file_names("test"))


def test_a_split_of_one_face_has_no_fc_but_all_other_numbers(
    lonely_faces, vae, trainings, one_sentence, recwarn
):
    features = FaceFeatures(lonely_faces, vae.image_size)
    with pytest.raises(ValueError) as error:
        evaluate(vae, lonely_faces, "test", features, samples=20)
    one_sentence(error.value, "'test'", lonely_faces.folder, "--no-fc")
    result = evaluate(vae, lonely_faces, "test")
    assert (result["faces"], result["active_units"]) == (1, 0)
    assert not [w for w in recwarn if "freedom" in str(w.message)]


def test_evaluate_with_features_adds_four_distances(small_faces, vae, trainings):
    features = FaceFeatures(small_faces, vae.image_size)
    result = evaluate(vae, small_faces, "test", features, samples=20)
    names = ["fc_reconstructions", "fc_prior", "fc_gaussian", "fc_images"]
    assert list(result) == [*KEYS, *names]
    pictures = vaelib.load_images(small_faces, small_faces.file_names("test"), vae.image_size)
    assert result["fc_images"] == pytest.approx(features.distance(pictures))
    assert result["fc_prior"] == pytest.approx(features.distance(vae.sample(20, prior=True)))
