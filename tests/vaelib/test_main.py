"""The command line, in processes of its own and in this one."""

import contextlib
import inspect
import io
import json
import shutil
import signal
import sys
import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from vaelib import __main__ as command
from vaelib import load_model, metrics, read_faces, training
from vaelib.data.pixels import load_pixels
from vaelib.data.shards import ShardedPixels
from vaelib.model import VAE, build_encoder
from vaelib.runs import checkpoints

OPTIONS = (
    "--epochs 4 --steps-per-epoch 3 --batch-size 8 --image-size 32 --latent-dim 4 --sigma 0.07 "
    "--learning-rate 0.01"
)


def run_here(*arguments) -> int:
    """Runs the command line in this process; returns its exit code."""
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as end:
        patch.setattr(sys, "argv", ["vaelib", *map(str, arguments)])
        command.main()
    return end.value.code or 0


@pytest.fixture(scope="module")
def trained_by_command(folder, tmp_path_factory):
    """Four epochs of three steps, with the course's own encoder and decoder."""
    out = tmp_path_factory.mktemp("command") / "run"
    stdout, stderr = io.StringIO(), io.StringIO()
    with (
        contextlib.redirect_stdout(stdout),
        contextlib.redirect_stderr(stderr),
        warnings.catch_warnings(record=True) as caught,
    ):
        warnings.simplefilter("always", UserWarning)
        code = run_here("train", "--faces", folder, "--out", out, *OPTIONS.split())
    spoken = [str(w.message) for w in caught if issubclass(w.category, UserWarning)]
    return SimpleNamespace(
        out=out, code=code, stdout=stdout.getvalue(), stderr=stderr.getvalue(), warnings=spoken
    )


def test_train_writes_a_finished_run(trained_by_command):
    out = trained_by_command.out
    assert trained_by_command.code == 0
    assert trained_by_command.stdout.splitlines()[-1] == f"{out / 'vae.keras'} is trained."
    assert len(pd.read_csv(out / "history.csv")) == 4
    assert len(list((out / "images").glob("*.png"))) == 4
    vae = load_model(out / "vae.keras", image_size=32)
    assert (vae.latent_dim, vae.sigma) == (4, 0.07)


def test_train_gives_no_warning(trained_by_command):
    assert trained_by_command.warnings == []
    assert "arning" not in trained_by_command.stderr


def test_evaluate_ends_with_a_line_of_json(trained_by_command, folder, faces, capsys):
    path = trained_by_command.out / "vae.keras"
    assert run_here("evaluate", path, "--faces", folder, "--no-fc") == 0
    lines = capsys.readouterr().out.splitlines()
    result = json.loads(lines[-1])
    expected = metrics.evaluate(load_model(path), faces)
    assert list(result) == list(expected)
    assert result == pytest.approx(expected, rel=1e-5)
    assert [line.split()[0] for line in lines[:-1]] == list(expected)
    assert lines[1].endswith("nats per face, of the model")


def test_evaluate_measures_fc_unless_told_otherwise(trained, folder, monkeypatch, capsys):
    class Features:
        def __init__(self, faces, image_size):
            assert image_size == 32

        def features(self, images):
            return np.zeros((len(images), 2))

        def distance_of_features(self, features):
            return 1.23456789

    monkeypatch.setattr(metrics, "FaceFeatures", Features)
    assert run_here("evaluate", trained.run / "vae.keras", "--faces", folder) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    names = ["fc_reconstructions", "fc_prior", "fc_gaussian", "fc_images"]
    assert [result[name] for name in names] == [1.23457] * 4


@pytest.mark.parametrize("split", ["train", "val"])
def test_evaluate_takes_another_split(trained, folder, faces, split, capsys):
    model = trained.run / "vae.keras"
    assert run_here("evaluate", model, "--faces", folder, "--split", split, "--no-fc") == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result["faces"] == len(faces.file_names(split))


