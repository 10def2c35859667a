"""Open JupyterLab on the first notebook, in a learner's copies: `make lab` calls this.

    python tools/lab.py                          copies what is new to work/ and opens it
    python tools/lab.py --notebooks notebooks    opens the originals, for authors
    python tools/lab.py --notebooks ~/faces      copies to that folder, and opens it

Options that are not its own go to JupyterLab, for example --ip 0.0.0.0 in a container.
"""

import argparse
import hashlib
import json
import os
import secrets
import subprocess
import sys
import webbrowser
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # where Jupyter finds `tools.websocket`, too

from groundwork.files import write_whole  # noqa: E402
from tools.faces import settle_faces  # noqa: E402
from tools.installed import complaint  # noqa: E402

ORIGINALS = ROOT / "notebooks"
RECORD = ".copied.json"  # in work/: the checksum of each original when its copy was made


def main() -> None:
    """Bring work/ up to date, draw the portraits if they are not there, start JupyterLab."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--notebooks", default="work", help="the folder to open (default: work)")
    parser.add_argument("--port", type=port, default=8888, help="default: 8888, or the next free")
    options, for_jupyter = parser.parse_known_args()

    if wrong := complaint():
        sys.exit(wrong)
    faces, _ = settle_faces()
    folder = Path(os.path.abspath(ROOT / Path(options.notebooks).expanduser()))
    if is_original(folder) and faces != "portraits":
        sys.exit(
            "The notebooks in notebooks/ keep pictures of portraits only, since CelebA may not be "
            "passed on: open your own copies, with `make lab` alone."
        )
    if not is_original(folder):
        try:
            report = copy_new(ORIGINALS, folder)
        except OSError as error:
            sys.exit(
                f"Your copies can't be written to {folder} ({error.strerror or error}): name a "
                "folder of your own, with NOTEBOOKS=FOLDER for make, or --notebooks FOLDER."
            )
        if report:
            print(report)
    if subprocess.call([sys.executable, "-m", "portraits"], cwd=ROOT) != 0:
        sys.exit(1)  # the reason is printed already
    root = ROOT if folder.is_relative_to(ROOT) else folder
    start_jupyterlab(first_notebook(folder), root, options.port, for_jupyter)


def is_original(folder: Path) -> bool:
    """Whether a folder is the course's notebooks/, or is in it."""
    return any(p.exists() and p.samefile(ORIGINALS) for p in (folder, *folder.parents))


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
    before = read_record(record)
    copied_from = dict(before)
    newer = []
    for original in sorted(originals.rglob("*")):
        name = original.relative_to(originals).as_posix()
        if not original.is_file() or any(part.startswith((".", "__")) for part in name.split("/")):
            continue
        copy = copies / name
        if not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            write_whole(copy, original.read_bytes())
        elif copied_from.get(name) == checksum(original):
            continue
        elif checksum(copy) != checksum(original):
            newer.append(name)
            continue
        copied_from[name] = checksum(original)
    if copied_from != before:
        write_whole(record, json.dumps(copied_from, indent=1) + "\n")
    if not newer:
        return ""
    return (
        f"There is a newer version of {', '.join(newer)}. Yours in {copies.name}/ stays as it is; "
        "to take the new one, rename or delete yours and start again."
    )


