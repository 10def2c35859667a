"""The command line, in processes of its own and in this one."""

import contextlib
import inspect
import io
import json
import sys
import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from vaelib import __main__ as command
from vaelib import load_model, training
from vaelib.metrics import rmse
from vaelib.model import VAE, build_encoder


def run_here(*arguments) -> int:
    """Runs the command line in this process; returns its exit code."""
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as end:
        patch.setattr(sys, "argv", ["vaelib", *map(str, arguments)])
        command.main()
    return end.value.code or 0


@pytest.fixture(scope="module")
def trained_by_command(folder, tmp_path_factory):
    """Two epochs of two steps, with the course's own encoder and decoder."""
    out = tmp_path_factory.mktemp("command") / "run"
    options = "--epochs 2 --steps-per-epoch 2 --batch-size 8 --image-size 32 --latent-dim 4"
    stdout, stderr = io.StringIO(), io.StringIO()
    with (
        contextlib.redirect_stdout(stdout),
        contextlib.redirect_stderr(stderr),
        warnings.catch_warnings(record=True) as caught,
    ):
        warnings.simplefilter("always", UserWarning)
        code = run_here(
            *("train", "--faces", folder, "--out", out, "--sigma", 0.07), *options.split()
        )
    spoken = [str(w.message) for w in caught if issubclass(w.category, UserWarning)]
    return SimpleNamespace(
        out=out, code=code, stdout=stdout.getvalue(), stderr=stderr.getvalue(), warnings=spoken
    )


def test_train_writes_a_finished_run(trained_by_command):
    out = trained_by_command.out
    assert trained_by_command.code == 0
    assert trained_by_command.stdout.splitlines()[-1] == f"{out / 'vae.keras'} is trained."
    assert len(pd.read_csv(out / "history.csv")) == 2
    assert len(list((out / "images").glob("*.png"))) == 2
    vae = load_model(out / "vae.keras", image_size=32)
    assert (vae.latent_dim, vae.sigma) == (4, 0.07)


def test_train_gives_no_warning(trained_by_command):
    assert trained_by_command.warnings == []
    assert "arning" not in trained_by_command.stderr


def test_evaluate_ends_with_a_line_of_json(trained_by_command, folder, faces, images, capsys):
    out = trained_by_command.out
    assert run_here("evaluate", out / "vae.keras", "--faces", folder) == 0
    lines = capsys.readouterr().out.splitlines()
    result = json.loads(lines[-1])
    assert set(result) == {"faces", "loss", "reconstruction", "kl", "rmse"}
    assert result["faces"] == len(faces.names("test")) == 6
    assert result["loss"] == pytest.approx(
        result["reconstruction"] + result["kl"], rel=1e-5, abs=0.01
    )
    vae = load_model(out / "vae.keras")
    assert result["rmse"] == pytest.approx(
        rmse(images[24:], vae.reconstruct(images[24:])), abs=0.01
    )
    assert len(lines) == 5  # four for people


@pytest.mark.parametrize("split", ["train", "val"])
def test_evaluate_takes_another_split(trained, folder, faces, split, capsys):
    model = trained.run / "vae.keras"
    assert run_here("evaluate", model, "--faces", folder, "--split", split) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result["faces"] == len(faces.names(split))


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


@pytest.mark.parametrize("arguments", ["train", "evaluate", "train --epochs 0 --out x", "fly"])
def test_a_wrong_command_exits_with_2_too(arguments, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert run_here(*arguments.split()) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


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
