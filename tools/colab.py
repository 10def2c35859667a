"""Make a machine of Google Colab ready for the course: the first cell of each notebook calls this.

Colab brings most packages, in versions of its own. Those that pyproject.toml accepts stay as they
are; what is missing or too old is installed. JupyterLab is not: Colab is in its place.
"""

import importlib
import os
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
IN_PLACE_OF = {"jupyterlab"}  # what Colab is itself


def prepare() -> None:
    """Install what is missing, draw the portraits, and let Colab show our widgets.

    Raises:
        RuntimeError: a package could not be installed, the portraits could not be drawn, or Python
            has to be started again (one sentence).
    """
    here = str(ROOT)
    sys.path[:] = [here, *(path for path in sys.path if Path(path).absolute() != ROOT)]
    # For the programs that a notebook starts.
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")]))
    if missing := lacking(needed()):
        names = ", ".join(map(str, missing))
        print(f"Installing {names}", flush=True)
        old = in_use(missing)
        run([sys.executable, "-m", "pip", "install", "--quiet", *map(str, missing)])
        importlib.invalidate_caches()
        if old:
            raise RuntimeError(
                f"An older version of {' and '.join(old)} is in use: choose Runtime, Restart "
                "session, and run this cell again."
            )
    run([sys.executable, "-m", "portraits"])
    from google.colab import output

    output.enable_custom_widget_manager()


def needed() -> list[Requirement]:
    """What the notebooks import, with the oldest version of each that the course accepts.

    TensorFlow is the package that is there, with NVIDIA's libraries or without.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    requirements = [Requirement(line) for line in project["dependencies"]]
    (tensorflow,) = map(Requirement, project["optional-dependencies"]["gpu"])
    small = Requirement(f"tensorflow-cpu{tensorflow.specifier}")
    tensorflow.extras = set()
    requirements.append(tensorflow if lacking([small]) else small)
    return [requirement for requirement in requirements if requirement.name not in IN_PLACE_OF]


def lacking(requirements: list[Requirement]) -> list[Requirement]:
    """Those that this Python has not, or has in a version that is too old."""

    def is_there(requirement: Requirement) -> bool:
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            return False
        return requirement.specifier.contains(version, prereleases=True)

    return [requirement for requirement in requirements if not is_there(requirement)]


def in_use(requirements: list[Requirement]) -> list[str]:
    """The names of those of which this Python has imported a module."""
    packages = metadata.packages_distributions()
    imported = {name for module in [*sys.modules] for name in packages.get(module, ())}
    return [r.name for r in requirements if r.name in map(str.lower, imported)]


def run(command: list[str]) -> None:
    """Run a command; each line that it prints appears in the page.

    Raises:
        RuntimeError: it failed (one sentence).
    """
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, cwd=ROOT, text=True, **pipes) as process:
        for line in process.stdout:
            print(line, end="", flush=True)
    if process.returncode:
        raise RuntimeError(f"`{' '.join(command[1:])}` failed: it says why above.")
