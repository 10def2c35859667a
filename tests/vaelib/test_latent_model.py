"""What one does with a trained model: encode, decode, sample, and keep it in a file."""

import errno
import math
import warnings

import keras
import numpy as np
import pytest
from keras import layers, ops

from groundwork import files
from vaelib import make_dataset
from vaelib.model import VAE, build_decoder, build_encoder

SIZE, LATENT_DIM = 32, 4


def quietly_loaded(path) -> VAE:
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        return keras.saving.load_model(path)


def test_encode_gives_posterior_means(vae, images):
    z = vae.encode(images)
    assert z.shape == (30, 4)
    assert z.dtype == np.float32
    assert isinstance(z, np.ndarray)
    np.testing.assert_allclose(z, vae.encoder(images, training=False)[0], atol=1e-5)
    np.testing.assert_array_equal(z, vae.encode(images))


def test_decode_gives_faces(vae):
    z = np.random.default_rng(0).normal(size=(5, 4))
    decoded = vae.decode(z)
    assert decoded.shape == (5, 32, 32, 3)
    assert decoded.dtype == np.float32
    assert 0 <= decoded.min() <= decoded.max() <= 1
    np.testing.assert_array_equal(decoded, vae.decode(z.astype("float32")))


@pytest.mark.parametrize("batch_size", [1, 7, 30, 1000])
def test_the_batch_size_does_not_matter(vae, images, batch_size):
    z = vae.encode(images)
    np.testing.assert_allclose(vae.encode(images, batch_size), z, atol=1e-5)
    np.testing.assert_allclose(vae.decode(z, batch_size), vae.decode(z), atol=1e-5)


def test_a_face_is_encoded_alike_whoever_stands_beside_it(vae, images):
    np.testing.assert_allclose(vae.encode(images[3:4]), vae.encode(images)[3:4], atol=1e-5)


def test_reconstruct_is_encode_then_decode(vae, images):
    np.testing.assert_array_equal(vae.reconstruct(images), vae.decode(vae.encode(images)))


def test_encode_and_decode_take_tensors_and_lists(vae, images):
    np.testing.assert_array_equal(
        vae.encode(ops.convert_to_tensor(images[:2])), vae.encode(images[:2])
    )
    np.testing.assert_array_equal(vae.decode([[0.0] * 4]), vae.decode(np.zeros((1, 4))))


def test_samples_come_from_the_prior_by_seed(vae):
    one = vae.sample(6, seed=3)
    assert one.shape == (6, 32, 32, 3)
    assert one.dtype == np.float32
    np.testing.assert_array_equal(one, vae.sample(6, seed=3))
    assert not np.allclose(one, vae.sample(6, seed=4))
    z = np.random.default_rng(3).standard_normal((6, 4))
    np.testing.assert_array_equal(one, vae.decode(z))


def test_sampling_is_not_at_the_mercy_of_the_global_seed(vae):
    keras.utils.set_random_seed(1)
    one = vae.sample(2)
    keras.utils.set_random_seed(2)
    np.testing.assert_array_equal(one, vae.sample(2))


def test_images_of_another_size_are_one_sentence(vae, one_sentence):
    wrong = np.zeros((2, 64, 64, 3), "float32")
    for function in (vae.encode, vae.reconstruct):
        with pytest.raises(ValueError) as error:
            function(wrong)
        one_sentence(error.value, "64 x 64", "32 x 32", "load them with image_size=32.")


def test_a_single_image_is_one_sentence(vae, one_sentence):
    with pytest.raises(ValueError) as error:
        vae.encode(np.zeros((32, 32, 3)))
    one_sentence(error.value, "(32, 32, 3)", "(n, 32, 32, 3)")


def test_grey_images_are_one_sentence(vae, one_sentence):
    with pytest.raises(ValueError) as error:
        vae.encode(np.zeros((2, 32, 32, 1)))
    one_sentence(error.value, "(2, 32, 32, 1)", "(n, 32, 32, 3)")


def test_latents_of_another_length_are_one_sentence(vae, one_sentence):
    for wrong in (np.zeros((2, 5)), np.zeros(4), np.zeros(())):
        with pytest.raises(ValueError) as error:
            vae.decode(wrong)
        one_sentence(error.value, wrong.shape, "(n, 4)")


