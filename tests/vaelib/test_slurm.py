"""Two tasks of Slurm find each other without an option, on a cluster of this machine alone."""

import os
import shutil
import socket
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.vaelib.conftest import ROOT, write_folder
from tools import debian

PROGRAMS = ("munged", "slurmctld", "slurmd", "srun")
PACKAGES = ("munge", "slurmctld", "slurmd", "slurm-client")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("jax") is None, reason="JAX is not installed"),
    pytest.mark.skipif(not debian.is_root(), reason="needs root"),
]


@pytest.fixture
def slurm():
    """Slurm's programs; with CI=true they are installed, where that is allowed."""
    if not all(map(shutil.which, PROGRAMS)) and os.environ.get("CI") == "true":
        debian.install(*PACKAGES)
    if not all(map(shutil.which, PROGRAMS)):
        pytest.skip(f"needs Debian's {', '.join(PACKAGES)}")


@pytest.fixture
def cluster(slurm, tmp_path_factory):
    """Starts munge and Slurm for one node, in a folder; gives the path of its settings."""
    folder = Path(tmp_path_factory.mktemp("slurm"))
    host = socket.gethostname().split(".")[0]
    for name in ("state", "spool", "munge"):
        (folder / name).mkdir()
    (folder / "key").write_bytes(os.urandom(1024))
    (folder / "key").chmod(0o400)
    settings = {
        "ClusterName": "one",
        "SlurmctldHost": f"{host}(127.0.0.1)",
        "AuthType": "auth/munge",
        "AuthInfo": f"socket={folder}/munge/socket",
        "CredType": "cred/munge",
        "SlurmUser": "root",
        "StateSaveLocation": folder / "state",
        "SlurmdSpoolDir": folder / "spool",
        "SlurmctldPidFile": folder / "slurmctld.pid",
        "SlurmdPidFile": folder / "slurmd.pid",
        "SlurmctldLogFile": folder / "slurmctld.log",
        "SlurmdLogFile": folder / "slurmd.log",
        "ProctrackType": "proctrack/pgid",
        "TaskPlugin": "task/none",
        "SelectType": "select/cons_tres",
        "SwitchType": "switch/none",
        "MpiDefault": "none",
        "ReturnToService": "2",
    }
    lines = [f"{name}={value}" for name, value in settings.items()]
    lines.append(f"NodeName={host} NodeAddr=127.0.0.1 CPUs={os.cpu_count()} State=UNKNOWN")
    lines.append(f"PartitionName=all Nodes={host} Default=YES State=UP")
    (folder / "slurm.conf").write_text("\n".join(lines) + "\n")
    environment = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf")}
    munge = ["munged", "--foreground", "--force", f"--key-file={folder}/key"]
    munge += [f"--socket={folder}/munge/socket", f"--pid-file={folder}/munge/pid"]
    munge += [f"--log-file={folder}/munge/log", f"--seed-file={folder}/munge/seed"]
    started = []
    try:
        for command in (munge, ["slurmctld", "-D"], ["slurmd", "-D"]):
            started.append(
                subprocess.Popen(
                    command,
                    env=environment,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            )
            time.sleep(1)
        for _ in range(60):
            state = subprocess.run(
                ["sinfo", "-h", "-o", "%t"], env=environment, capture_output=True, text=True
            )
            if state.stdout.strip() == "idle":
                break
            time.sleep(1)
        else:
            pytest.fail(f"The node is not idle: {state.stdout} {state.stderr}")
        yield environment
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(30)


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="two tasks need two cores")
def test_two_tasks_train_together(cluster, tmp_path):
    folder = write_folder(tmp_path / "celeba", 30, partition=[0] * 17 + [1] * 7 + [2] * 6)
    options = [f"--faces={folder}", f"--out={tmp_path / 'run'}", "--image-size=32"]
    options += ["--latent-dim=4", "--batch-size=8", "--epochs=1", "--steps-per-epoch=2"]
    environment = {**cluster, "PYTHONPATH": str(ROOT)}
    environment.pop("KERAS_BACKEND", None)  # the command chooses
    done = subprocess.run(
        ["srun", "-n2", sys.executable, "-m", "vaelib", "train", *options],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Rank 1 is connected to 1 peer" in done.stdout  # gloo's words
    assert done.stdout.count("epoch 1:") == 1
    assert (tmp_path / "run" / "vae.keras").exists()
