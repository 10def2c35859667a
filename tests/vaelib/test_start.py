"""How Keras is started: quietly, and as the course needs it."""

import json
import sys

import numpy as np
import pytest

import vaelib
from vaelib.runs import PRETRAINED


@pytest.mark.slow
def test_importing_vaelib_prints_nothing_and_leaves_stderr_open(python):
    code = "import vaelib, os, sys; os.write(2, b'one '); print('two', file=sys.stderr)"
    done = python("-c", code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "one two\n")


@pytest.mark.slow
def test_a_keras_json_of_other_projects_changes_nothing(python, tmp_path, monkeypatch):
    """The same latents, though it asks for a backend that is not there and for other numbers."""
    asked = {"backend": "torch", "floatx": "float64", "image_data_format": "channels_first"}
    (tmp_path / "keras.json").write_text(json.dumps({**asked, "epsilon": 0.1}))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delenv("KERAS_BACKEND")
    code = f"""
import json
import vaelib, keras
images = keras.ops.full((1, 64, 64, 3), 0.5)
latents = vaelib.load_model({str(PRETRAINED)!r}).encode(images)
vae = vaelib.VAE(vaelib.build_encoder(32, 2), vaelib.build_decoder(32, 2))
settings = [str(images.dtype), vae.dtype, keras.config.image_data_format(), keras.config.epsilon()]
print(json.dumps([settings, latents.tolist()]))
"""
    done = python("-c", code)
    assert done.returncode == 0, done.stderr
    settings, latents = json.loads(done.stdout)
    assert settings == ["<dtype: 'float32'>", "float32", "channels_last", 1e-7]
    expected = vaelib.load_model(PRETRAINED).encode(np.full((1, 64, 64, 3), 0.5, "float32"))
    np.testing.assert_allclose(latents, expected, rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("command", [["-m", "vaelib", "--help"], ["-c", "import vaelib"]])
def test_another_backend_is_refused_in_one_sentence(python, monkeypatch, command, one_sentence):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    done = python(*command)
    *before, last = done.stderr.splitlines()
    one_sentence(last, "KERAS_BACKEND is 'jax'", "set KERAS_BACKEND=tensorflow")
    if command[0] == "-m":
        assert (done.returncode, before, last.split()[0]) == (2, [], "error:")
    else:
        assert (done.returncode, last.split()[0]) == (1, "ImportError:")


@pytest.mark.slow
def test_a_keras_json_that_stops_keras_is_named(python, monkeypatch, tmp_path, one_sentence):
    (tmp_path / "keras.json").write_text(json.dumps({"floatx": "float7"}))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    done = python("-m", "vaelib", "--help")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    one_sentence(line, "float7", tmp_path / "keras.json", "delete it")


@pytest.mark.slow
@pytest.mark.parametrize("end", ["raise ImportError('no AVX')", "os.abort()"])
def test_a_start_that_fails_shows_what_was_logged(python, monkeypatch, tmp_path, end):
    """With a stand-in for Keras, which does what TensorFlow does on a processor without AVX."""
    (tmp_path / "keras.py").write_text(f"import os; os.write(2, b'It needs AVX.\\n'); {end}\n")
    path = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import vaelib"
    done = python("-c", path)
    assert done.returncode != 0
    assert done.stderr.splitlines()[0] == "It needs AVX."


@pytest.mark.slow
def test_importing_vaelib_needs_no_stderr(python):
    code = "import vaelib; print(vaelib.load_model().latent_dim)"
    closed = f"import os; os.close(2); os.execv({sys.executable!r}, ['python', '-c', {code!r}])"
    done = python("-c", closed)
    assert (done.returncode, done.stdout) == (0, "256\n")
