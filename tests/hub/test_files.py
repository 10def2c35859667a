"""The files of hub/ fit the course: what the image copies is there, names and versions agree."""

import json
import re
from pathlib import Path
from urllib.parse import unquote

from groundwork import places

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "hub" / "Dockerfile").read_text("utf-8")
IGNORED = (ROOT / "hub" / "Dockerfile.dockerignore").read_text("utf-8").splitlines()


class Anything:
    """Settings that may be given any name, as JupyterHub's."""

    def __getattr__(self, name):
        self.__dict__[name] = Anything()
        return self.__dict__[name]


def settings() -> Anything:
    """What hub/jupyterhub_config.py sets."""
    path, given = ROOT / "hub" / "jupyterhub_config.py", Anything()
    names = {"get_config": lambda: given, "__file__": str(path)}
    exec(compile(path.read_text("utf-8"), path, "exec"), names)
    return given


def test_what_the_image_copies_is_there_and_not_left_out():
    lines = [line.split() for line in DOCKERFILE.splitlines() if line.startswith("COPY")]
    copied = [path for line in lines for path in line[1:-1]]
    kept = [line[1:] for line in IGNORED if line.startswith("!")]
    assert "*" in IGNORED
    assert copied
    for path in copied:
        assert (ROOT / path).exists(), path
        assert any(each == path or each.startswith(f"{path}/") for each in kept), path
    for path in kept:
        assert (ROOT / path).exists(), path


def test_the_image_gets_all_data_of_the_course_and_nothing_drawn_or_private():
    tracked = [
        line.removeprefix("!/").rstrip("/")
        for line in (ROOT / ".gitignore").read_text("utf-8").splitlines()
        if line.startswith("!/data/")
    ]
    kept = [line[1:] for line in IGNORED if line.startswith("!data")]
    assert sorted(kept) == sorted(tracked)


def test_the_base_is_one_exact_version_of_a_python_that_the_course_supports():
    (base,) = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert re.fullmatch(r"python:3\.1[123]\.\d+-slim-[a-z]+", base)


def test_the_image_has_the_tested_jupyterhub():
    (version,) = re.findall(r"^ARG JUPYTERHUB=(\S+)", DOCKERFILE, re.MULTILINE)
    pins = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    assert f"jupyterhub=={version}" in pins


def test_hub_and_image_name_the_same_folders():
    environment = settings().Spawner.environment
    assert environment == {
        places.VARIABLE: str(ROOT / "data"),
        places.RUNS_VARIABLE: "~/latent-faces/runs",
    }
    for name, folder in environment.items():
        of_image = folder.replace(str(ROOT), "/opt/latent-faces")
        assert f"{name}={of_image}" in DOCKERFILE


def test_runs_lie_where_the_link_puts_the_notebooks():
    """The folder is that of the link in README.md, and git ignores runs/ in it."""
    readme = unquote((ROOT / "hub" / "README.md").read_text("utf-8"))
    folder, runs = settings().Spawner.environment[places.RUNS_VARIABLE][2:].split("/")
    assert f"urlpath=lab/tree/{folder}/notebooks/" in readme
    assert f"/{runs}/" in (ROOT / ".gitignore").read_text("utf-8").splitlines()


def test_the_lock_file_is_that_of_the_package_file():
    wanted = json.loads((ROOT / "hub" / "package.json").read_text("utf-8"))["dependencies"]
    locked = json.loads((ROOT / "hub" / "package-lock.json").read_text("utf-8"))["packages"]
    assert locked[""]["dependencies"] == wanted
    for name, version in wanted.items():
        assert locked[f"node_modules/{name}"]["version"] == version
    assert all("integrity" in package for name, package in locked.items() if name)
