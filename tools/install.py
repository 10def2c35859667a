"""Make .venv and install the project with the tested versions into it: `make` calls this.

    python3 tools/install.py          what `make lab` needs, with this Python
    python3 tools/install.py site     and what `make site` needs
    python3 tools/install.py test     and what `make test` needs: the site, a JupyterHub
    python3 tools/install.py --keep   the same, but a .venv of another Python is good, too

If .venv was set up for this folder, this Python and these versions, nothing is done.
Run with any Python 3: one that is too old or too new gets a sentence, and nothing is made.
"""

import glob
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time

OLDEST, NEWEST = (3, 11), (3, 13)  # as `requires-python` in pyproject.toml
TENSORFLOW_RUNS_ON = {  # platforms with wheels
    ("Linux", "x86_64"),
    ("Linux", "aarch64"),
    ("Darwin", "arm64"),
    ("Windows", "AMD64"),
}
NEWS = "@jupyterlab/apputils-extension:announcements"
ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
VENV = os.path.join(ROOT, ".venv")
WHEELS = os.path.join(
    ROOT, "wheels"
)  # of `make workshop`: all packages, for a room without network
PROGRAMS = os.path.join(VENV, "Scripts" if os.name == "nt" else "bin")
VENV_PYTHON = os.path.join(PROGRAMS, "python.exe" if os.name == "nt" else "python")
# Files in .venv: what it was set up for; each includes those before it.
RECORDS = ("installed-lab", "installed-site", "installed-test")
# How a program in .venv/bin begins: the path of its Python, in the two forms that pip writes.
BEGINNING = re.compile(
    rb"""#!(?:/bin/sh\n'''exec' )?"?(/[^\n"]*/python[0-9.]*)"?(?: "\$0" "\$@"\n' ''')?\n"""
)


def main(arguments: list) -> None:
    """Set .venv up for the given extras, unless it is, and record them in it."""
    extras = [name for name in arguments if name != "--keep"]
    found, here = python_of(VENV_PYTHON), sys.version_info[:2]
    asked = found if found and "--keep" in arguments else here
    wanted = {"place": ROOT, "python": "%d.%d" % asked, "versions": checksum()}
    last = max([RECORDS.index("installed-%s" % name) for name in extras], default=0)
    records = [read_record(name) for name in RECORDS[: 1 + last]]
    if found == asked and records == [wanted] * len(records):
        return
    moved = any(record.get("place", ROOT) != ROOT for record in records)
    # A program on Windows has its Python's path inside, where it can't be mended.
    anew = found != asked or not works(VENV_PYTHON) or (moved and os.name == "nt")
    if anew:
        asked = here
        wanted["python"] = "%d.%d" % here
    complaint = unsupported(asked, platform.system(), platform.machine())
    if complaint:
        sys.exit(complaint)
    start = time.monotonic()
    extras.insert(0, tensorflow_extra())  # read from .venv, so before it is made anew
    print(why_again(records, wanted, found), end="", flush=True)
    for name in RECORDS:  # else an interrupted set-up would look complete
        if os.path.exists(os.path.join(VENV, name)):
            os.remove(os.path.join(VENV, name))
    if anew:
        print("Making .venv", flush=True)
        run([sys.executable, "-m", "venv", "--clear", VENV], "Python could not make .venv")
    elif os.name != "nt":
        move_programs()
    if "test" in extras:
        # The tests of the model run with each of Keras' backends; there is one of a JupyterHub.
        extras += ["hub", "jax", "site"]
    wanted_extras = ",".join(extras)
    print("Installing the tested versions (%s)" % wanted_extras, flush=True)
    pip = [VENV_PYTHON, "-m", "pip", "install", "--disable-pip-version-check"]
    if os.path.isdir(WHEELS):
        pip += ["--no-index", "--find-links", WHEELS]
    if moved and not anew:
        pip.append("--no-build-isolation")  # all is installed: a moved folder needs no network
    run(
        [*pip, "-c", "constraints.txt", "-e", ".[%s]" % wanted_extras],
        "pip could not install the project (it says why above)",
    )
    # JupyterLab would ask at the first start whether to fetch its news.
    run(
        [VENV_PYTHON, "-m", "jupyter", "labextension", "disable", "--level=sys_prefix", NEWS],
        "JupyterLab could not be set up (it says why above)",
    )
    for name in RECORDS[: len(records)]:
        with open(os.path.join(VENV, name), "w", encoding="utf-8") as file:
            file.write(json.dumps(wanted, indent=1) + "\n")
    print("Installed in %d s" % (time.monotonic() - start), flush=True)


