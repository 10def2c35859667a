"""Several processes train for real: the same result as one, a kill, a resume, one set of files."""

import os
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.vaelib.conftest import ROOT, write_folder
from vaelib.runs import load_model

pytestmark = [
    pytest.mark.slow,
    pytest.mark.long,
    pytest.mark.skipif(find_spec("jax") is None, reason="JAX is not installed"),
]
OPTIONS = ["--image-size=32", "--latent-dim=8", "--batch-size=16", "--learning-rate=1e-3"]
OPTIONS += ["--epochs=3", "--steps-per-epoch=3"]
ONE = ["train", "--processes=1"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
ENVIRONMENT.pop("KERAS_BACKEND", None)  # the command chooses


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """40 faces to train on: a third step takes some of its faces from the next epoch."""
    partition = [0] * 40 + [1] * 9 + [2] * 6
    return write_folder(tmp_path_factory.mktemp("together") / "celeba", 55, partition=partition)


def command(words: list[str], folder: Path, run: Path, *more: str) -> list[str]:
    options = [*OPTIONS, f"--faces={folder}", f"--out={run}", *more]
    return [sys.executable, "-m", "vaelib", *words, *options]


def ran(words: list[str], folder: Path, run: Path, *more: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        command(words, folder, run, *more),
        env=ENVIRONMENT,
        cwd=run.parent,
        capture_output=True,
        text=True,
    )


def history_of(run: Path) -> pd.DataFrame:
    return pd.read_csv(run / "history.csv", index_col="epoch").drop(columns="seconds")


def check_same(run: Path, other: Path) -> None:
    """Rounding grows with the steps: the first epoch is closer than the last."""
    one, several = history_of(run), history_of(other)
    assert several.index.tolist() == [1, 2, 3]
    np.testing.assert_allclose(several.loc[1], one.loc[1], rtol=1e-5)
    np.testing.assert_allclose(several, one, rtol=1e-3)


@pytest.fixture(scope="module")
def one(folder, tmp_path_factory) -> Path:
    """What one process makes of it."""
    run = tmp_path_factory.mktemp("one") / "run"
    done = ran(ONE, folder, run)
    assert done.returncode == 0, done.stderr
    return run


@pytest.mark.parametrize("count", [2, 4])
def test_several_processes_give_the_history_and_the_files_of_one(one, folder, tmp_path, count):
    done = ran(["launch", f"-n{count}", "train"], folder, tmp_path / "run")
    assert done.returncode == 0, done.stdout + done.stderr
    check_same(one, tmp_path / "run")
    written, others = ({path.name for path in run.rglob("*.[kpcj]*")} for run in (tmp_path, one))
    assert written == others
    assert done.stdout.count("epoch 3:") == 1
    assert len(list((tmp_path / "run" / "logs" / "train").iterdir())) == 1


def test_the_finished_model_decodes_the_same_on_each_backend(one, tmp_path):
    """This process runs on one of the two, and the one that trained on JAX."""
    latents = np.random.default_rng(0).standard_normal((3, 8)).astype("float32")
    code = f"""
import numpy as np
from vaelib import load_model
latents = np.random.default_rng(0).standard_normal((3, 8)).astype("float32")
np.save({str(tmp_path / "jax.npy")!r}, load_model({str(one / "vae.keras")!r}).decode(latents))
"""
    environment = {**ENVIRONMENT, "KERAS_BACKEND": "jax"}
    subprocess.run([sys.executable, "-c", code], env=environment, cwd=ROOT, check=True)
    here = load_model(one / "vae.keras").decode(latents)
    np.testing.assert_allclose(here, np.load(tmp_path / "jax.npy"), atol=1e-3)


@pytest.mark.skipif(sys.platform != "linux", reason="it finds processes in /proc")
def test_a_killed_process_ends_all_and_another_number_of_processes_goes_on(one, folder, tmp_path):
    run = tmp_path / "run"
    launcher = subprocess.Popen(
        command(["launch", "-n2", "train"], folder, run),
        env=ENVIRONMENT,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in launcher.stdout:
        if "epoch 1:" in line:
            break
    children = Path(f"/proc/{launcher.pid}/task/{launcher.pid}/children").read_text().split()
    os.kill(int(children[1]), signal.SIGKILL)
    _, errors = launcher.communicate(timeout=60)
    assert launcher.returncode == 1
    assert "process 1 of 2 was ended by SIGKILL" in errors
    assert not (run / "vae.keras").exists()
    done = ran(ONE, folder, run)
    assert done.returncode == 0, done.stderr
    assert "goes on after epoch 1." in done.stdout or "goes on after epoch 2." in done.stdout
    check_same(one, run)


def test_a_run_of_one_process_is_continued_by_two(one, folder, tmp_path):
    """The first epochs of a longer run are made by one; it is refused with other settings."""
    run = tmp_path / "run"
    run.mkdir()
    for part in ("checkpoints", "settings.json", "history.csv", "checkpoint.keras"):
        source = one / part
        if source.is_dir():
            (run / part).mkdir()
            kept = "epoch_002.keras"  # as if it had been stopped in the third epoch
            (run / part / kept).write_bytes((source / kept).read_bytes())
        else:
            (run / part).write_bytes(source.read_bytes())
    refused = ran(["launch", "-n2", "train"], folder, run, "--seed=1")
    assert refused.returncode == 2
    assert "seed 0 (now 1)" in refused.stdout
    done = ran(["launch", "-n2", "train"], folder, run)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "goes on after epoch 2." in done.stdout
    check_same(one, run)


def test_a_batch_that_does_not_divide_is_refused_by_all(folder, tmp_path):
    done = ran(["launch", "-n3", "train"], folder, tmp_path / "run")
    assert done.returncode == 2
    for index in range(3):
        assert f"[{index}] error: A batch of 16 faces can't be split into 3" in done.stdout
