"""Faces drawn in a moment, in CelebA's layout, and models small enough to train in a second.

A face here is a smooth random picture whose red, green and blue say Smiling, Male and Young, so
that a test can read the label off the pixels.
"""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import vaelib  # isort: skip  # before keras, which it starts as the course needs it
import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

from vaelib import classifier
from vaelib.data.faults import FAULTS
from vaelib.model import VAE, Sampling, build_decoder, build_encoder

ROOT = Path(__file__).resolve().parents[2]
SIZE, LATENT_DIM = 32, 4
COLOURS = ("Smiling", "Male", "Young")  # red, green, blue
ATTRIBUTES = (*COLOURS, "Bald", "Eyeglasses")  # nobody is bald


def draw(labels: np.ndarray, rng: np.random.Generator, size=(178, 218)) -> Image.Image:
    """A smooth picture; its mean red is bright where labels[0] is true, and so on."""
    waves = rng.uniform(-40, 40, (4, 4, 3))
    base = np.where(labels[:3], 190, 65)
    small = Image.fromarray(np.clip(base + waves - waves.mean((0, 1)), 0, 255).astype("uint8"))
    return small.resize(size, Image.Resampling.BICUBIC)


def name_of(i: int) -> str:
    return f"{i + 1:06}.jpg"


def write_folder(
    folder: Path,
    count: int = 20,
    seed: int = 0,
    size=(178, 218),
    partition=None,
    newline: str = "\n",
    form: str = "txt",
    space: str = " ",
    tail: str = "",
) -> Path:
    """A folder of `count` faces. partition: None, or a number 0, 1, 2 for each face."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, (count, len(ATTRIBUTES))).astype(bool)
    labels[:, ATTRIBUTES.index("Bald")] = False
    images = folder / "img_align_celeba"
    images.mkdir(parents=True)
    for i in range(count):
        draw(labels[i], rng, size).save(images / name_of(i), quality=95)
    values = np.where(labels, "1", "-1")
    if form == "txt":
        lines = [str(count), space.join(ATTRIBUTES)]
        lines += [space.join([name_of(i), *values[i]]) for i in range(count)]
        split = [f"{name_of(i)}{space}{k}" for i, k in enumerate(partition or [])]
    else:
        lines = [",".join(["image_id", *ATTRIBUTES])]
        lines += [",".join([name_of(i), *values[i]]) for i in range(count)]
        split = [
            "image_id,partition",
            *(f"{name_of(i)},{k}" for i, k in enumerate(partition or [])),
        ]
    write_lines(folder / f"list_attr_celeba.{form}", lines, newline, tail)
    if partition is not None:
        write_lines(folder / f"list_eval_partition.{form}", split, newline, tail)
    return folder


def write_lines(path: Path, lines: list[str], newline: str = "\n", tail: str = "") -> None:
    path.write_bytes("".join(f"{line}{tail}{newline}" for line in lines).encode())


def labels_in(images: np.ndarray) -> np.ndarray:
    """Smiling, Male and Young as the colours of the pixels say: (n, h, w, 3) -> bool (n, 3)."""
    return np.asarray(images).mean(axis=(1, 2)) > 0.5


@pytest.fixture(scope="session")
def draw_folder():
    return write_folder


@pytest.fixture(scope="session")
def read_colours():
    return labels_in


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    """30 faces: 17 train, 7 validate, 6 test. Tests must not write to it."""
    return write_folder(
        tmp_path_factory.mktemp("faces") / "celeba", 30, partition=[0] * 17 + [1] * 7 + [2] * 6
    )


@pytest.fixture(scope="session")
def faces(folder):
    return vaelib.read_faces(folder)


@pytest.fixture(scope="session")
def images(faces) -> np.ndarray:
    return vaelib.load_images(faces, image_size=SIZE)


def small_encoder(latent_dim: int) -> keras.Model:
    images = keras.Input((SIZE, SIZE, 3), name="images")
    x = layers.Conv2D(6, 8, strides=8)(images)
    x = layers.BatchNormalization(momentum=0.9)(x)
    x = layers.Flatten()(x)
    z_mean, z_log_var = layers.Dense(latent_dim)(x), layers.Dense(latent_dim)(x)
    return keras.Model(images, [z_mean, z_log_var, Sampling()((z_mean, z_log_var))])


def small_decoder(latent_dim: int) -> keras.Model:
    z = keras.Input((latent_dim,), name="z")
    x = layers.BatchNormalization(momentum=0.9)(layers.Dense(8)(z))
    x = layers.Dense(SIZE * SIZE * 3, activation="sigmoid")(x)
    return keras.Model(z, layers.Reshape((SIZE, SIZE, 3))(x))


@pytest.fixture(scope="session")
def new_vae():
    """Makes a model of few layers, quick to compile; the same seed makes the same one."""

    def make(
        seed: int = 0, sigma: float | None = 0.1, latent_dim: int = LATENT_DIM, **options
    ) -> VAE:
        keras.utils.set_random_seed(seed)
        return VAE(small_encoder(latent_dim), small_decoder(latent_dim), sigma, **options)

    return make


@pytest.fixture(scope="session")
def course_vae(images) -> VAE:
    """The course's own encoder and decoder, with moving averages that have moved."""
    keras.utils.set_random_seed(0)
    model = VAE(build_encoder(SIZE, LATENT_DIM), build_decoder(SIZE, LATENT_DIM))
    for _ in range(3):
        model(images, training=True)
    return model


