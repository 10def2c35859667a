"""What Google Colab has, lacks, and has in use."""

import sys
from types import ModuleType, SimpleNamespace

import pytest
from packaging.requirements import Requirement

from tools import colab
from tools.colab import in_use, lacking, needed, prepare, run

# What Colab listed in January 2026 (github.com/googlecolab/backend-info), of what the course needs.
OF_COLAB = {
    **{"anywidget": "0.9.21", "filelock": "3.20.3", "h5py": "3.15.1", "ipykernel": "6.17.1"},
    **{"ipywidgets": "7.7.1", "keras": "3.10.0", "matplotlib": "3.10.0", "nbclient": "0.10.4"},
    **{"nbformat": "5.10.4", "numba": "0.60.0", "numpy": "2.0.2", "pandas": "2.2.2"},
    **{"pillow": "11.3.0", "platformdirs": "4.5.1", "tensorboard": "2.19.0"},
    **{"tensorflow": "2.19.0", "tqdm": "4.67.1", "typer": "0.21.1"},
}
VERSIONS = {"numpy": "2.0.2", "keras": "3.10.0", "pillow": "11.3.0"}


def versions_of(packages):
    """What `metadata.version` says where these packages are installed, and no others."""

    def version(name):
        if name not in packages:
            raise colab.metadata.PackageNotFoundError(name)
        return packages[name]

    return version


@pytest.fixture
def machine(monkeypatch):
    """A machine with `VERSIONS` and the modules of this Python; commands are noted."""

    output = SimpleNamespace(enable_custom_widget_manager=lambda: commands.append("widgets"))
    commands = []
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    monkeypatch.setattr(sys.modules["google.colab"], "output", output, raising=False)
    monkeypatch.setattr(colab.metadata, "version", versions_of(VERSIONS))
    monkeypatch.setattr(colab, "run", lambda command: commands.append(" ".join(command[1:])))
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    return commands


def wanted(monkeypatch, *lines):
    monkeypatch.setattr(colab, "needed", lambda: [Requirement(line) for line in lines])


def test_what_is_accepted_stays(machine, monkeypatch, capsys):
    wanted(monkeypatch, "numpy>=2.0", "pillow>=11.3")
    prepare()
    assert machine == ["-m portraits", "widgets"]
    assert capsys.readouterr().out == ""
    assert sys.path[0] == str(colab.ROOT) and sys.path.count(str(colab.ROOT)) == 1
    assert colab.os.environ["PYTHONPATH"] == f"{colab.ROOT}{colab.os.pathsep}elsewhere"


def test_what_is_missing_or_too_old_is_installed(machine, monkeypatch, capsys):
    wanted(monkeypatch, "numpy>=2.0", "keras>=3.15", "a-new-one>=1")
    monkeypatch.setattr(colab, "in_use", lambda requirements: [])
    prepare()
    assert machine[0] == "-m pip install --quiet keras>=3.15 a-new-one>=1"
    assert machine[1:] == ["-m portraits", "widgets"]
    assert capsys.readouterr().out == "Installing keras>=3.15, a-new-one>=1\n"


def test_python_is_started_again_where_an_old_one_is_in_use(machine, monkeypatch):
    import numpy  # noqa: F401
    import PIL  # noqa: F401

    wanted(monkeypatch, "numpy>=2.9", "pillow>=99", "a-new-one>=1")
    with pytest.raises(RuntimeError, match=r"of numpy and pillow is in use.*Restart session"):
        prepare()
    assert len(machine) == 1


def test_of_what_colab_has_two_are_too_old(monkeypatch):
    monkeypatch.setattr(colab.metadata, "version", versions_of(OF_COLAB))
    assert [requirement.name for requirement in lacking(needed())] == ["keras", "typer"]


def test_only_what_was_imported_is_in_use():
    assert in_use([Requirement("pytest>=1"), Requirement("a-new-one>=1")]) == ["pytest"]


@pytest.mark.parametrize(
    ("there", "name"), [(True, "tensorflow-cpu"), (False, "tensorflow")], ids=["small", "large"]
)
def test_what_is_needed_is_what_the_project_names(monkeypatch, there, name):
    monkeypatch.setattr(colab, "lacking", lambda requirements: [] if there else requirements)
    names = {requirement.name for requirement in needed()}
    assert {"keras", "numpy", "anywidget", name} <= names
    assert len(names & {"tensorflow", "tensorflow-cpu"}) == 1
    assert not {"jupyterlab", "pytest"} & names
    assert not any(requirement.extras for requirement in needed())


def test_a_newer_version_is_accepted():
    assert lacking([Requirement("packaging>=1"), Requirement("packaging>=9999")]) == [
        Requirement("packaging>=9999")
    ]


def test_a_command_shows_its_lines_and_its_failure(capfd):
    run([sys.executable, "-c", "print('one'); print('two')"])
    assert capfd.readouterr().out == "one\ntwo\n"
    with pytest.raises(RuntimeError, match="failed: it says why above"):
        run([sys.executable, "-c", "print('no'); raise SystemExit(3)"])
    assert capfd.readouterr().out == "no\n"
