"""What importing vaelib does, and who imports whom."""

import ast
import json
import sys
from pathlib import Path

import numpy as np
import pytest

import vaelib
from vaelib.runs import PRETRAINED

PACKAGE = Path(vaelib.__file__).parent
ORDER = [
    "start",
    "archives",
    "resize",
    "images",
    "data",
    "celeba",
    "checks",
    "scales",
    "model",
    "optimizer",
    "training",
    "photo",
    "latent",
    "metrics",
    "edits",
    "plots",
    "widgets",
    "__main__",
]  # a module imports from those to its left
MODULES = sorted(path.stem for path in PACKAGE.glob("*.py") if path.stem != "__init__")


def imports(path: Path) -> set[str]:
    """Full names of what a file imports, wherever in the file it does so."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def ours(path: Path) -> set[str]:
    """Modules of vaelib that a file imports."""
    return {name.split(".")[1] for name in imports(path) if name.startswith("vaelib.")}


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


def test_every_public_name_is_there():
    for name in vaelib.__all__:
        assert getattr(vaelib, name).__doc__, name
    assert sorted(vaelib.__all__) == sorted(set(vaelib.__all__))


def test_every_module_has_its_place_in_the_order():
    assert set(MODULES) <= set(ORDER)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_from_those_above_it(module):
    above = set(ORDER[: ORDER.index(module)])
    assert ours(PACKAGE / f"{module}.py") <= above


@pytest.mark.parametrize("module", ["archives", "resize", "optimizer", "latent"])
def test_these_can_be_read_on_their_own(module):
    assert ours(PACKAGE / f"{module}.py") == set()


@pytest.mark.parametrize("module", [m for m in MODULES if m != "edits"])
def test_no_module_but_edits_knows_the_portraits(module):
    roots = {name.split(".")[0] for name in imports(PACKAGE / f"{module}.py")}
    assert "portraits" not in roots


def test_the_model_needs_keras_numpy_and_our_own_writing_of_files():
    roots = {name.split(".")[0] for name in imports(PACKAGE / "model.py")}
    assert roots - set(sys.stdlib_module_names) == {"keras", "numpy", "vaelib"}
