"""Tests of tools/hub.py: its link, its repository, and what it says where no hub can be started."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psutil
import pytest

from tools import hub


def test_the_link_fetches_the_notebooks_and_opens_one():
    started = hub.Hub(8000, 9418, False, Path("hub.log"))
    link = urlsplit(started.link("05_attributes.ipynb"))
    assert link.path == "/hub-test/hub/user-redirect/git-pull"
    assert parse_qs(link.query) == {
        "repo": ["git://127.0.0.1:9418/latent-faces"],
        "branch": ["main"],
        "urlpath": ["lab/tree/latent-faces/notebooks/05_attributes.ipynb"],
    }


def test_its_form_is_that_of_the_page_for_admins():
    readme = (hub.ROOT / "hub" / "README.md").read_text("utf-8")
    (shown,) = [line.strip() for line in readme.splitlines() if "user-redirect/git-pull" in line]
    ours = urlsplit(hub.Hub(8000, 9418, False, Path("hub.log")).link("01_faces.ipynb"))
    theirs = urlsplit(shown)
    assert ours.path.endswith(theirs.path)
    queries = [parse_qs(link.query) for link in (ours, theirs)]
    for query in queries:
        del query["repo"]
    assert queries[0] == queries[1]


@pytest.mark.skipif(not shutil.which("git"), reason="needs git")
def test_the_repository_has_the_notebooks_without_outputs(tmp_path):
    command = hub.git_server(tmp_path, 9418)
    assert command[:2] == ["git", "daemon"]
    repository = Path(command[-1]) / "latent-faces"
    copy = tmp_path / "copy"
    subprocess.run(["git", "clone", "--quiet", "--branch=main", repository, copy], check=True)
    names = {path.name for path in (hub.ROOT / "notebooks").glob("*.ipynb")}
    assert {path.name for path in (copy / "notebooks").glob("*.ipynb")} == names
    for name in names:
        cells = json.loads((copy / "notebooks" / name).read_text("utf-8"))["cells"]
        assert not [cell for cell in cells if cell.get("outputs") or cell.get("execution_count")]


def test_what_is_missing_is_a_reason(monkeypatch):
    monkeypatch.setattr(hub, "find_spec", lambda name: True)
    monkeypatch.setattr(hub.sys, "platform", "linux")
    monkeypatch.setattr(hub.shutil, "which", lambda name: None if name == "npm" else name)
    assert "no npm" in hub.missing()
    monkeypatch.setattr(hub.shutil, "which", lambda name: name)
    assert hub.missing() == ""
    monkeypatch.setattr(hub, "find_spec", lambda name: None)
    assert "no JupyterHub" in hub.missing()


def test_a_program_that_is_running_ends_with_its_block():
    with hub.running([sys.executable, "-c", "import time; time.sleep(600)"]) as process:
        assert process.poll() is None
    assert process.poll() is not None


def test_what_users_have_left_is_gone_when_it_ends():
    left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    hub.end(lambda: [psutil.Process(left.pid)])
    assert not psutil.pid_exists(left.pid)
