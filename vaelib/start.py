"""Start Keras as the course needs it: quietly, with its usual numbers, on TensorFlow or JAX."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

from groundwork.quiet import stderr_kept
from vaelib.cluster import place_in_cluster

BACKENDS = ("tensorflow", "jax")  # the first one, unless KERAS_BACKEND names the other


def start_keras() -> None:
    """Import Keras, and ignore the settings in the user's keras.json.

    Raises:
        ImportError: KERAS_BACKEND, or a program that imported Keras before us, has chosen another
            backend; or the backend is not installed; or Keras can't read its keras.json.
        SystemExit: the same, after a line on stderr, while `python -m vaelib` begins.
    """
    try:
        _import_keras()
    except ImportError as error:
        if sys.argv[:1] != ["-m"]:
            raise
        print(f"error: {error}", file=sys.stderr)  # our `main`, which does so, is not there yet
        raise SystemExit(2) from None


def _import_keras() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    backend = os.environ.get("KERAS_BACKEND") or _usual_backend()
    _check_backend(backend, "KERAS_BACKEND is")
    _check_installed(backend)
    os.environ["KERAS_BACKEND"] = backend
    with stderr_kept():
        try:
            import keras
        except (ValueError, TypeError, AttributeError, OSError) as error:
            raise ImportError(
                f"Keras does not start ({error}), perhaps because of {_settings()}: correct that "
                "file or delete it, and start Python again."
            ) from error
        _check_backend(keras.config.backend(), "Keras was imported before vaelib, with the backend")
        if keras.config.floatx() != "float32":
            keras.config.set_floatx("float32")
            keras.config.set_dtype_policy("float32")
        keras.config.set_image_data_format("channels_last")
        keras.config.set_epsilon(1e-7)


def _usual_backend() -> str:
    """JAX for `python -m vaelib train` in one of several processes, else TensorFlow."""
    is_train = sys.argv[:2] == ["-m", "train"]  # as Python sets them while a package begins
    asked = any(argument.split("=")[0] == "--processes" for argument in sys.argv)
    in_several = asked or place_in_cluster(os.environ) is not None
    return BACKENDS[is_train and in_several]


def _check_backend(name: str, where: str) -> None:
    if name not in BACKENDS:
        raise ImportError(
            f"{where} {name!r}, and vaelib runs on {' or '.join(BACKENDS)}: set "
            f"KERAS_BACKEND={BACKENDS[0]} or unset it, start Python again, and import vaelib first."
        )


def _check_installed(backend: str) -> None:
    for name in {BACKENDS[0], backend}:  # TensorFlow reads the faces, whatever computes
        if find_spec(name) is None:
            raise ImportError(
                f"The package {name} is not installed: install it with "
                f"`python -m pip install {name}`, and start Python again."
            )


def _settings() -> Path:
    folder = os.environ.get("KERAS_HOME", os.path.join(os.path.expanduser("~"), ".keras"))
    return Path(folder).expanduser() / "keras.json"
