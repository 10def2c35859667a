"""Binder's files: what repo2docker does with them is done here, in a Python of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tools.install import NEWS

ROOT = Path(__file__).resolve().parents[2]
OTHERS = ("Dockerfile", "install.R", "Pipfile", "Project.toml", "REQUIRE", "runtime.txt")
USED = """\
import os
from groundwork.places import repository
import vaelib

faces, vae = vaelib.read_faces(), vaelib.load_model("pretrained")
print(repository(), len(faces.files), vae.decode([[0.0] * vae.latent_dim]).shape)
"""
RUN = """\
import sys
import nbformat
from nbclient import NotebookClient

notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(sys.argv[1])])
NotebookClient(notebook, kernel_name="python3").execute()
print("".join(output.get("text", "") for output in notebook.cells[0].outputs))
"""


def test_binder_finds_these_files_and_no_other():
    """repo2docker takes a folder of its own, a Dockerfile, or another language's file first."""
    assert not [name for name in ("binder", ".binder", *OTHERS) if (ROOT / name).exists()]
    assert (ROOT / "environment.yml").is_file()
    first = (ROOT / "postBuild").read_bytes().splitlines()[0]
    assert first == b"#!/usr/bin/env bash"  # with \r at its end, no program would be found
    assert NEWS in (ROOT / "postBuild").read_text("utf-8")


@pytest.mark.skipif(os.name == "nt", reason="Binder has Linux")
def test_post_build_can_be_run():
    assert os.access(ROOT / "postBuild", os.X_OK)


# ------------------------------------------------------------------ built, without conda


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """A copy of the project, with what is not committed yet.

    The portraits are those of this folder: postBuild checks them, and draws none.
    """
    folder = tmp_path_factory.mktemp("binder") / "home"
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    if not (folder / "data" / "portraits").exists():
        (folder / "data" / "portraits").symlink_to(ROOT / "data" / "portraits")
    return folder


def run(command: list, home: Path, folder: str = ".") -> str:
    """Run a command as on Binder: the programs of its Python come first; return what it prints."""
    path = os.pathsep.join([str(home.parent / "python" / "bin"), "/usr/bin", "/bin"])
    kept = {k: v for k, v in os.environ.items() if k.startswith("PIP_") or k == "LANG"}
    cache = os.environ.get("PIP_CACHE_DIR", str(Path.home() / ".cache" / "pip"))
    environment = {**kept, "PATH": path, "HOME": str(home.parent), "PIP_CACHE_DIR": cache}
    done = subprocess.run(
        command, cwd=home / folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="Binder has Linux")
def test_the_course_runs_in_what_binder_builds(home):
    """As repo2docker and conda do it; this Python takes the place of conda's."""
    subprocess.run([sys.executable, "-m", "venv", home.parent / "python"], check=True)
    (lines,) = [
        part["pip"]
        for part in yaml.safe_load((home / "environment.yml").read_text("utf-8"))["dependencies"]
        if isinstance(part, dict)
    ]
    wanted = home / "condaenv.requirements.txt"  # conda, too, writes the list beside its file
    wanted.write_text("\n".join(lines) + "\n", "utf-8")
    try:
        run(["pip", "download", "--no-deps", "--dest", home.parent / "any", "six"], home)
    except AssertionError as error:
        pytest.skip(f"there are no packages without a network: {str(error)[-200:]}")
    run(["pip", "install", "--upgrade", "--requirement", wanted.name], home)
    run(["./postBuild"], home)
    printed = run(["python", "-c", RUN, USED], home, "notebooks")
    assert printed.split("\n")[0] == f"{home} 20000 (1, 64, 64, 3)"
    extensions = run(["jupyter", "labextension", "list"], home)
    for name in ("anywidget", "@jupyter-widgets/jupyterlab-manager"):
        assert any(name in line and "enabled" in line for line in extensions.splitlines()), name
    assert NEWS in extensions.partition("Disabled extensions")[2]
