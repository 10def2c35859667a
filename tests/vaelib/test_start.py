"""How Keras is started: quietly, and as the course needs it."""

import json
import sys
from importlib.util import find_spec

import numpy as np
import pytest

import vaelib
from vaelib import start


@pytest.mark.parametrize(
    ("arguments", "tasks", "backend"),
    [
        (["-m", "train", "--out", "x"], None, "tensorflow"),
        (["-m", "train", "--processes", "2"], None, "jax"),
        (["-m", "train", "--processes=1"], None, "jax"),
        (["-m", "train", "--out", "x"], "2", "jax"),
        (["-m", "train", "--out", "x"], "1", "tensorflow"),
        (["-m", "evaluate", "mine"], "2", "tensorflow"),
        (["-m", "launch", "train"], None, "tensorflow"),
        (["notebook"], "2", "tensorflow"),
    ],
)
def test_one_of_several_processes_trains_on_jax(monkeypatch, arguments, tasks, backend):
    monkeypatch.setattr(sys, "argv", arguments)
    if tasks:
        for name in ("SLURM_JOB_ID", "SLURM_STEP_NODELIST", "SLURM_LOCALID", "SLURM_PROCID"):
            monkeypatch.setenv(name, "0")
        monkeypatch.setenv("SLURM_NTASKS", tasks)
    assert start._usual_backend() == backend


@pytest.mark.slow
def test_importing_vaelib_prints_nothing_and_leaves_stderr_open(python):
    """Nor does the first operation, which starts the backend."""
    code = "import vaelib, keras, os; os.write(2, b'one '); keras.ops.zeros(1); os.write(2, b'two')"
    done = python("-c", code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "one two")


@pytest.mark.slow
def test_importing_vaelib_computes_nothing(python):
    """Devices can still be set up afterwards: an operation before would make this fail."""
    code = """
import vaelib, tensorflow as tf
(cpu,) = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
print(len(tf.config.list_logical_devices("CPU")))
"""
    done = python("-c", code)
    assert (done.returncode, done.stdout) == (0, "2\n"), done.stderr


@pytest.mark.slow
@pytest.mark.skipif(find_spec("jax") is None, reason="JAX is not installed")
def test_on_jax_tensorflow_leaves_the_gpu_alone_and_nothing_is_printed(python, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    code = """
import vaelib, keras, tensorflow as tf
vae = vaelib.VAE(vaelib.build_encoder(32, 2), vaelib.build_decoder(32, 2))
print(keras.backend.backend(), vae.sample(2).shape, tf.config.get_visible_devices("GPU"))
"""
    done = python("-c", code)
    assert (done.returncode, done.stdout) == (0, "jax (2, 32, 32, 3) []\n"), done.stderr
    assert done.stderr == ""


@pytest.mark.slow
def test_a_keras_json_of_other_projects_changes_nothing(python, tmp_path, monkeypatch):
    """The same latents, though it asks for a backend that is not there and for other numbers."""
    asked = {"backend": "torch", "floatx": "float64", "image_data_format": "channels_first"}
    (tmp_path / "keras.json").write_text(json.dumps({**asked, "epsilon": 0.1}))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delenv("KERAS_BACKEND")
    code = """
import json
import vaelib, keras
images = keras.ops.full((1, 64, 64, 3), 0.5)
latents = vaelib.load_model("pretrained").encode(images)
vae = vaelib.VAE(vaelib.build_encoder(32, 2), vaelib.build_decoder(32, 2))
settings = [str(images.dtype), vae.dtype, keras.config.image_data_format(), keras.config.epsilon()]
print(json.dumps([settings, latents.tolist()]))
"""
    done = python("-c", code)
    assert done.returncode == 0, done.stderr
    settings, latents = json.loads(done.stdout)
    assert settings == ["<dtype: 'float32'>", "float32", "channels_last", 1e-7]
    expected = vaelib.load_model("pretrained").encode(np.full((1, 64, 64, 3), 0.5, "float32"))
    np.testing.assert_allclose(latents, expected, rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("command", [["-m", "vaelib", "--help"], ["-c", "import vaelib"]])
def test_another_backend_is_refused_in_one_sentence(python, monkeypatch, command, one_sentence):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    done = python(*command)
    *before, last = done.stderr.splitlines()
    one_sentence(last, "KERAS_BACKEND is 'torch'", "set KERAS_BACKEND=tensorflow")
    if command[0] == "-m":
        assert (done.returncode, before, last.split()[0]) == (2, [], "error:")
    else:
        assert (done.returncode, last.split()[0]) == (1, "ImportError:")


@pytest.mark.parametrize(("backend", "missing"), [("jax", "jax"), ("jax", "tensorflow")])
def test_a_backend_that_is_not_installed_is_one_sentence(
    monkeypatch, backend, missing, one_sentence
):
    monkeypatch.setenv("KERAS_BACKEND", backend)
    monkeypatch.setattr(start, "find_spec", lambda name: None if name == missing else object())
    with pytest.raises(ImportError) as error:
        start.start_keras()
    one_sentence(error.value, f"{missing} is not installed", f"pip install {missing}`")


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
    assert (done.returncode, done.stdout) == (0, "384\n")