def test_nothing_to_encode_or_decode_is_one_sentence(vae, one_sentence):
    for ask in (
        lambda: vae.encode(np.zeros((0, 32, 32, 3))),
        lambda: vae.encode([]),
        lambda: vae.decode(np.zeros((0, 4))),
        lambda: vae.sample(0),
    ):
        with pytest.raises(ValueError) as error:
            ask()
        one_sentence(error.value, "at least one")


@pytest.fixture(scope="module")
def fitted(new_vae, images) -> VAE:
    vae = new_vae(2)
    vae.fit_latents(images)
    return vae


def test_the_gaussian_is_that_of_the_formula(fitted, images):
    z_mean, z_log_var, _ = (np.asarray(z, "float64") for z in fitted.encoder(images))
    np.testing.assert_allclose(fitted.latent_mean, z_mean.mean(axis=0), atol=1e-5)
    centred = z_mean - z_mean.mean(axis=0)
    expected = centred.T @ centred / 29 + np.diag(np.exp(z_log_var).mean(axis=0))
    covariance = fitted.latent_factor @ fitted.latent_factor.T
    np.testing.assert_allclose(covariance, expected, rtol=1e-4, atol=1e-5)


def test_the_gaussian_is_that_of_many_draws(fitted, images):
    z_mean, z_log_var = fitted.posterior(images)
    many = (4000, *z_mean.shape)
    z = z_mean + np.exp(0.5 * z_log_var) * np.random.default_rng(0).standard_normal(many)
    # Draws spread around the mean of these 30 faces, so the covariance is over 30, not 29.
    between = np.cov(z_mean, rowvar=False)
    expected = np.cov(z.reshape(-1, LATENT_DIM), rowvar=False) + between / 30
    deviation = np.sqrt(np.diag(expected))
    error = np.outer(deviation, deviation) / math.sqrt(4000 * 30)
    covariance = fitted.latent_factor @ fitted.latent_factor.T
    assert (np.abs(covariance - expected) < 6 * error).all()
    assert np.abs(fitted.latent_mean - z.mean((0, 1))).max() < 6 * (deviation / 346).max()


def test_samples_come_from_the_fitted_gaussian(fitted):
    z = fitted.sample_latents(200_000, seed=1)
    assert z.dtype == np.float32
    np.testing.assert_allclose(z.mean(axis=0), fitted.latent_mean, atol=0.02)
    expected = fitted.latent_factor @ fitted.latent_factor.T
    np.testing.assert_allclose(np.cov(z, rowvar=False), expected, atol=0.05)
    np.testing.assert_array_equal(fitted.sample(3, 1), fitted.decode(fitted.sample_latents(3, 1)))


def test_samples_of_the_prior_do_not_know_the_fitted_gaussian(fitted, new_vae):
    draws = np.random.default_rng(3).standard_normal((5, LATENT_DIM))
    np.testing.assert_allclose(fitted.sample_latents(5, 3, prior=True), draws, rtol=1e-6)
    np.testing.assert_array_equal(fitted.sample(5, 3, prior=True), fitted.decode(draws))
    assert not np.allclose(fitted.sample_latents(5, 3), draws, atol=0.1)


def test_before_fit_latents_the_gaussian_is_the_prior(vae):
    np.testing.assert_array_equal(vae.sample(4), vae.sample(4, prior=True))


def test_truncation_draws_faces_towards_the_mean(fitted):
    mean_face = fitted.decode(fitted.latent_mean[None])
    for face in fitted.sample(3, truncation=0.0):
        np.testing.assert_allclose(face, mean_face[0], atol=1e-6)
    prior_mean = fitted.sample_latents(3, prior=True, truncation=0.0)
    np.testing.assert_array_equal(prior_mean, np.zeros((3, LATENT_DIM)))
    full, half = (fitted.sample_latents(9, truncation=t) - fitted.latent_mean for t in (1, 0.5))
    np.testing.assert_allclose(half, full / 2, atol=1e-5)


def test_a_collapsed_latent_has_a_gaussian_too(new_vae, images):
    vae = new_vae()
    for layer in vae.encoder.layers:
        if isinstance(layer, layers.Dense):  # both heads ignore the face: z is N(0, 1) for all
            layer.set_weights([np.zeros_like(weight) for weight in layer.get_weights()])
    vae.fit_latents(images)
    np.testing.assert_allclose(vae.latent_mean, np.zeros(LATENT_DIM), atol=1e-6)
    np.testing.assert_allclose(vae.latent_factor, np.eye(LATENT_DIM), atol=1e-6)
    assert np.isfinite(vae.sample(2)).all()


