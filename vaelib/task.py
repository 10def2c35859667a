"""The wrap-up task: three broken runs, what is measured on a model, and when one is mended.

It runs in the learner's notebook; `vaelib.marking` gives the points.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from keras import ops
from PIL import Image

from groundwork.places import course_folder
from vaelib.metrics import kl_per_latent, rmse
from vaelib.model import VAE, build_decoder, build_encoder

RUNS = ("a", "b", "c")
SIZE = 32  # pixels of a face, so that a training takes less than a minute
SHOWN = 8  # faces in a row of the pictures
ROWS = ("trained on", "came back", "new", "new, by means", "new, by draws", "samples")
IN_USE = 0.1  # nats that a latent in use carries at least

# When a model counts as mended; docs/teaching/marking.md says why.
LEAST_KL = 25  # nats per face
LARGEST_ERROR = 25  # grey levels, of new faces
LARGEST_RATIO = 1.3  # of two errors that should be alike
LARGEST_DEVIATION = 0.9  # of the clouds, on average
LEAST_PRICE = 100  # nats that an error of 0.1 at each value costs, beside one nat of KL
LEAST_FACES = 1000  # different ones among the first 40 batches


@dataclass
class BrokenRun:
    """What is left of a run.

    Attributes:
        history: loss, reconstruction and kl after each epoch, in nats per face; with val_ those of
            validation faces.
        numbers: of `measure`.
        kl: nats of each latent, mean over new faces.
        pictures: name -> faces (SHOWN, 32, 32, 3) in [0, 1], by the names in `ROWS`.
    """

    history: pd.DataFrame
    numbers: dict[str, float]
    kl: np.ndarray
    pictures: dict[str, np.ndarray]


def read_run(name: str, folder: Path | None = None) -> BrokenRun:
    """Read one of the three broken runs, which come with the course.

    Args:
        name: "a", "b" or "c".
        folder: where they are; None means data/task/.

    Raises:
        ValueError: there is no such run.
        OSError: its files can't be read.
    """
    if name not in RUNS:
        raise ValueError(f"There is no run {name!r}: the runs are {', '.join(RUNS)}.")
    folder = course_folder() / "task" if folder is None else folder
    numbers = pd.read_csv(folder / "numbers.csv", index_col="run").loc[name]
    with Image.open(folder / f"{name}.png") as image:
        pixels = np.asarray(image.convert("RGB"), "float32") / 255
    rows = pixels.reshape(len(ROWS), SIZE, SHOWN, SIZE, 3).swapaxes(1, 2)
    return BrokenRun(
        pd.read_csv(folder / f"{name}.csv", index_col="epoch"),
        {str(key): float(value) for key, value in numbers.items()},
        pd.read_csv(folder / "kl.csv")[name].to_numpy(),
        dict(zip(ROWS, rows, strict=True)),
    )


def measure(vae: VAE, trained_on: np.ndarray, new: np.ndarray) -> dict[str, float]:
    """Measure a model for the diagnosis.

    Args:
        vae: a trained model.
        trained_on: faces from the batches that it was trained on, (n, h, w, 3) in [0, 1].
        new: faces that it has not seen, alike.

    Returns:
        kl: nats per new face; latents_in_use: those with more than 0.1 nats; deviation: of the
        clouds, mean over latents; and the root mean squared errors in grey levels, without
        sharpening: error_trained_on, error_new (both of posterior means), error_draws (of new
        faces, decoded from one draw each).
    """
    z_mean, z_log_var = vae.posterior(new)
    deviation = np.exp(z_log_var / 2)
    noise = np.random.default_rng(0).standard_normal(z_mean.shape)
    kl = kl_per_latent(z_mean, z_log_var)
    found = {
        "kl": kl.sum(),
        "latents_in_use": (kl > IN_USE).sum(),
        "deviation": deviation.mean(),
        "error_trained_on": rmse(trained_on, vae.reconstruct(trained_on, sharpen=False)),
        "error_new": rmse(new, vae.reconstruct(new, sharpen=False)),
        "error_draws": rmse(new, vae.decode(z_mean + deviation * noise, sharpen=False)),
    }
    return {name: round(float(value), 2) for name, value in found.items()}


def first_faces(batches: Iterable, count: int = 4) -> np.ndarray:
    """The faces of the first batches of a pipeline: float32 (n, h, w, 3)."""
    found = [ops.convert_to_numpy(batch) for batch, _ in zip(batches, range(count), strict=False)]
    return np.concatenate(found)


# ------------------------------------------------------------------ is a run mended?


def report(names: dict, new: np.ndarray) -> str:
    """Look whether the runs of a notebook are mended; the checker calls this in its kernel.

    Args:
        names: what the notebook has defined, its `globals()`: for each run a class such as
            `RunA`, a function such as `batches_a`, and the trained `model_a`.
        new: faces that no model was trained on.

    Returns:
        JSON: for each run, what is wrong with its code and what with its trained model, in one
        sentence each; "" if nothing is.
    """
    found = {}
    for run in RUNS:
        parts = {"code": CODE[run], "trained": TRAINED[run]}
        found[run] = {part: _tried(look, run, names, new) for part, look in parts.items()}
    return json.dumps(found)


def _tried(look: Callable, run: str, names: dict, new: np.ndarray) -> str:
    """The fault that a look finds; an error in a learner's code is one, too."""
    try:
        return look(run, names, new)
    except KeyError as error:
        return f"there is no {error.args[0]}."
    except Exception as error:  # whatever a learner's code raises
        line = (str(error).splitlines() or [""])[0][:150]
        return f"it ends with {type(error).__name__}: {line}"


