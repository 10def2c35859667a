"""Run notebooks in JupyterLab in a real browser; find or install the browser.

python tools/browser.py    installs a browser for the tests, if there is none: `make browser`
"""

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools import debian  # noqa: E402

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# Without these, Chromium asks Google's servers for updates at every start.
QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
QUIET += ["--no-first-run", "--disable-gpu"]
QUIET += ["--force-color-profile=srgb"]  # the same colours in the screenshots of every machine
running: list[Browser] = []  # the open one: Playwright can be started once at a time


def main() -> None:
    """Install a browser unless there is one."""
    if not find_browser():
        install()
    print(f"The browser tests use {find_browser()}.")


# ------------------------------------------------------------------ the browser


def find_browser() -> str | None:
    """Find Chrome or Chromium: the system's, or the one that Playwright has installed."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    if running:
        path = running[0].browser_type.executable_path
    else:
        with sync_playwright() as playwright:
            path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def install() -> None:
    """Install Debian's Chromium where that is allowed, and Playwright's elsewhere.

    Raises:
        SystemExit: no browser could be installed (one sentence).
    """
    debian.install("chromium")
    if not find_browser():
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    if not find_browser():
        sys.exit("No browser could be installed: install Chrome or Chromium by hand, and go on.")


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Start a headless browser; while one is open, the same one."""
    if running:
        yield running[0]
        return
    path = find_browser()
    with sync_playwright() as playwright:
        arguments = QUIET + (["--no-sandbox"] if debian.is_root() else [])  # root has none
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        running.append(browser)
        try:
            yield browser
        finally:
            running.clear()
            browser.close()


@contextmanager
def browser_page(**options) -> Iterator[Page]:
    """Open a page of a headless browser; `options` are those of Playwright's `new_page`."""
    with open_browser() as browser:
        page = browser.new_page(**options)
        try:
            yield page
        finally:
            page.close()  # and what belongs to it alone: cookies, cache


# ------------------------------------------------------------------ the server


class Server:
    """A running JupyterLab: its address, its token, and its kernels."""

    def __init__(self, url: str, token: str, log: Path, view: str):
        self.url, self.token, self.log, self.view = url, token, log, view

    def get(self, path: str):
        """Ask the server's REST interface; return the answer as Python objects."""
        request = urllib.request.Request(
            f"{self.url}/api/{path}", headers={"Authorization": f"token {self.token}"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def close_kernels(self) -> None:
        """Shut down all kernels, so that they use no processor and no memory."""
        for kernel in self.get("kernels"):
            request = urllib.request.Request(
                f"{self.url}/api/kernels/{kernel['id']}",
                method="DELETE",
                headers={"Authorization": f"token {self.token}"},
            )
            urllib.request.urlopen(request, timeout=30).close()


@contextmanager
def jupyter(log: Path, application: str = "lab") -> Iterator[Server]:
    """Start JupyterLab (or Notebook: "notebook") in the project, on a free port, with a token.

    Args:
        log: receives what the server and its kernels print.
        application: "lab" or "notebook".
    """
    token = secrets.token_hex(24)
    port = free_port()
    command = [
        *(sys.executable, "-m", "jupyterlab" if application == "lab" else "notebook"),
        "--no-browser",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        "--LabApp.expose_app_in_browser=True",  # so that a page can be told to run its cells
        "--JupyterNotebookApp.expose_app_in_browser=True",
        f"--ServerApp.root_dir={ROOT}",
        f"--IdentityProvider.token={token}",
        # Socket files: a free port that Jupyter picks may be taken before it is used.
        *([] if sys.platform == "win32" else ["--KernelManager.transport=ipc"]),
        # As `make lab` does.
        "--ServerApp.kernel_websocket_connection_class=tools.websocket.PromptConnection",
        *(["--allow-root"] if debian.is_root() else []),
    ]
    settings = log.parent / "jupyter-settings"  # the user's settings are neither read nor changed
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "JUPYTER_CONFIG_DIR": str(settings),
        "JUPYTERLAB_SETTINGS_DIR": str(settings / "lab" / "user-settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(settings / "lab" / "workspaces"),
    }
    shutil.rmtree(settings, ignore_errors=True)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        view = "lab/tree" if application == "lab" else "notebooks"
        server = Server(f"http://127.0.0.1:{port}", token, log, view)
        try:
            wait_for(lambda: answers(server), 60, f"JupyterLab did not start: see {log}")
            yield server
        finally:
            with suppress(OSError):
                server.close_kernels()
            process.terminate()
            process.wait(30)


def free_port() -> int:
    """Find a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(server: Server) -> bool:
    """Whether the server is up."""
    with suppress(OSError):
        return "version" in server.get("")
    return False


def wait_for(condition, seconds: float, complaint: str) -> None:
    """Wait until `condition()` is true.

    Raises:
        TimeoutError: it did not become true in time.
    """
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(complaint)
        time.sleep(0.1)


# ------------------------------------------------------------------ a notebook


class Notebook:
    """A notebook that is open in JupyterLab, in a page.

    Args:
        page: of the browser.
        server: that serves it.
        path: of the notebook, from the project's root.

    Attributes:
        problems: what the page's console complained about.
        page: of the browser.
    """

    def __init__(self, page: Page, server: Server, path: str):
        self._watch(page)
        page.goto(f"{server.url}/{server.view}/{path}?token={server.token}&reset")
        self._wait(60)

    @classmethod
    def shown(cls, page: Page, seconds: float = 60) -> "Notebook":
        """The notebook that a page is about to show by itself, when its kernel is ready."""
        notebook = cls.__new__(cls)
        notebook._watch(page)
        notebook._wait(seconds)
        return notebook

    def _watch(self, page: Page) -> None:
        self.page, self.problems = page, []
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda m: self.problems.append(m.text) if m.type == "error" else None)

    def _wait(self, seconds: float) -> None:
        self.page.wait_for_selector(".jp-Notebook", timeout=1000 * seconds)
        self.page.wait_for_function(
            "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status"
            " === 'idle'",
            timeout=1000 * seconds,
        )

    def run_all(self, seconds: float = 300) -> None:
        """Run all cells of a notebook without outputs, and wait until the last has finished.

        Raises:
            AssertionError: a cell ended with an error (its last line).
        """
        self.page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")
        failed = self.page.locator("[data-mime-type='application/vnd.jupyter.stderr']")
        waiting = self.page.locator(
            ".jp-CodeCell .jp-InputArea-prompt", has_text=re.compile("[ *]")
        )
        wait_for(
            lambda: failed.count() or not waiting.count(),
            seconds,
            f"The cells took more than {seconds} seconds.",
        )
        assert failed.count() == 0, failed.first.inner_text()[-500:]

    def run_again(self, part: Locator) -> None:
        """Run the cell that `part` of an output came from, and wait until `part` is gone."""
        part.evaluate("node => { window.kept = node; }")
        cell = part.locator("xpath=ancestor::*[contains(@class,'jp-CodeCell')]")
        cell.locator(".jp-InputArea").click()
        self.page.keyboard.press("Control+Enter")
        self.page.wait_for_function("() => !window.kept.isConnected")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("Interrupted.")
