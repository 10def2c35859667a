"""The folder for a room without a network: what is in it, and what its page says."""

import zipfile

import pytest

from tools import workshop
from tools.workshop import PLATFORMS

PINS = ["numpy==2.4.6", "jupyter-lsp==2.3.1", "ruamel.yaml==0.18.1"]
FILES = ["numpy-2.4.6-cp312-cp312-win_amd64.whl", "jupyter_lsp-2.3.1-py3-none-any.whl"]
FILES += ["ruamel_yaml-0.18.1-py3-none-any.whl"]


@pytest.fixture
def downloads(tmp_path, monkeypatch):
    """A folder of wheels; what pip is asked for is noted, and `FILES` come."""
    commands = []

    def call(command, **_):
        commands.append(command)
        folder = tmp_path / "windows-3.12"
        for name in FILES:
            (folder / name).touch()
        return 0

    monkeypatch.setattr(workshop, "WHEELS", tmp_path)
    monkeypatch.setattr(workshop, "versions", lambda *_: PINS)
    monkeypatch.setattr(workshop.subprocess, "call", call)
    return tmp_path / "windows-3.12", commands


def test_the_wheels_are_those_of_the_platform_and_of_this_version(downloads):
    folder, commands = downloads
    folder.mkdir()
    (folder / "numpy-2.4.5-cp312-cp312-win_amd64.whl").touch()  # of the last year's workshop
    found = workshop.download("windows", PLATFORMS["windows"], "3.12")
    assert [name for _, name in found] == [f"wheels/{name}" for name in sorted(FILES)]
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    (command,) = commands
    assert command[-3:] == PINS
    assert command[command.index("--platform") + 1] == "win_amd64"
    assert command[command.index("--python-version") + 1] == "3.12"
    assert "--no-deps" in command and ":all:" in command


def test_a_wheel_that_did_not_come_is_an_error(downloads, monkeypatch):
    monkeypatch.setattr(workshop, "versions", lambda *_: [*PINS, "rich==15.0"])
    with pytest.raises(SystemExit, match="3 of 4 packages"):
        workshop.download("windows", PLATFORMS["windows"], "3.12")


@pytest.mark.parametrize("npm, made", [("npm", True), (None, False)])
def test_the_site_is_built_where_there_is_npm(tmp_path, monkeypatch, capsys, npm, made):
    def call(command, **_):
        assert command[1] == "tools/site.py"
        (tmp_path / "site").mkdir()
        (tmp_path / "site" / "index.html").write_text("new")
        return 0

    monkeypatch.setattr(workshop, "find_npm", lambda: npm)
    monkeypatch.setattr(workshop, "SITE", tmp_path / "site")
    monkeypatch.setattr(workshop.subprocess, "call", call)
    workshop.add_site(tmp_path / "folder")
    assert (tmp_path / "folder" / "index.html").exists() == made
    assert ("There is no site in it" in capsys.readouterr().out) != made


def test_a_site_that_fails_ends_the_workshop(tmp_path, monkeypatch):
    monkeypatch.setattr(workshop, "find_npm", lambda: "npm")
    monkeypatch.setattr(workshop.subprocess, "call", lambda command, **_: 1)
    (tmp_path / "index.html").write_text("of the last time")
    with pytest.raises(SystemExit, match="can't be built"):
        workshop.add_site(tmp_path)
    assert (tmp_path / "index.html").exists()


def test_the_project_goes_in_and_what_is_made_from_it_does_not(tmp_path, monkeypatch):
    for name in ("list_attr_celeba.txt", "img/000001.jpg", ".cache/64-1.npy", ".lock"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("a")
    monkeypatch.setattr(workshop, "FACES", tmp_path)
    names = [name for _, name in workshop.face_files()]
    assert names == ["data/portraits/img/000001.jpg", "data/portraits/list_attr_celeba.txt"]
    project = [name for _, name in workshop.project_files()]
    assert {"Makefile", "tools/install.py", "notebooks/01_faces.ipynb"} <= set(project)
    assert not [name for name in project if name.startswith((".venv", "build", "data/portraits"))]


def test_all_lies_in_one_folder_of_the_zip_file(tmp_path):
    (tmp_path / "a").write_text("face")
    workshop.pack(tmp_path / "b.zip", [(tmp_path / "a", "wheels/a")])
    with zipfile.ZipFile(tmp_path / "b.zip") as packed:
        assert packed.namelist() == ["latent-faces/wheels/a"]


def test_the_page_names_each_system_its_file_and_its_commands(tmp_path, monkeypatch):
    monkeypatch.setattr(workshop, "OUT", tmp_path)
    for name in PLATFORMS:
        (tmp_path / f"latent-faces-{name}.zip").write_bytes(bytes(2_000_000))
    page = workshop.page(list(PLATFORMS), "3.12")
    for name, platform in PLATFORMS.items():
        assert f'href="latent-faces-{name}.zip"' in page
        assert platform.title.replace("'", "&#x27;") in page
    assert page.count("2 MB") == 3
    assert "<pre>py -3.12 tools\\install.py\n.venv\\Scripts\\python tools\\lab.py</pre>" in page
    assert page.count("<pre>python3.12 tools/install.py\n.venv/bin/python tools/lab.py</pre>") == 2
    assert "site/" not in page
    (tmp_path / "site").mkdir()
    assert 'href="site/index.html"' in workshop.page(["linux"], "3.12")


@pytest.mark.parametrize("option", ["--check", "--serve"])
def test_before_it_is_made_it_says_how_to_make_it(tmp_path, monkeypatch, option):
    monkeypatch.setattr(workshop, "OUT", tmp_path)
    monkeypatch.setattr(workshop.sys, "platform", "linux")
    monkeypatch.setattr(workshop.shutil, "which", lambda name: name)
    monkeypatch.setattr("sys.argv", ["workshop.py", option])
    with pytest.raises(SystemExit, match="`make workshop`"):
        workshop.main()