def why_again(records: list, wanted: dict, found: tuple) -> str:
    """Say in a line why .venv is set up again; "" if it never was set up.

    Args:
        records: what it was set up for; empty where nobody knows.
        wanted: what it is needed for.
        found: the version of its Python, or None if that does not start.
    """
    known = next((record for record in records if record), {})
    if not found:
        why = "its Python does not start any more" if os.path.lexists(VENV_PYTHON) else ""
    elif "%d.%d" % found != wanted["python"]:
        why = "it has Python %d.%d, and Python %s is asked for" % (*found, wanted["python"])
    elif known.get("python", wanted["python"]) != wanted["python"]:
        why = "its Python was %s and is %s now" % (known["python"], wanted["python"])
    elif known.get("place", ROOT) != ROOT:
        why = "it was made in %s, and this folder is %s" % (known["place"], ROOT)
    elif known.get("versions", wanted["versions"]) != wanted["versions"]:
        why = "pyproject.toml or constraints.txt has changed"
    else:
        why = ""
    return "Setting .venv up again: %s.\n" % why if why else ""


def read_record(name: str) -> dict:
    """Read what .venv was set up for; empty if that is unknown."""
    try:
        with open(os.path.join(VENV, name), encoding="utf-8") as file:
            record = json.load(file)
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def checksum() -> str:
    """Compute the SHA-256 of the two files that say what is installed."""
    total = hashlib.sha256()
    for name in ("pyproject.toml", "constraints.txt"):
        with open(os.path.join(ROOT, name), "rb") as file:
            total.update(file.read())
    return total.hexdigest()


def move_programs() -> None:
    """Make the programs in .venv/bin start the Python beside them: each has a whole path inside."""
    # A first line can't have a space in its path, so a shell starts Python with the file; for
    # Python, the two lines of the shell are a string.
    start = b"#!/bin/sh\n'''exec' \"%s\" \"$0\" \"$@\"\n' '''\n" % os.fsencode(VENV_PYTHON)
    moved = False
    for name in os.listdir(PROGRAMS):
        path = os.path.join(PROGRAMS, name)
        if os.path.islink(path) or not os.path.isfile(path):
            continue
        with open(path, "rb") as file:
            program = file.read()
        old = BEGINNING.match(program)
        if old and os.path.dirname(old.group(1)) != os.fsencode(PROGRAMS):
            with open(path + ".part", "wb") as file:
                file.write(start + program[old.end() :])
            shutil.copymode(path, path + ".part")
            os.replace(path + ".part", path)
            moved = True
    if moved:  # `activate`, too
        again = "import venv; v = venv.EnvBuilder(); v.setup_scripts(v.ensure_directories(%r))"
        run([VENV_PYTHON, "-c", again % VENV], "Python could not renew .venv")


def python_of(python: str) -> tuple:
    """The version of this interpreter, such as (3, 12), or None if it does not start."""
    ask = [python, "-I", "-S", "-c", "import sys; print('%d %d' % sys.version_info[:2])"]
    try:
        return tuple(map(int, subprocess.check_output(ask, stderr=subprocess.DEVNULL).split()))
    except (OSError, subprocess.CalledProcessError):
        return None


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
    packages = os.path.join(glob.escape(VENV), "lib", "python*", "site-packages")
    return "gpu" if glob.glob(os.path.join(packages, "nvidia_cudnn_cu12-*")) else "cpu"


def run(command: list, complaint: str) -> None:
    """Run a command in the project's folder; end with one sentence if it fails."""
    if subprocess.call(command, cwd=ROOT) != 0:
        sys.exit("%s. Run the same command again when that is mended." % complaint)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit("Interrupted; the same command goes on from here.")
    except OSError as error:  # a folder that is read-only, a full disk
        sys.exit("%s could not be set up: %s." % (VENV, error))