def _price(run: str, names: dict, new: np.ndarray) -> str:
    """Whether errors are summed: what they cost, compared with what a nat of KL costs."""
    vae = _untrained(names[f"Run{run.upper()}"])
    x = np.full((2, SIZE, SIZE, 3), 0.5, "float32")
    z = np.zeros((2, vae.latent_dim), "float32")
    far = z.copy()
    far[:, 0] = np.sqrt(2)  # one nat
    right = {"reconstruction": x, "z_mean": z, "z_log_var": z}
    losses = [
        float(vae.compute_loss(x=x, y=None, y_pred=answer, training=False))
        for answer in (right, right | {"reconstruction": x + 0.1}, right | {"z_mean": far})
    ]
    of_error, of_nat = losses[1] - losses[0], losses[2] - losses[0]
    if of_nat <= 0:
        return "its loss does not grow with the KL divergence."
    if of_error / of_nat < LEAST_PRICE:
        return f"an error of 0.1 at each value costs only {of_error / of_nat:.2f} times a nat."
    return ""


def _draws(run: str, names: dict, new: np.ndarray) -> str:
    """Whether the decoder sees draws in training."""
    vae = _untrained(names[f"Run{run.upper()}"])
    once, again = (
        ops.convert_to_numpy(vae(new[:16], training=True)["reconstruction"]) for _ in "12"
    )
    if np.array_equal(once, again):
        return "in training, the decoder is given the same z each time a face comes."
    return ""


def _faces(run: str, names: dict, new: np.ndarray) -> str:
    """Whether the batches hold many different faces; a mirrored face is the same."""
    seen = set()
    for face in first_faces(names[f"batches_{run}"](), 40):
        pixels = np.round(255 * face).astype("uint8")
        seen.add(min(pixels.tobytes(), pixels[:, ::-1].tobytes()))
    if len(seen) < LEAST_FACES:
        return f"40 batches hold only {len(seen)} different faces."
    return ""


def _healthy(run: str, names: dict, new: np.ndarray) -> str:
    """Whether a trained model is a good one, in what all three runs have to show."""
    vae = names[f"model_{run}"]
    if not isinstance(vae, names[f"Run{run.upper()}"]):
        return f"model_{run} is no Run{run.upper()}."
    found = measure(vae, first_faces(names[f"batches_{run}"]()), new)
    if found["kl"] < LEAST_KL:
        return f"its latents carry only {found['kl']} nats per face."
    if found["deviation"] > LARGEST_DEVIATION:
        return f"its clouds have a deviation of {found['deviation']}, that of the prior."
    if found["error_draws"] > LARGEST_RATIO * found["error_new"]:
        return (
            f"draws are off by {found['error_draws']} grey levels, means by {found['error_new']}."
        )
    if found["error_new"] > LARGEST_RATIO * found["error_trained_on"]:
        seen = found["error_trained_on"]
        return f"new faces are off by {found['error_new']} grey levels, those it knows by {seen}."
    if found["error_new"] > LARGEST_ERROR:
        return f"new faces are off by {found['error_new']} grey levels."
    return ""


def _untrained(kind: type[VAE]) -> VAE:
    keras.utils.set_random_seed(0)
    return kind(build_encoder(SIZE, 64), build_decoder(SIZE, 64), detail=1)


CODE = {"a": _price, "b": _draws, "c": _faces}
TRAINED = dict.fromkeys(RUNS, _healthy)