@pytest.mark.parametrize("latent_dim", [1, 40])
def test_one_latent_or_more_latents_than_faces_have_a_gaussian(new_vae, images, latent_dim):
    vae = new_vae(latent_dim=latent_dim)
    vae.fit_latents(images[:10])
    assert vae.latent_factor.shape == (latent_dim, latent_dim)
    assert np.isfinite(vae.sample(2)).all()


def test_the_gaussian_can_be_fitted_to_batches(fitted, faces, new_vae, images):
    vae = new_vae(2)
    vae.fit_latents(make_dataset(faces, "train", SIZE, 5, shuffle=False))
    again = new_vae(2)
    again.fit_latents(images[:17])
    np.testing.assert_allclose(vae.latent_factor, again.latent_factor, atol=1e-5)
    np.testing.assert_allclose(vae.latent_mean, again.latent_mean, atol=1e-5)


@pytest.mark.slow
def test_a_reloaded_model_samples_alike_in_a_new_process(fitted, python, tmp_path):
    fitted.save(tmp_path / "vae.keras")
    code = """
import sys, vaelib, keras, numpy as np
vae = keras.saving.load_model(sys.argv[1])
np.savez("out.npz", fitted=vae.sample_latents(5, 7), prior=vae.sample_latents(5, 7, prior=True),
         faces=vae.sample(2), mean=vae.latent_mean, factor=vae.latent_factor)
"""
    done = python("-W", "error::UserWarning", "-c", code, tmp_path / "vae.keras", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    out = np.load(tmp_path / "out.npz")
    np.testing.assert_array_equal(out["mean"], fitted.latent_mean)
    np.testing.assert_array_equal(out["factor"], fitted.latent_factor)
    np.testing.assert_allclose(out["fitted"], fitted.sample_latents(5, 7), atol=1e-6)
    np.testing.assert_allclose(out["prior"], fitted.sample_latents(5, 7, prior=True), atol=1e-6)
    np.testing.assert_allclose(out["faces"], fitted.sample(2), atol=1e-5)


@pytest.mark.slow
def test_a_saved_model_reads_the_same_in_a_new_process(course_vae, images, python, tmp_path):
    """Safe mode, no custom objects: nothing but `import vaelib`."""
    z = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    np.savez(tmp_path / "in.npz", images=images[:5], z=z)
    course_vae.save(tmp_path / "vae.keras")
    code = """
import sys, vaelib, keras, numpy as np
given = np.load("in.npz")
vae = keras.saving.load_model(sys.argv[1])
assert type(vae) is vaelib.VAE, type(vae)
np.savez("out.npz", encoded=vae.encode(given["images"]), decoded=vae.decode(given["z"]),
         sigma=vae.sigma, weights=np.concatenate([w.ravel() for w in vae.get_weights()]))
"""
    done = python("-W", "error::UserWarning", "-c", code, tmp_path / "vae.keras", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    out = np.load(tmp_path / "out.npz")
    np.testing.assert_array_equal(
        out["weights"], np.concatenate([w.ravel() for w in course_vae.get_weights()])
    )
    np.testing.assert_allclose(out["encoded"], course_vae.encode(images[:5]), rtol=0, atol=1e-6)
    np.testing.assert_allclose(out["decoded"], course_vae.decode(z), rtol=0, atol=1e-6)
    assert out["sigma"] == course_vae.sigma


def test_a_checkpoint_goes_on_where_it_stopped(new_vae, images, tmp_path):
    """The optimizer is in it, and loading it gives no warning."""
    vae = new_vae()
    vae.compile(keras.optimizers.Adam(3e-4), run_eagerly=True)
    vae.fit(images[:20], batch_size=5, verbose=0)
    vae.save(tmp_path / "checkpoint.keras")
    copy = quietly_loaded(tmp_path / "checkpoint.keras")
    assert copy.compiled
    assert int(copy.optimizer.iterations) == 4
    assert float(copy.optimizer.learning_rate) == pytest.approx(3e-4)
    assert copy.jit_compile is False
    for a, b in zip(vae.optimizer.variables, copy.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a, b)
    copy.fit(images[:20], batch_size=5, verbose=0)
    assert int(copy.optimizer.iterations) == 8


def test_a_model_that_was_never_compiled_saves_and_loads(vae, images, tmp_path):
    vae.save(tmp_path / "vae.keras")
    copy = quietly_loaded(str(tmp_path / "vae.keras"))
    np.testing.assert_array_equal(copy.encode(images[:2]), vae.encode(images[:2]))


@pytest.fixture
def failing_save(monkeypatch):
    """Keras fails in the middle of a file."""

    def fail(self, store):
        raise OSError("No space left on device")

    monkeypatch.setattr(layers.Dense, "save_own_variables", fail)


def test_a_save_that_fails_leaves_the_old_file_whole(new_vae, images, tmp_path, failing_save):
    path = tmp_path / "vae.keras"
    path.write_bytes(b"the old model")
    with pytest.raises(OSError, match="No space left"):
        new_vae().save(path)
    assert path.read_bytes() == b"the old model"
    assert list(tmp_path.iterdir()) == [path]


def test_a_save_on_a_full_disk_is_one_sentence(vae, tmp_path, monkeypatch, one_sentence):
    def full(path):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files, "sync", full)
    path = tmp_path / "vae.keras"
    path.write_bytes(b"the old model")
    with pytest.raises(files.DiskFull) as error:
        vae.save(path)
    one_sentence(error.value, path, "make room")
    assert path.read_bytes() == b"the old model"
    assert list(tmp_path.iterdir()) == [path]


def test_a_first_save_that_fails_leaves_nothing(vae, tmp_path, failing_save):
    with pytest.raises(OSError, match="No space left"):
        vae.save(tmp_path / "vae.keras")
    assert list(tmp_path.iterdir()) == []


def test_saving_leaves_one_file_and_replaces_the_old(vae, tmp_path):
    path = tmp_path / "vae.keras"
    path.write_bytes(b"the old model")
    vae.save(path)
    assert list(tmp_path.iterdir()) == [path]
    assert quietly_loaded(path).latent_dim == 4


def test_overwrite_false_keeps_the_old_file(vae, tmp_path, one_sentence):
    path = tmp_path / "vae.keras"
    path.write_bytes(b"the old model")
    with pytest.raises(FileExistsError) as error:
        vae.save(path, overwrite=False)
    one_sentence(error.value, path, "another name", "overwrite=True")
    assert path.read_bytes() == b"the old model"
    vae.save(tmp_path / "new.keras", overwrite=False)
    assert quietly_loaded(tmp_path / "new.keras").latent_dim == 4


def test_a_model_compiled_and_never_trained_loads_without_a_warning(new_vae, tmp_path):
    vae = new_vae()
    vae.compile()
    vae.save(tmp_path / "compiled.keras")
    assert quietly_loaded(str(tmp_path / "compiled.keras")).compiled


def test_the_gains_are_kept_in_the_file(course_vae, images, tmp_path):
    vae = VAE(build_encoder(SIZE, LATENT_DIM), build_decoder(SIZE, LATENT_DIM))
    vae.sharpen.gains.assign([1.3, 1.2, 1.1])
    vae.save(tmp_path / "vae.keras")
    loaded = quietly_loaded(tmp_path / "vae.keras")
    np.testing.assert_array_equal(loaded.sample(3), vae.sample(3))
    np.testing.assert_allclose(loaded.sharpen.gains, [1.3, 1.2, 1.1])


def test_sharpening_changes_the_pictures_and_not_the_elbo(new_vae, images, monkeypatch):
    vae = new_vae(sigma=0.2)
    monkeypatch.setattr(keras.random, "normal", lambda shape, **_: ops.zeros(shape))
    vae.compile()
    losses = [vae.evaluate(images, verbose=0, return_dict=True)]
    plain = vae.reconstruct(images)
    vae.fit_sharpness(images)
    losses.append(vae.evaluate(images, verbose=0, return_dict=True))
    assert losses[0] == losses[1]
    np.testing.assert_allclose(vae.reconstruct(images, sharpen=False), plain, atol=1e-5)
    assert np.abs(vae.reconstruct(images) - plain).mean() > 1e-3
    np.testing.assert_allclose(
        vae.reconstruct(images), ops.convert_to_numpy(vae.sharpen(plain)), atol=1e-5
    )


def test_sliders_get_the_pictures_that_decode_gives(course_vae):
    course_vae.sharpen.gains.assign([1.3, 1.2, 1.1])
    z = np.random.default_rng(0).standard_normal((3, LATENT_DIM)).astype("float32")
    np.testing.assert_allclose(
        course_vae.picture_model.predict_on_batch(z), course_vae.decode(z), atol=1e-5
    )
    course_vae.sharpen.gains.assign([1.0, 1.0, 1.0])
