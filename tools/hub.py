"""Start a JupyterHub on this machine, with the settings of hub/: for its test and its benchmark.

As root on Linux, its users are real ones, whom the system keeps apart, see tools/hub_users.py.
Elsewhere all of them are the one who starts it.
"""

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote
from urllib.request import urlopen

import nbformat
import psutil
from playwright.sync_api import Page

from tools import browser, debian, npm

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build" / "hub"
USERS = ("anna", "ben")
PREFIX = "/hub-test/"
SECONDS = 600  # until the hub, or the server of a user, must be there: others may compute, too
MARK = "LATENT_FACES_HUB"  # in the environment of all that users start: which hub it was
# A namespace of mounts for the users, and one of processes: when it ends, so do all in it.
APART = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
WITH_US = ["setpriv", "--pdeathsig", "KILL"]  # it ends with this program, too


class Hub:
    """A running JupyterHub.

    Attributes:
        url: its address, which ends with its prefix.
        password: of all users.
        mark: what tells its programs from those of another hub.
        real: whether the system keeps the users apart.
        repository: the address of a git repository with the notebooks, without outputs.
        log: what the hub and the users' servers have printed.
    """

    def __init__(self, port: int, git_port: int, real: bool, log: Path):
        self.url = f"http://127.0.0.1:{port}{PREFIX}"
        self.password, self.mark = secrets.token_hex(16), secrets.token_hex(8)
        self.real, self.log = real, log
        self.repository = f"git://127.0.0.1:{git_port}/latent-faces"

    def link(self, notebook: str) -> str:
        """The link of hub/README.md: it fetches the notebooks and opens one, such as 05_a.ipynb."""
        place = quote(f"lab/tree/latent-faces/notebooks/{notebook}", safe="")
        query = f"repo={quote(self.repository, safe='')}&branch=main&urlpath={place}"
        return f"{self.url}hub/user-redirect/git-pull?{query}"

    def enter(self, page: Page, user: str, notebook: str) -> browser.Notebook:
        """Log in by the page, as a learner does who follows the link of a notebook."""
        page.set_default_timeout(1000 * SECONDS)
        page.goto(self.link(notebook))
        page.locator("#username_input").fill(user)
        page.locator("#password_input").fill(self.password)
        page.locator("#login_submit").click()
        return browser.Notebook.shown(page, SECONDS)

    def processes(self, user: str = "") -> list[psutil.Process]:
        """What a user runs, or all users: servers, kernels, TensorBoard."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                environment = process.environ()
                is_ours = environment.get(MARK) == self.mark
                if is_ours and user in ("", environment.get("JUPYTERHUB_USER")):
                    found.append(process)
        return found


def missing() -> str:
    """Why no hub can be started here, as a sentence; "" if one can."""
    if sys.platform == "win32":
        return "JupyterHub does not run on Windows"
    if not find_spec("jupyterhub"):
        return "there is no JupyterHub: `make test` installs it"
    for program, name in (("npm", "npm"), ("node", "Node.js"), ("git", "git")):
        if not shutil.which(program):
            return f"there is no {name}, which the hub needs"
    return ""


def has_real_users() -> bool:
    """Whether the users can be real ones: for root, where namespaces of mounts are allowed."""
    if sys.platform != "linux" or not debian.is_root():
        return False
    try:
        return subprocess.call([*WITH_US, *APART, "true"], stderr=subprocess.DEVNULL) == 0
    except FileNotFoundError:
        return False


@contextmanager
def hub(folder: Path = FOLDER) -> Iterator[Hub]:
    """Start a JupyterHub, its proxy, and a git server for its link; stop all that users started.

    Args:
        folder: for what it writes; homes are emptied.

    Raises:
        OSError: its proxy can't be fetched (one sentence).
        TimeoutError: it does not start.
    """
    modules = npm.fetch(ROOT / "hub", folder / "npm")
    homes, log, real = folder / "homes", folder / "hub.log", has_real_users()
    shutil.rmtree(homes, ignore_errors=True)
    homes.mkdir()
    ports = [browser.free_port() for _ in range(4)]
    started = Hub(ports[0], ports[1], real, log)
    settings = {
        **dict(zip(("port", "git_port", "hub_port", "api_port"), ports)),
        **{"prefix": PREFIX, "folder": str(folder), "homes": str(homes), "real": real},
        **{"users": USERS, "password": started.password},
        "mark": {MARK: started.mark},
        "proxy": ["node", str(modules / "configurable-http-proxy/bin/configurable-http-proxy")],
        "server": [
            sys.executable,
            "-m",
            "jupyterhub.singleuser",
            "--LabApp.expose_app_in_browser=True",
        ],
    }
    command = [sys.executable, "-m", "jupyterhub", "-f", str(ROOT / "tools" / "hub_config.py")]
    if real:
        users = [sys.executable, str(ROOT / "tools" / "hub_users.py"), str(homes), ",".join(USERS)]
        command = [*WITH_US, *APART, *users, *command]
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "HUB_SETTINGS": json.dumps(settings),
    }
    with ExitStack() as stack, log.open("wb") as output:
        options = {"cwd": folder, "env": environment, "stdout": output, "stderr": output}
        stack.callback(shutil.rmtree, homes, ignore_errors=True)
        stack.callback(end, started.processes)
        server = git_server(folder, ports[1])
        stack.enter_context(running([*WITH_US, *server] if real else server, **options))
        stack.enter_context(running(command, at_once=real, **options))
        browser.wait_for(lambda: answers(started), SECONDS, f"JupyterHub did not start: see {log}")
        yield started


def git_server(folder: Path, port: int) -> list[str]:
    """Make a repository of what a learner needs, as it is now; the command that serves it."""
    work, bare = folder / "course", folder / "git" / "latent-faces"
    for old in (work, bare.parent):
        shutil.rmtree(old, ignore_errors=True)
    shutil.copytree(ROOT / "notebooks", work / "notebooks", ignore=hidden)
    for path in work.rglob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        nbformat.write(notebook, path)
    shutil.copyfile(ROOT / ".gitignore", work / ".gitignore")
    who = ["-c", "user.name=course", "-c", "user.email=course@localhost"]
    for step in (
        ["init", "--quiet", "--initial-branch=main", "."],
        ["add", "--all"],
        [*who, "commit", "--quiet", "--no-verify", "-m", "The notebooks"],
        ["clone", "--quiet", "--bare", ".", str(bare)],
    ):
        subprocess.run(["git", *step], cwd=work, check=True)
    where = ["--listen=127.0.0.1", f"--port={port}", f"--base-path={bare.parent}"]
    return ["git", "daemon", "--export-all", "--reuseaddr", *where, str(bare.parent)]


def hidden(folder: str, names: list[str]) -> list[str]:
    """What is left out of a copy: hidden files, and compiled ones."""
    return [name for name in names if name.startswith((".", "__"))]


@contextmanager
def running(command: list[str], at_once: bool = False, **options) -> Iterator[subprocess.Popen]:
    """Start a program, and end it; at once where it waits for others and does not listen."""
    process = subprocess.Popen(command, **options)
    try:
        yield process
    finally:
        process.kill() if at_once else process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()
        process.wait()


def end(find: Callable[[], list[psutil.Process]]) -> None:
    """Kill what is left of the users' processes, and wait until the system has removed it."""
    left = find()
    for process in left:
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(left, timeout=60)


def answers(started: Hub) -> bool:
    """Whether the hub is up."""
    with suppress(OSError), urlopen(f"{started.url}hub/health", timeout=10) as answer:
        return answer.status == 200
    time.sleep(0.5)  # before it is asked again
    return False
