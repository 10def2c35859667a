"""The server of `make lab` answers its owner's browser, and nobody else."""

import contextlib
import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from tools import lab

START = (
    "import sys; from pathlib import Path; from tools import lab; folder = Path(sys.argv[1]);"
    "lab.start_jupyterlab(folder / '01_a.ipynb', folder, 8888, ['--no-browser'])"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A running server: its address, and the token."""
    folder = tmp_path_factory.mktemp("course")
    (folder / "01_a.ipynb").write_text(
        '{"cells": [], "metadata": {}, "nbformat": 4}', encoding="utf-8"
    )
    with subprocess.Popen(
        [sys.executable, "-c", START, folder], cwd=lab.ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        line = next(line for line in process.stdout if "?token=" in line)
        address, token = line.strip().split("/lab/tree/01_a.ipynb?token=")
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:  # it listens a moment after it has said so
            with contextlib.suppress(OSError):
                socket.create_connection(("localhost", int(address.rpartition(":")[2]))).close()
                break
            time.sleep(0.1)
        yield address, token
        process.kill()


def status(server, path: str, body: dict | None = None, **headers: str) -> int:
    """What the server answers; `body` makes it a POST."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(server[0] + path, data, headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def running_kernels(server) -> list:
    owner = {"Authorization": f"token {server[1]}"}
    request = urllib.request.Request(server[0] + "/api/kernels", headers=owner)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


@pytest.mark.slow
def test_the_owner_is_answered(server):
    assert status(server, "/api/contents", Authorization=f"token {server[1]}") == 200


@pytest.mark.slow
@pytest.mark.parametrize("headers", [{}, {"Authorization": "token 0123456789abcdef"}])
@pytest.mark.parametrize("path", ["/api/contents", "/api/kernels", "/api/terminals"])
def test_without_the_token_nothing_is_answered(server, path, headers):
    assert status(server, path, **headers) == 403


@pytest.mark.slow
def test_another_name_of_this_computer_is_refused(server):
    """A page elsewhere could let its own name point to this computer."""
    headers = {"Host": "elsewhere.example", "Authorization": f"token {server[1]}"}
    assert status(server, "/api/contents", **headers) == 403


@pytest.mark.slow
def test_another_page_can_start_nothing(server):
    evil = {"Origin": "http://elsewhere.example"}
    assert status(server, "/api/kernels", {}, **evil) in (403, 404)
    assert running_kernels(server) == []