@pytest.fixture(scope="session")
def vae(new_vae) -> VAE:
    """An untrained model. Tests must not change it."""
    return new_vae()


@pytest.fixture(scope="session")
def trained(faces, new_vae, tmp_path_factory):
    """A model after `training.train`: two epochs of three steps. Tests must not change it."""
    from vaelib.training import train

    run = tmp_path_factory.mktemp("runs") / "first"
    model = new_vae(1)
    history = train(
        model, faces, run, epochs=2, steps_per_epoch=3, batch_size=8, learning_rate=1e-3
    )
    return SimpleNamespace(vae=model, run=run, history=history)


@pytest.fixture(scope="session")
def whole(faces, new_vae, tmp_path_factory):
    """A run that nothing stopped."""
    from tests.vaelib.stopping import OPTIONS
    from vaelib.training import train

    run = tmp_path_factory.mktemp("whole") / "run"
    return SimpleNamespace(run=run, history=train(new_vae(1, sigma=None), faces, run, **OPTIONS))


@pytest.fixture(scope="session")
def stopped(faces, new_vae, tmp_path_factory):
    """The same run, broken off in the middle of its last epoch."""
    from tests.vaelib.stopping import OPTIONS, Stopped, stopping
    from vaelib.training import train

    run = tmp_path_factory.mktemp("stopped") / "run"
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Stopped):
        stopping(patch, 3, 1)
        train(new_vae(1, sigma=None), faces, run, **OPTIONS)
    return run


@pytest.fixture(scope="session")
def python():
    """Runs this Python on the project in a fresh process."""

    def run(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess:
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.run(
            [sys.executable, *map(str, arguments)], cwd=cwd, env=env, capture_output=True, text=True
        )

    return run


@pytest.fixture
def one_sentence():
    """Checks an error message: one line that ends like a sentence, and every part in it."""

    def check(message: object, *parts: object) -> None:
        text = str(message)
        assert "\n" not in text, text
        assert text.endswith((".", "?", ".)")), text
        assert len(text) < 500, text
        for part in parts:
            assert str(part) in text, f"{part!r} is not in {text!r}"

    return check


@pytest.fixture
def small_faces(tmp_path, draw_folder):
    return vaelib.read_faces(
        draw_folder(tmp_path / "faces", 30, partition=[0] * 17 + [1, 2] * 6 + [2])
    )


@pytest.fixture
def trainings(monkeypatch):
    """Counts the trainings, and makes them short: the classifier stays as it began."""
    made = []

    def train_classifier(faces, attributes, steps, image_size, faults=False, more=None):
        made.append(attributes)
        outputs = len(attributes) + (len(FAULTS) if faults else 0)
        return classifier.build_classifier(outputs, image_size)

    monkeypatch.setattr(classifier, "train_classifier", train_classifier)
    return made


@pytest.fixture
def lonely_faces(tmp_path, draw_folder):
    """One face validates, and one tests."""
    return vaelib.read_faces(draw_folder(tmp_path / "lonely", 20, partition=[0] * 18 + [1, 2]))
