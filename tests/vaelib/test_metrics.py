"""The numbers, against their formulas written out."""

import contextlib
import io
import math
import os
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import vaelib
from groundwork.files import ASIDE
from vaelib import metrics
from vaelib.classifier import FaceFeatures, build_classifier, classify, train_classifier
from vaelib.data.pipeline import random_shift
from vaelib.frechet import frechet_distance, frechet_from_moments, moments
from vaelib.metrics import (
    active_units,
    bits_per_dimension,
    evaluate,
    kl_per_latent,
    negative_elbo,
    rmse,
)

COLOURS = ["Smiling", "Male", "Young"]


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


# ------------------------------------------------------------------ the ELBO's other numbers


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
    assert negative_elbo(error, 7.5, 12, sigma) == pytest.approx(expected, rel=1e-9)


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


# ------------------------------------------------------------------ the Fréchet distance


def cloud(mean, covariance, count: int = 12) -> np.ndarray:
    """Rows whose mean and covariance are exactly these."""
    rows = np.random.default_rng(5).normal(size=(count, len(mean)))
    rows -= rows.mean(axis=0)
    whitened = rows @ np.linalg.inv(np.linalg.cholesky(np.cov(rows, rowvar=False))).T
    return whitened @ np.linalg.cholesky(covariance).T + mean


def test_frechet_distance_of_a_cloud_from_itself_and_from_itself_moved():
    rows = np.random.default_rng(6).normal(size=(40, 5))
    assert frechet_distance(rows, rows) == pytest.approx(0, abs=1e-9)
    shift = np.array([1.0, -2, 0, 3, 0.5])
    assert frechet_distance(rows + shift, rows) == pytest.approx(shift @ shift)


def test_frechet_distance_on_a_line_is_of_means_and_deviations():
    rows = np.random.default_rng(7).normal(size=(30, 1))
    m, s = rows.mean(), rows.std(ddof=1)
    expected = (2 * s) ** 2 + (3 * m + 1 - m) ** 2  # three times as wide
    assert frechet_distance(3 * rows + 1, rows) == pytest.approx(expected)


def test_frechet_distance_of_covariances_that_commute():
    turn, _ = np.linalg.qr(np.random.default_rng(8).normal(size=(3, 3)))
    for axes in (np.eye(3), turn):
        a, b = np.array([1.0, 4, 9]), np.array([4.0, 1, 0.25])
        first = cloud(np.zeros(3), axes @ np.diag(a) @ axes.T)
        second = cloud(np.array([0, 0, 2.0]), axes @ np.diag(b) @ axes.T)
        expected = 4 + np.square(np.sqrt(a) - np.sqrt(b)).sum()
        assert frechet_distance(first, second) == pytest.approx(expected)


def test_frechet_distance_of_any_covariances():
    """The trace of the root is the sum of the roots of the eigenvalues of the product."""
    rng = np.random.default_rng(9)
    (m1, m2), (f1, f2) = rng.normal(size=(2, 4)), rng.normal(size=(2, 4, 4))
    c1, c2 = f1 @ f1.T, f2 @ f2.T
    cross = np.sqrt(np.linalg.eigvals(c1 @ c2).real).sum()
    expected = np.square(m1 - m2).sum() + np.trace(c1) + np.trace(c2) - 2 * cross
    assert frechet_from_moments((m1, c1), (m2, c2)) == pytest.approx(expected)
    both = cloud(m1, c1), cloud(m2, c2)
    assert frechet_distance(*both) == pytest.approx(expected)
    assert frechet_distance(*both[::-1]) == pytest.approx(expected)


@pytest.mark.parametrize("rows", [np.ones((1, 4)), np.full((5, 4), np.nan)])
def test_features_without_a_distance(rows, one_sentence):
    with pytest.raises(ValueError) as error:
        frechet_from_moments(moments(rows), moments(np.ones((3, 4))))
    one_sentence(error.value, "features")


def test_frechet_distance_of_flat_clouds_is_finite():
    rows = np.random.default_rng(10).normal(size=(3, 8))  # fewer rows than directions
    assert frechet_distance(rows, rows) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(rows, np.zeros((4, 8))) == pytest.approx(
        np.square(rows.mean(axis=0)).sum() + rows.var(axis=0, ddof=1).sum()
    )


