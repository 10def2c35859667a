"""Start Keras as the course needs it: on TensorFlow, with its usual numbers, and quietly."""

import os
import sys
from pathlib import Path

from groundwork.quiet import stderr_kept

BACKEND = "tensorflow"


def start_keras() -> None:
    """Import Keras, and let no keras.json that a user keeps for other projects count.

    Raises:
        ImportError: KERAS_BACKEND, or a program that imported Keras before us, has chosen another
            backend; or Keras can't read its keras.json.
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
    _check_backend(os.environ.get("KERAS_BACKEND") or BACKEND, "KERAS_BACKEND is")
    os.environ["KERAS_BACKEND"] = BACKEND
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
        keras.ops.zeros(1)  # the first operation logs, too


def _check_backend(name: str, where: str) -> None:
    if name != BACKEND:
        raise ImportError(
            f"{where} {name!r}, and vaelib runs on {BACKEND} alone: set KERAS_BACKEND={BACKEND} or "
            "unset it, start Python again, and import vaelib first."
        )


def _settings() -> Path:
    folder = os.environ.get("KERAS_HOME", os.path.join(os.path.expanduser("~"), ".keras"))
    return Path(folder).expanduser() / "keras.json"
