"""Check whether this Python has the whole course, installed from this folder."""

import subprocess
import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NEEDED = ("jupyterlab", "latent-faces", "tensorflow", "tensorflow-cpu")
FIND = "import importlib.util as u; s = u.find_spec('vaelib'); print(s and s.origin or '')"


def complaint() -> str:
    """Say in one sentence why the notebooks can't run with this Python; "" if they can."""
    return missing(installed()) or elsewhere(vaelib_of_kernels())


def installed() -> set[str]:
    """List those of the packages that this Python has.

    Each is asked for by its name: another package may be broken, and even have none.
    """
    found = set()
    for name in NEEDED:
        try:
            metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        found.add(name)
    return found


def missing(packages: set[str]) -> str:
    """Say in one sentence what is wrong with a set of installed packages; "" if nothing is."""
    if {"tensorflow", "tensorflow-cpu"} <= packages:
        return (
            "Both tensorflow and tensorflow-cpu are installed, and they overwrite each other: "
            "delete the environment (.venv) and install one of them."
        )
    if not {"jupyterlab", "latent-faces"} <= packages:
        return (
            f"The course is not installed for {sys.executable}: run `make lab`, or "
            '`pip install -c constraints.txt -e ".[cpu]"` first.'
        )
    return ""


def vaelib_of_kernels() -> str:
    """Find the file that `import vaelib` finds in a notebook; "" if there is none.

    A Python that starts in notebooks/ answers: this one may find it in the folder it runs in.
    """
    command = [sys.executable, "-c", FIND]
    answer = subprocess.run(command, cwd=ROOT / "notebooks", stdout=subprocess.PIPE, text=True)
    return answer.stdout.strip()


def elsewhere(found: str, root: Path = ROOT) -> str:
    """Say in one sentence that `found`, a file of vaelib, is not in this folder; "" if it is."""
    if found and Path(found).resolve() == root / "vaelib" / "__init__.py":
        return ""
    what = f"would use {Path(found).parent}" if found else "would not find vaelib"
    if Path(sys.prefix).resolve() == root / ".venv":
        advice = "run `make lab`, or on Windows `py -3.12 tools\\install.py`"
    else:
        advice = "run `python -m pip install --no-deps -e .` in this folder"
    return (
        f"The notebooks {what}, since the course was installed from another folder than {root} "
        f"(or this one was moved): {advice}, then start again."
    )
