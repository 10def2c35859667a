"""One place of data, whoever asks and from where."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from groundwork import places

ROOT = Path(__file__).resolve().parents[2]


def test_in_the_repository_it_is_its_own_data(monkeypatch, tmp_path):
    monkeypatch.delenv(places.VARIABLE, raising=False)
    monkeypatch.delenv(places.RUNS_VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    assert places.data_folder() == ROOT / "data"
    assert places.runs_folder() == ROOT / "runs"


def test_a_variable_names_another_place(monkeypatch, tmp_path):
    monkeypatch.setenv(places.VARIABLE, str(tmp_path))
    assert places.data_folder() == tmp_path


def test_an_installed_package_uses_the_users_own_folder(monkeypatch, tmp_path):
    monkeypatch.delenv(places.VARIABLE, raising=False)
    monkeypatch.delenv(places.RUNS_VARIABLE, raising=False)
    monkeypatch.setattr(places, "ROOT", tmp_path)
    assert places.repository() is None
    assert places.data_folder().name == "latent-faces" and places.data_folder().is_absolute()
    assert places.runs_folder() == places.data_folder() / "runs"


def test_runs_are_the_users_own_where_many_share_the_course(monkeypatch, tmp_path):
    """os.access answers for us, since whoever runs the tests may be root."""
    monkeypatch.delenv(places.RUNS_VARIABLE, raising=False)
    monkeypatch.setattr(os, "access", lambda path, mode: not Path(path).is_relative_to(tmp_path))
    monkeypatch.setattr(places, "_own", lambda: Path("/home/anna/own"))
    shared = tmp_path / "shared"
    monkeypatch.setenv(places.VARIABLE, str(shared / "data"))
    monkeypatch.setattr(places, "ROOT", shared)  # installed from a wheel, the data shared
    assert places.runs_folder() == Path("/home/anna/own/runs")
    (shared / "data").mkdir(parents=True)
    (shared / "data" / "README.md").touch()
    (shared / "pyproject.toml").touch()  # the repository itself is shared
    assert places.repository() == shared
    assert places.runs_folder() == Path("/home/anna/own/runs")
    monkeypatch.setattr(os, "access", lambda path, mode: True)
    assert places.runs_folder() == shared / "runs"


def test_a_variable_names_the_folder_of_runs(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv(places.RUNS_VARIABLE, "~/latent-faces/runs")
    assert places.runs_folder() == tmp_path / "latent-faces" / "runs"
    assert os.environ[places.RUNS_VARIABLE] == str(tmp_path / "latent-faces" / "runs")


@pytest.mark.slow
def test_installed_packages_draw_and_look_in_one_place(tmp_path):
    """The packages alone, as a wheel installs them, each used from a folder of its own."""
    for package in ("groundwork", "portraits", "vaelib"):
        # Another program may be writing its bytecode there.
        without = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, tmp_path / "site-packages" / package, ignore=without)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site-packages")}
    environment |= {"HOME": str(tmp_path / "home"), "XDG_DATA_HOME": str(tmp_path / "home")}
    environment.pop(places.VARIABLE, None)

    def run(folder, *arguments):
        (tmp_path / folder).mkdir(exist_ok=True)
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path / folder,
            env=environment,
            capture_output=True,
            text=True,
        )

    read = "from vaelib import read_faces; print(read_faces('portraits').folder)"
    refused = run("one", "-c", read).stderr.splitlines()[-1]
    assert refused.endswith("does not exist: draw it with `python -m portraits`.")
    drawn = run("other", "-m", "portraits", "--count", "3", "--size", "16", "--jobs", "1")
    assert drawn.returncode == 0, drawn.stderr
    folder = run("one", "-c", read).stdout.strip()
    assert folder in refused and drawn.stdout.startswith(folder)
    assert Path(folder).is_relative_to(tmp_path / "home")


def test_a_relative_folder_is_the_same_for_programs_that_run_elsewhere(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(places.VARIABLE, "faces")
    assert places.data_folder() == tmp_path / "faces"
    monkeypatch.chdir("/")
    assert places.data_folder() == tmp_path / "faces"


def test_what_comes_with_the_course_stays_in_the_repository(monkeypatch, tmp_path):
    monkeypatch.setenv(places.VARIABLE, str(tmp_path))
    assert places.course_folder() == ROOT / "data"