@pytest.mark.parametrize(
    "shapes", [((5, 3), (5, 4)), ((1, 3), (5, 3)), ((5, 3), (1, 3)), ((5,),) * 2]
)
def test_clouds_that_do_not_compare_are_an_error(shapes, one_sentence):
    with pytest.raises(ValueError) as error:
        frechet_distance(*map(np.zeros, shapes))
    one_sentence(error.value, *shapes)


# ------------------------------------------------------------------ the classifier


@pytest.mark.parametrize("size", [16, 64])
def test_classifier_gives_logits_and_features(size):
    model = build_classifier(5, size)
    pictures = np.random.default_rng(0).integers(0, 256, (2, size, size, 3)).astype("uint8")
    logits, features = classify(model, pictures)
    assert logits.shape == (2, 5)
    assert features.shape == (2, 256)
    assert model.count_params() < 2e6
    again, _ = classify(model, pictures.astype("float32") / 255)
    np.testing.assert_allclose(logits, again, atol=1e-6)


def test_classifier_refuses_a_size_that_does_not_halve(one_sentence):
    with pytest.raises(ValueError) as error:
        build_classifier(5, 40)
    one_sentence(error.value, "multiple of 16", 40)


def test_shifts_are_small_and_each_image_has_its_own():
    size = 16
    ramp = np.arange(size, dtype="float32")
    images = np.broadcast_to((100 * ramp[:, None] + ramp)[None, ..., None], (200, size, size, 3))
    centre = size // 2
    moved = random_shift(images, 2).numpy()
    assert moved.shape == images.shape
    rows, columns = np.divmod(moved[:, centre, centre, 0], 100)
    for values in (rows, columns):
        assert set(values) == {centre + d for d in (-2, -1, 0, 1, 2)}
    assert (moved[:, centre, centre + 1] - moved[:, centre, centre] == 1).all()  # not flipped


def train(faces):
    return train_classifier(faces, COLOURS, steps=30, image_size=16, batch_size=8)