@pytest.mark.slow
def test_a_missing_folder_ends_with_one_sentence_and_exit_code_2(tmp_path, python):
    done = python(
        "-m", "vaelib", "train", "--faces", tmp_path / "nowhere", "--out", tmp_path / "run"
    )
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert str(tmp_path / "nowhere") in line
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        "evaluate {tmp}/nothing.keras --faces {folder}",
        "evaluate {model} --faces {tmp}/nowhere",
        "evaluate {model} --faces {folder} --split validation",
        "train --faces {folder} --out {tmp}/run --image-size 48",
        "train --faces {folder} --out {tmp}/run --sigma 0 --image-size 32",
        "train --faces {tmp} --out {tmp}/run --image-size 32",
        "train --faces {folder} --out {run} --image-size 32 --latent-dim 4",
    ],
)
def test_bad_input_ends_with_one_sentence_and_exit_code_2(
    arguments, trained, folder, tmp_path, capsys
):
    names = {
        "tmp": tmp_path,
        "folder": folder,
        "run": trained.run,
        "model": trained.run / "vae.keras",
    }
    before = sorted(tmp_path.iterdir())
    code = run_here(*(part.format(**names) for part in arguments.split()))
    out, error = capsys.readouterr()
    assert code == 2
    assert out == ""
    (line,) = error.splitlines()
    assert line.startswith("error: ")
    assert line.endswith(".")
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("arguments", ["", "train", "evaluate", "fly", "train --speed 3"])
def test_a_wrong_command_exits_with_2_too(arguments, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert run_here(*arguments.split()) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert list(tmp_path.iterdir()) == []


NUMBERS = ["9" * 20, "9" * 5000, "-1", "1e400", "nan", "inf", "many"]
OPTIONS_WITH_NUMBERS = [
    "epochs",
    "steps-per-epoch",
    "batch-size",
    "image-size",
    "latent-dim",
    "sigma",
    "learning-rate",
    "patience",
    "minutes",
    "seed",
]


@pytest.mark.parametrize("option", OPTIONS_WITH_NUMBERS)
def test_a_number_that_makes_no_sense_is_refused_by_its_option(
    option, folder, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(training, "train", lambda *_: pytest.fail("it trains"))
    for number in [*NUMBERS, "0" if option != "seed" else "-0.5"]:
        code = run_here(
            "train", "--faces", folder, "--out", tmp_path / "run", f"--{option}", number
        )
        (line,) = capsys.readouterr().err.splitlines()
        assert code == 2
        assert line.startswith(f"error: Invalid value for '--{option}': "), line
        assert line.endswith(".") and len(line) < 300


@pytest.mark.parametrize("arguments", [["--out", ""], ["--out=", "--seed", "1"], ["--faces", ""]])
def test_an_empty_value_is_not_the_folder_one_stands_in(arguments, capsys):
    assert run_here("train", *arguments) == 2
    option = arguments[0].rstrip("=")
    assert capsys.readouterr().err.startswith(f"error: {option} is empty: ")


@pytest.mark.parametrize("place", ["file", "file/run", "a" * 300])
def test_a_folder_that_cannot_be_made_is_named(place, folder, tmp_path, capsys):
    (tmp_path / "file").write_text("something")
    out, small = tmp_path / place, ["--image-size", 32, "--latent-dim", 4]
    assert run_here("train", "--faces", folder, "--out", out, *small) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {out}")
    assert "Errno" not in line


def test_a_split_of_one_face_is_known_before_a_classifier_is_trained(
    draw_folder, trained, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(metrics, "FaceFeatures", lambda *_: pytest.fail("it trains"))
    one = draw_folder(tmp_path / "one", 20, partition=[0] * 18 + [1, 2])
    assert run_here("evaluate", trained.run / "vae.keras", "--faces", one) == 2
    assert "--no-fc" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "function"),
    [
        ("sigma", VAE),
        ("image_size", build_encoder),
        ("latent_dim", build_encoder),
        ("epochs", training.train),
        ("steps_per_epoch", training.train),
        ("batch_size", training.train),
        ("learning_rate", training.train),
        ("patience", training.train),
        ("minutes", training.train),
        ("flip", training.train),
        ("seed", training.train),
    ],
)
def test_the_command_has_the_defaults_of_the_library(option, function):
    defaults = [inspect.signature(f).parameters[option].default for f in (command.train, function)]
    assert defaults[0] == defaults[1]


def test_help_names_the_commands(capsys):
    assert run_here("--help") == 0
    out = capsys.readouterr().out
    assert "train" in out
    assert "evaluate" in out
    assert "launch" in out


def test_letters_that_the_terminal_lacks_become_codes(monkeypatch):
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", terminal)
    assert run_here("evaluate", "--help") == 0
    terminal.flush()
    assert b"Fr\\xe9chet" in terminal.buffer.getvalue()


# Killed for real: no exception, no clean-up

KILLED_IN_A_BATCH = """
class Kill(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch
    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == (2, 1):
            os.kill(os.getpid(), signal.SIGKILL)
real = training.run_callbacks
training.run_callbacks = lambda *a: [Kill(), *real(*a)]
"""
KILLED_IN_A_CHECKPOINT = """
real = os.replace
def replace(source, target):
    if str(target).endswith("epoch_003.keras"):
        os.truncate(source, os.path.getsize(source) // 2)
        os.kill(os.getpid(), signal.SIGKILL)
    real(source, target)
os.replace = replace
"""


@pytest.mark.slow
def test_a_run_killed_twice_ends_like_one_that_was_not(
    trained_by_command, folder, tmp_path, python, capsys
):
    run = tmp_path / "run"
    arguments = ["train", "--faces", folder, "--out", run, *OPTIONS.split()]
    for kill in (KILLED_IN_A_BATCH, KILLED_IN_A_CHECKPOINT):
        code = f"""
import os, signal
from vaelib import __main__, training
import keras
{kill}
__main__.main()
"""
        done = python("-c", code, *arguments)
        assert done.returncode == -signal.SIGKILL, done.stderr
        assert len(checkpoints(run)) == 2
    assert "goes on after epoch 2." in done.stdout
    (half,) = (run / "checkpoints").glob(".*")
    assert half.name.endswith("epoch_003.keras")

    assert run_here(*arguments) == 0
    assert "goes on after epoch 2." in capsys.readouterr().out
    assert not list(run.rglob(".*.keras"))
    runs = (run, trained_by_command.out)
    killed, whole = (pd.read_csv(r / "history.csv", index_col="epoch") for r in runs)
    names = [name for name in whole if name != "seconds"]
    np.testing.assert_allclose(killed[names], whole[names], rtol=0.01)
    faces = read_faces(folder)
    killed, whole = (metrics.evaluate(load_model(r / "vae.keras"), faces) for r in runs)
    assert killed == pytest.approx(whole, rel=0.01)


@pytest.mark.slow
def test_a_loss_that_is_not_finite_is_one_sentence_and_exit_code_2(folder, tmp_path, capsys):
    options = "--epochs 1 --steps-per-epoch 5 --batch-size 8 --image-size 32 --latent-dim 4"
    arguments = ["train", "--faces", folder, "--out", tmp_path, *options.split()]
    assert run_here(*arguments, "--learning-rate", "1000") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: The loss is not finite in epoch 1, batch ")


def test_train_begins_from_its_seed(folder, tmp_path, monkeypatch):
    """The same seed, the same first weights; another, others."""
    weights = {}

    def note(vae, faces, run, *_):
        weights[run.name] = vae.get_weights()

    monkeypatch.setattr(training, "train", note)
    for name, seed in [("a", 3), ("b", 3), ("c", 4)]:
        code = run_here(
            "train",
            "--faces",
            folder,
            "--out",
            tmp_path / name,
            "--seed",
            seed,
            "--image-size",
            32,
            "--latent-dim",
            4,
        )
        assert code == 0
    for a, b in zip(weights["a"], weights["b"], strict=True):
        np.testing.assert_array_equal(a, b)
    assert any(not np.array_equal(a, c) for a, c in zip(weights["a"], weights["c"]))


# CelebA


def test_celeba_prepares_a_folder_and_says_what_it_holds(
    draw_folder, tmp_path, capsys, monkeypatch
):
    source = draw_folder(tmp_path / "got", 20, partition=[0] * 14 + [1] * 3 + [2] * 3)
    monkeypatch.setattr("vaelib.celeba.tables.ATTRIBUTES", tuple(read_faces(source).attributes))
    out = tmp_path / "celeba"
    assert run_here("celeba", "--from", source / "img_align_celeba", "--out", out) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == f"{out} is ready: 20 faces, 14 train, 3 val, 3 test."
    assert any("20 of CelebA's 202,599" in line for line in lines)
    assert run_here("celeba", "--from", source, "--out", out) == 2
    assert "is there already" in capsys.readouterr().err


def test_celeba_without_a_source_or_a_token_says_how_to_get_it(capsys, monkeypatch):
    monkeypatch.setattr(command, "fetch_from_kaggle", lambda: None)
    assert run_here("celeba") == 2
    assert "https://www.kaggle.com" in capsys.readouterr().out


def test_shards_prepares_the_shares_of_processes_and_goes_on(folder, tmp_path, capsys):
    copy = shutil.copytree(folder, tmp_path / "copy", ignore=shutil.ignore_patterns(".cache"))
    command = ("shards", "--faces", copy, "--image-size", "32")
    assert run_here(*command, "--process", "1", "--processes", "4") == 0
    assert "2 of 8 shards." in capsys.readouterr().out
    assert run_here(*command) == 0
    assert "8 of 8 shards." in capsys.readouterr().out
    assert isinstance(load_pixels(read_faces(copy), 32), ShardedPixels)


def test_shards_says_that_the_one_file_is_read_while_it_is_there(folder, tmp_path, capsys):
    copy = shutil.copytree(folder, tmp_path / "copy", ignore=shutil.ignore_patterns(".cache"))
    load_pixels(read_faces(copy), 32)
    assert run_here("shards", "--faces", copy, "--image-size", "32") == 0
    assert "delete it" in capsys.readouterr().out
    assert not isinstance(load_pixels(read_faces(copy), 32), ShardedPixels)


def test_shards_refuses_processes_that_cannot_share(folder, tmp_path, capsys, one_sentence):
    copy = shutil.copytree(folder, tmp_path / "copy", ignore=shutil.ignore_patterns(".cache"))
    assert run_here("shards", "--faces", copy, "--processes", "3") == 2
    one_sentence(capsys.readouterr().err.strip(), "3 processes", "divides 8")
