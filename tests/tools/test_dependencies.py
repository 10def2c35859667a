"""pyproject.toml is the one list of dependencies: the other files are held to it here."""

import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from tools import install
from tools.pin import COMPILE

ROOT = Path(__file__).resolve().parents[2]
PYTHONS = ["3.11", "3.12", "3.13"]
PLATFORMS = {  # the markers that tell apart the platforms TensorFlow has wheels for
    "linux-x86_64": {"sys_platform": "linux", "platform_machine": "x86_64", "os_name": "posix"},
    "linux-arm": {"sys_platform": "linux", "platform_machine": "aarch64", "os_name": "posix"},
    "macos-arm": {"sys_platform": "darwin", "platform_machine": "arm64", "os_name": "posix"},
    "windows": {"sys_platform": "win32", "platform_machine": "AMD64", "os_name": "nt"},
}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
DEPENDENCIES = [Requirement(d) for d in sum(EXTRAS.values(), PROJECT["dependencies"])]
CONSTRAINTS = [
    line
    for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
]
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text("utf-8"))


def marker_environment(platform: str, python: str) -> dict[str, str]:
    """What the markers of a requirement are evaluated with."""
    versions = {"python_version": python, "python_full_version": f"{python}.1"}
    return {"extra": "", "implementation_name": "cpython", **PLATFORMS[platform], **versions}


def applies(requirement: Requirement, environment: dict[str, str]) -> bool:
    """Whether a requirement is one on this platform."""
    return requirement.marker is None or requirement.marker.evaluate(environment)


def pins(environment: dict[str, str]) -> dict[str, Version]:
    """The version that constraints.txt gives each package on a platform."""
    lines = [Requirement(line) for line in CONSTRAINTS]
    here = [line for line in lines if applies(line, environment)]
    versions = {canonicalize_name(r.name): Version(str(r.specifier)[2:]) for r in here}
    assert len(versions) == len(here), "constraints.txt names a package twice"
    return versions


def test_a_constraint_is_a_name_and_one_version():
    for line in CONSTRAINTS:
        requirement = Requirement(line)  # raises for an option, an index or a path
        assert requirement.url is None, "no addresses in constraints.txt"
        assert [s.operator for s in requirement.specifier] == ["=="], line


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("python", PYTHONS)
def test_every_dependency_is_pinned_within_its_bounds(platform, python):
    environment = marker_environment(platform, python)
    versions = pins(environment)
    for dependency in DEPENDENCIES:
        if applies(dependency, environment):
            name = canonicalize_name(dependency.name)
            assert name in versions, f"constraints.txt lacks {name}: run tools/pin.py"
            assert dependency.specifier.contains(versions[name]), dependency


def test_every_dependency_has_a_lower_bound_and_no_other():
    for dependency in DEPENDENCIES:
        assert [s.operator for s in dependency.specifier] == [">="], dependency


def test_what_the_dependencies_need_is_pinned_too():
    environment = {**default_environment(), "extra": ""}
    versions = pins(environment)
    seen, todo = set(), [d for d in DEPENDENCIES if applies(d, environment)]
    while todo:
        name = canonicalize_name(todo.pop().name)
        if name in seen or name not in versions:
            continue  # a missing one is reported below, by the package that needs it
        seen.add(name)
        try:
            needed = [Requirement(r) for r in metadata.requires(name) or []]
        except metadata.PackageNotFoundError:
            continue  # the other TensorFlow
        needed = [r for r in needed if applies(r, environment)]
        unpinned = [r.name for r in needed if canonicalize_name(r.name) not in versions]
        assert not unpinned, f"{name} needs {unpinned}: run tools/pin.py"
        for other in needed:
            pinned = versions[canonicalize_name(other.name)]
            assert other.specifier.contains(pinned), f"{name} needs {other}, {pinned} is pinned"
        todo += needed
    assert len(seen) > len(DEPENDENCIES)


@pytest.mark.slow
def test_the_pins_of_all_extras_fit_together():
    """uv asks the registry what each pinned version needs; without a registry, nobody can know."""
    command = [*COMPILE, "--constraint", "constraints.txt"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode and "No solution found" not in done.stderr:
        pytest.skip(f"the registry does not answer: {done.stderr[-200:]}")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("extra", ["cpu", "gpu"])
def test_exactly_one_tensorflow_on_each_platform(platform, extra):
    environment = marker_environment(platform, "3.12")
    chosen = [r.name for r in map(Requirement, EXTRAS[extra]) if applies(r, environment)]
    small = extra == "cpu" and platform in ("linux-x86_64", "windows")
    assert chosen == ["tensorflow-cpu" if small else "tensorflow"]


def test_tensorflow_is_only_in_the_extras():
    assert not [d for d in PROJECT["dependencies"] if d.startswith("tensorflow")]
    assert not [d for d in EXTRAS["test"] if d.startswith("tensorflow")]


def test_environment_yml_has_no_dependencies_of_its_own():
    python, pip, from_pypi = ENVIRONMENT["dependencies"]
    assert pip == "pip"
    assert from_pypi == {"pip": ["-c constraints.txt", "-e .[cpu]"]}
    name, version = python.split("=")
    assert name == "python"
    assert SpecifierSet(PROJECT["requires-python"]).contains(version)


def test_python_versions_agree():
    oldest, newest = install.OLDEST, install.NEWEST
    after = f"{newest[0]}.{newest[1] + 1}"
    supported = SpecifierSet(f">={oldest[0]}.{oldest[1]},<{after}")
    assert SpecifierSet(PROJECT["requires-python"]) == supported
    assert [".".join(map(str, v)) for v in (oldest, newest)] == [PYTHONS[0], PYTHONS[-1]]
    assert WORKFLOW["jobs"]["linux"]["strategy"]["matrix"]["python"] == [PYTHONS[0], PYTHONS[-1]]