@pytest.fixture(scope="module")
def classifier(faces):
    """A trained classifier, and what was printed meanwhile, not on a terminal."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        model = train(faces)
    return SimpleNamespace(model=model, printed=printed.getvalue())


def test_trained_classifier_sees_colours(faces, classifier):
    held_out = faces.file_names("val") + faces.file_names("test")
    logits, _ = classify(classifier.model, vaelib.load_images(faces, held_out, 16))
    right = (logits > 0) == faces.attributes.loc[held_out, COLOURS].to_numpy()
    assert right.mean() > 0.9


def test_training_prints_one_plain_line(classifier):
    lines = [line for line in classifier.printed.splitlines() if "Training" in line]
    assert lines == ["Training a classifier of 3 attributes: 30 steps."]


def test_training_repeats_with_its_seed(faces, classifier):
    for first, second in zip(classifier.model.get_weights(), train(faces).get_weights()):
        np.testing.assert_allclose(first, second, atol=1e-4)


def test_unknown_attribute_of_a_classifier(faces):
    with pytest.raises(KeyError, match="Beauty"):
        train_classifier(faces, ["Beauty"], 1)


# ------------------------------------------------------------------ what is kept beside the faces


@pytest.fixture
def small_faces(tmp_path, draw_folder):
    return vaelib.read_faces(
        draw_folder(tmp_path / "faces", 30, partition=[0] * 17 + [1, 2] * 6 + [2])
    )


@pytest.fixture
def trainings(monkeypatch):
    """Counts the trainings, and makes them short: the classifier stays as it began."""
    made = []

    def train_classifier(faces, attributes, steps, image_size):
        made.append(attributes)
        return build_classifier(len(attributes), image_size)

    monkeypatch.setattr(metrics, "train_classifier", train_classifier)
    return made


def kept(faces, suffix):
    (path,) = (faces.folder / ".cache").glob(f"*.{suffix}")
    return path


def test_a_second_time_nothing_is_trained(small_faces, trainings):
    first = FaceFeatures(small_faces, 16)
    second = FaceFeatures(small_faces, 16)
    assert trainings == [["Smiling", "Male", "Young", "Eyeglasses"]]  # nobody is bald
    assert first.attributes == second.attributes == trainings[0]
    pictures = vaelib.load_images(small_faces, image_size=16)
    np.testing.assert_allclose(first.logits(pictures), second.logits(pictures), atol=1e-5)
    assert first.distance(pictures) == pytest.approx(second.distance(pictures), rel=1e-4)
    assert not list((small_faces.folder / ".cache").glob(f"{ASIDE}*"))


def test_training_faces_are_at_no_distance(small_faces, trainings):
    measure = FaceFeatures(small_faces, 16)
    pictures = vaelib.load_images(small_faces, small_faces.file_names("train"), 16)
    scale = np.trace(measure.reference[1])
    assert measure.distance(pictures) < 1e-3 * scale
    assert measure.distance(1 - pictures) > 0.1 * scale


@pytest.mark.parametrize("content", [b"", b"no archive", bytes(5000), None])
def test_broken_files_are_replaced(small_faces, trainings, content, capsys):
    first = FaceFeatures(small_faces, 16)
    for suffix in ("keras", "npz"):
        path = kept(small_faces, suffix)
        path.write_bytes(path.read_bytes()[:300] if content is None else content)
    second = FaceFeatures(small_faces, 16)
    assert len(trainings) == 2
    said = capsys.readouterr().out
    assert all(f"{kept(small_faces, suffix)} is damaged" in said for suffix in ("keras", "npz"))
    FaceFeatures(small_faces, 16)
    assert len(trainings) == 2
    assert first.reference[0].shape == second.reference[0].shape


def test_a_folder_that_cannot_be_written_to_does_without(small_faces, trainings, monkeypatch):
    # For root every folder can be written to, so the answer is faked.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    for _ in range(2):
        assert FaceFeatures(small_faces, 16).reference[0].shape == (256,)
    assert len(trainings) == 2
    assert not (small_faces.folder / ".cache").exists()


def test_other_labels_another_split_or_size_train_anew(small_faces, trainings):
    FaceFeatures(small_faces, 16)
    attributes = small_faces.attributes.copy()
    attributes.loc[attributes.index[0], "Smiling"] ^= True
    FaceFeatures(replace(small_faces, attributes=attributes), 16)
    splits = small_faces.splits.iloc[::-1].set_axis(small_faces.splits.index)
    FaceFeatures(replace(small_faces, splits=splits), 16)
    FaceFeatures(small_faces, 32)
    assert len(trainings) == 4


# ------------------------------------------------------------------ all of them


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
    assert result["rmse"] == pytest.approx(rmse(pictures, vae.reconstruct(pictures)), rel=1e-6)
    assert result["sigma"] * 255 == pytest.approx(result["rmse_sampled"])
    assert result["active_units"] == active_units(vae.encode(pictures))


def test_evaluate_repeats_and_takes_a_split(faces, vae):
    assert evaluate(vae, faces, "val") == evaluate(vae, faces, "val")
    assert evaluate(vae, faces, "val", seed=1) != evaluate(vae, faces, "val")
    assert evaluate(vae, faces)["faces"] == len(faces.file_names("test"))


@pytest.fixture
def lonely_faces(tmp_path, draw_folder):
    """One face validates, and one tests."""
    return vaelib.read_faces(draw_folder(tmp_path / "lonely", 20, partition=[0] * 18 + [1, 2]))


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


def test_faces_that_teach_a_classifier_nothing(lonely_faces, trainings, one_sentence):
    one = replace(lonely_faces, splits=lonely_faces.splits.replace("train", "val"))
    one.splits.iloc[0] = "train"
    alike = replace(lonely_faces, attributes=lonely_faces.attributes | True)
    for faces, part in [(one, "'train'"), (alike, "same attributes")]:
        with pytest.raises(ValueError) as error:
            FaceFeatures(faces, 16)
        one_sentence(error.value, part, faces.folder)
    assert trainings == []


def test_evaluate_with_features_adds_four_distances(small_faces, vae, trainings):
    features = FaceFeatures(small_faces, vae.image_size)
    result = evaluate(vae, small_faces, "test", features, samples=20)
    names = ["fc_reconstructions", "fc_prior", "fc_gaussian", "fc_images"]
    assert list(result) == [*KEYS, *names]
    pictures = vaelib.load_images(small_faces, small_faces.file_names("test"), vae.image_size)
    assert result["fc_images"] == pytest.approx(features.distance(pictures))
    assert result["fc_prior"] == pytest.approx(features.distance(vae.sample(20, prior=True)))
