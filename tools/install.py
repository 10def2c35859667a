"""Makes .venv and installs the project and the tested versions into it: `make` calls this.

    python3 tools/install.py          what `make lab` needs
    python3 tools/install.py test     and what `make test` needs

Run with any Python 3: one that is too old or too new gets a sentence, and nothing is made.
"""

import os
import platform
import subprocess
import sys
import time

OLDEST, NEWEST = (3, 11), (3, 13)  # as `requires-python` in pyproject.toml
TENSORFLOW_RUNS_ON = {  # what it has wheels for
    ("Linux", "x86_64"),
    ("Linux", "aarch64"),
    ("Darwin", "arm64"),
    ("Windows", "AMD64"),
}
NEWS = "@jupyterlab/apputils-extension:announcements"
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
VENV_PYTHON = os.path.join(VENV, "Scripts\\python.exe" if os.name == "nt" else "bin/python")


def main(extras: list) -> None:
    """Install the project with the given extras, and leave a stamp in .venv for make."""
    complaint = unsupported(sys.version_info[:2], platform.system(), platform.machine())
    if complaint:
        sys.exit(complaint)
    start = time.monotonic()
    if not works(VENV_PYTHON):
        print("Making .venv", flush=True)
        run([sys.executable, "-m", "venv", "--clear", VENV], "Python could not make .venv")
    wanted = ",".join([tensorflow_extra(), *extras])
    print("Installing the tested versions (%s)" % wanted, flush=True)
    pip = [VENV_PYTHON, "-m", "pip", "install", "--disable-pip-version-check"]
    run(
        [*pip, "-c", "constraints.txt", "-e", ".[%s]" % wanted],
        "pip could not install the project (it says why above)",
    )
    # JupyterLab asks every newcomer whether to fetch its news; here the first notebook comes first.
    run(
        [VENV_PYTHON, "-m", "jupyter", "labextension", "disable", "--level=sys_prefix", NEWS],
        "JupyterLab could not be set up (it says why above)",
    )
    for name in ["lab", *extras]:
        with open(os.path.join(VENV, "installed-" + name), "w", encoding="utf-8") as stamp:
            stamp.write("pyproject.toml and constraints.txt were installed when this was written\n")
    print("Installed in %d s" % (time.monotonic() - start), flush=True)


def unsupported(version: tuple, system: str, machine: str) -> str:
    """One sentence on why the project cannot run here, or "" if it can."""
    if not OLDEST <= version <= NEWEST:
        return (
            "Latent Faces needs Python %d.%d to %d.%d, which TensorFlow supports; this is %d.%d. "
            "Name another one: make lab PYTHON=python3.12" % (OLDEST + NEWEST + version)
        )
    if (system, machine) not in TENSORFLOW_RUNS_ON:
        return (
            "TensorFlow has no release for %s on %s; the course runs in a browser on Binder "
            "(see README.md)." % (system, machine)
        )
    return ""


def works(python: str) -> bool:
    """Whether this interpreter starts and has pip (a half-made .venv has not)."""
    try:
        check = [python, "-m", "pip", "--version"]
        return subprocess.call(check, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def tensorflow_extra() -> str:
    """`gpu` where its owner has put TensorFlow for GPUs into .venv, else `cpu`: never both."""
    find = "import importlib.metadata as m; m.version('nvidia-cudnn-cu12')"
    return "cpu" if subprocess.call([VENV_PYTHON, "-c", find], stderr=subprocess.DEVNULL) else "gpu"


def run(command: list, complaint: str) -> None:
    """Run a command in the project's folder; end with one sentence if it fails."""
    if subprocess.call(command, cwd=ROOT) != 0:
        sys.exit("%s. Run the same command again when that is mended." % complaint)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit("Interrupted; the same command goes on from here.")
