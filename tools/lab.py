"""Opens JupyterLab on the first notebook, in a learner's own copies: `make lab` calls this.

    python tools/lab.py                          copies what is new to work/ and opens it
    python tools/lab.py --notebooks notebooks    opens the originals, for authors

Options that are not its own go to JupyterLab, for example --ip 0.0.0.0 in a container.
"""

import argparse
import hashlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import webbrowser
from importlib import metadata
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # where Jupyter finds `tools.websocket`, too

from tools.faces import settle_faces  # noqa: E402

ORIGINALS = ROOT / "notebooks"
RECORD = ".copied.json"  # in work/: the checksum of each original when its copy was made


def main() -> None:
    """Bring work/ up to date, draw the portraits if they are not there, start JupyterLab."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--notebooks", default="work", help="the folder to open (default: work)")
    parser.add_argument("--port", type=port, default=8888, help="default: 8888, or the next free")
    options, for_jupyter = parser.parse_known_args()

    complaint = missing(installed())
    if complaint:
        sys.exit(complaint)
    faces = settle_faces()
    folder = ROOT / options.notebooks
    if folder.resolve() == ORIGINALS and faces != "portraits":
        sys.exit(
            "The notebooks in notebooks/ keep pictures of portraits only, since CelebA may not be "
            "passed on: open your own copies, with `make lab` alone."
        )
    if folder.resolve() != ORIGINALS:
        report = copy_new(ORIGINALS, folder)
        if report:
            print(report)
    if subprocess.call([sys.executable, "-m", "portraits"], cwd=ROOT) != 0:
        sys.exit(1)  # it has said why
    start_jupyterlab(first_notebook(folder), options.port, for_jupyter)


def copy_new(originals: Path, copies: Path) -> str:
    """Copy each file that has no copy yet; a copy that is there is never touched.

    Args:
        originals: the folder of the course's notebooks, with its subfolders.
        copies: the learner's folder; made if it is not there.

    Returns:
        What to tell the learner: the notebooks whose original is newer than their copy, and how
        to take the new version; or "" if there is none.
    """
    copies.mkdir(parents=True, exist_ok=True)
    record = copies / RECORD
    copied_from = json.loads(record.read_text("utf-8")) if record.exists() else {}
    newer = []
    for original in sorted(originals.rglob("*")):
        name = original.relative_to(originals).as_posix()
        if not original.is_file() or any(part.startswith((".", "__")) for part in name.split("/")):
            continue
        copy = copies / name
        if not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(original, copy)
        elif copied_from.get(name) == checksum(original):
            continue
        elif checksum(copy) != checksum(original):
            newer.append(name)
            continue
        copied_from[name] = checksum(original)
    record.write_text(json.dumps(copied_from, indent=1) + "\n", encoding="utf-8")
    if not newer:
        return ""
    return (
        f"There is a newer version of {', '.join(newer)}. Yours in {copies.name}/ stays as it is; "
        "to take the new one, rename or delete yours and start again."
    )


def checksum(path: Path) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def first_notebook(folder: Path) -> str:
    """The path, from the root, of the first numbered notebook in a folder."""
    numbered = sorted(folder.glob("[0-9]*.ipynb"))
    if not numbered:
        sys.exit(f"There is no numbered notebook in {folder}: name the folder that holds them.")
    return numbered[0].relative_to(ROOT).as_posix()


def start_jupyterlab(notebook: str, port: int, more: list[str]) -> None:
    """Run JupyterLab until it is stopped; say its address first.

    Args:
        notebook: what to open, a path from the root.
        port: where to listen; a taken one moves on to the next.
        more: options for JupyterLab itself.
    """
    print("Starting JupyterLab", flush=True)
    import zmq  # these two only now: `missing` has looked whether they are there
    from jupyterlab.labapp import LabApp

    os.chdir(ROOT)
    # Kernels are this very Python, and `tensorboard` and `!pip` in a cell are its own too.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
    token = os.environ.get("JUPYTER_TOKEN") or secrets.token_hex(24)
    arguments = [
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=50",
        f"--ServerApp.root_dir={ROOT}",
        f"--LabApp.default_url=/lab/tree/{quote(notebook)}",
        f"--IdentityProvider.token={token}",
        "--ServerApp.kernel_websocket_connection_class=tools.websocket.PromptConnection",
        "--Application.log_level=ERROR",
    ]
    if zmq.has("curve"):
        arguments.append("--KernelManager.transport_encryption=auto")  # else each kernel warns
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments.append("--allow-root")  # in a container one often is root
    if not has_browser():
        arguments.append("--no-browser")
    server = LabApp.initialize_server(argv=arguments + more)
    if server.port != port:
        print(f"Port {port} is taken; JupyterLab listens on {server.port}.")
    print(
        f"JupyterLab runs at\n\n    {server.public_url.split('?')[0]}?token={token}\n\n"
        "Open this address if no browser window appears. Ctrl-C twice stops JupyterLab.",
        flush=True,
    )
    server.start()


def has_browser() -> bool:
    """Whether a browser with a window can be opened here."""
    if sys.platform.startswith("linux") and not {"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ):
        return False
    try:
        return bool(webbrowser.get())
    except webbrowser.Error:
        return False


def installed() -> set[str]:
    """The names of the packages that this Python has."""
    return {package.name.lower() for package in metadata.distributions()}


def missing(packages: set[str]) -> str:
    """One sentence on what is wrong with a set of installed packages, or "" if all is well."""
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


def port(text: str) -> int:
    """A port number from the command line."""
    if not text.isdecimal() or not 1024 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give a number from 1024 to 65535")
    return int(text)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