def read_record(path: Path) -> dict[str, str]:
    """Read the checksum of each original when it was copied; empty if that is unknown."""
    try:
        record = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def checksum(path: Path) -> str:
    """Compute the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def first_notebook(folder: Path) -> Path:
    """Find the first numbered notebook in a folder."""
    numbered = sorted(folder.glob("[0-9]*.ipynb"))
    if not numbered:
        sys.exit(f"There is no numbered notebook in {folder}: name the folder that holds them.")
    return numbered[0]


def nameless_packages() -> list[Path]:
    """List the folders among the installed packages that an old pip has left without a name."""
    places = [Path(place) for place in sys.path if Path(place).is_dir()]
    return [path for place in places for path in sorted(place.glob("-*.*-info"))]


def start_jupyterlab(notebook: Path, root: Path, port: int, more: list[str]) -> None:
    """Print JupyterLab's address, and run it until it is stopped.

    Args:
        notebook: what to open.
        root: the folder that the page can show, with the notebook in it.
        port: where to listen; a taken one moves on to the next.
        more: options for JupyterLab itself; they go before ours.
    """
    print("Starting JupyterLab", flush=True)
    import zmq  # imported here, after `complaint` has checked that they are installed

    try:
        from jupyterlab.labapp import LabApp
    except TypeError:  # Jupyter asks every installed package for its name
        broken = nameless_packages()
        if not broken:
            raise
        sys.exit(
            f"JupyterLab does not start because of {broken[0]}, the rest of a broken installation: "
            "delete it, and start again."
        )

    os.chdir(ROOT)
    # Kernels use this Python; `tensorboard` and `!pip` in a cell come from its folder, too.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
    token = os.environ.get("JUPYTER_TOKEN") or secrets.token_hex(24)
    arguments = [
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=50",
        f"--ServerApp.root_dir={root}",
        f"--LabApp.default_url=/lab/tree/{quote(notebook.relative_to(root).as_posix())}",
        f"--IdentityProvider.token={token}",
        "--ServerApp.kernel_websocket_connection_class=tools.websocket.PromptConnection",
        "--Application.log_level=ERROR",
    ]
    if zmq.has("curve"):
        arguments.append("--KernelManager.transport_encryption=auto")  # else each kernel warns
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    if is_root:
        arguments.append("--allow-root")  # in a container the user is often root
    if not has_browser():
        arguments.append("--no-browser")
    given = {option.split("=")[0] for option in more}
    ours = [option for option in arguments if option.split("=")[0] not in given]
    server = LabApp.initialize_server(argv=ours + more)
    token = server.identity_provider.token
    if server.port != port and "--ServerApp.port" not in given:
        print(f"Port {port} is taken; JupyterLab listens on {server.port}.")
    open_to_all = not server.identity_provider.auth_enabled
    for risk in risks(server.ip, bool(server.certfile), open_to_all, is_root):
        print(risk)
    address = server.public_url.split("?")[0] + (f"?token={token}" if token else "")
    print(
        f"JupyterLab runs at\n\n    {address}\n\n"
        "Open this address if no browser window appears. Ctrl-C twice stops JupyterLab.",
        flush=True,
    )
    server.start()


def risks(ip: str, encrypted: bool, open_to_all: bool, is_root: bool) -> list[str]:
    """List what a learner must know about the server, one sentence each.

    Args:
        ip: where it listens.
        encrypted: whether it speaks HTTPS.
        open_to_all: whether it asks for neither a token nor a password.
        is_root: whether it runs as root.
    """
    here_only = ip in ("localhost", "127.0.0.1", "::1")
    who = "everybody on this computer" if here_only else "everybody who reaches it on the network"
    sentences = []
    if open_to_all:
        sentences.append(f"JupyterLab asks for no token: {who} can run programs as you.")
    elif not here_only and not encrypted:
        sentences.append(
            "JupyterLab listens on the network, and sends its token over plain HTTP: whoever sees "
            "that traffic can run programs as you. Leave --ip out, unless this is a container "
            "whose port only you can reach, or a network that you trust."
        )
    if is_root:
        sentences.append(
            "You are root, and so are the notebooks: what runs in them may change everything on "
            "this computer (or in this container)."
        )
    return sentences


def has_browser() -> bool:
    """Whether a browser with a window can be opened here."""
    if sys.platform.startswith("linux") and not {"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ):
        return False
    try:
        return bool(webbrowser.get())
    except webbrowser.Error:
        return False


def port(text: str) -> int:
    """Read a port number from the command line."""
    if not text.isdecimal() or not 1024 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give a number from 1024 to 65535")
    return int(text)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
