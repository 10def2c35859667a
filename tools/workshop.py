"""Fill build/workshop/ with all that a room without a network needs: `make workshop` calls this.

    python tools/workshop.py                      for Linux, macOS and Windows, and this Python
    python tools/workshop.py --platforms windows --python 3.12
    python tools/workshop.py --check              install it here, cut off from every network
    python tools/workshop.py --serve              hand it out to the room

For each platform there is one ZIP file: the project, the portraits, and the packages as wheels.
"""

import argparse
import html
import os
import shutil
import subprocess
import sys
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory

from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from groundwork.addresses import ends_of_the_way  # noqa: E402
from groundwork.files import write_whole, written_whole  # noqa: E402
from tools.npm import find_npm  # noqa: E402

OUT = ROOT / "build" / "workshop"
WHEELS = ROOT / "build" / "wheels"  # what was downloaded, for the next time
FACES = ROOT / "data" / "portraits"
SITE = ROOT / "build" / "site"
INSIDE = "latent-faces"  # the folder in each ZIP file


@dataclass(frozen=True)
class Platform:
    """A system that wheels are made for.

    Attributes:
        title: as people call it.
        uv: its name for uv, which finds the versions.
        pip: its names for pip, which downloads them: a newer system takes older wheels, too.
        start: what a learner types in a terminal, in the unpacked folder: two lines, since Windows'
            PowerShell may not know `&&`.
    """

    title: str
    uv: str
    pip: tuple[str, ...]
    start: str


MACOS = 12  # the oldest that TensorFlow's wheels run on
_MANYLINUX = tuple(f"manylinux_2_{minor}_x86_64" for minor in range(28, 4, -1))
PLATFORMS = {
    "linux": Platform(
        "Linux (x86-64)",
        "x86_64-manylinux_2_28",
        (*_MANYLINUX, "manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64"),
        "python{python} tools/install.py\n.venv/bin/python tools/lab.py",
    ),
    "macos": Platform(
        f"macOS {MACOS} or newer (Apple's chips)",
        "aarch64-apple-darwin",
        (f"macosx_{MACOS}_0_arm64",),
        "python{python} tools/install.py\n.venv/bin/python tools/lab.py",
    ),
    "windows": Platform(
        "Windows (64 bits)",
        "x86_64-pc-windows-msvc",
        ("win_amd64",),
        "py -{python} tools\\install.py\n.venv\\Scripts\\python tools\\lab.py",
    ),
}


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--platforms", nargs="+", default=list(PLATFORMS), choices=PLATFORMS)
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    parser.add_argument("--python", default=here, choices=["3.11", "3.12", "3.13"])
    parser.add_argument("--check", action="store_true", help="install it without a network")
    parser.add_argument("--serve", action="store_true", help="hand it out; Ctrl-C ends it")
    parser.add_argument("--port", type=int, default=8000, help="of --serve (default: 8000)")
    options = parser.parse_args()
    if options.serve:
        serve(options.port)
    elif options.check:
        check()
    else:
        make([PLATFORMS[name] for name in options.platforms], options.platforms, options.python)


# ------------------------------------------------------------------ make it


def make(platforms: list[Platform], names: list[str], python: str) -> None:
    """Write a ZIP file for each platform, the site, and the page that names them."""
    if not (FACES / "list_attr_celeba.txt").exists():
        sys.exit("The portraits are not drawn yet: `make lab` draws them; then give this again.")
    OUT.mkdir(parents=True, exist_ok=True)
    for old in OUT.glob("*.zip"):
        if old.stem not in [f"{INSIDE}-{name}" for name in names]:
            old.unlink()  # of another set of platforms: the page would not name it
    for name, platform in zip(names, platforms, strict=True):
        wheels = download(name, platform, python)
        if len(versions(platform, python, WHEELS / f"{name}-{python}")) != len(wheels):
            sys.exit(f"The wheels for {platform.title} do not fit together: give this again.")
        with written_whole(OUT / f"{INSIDE}-{name}.zip") as aside:
            pack(aside, [*project_files(), *face_files(), *wheels])
    add_site(OUT / "site")
    write_whole(OUT / "index.html", page(names, python))
    for path, size in sizes():
        print(f"{size / 1e6:8.0f} MB  {path.relative_to(ROOT)}")
    print(f"Python {python}. `python tools/workshop.py --serve` hands it out to the room.")


def add_site(folder: Path) -> None:
    """Build the site, and copy it; without npm, a site that was built before will do."""
    if find_npm() and subprocess.call([sys.executable, "tools/site.py"], cwd=ROOT):
        sys.exit("The site can't be built: see above.")
    shutil.rmtree(folder, ignore_errors=True)
    if (SITE / "index.html").exists():
        shutil.copytree(SITE, folder)
    else:
        print("There is no site in it, since there is no npm: Node.js brings it.")


def download(name: str, platform: Platform, python: str) -> list[tuple[Path, str]]:
    """Download the wheels of the tested versions; those that are there are not fetched again."""
    folder = WHEELS / f"{name}-{python}"
    folder.mkdir(parents=True, exist_ok=True)
    pins = versions(platform, python)
    print(f"{platform.title}: {len(pins)} packages", flush=True)
    tags = [word for tag in platform.pip for word in ("--platform", tag)]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *tags]
    command += ["--disable-pip-version-check", "--only-binary", ":all:", "--dest", str(folder)]
    command += ["--python-version", python, "--implementation", "cp", *pins]
    if subprocess.call(command, cwd=ROOT):
        sys.exit(f"pip could not download the packages for {platform.title}: it says why above.")
    wanted = {(canonicalize_name(name), Version(v)) for name, v in (p.split("==") for p in pins)}
    found = []
    for path in sorted(folder.glob("*.whl")):
        if parse_wheel_filename(path.name)[:2] in wanted:
            found.append((path, f"wheels/{path.name}"))
        else:
            path.unlink()  # of an earlier version
    if len(found) != len(pins):
        sys.exit(f"{folder} has {len(found)} of {len(pins)} packages: remove it, and try again.")
    return found


def versions(platform: Platform, python: str, wheels: Path | None = None) -> list[str]:
    """What a learner's packages need on a platform: "name==version", as constraints.txt says.

    Args:
        platform: of the learner.
        python: its version, such as "3.12".
        wheels: a folder, to find packages there and nowhere else; None means the registry.
    """
    command = [sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "-", "--quiet"]
    command += ["--extra", "cpu", "--constraint", "constraints.txt", "--no-header"]
    command += ["--no-annotate", "--no-emit-index-url", "--no-emit-find-links"]
    command += ["--python-platform", platform.uv, "--python-version", python]
    command += ["--only-binary", ":all:"]
    if wheels:
        command += ["--offline", "--no-index", "--find-links", str(wheels)]
    # pip builds the project itself with setuptools, and needs it without a network, too.
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "MACOSX_DEPLOYMENT_TARGET": f"{MACOS}.0"},
        input="setuptools>=77\n",
        stdout=subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        sys.exit(f"uv found no versions for {platform.title}: it says why above.")
    return [line.split(";")[0].strip() for line in done.stdout.splitlines() if "==" in line]


def project_files() -> list[tuple[Path, str]]:
    """The files of the project that git knows, and their names in the ZIP file."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        sys.exit("The list of files comes from git: clone the project, and give this there.")
    return [(ROOT / name, name) for name in listed.stdout.split("\0") if (ROOT / name).is_file()]


def face_files() -> list[tuple[Path, str]]:
    """The drawn portraits, without what is decoded from them."""
    paths = (path for path in sorted(FACES.rglob("*")) if path.is_file())
    inside = ((path, path.relative_to(FACES)) for path in paths)
    return [
        (path, f"data/portraits/{name.as_posix()}")
        for path, name in inside
        if not any(part.startswith(".cache") or part == ".lock" for part in name.parts)
    ]


def pack(path: Path, files: list[tuple[Path, str]]) -> None:
    """Write files into a ZIP file; they are compressed already, so they are only stored."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, strict_timestamps=False) as archive:
        for source, name in files:
            archive.write(source, f"{INSIDE}/{name}")


def page(names: list[str], python: str) -> str:
    """The page that a learner's browser shows."""
    rows = "".join(
        f"<h2>{html.escape(PLATFORMS[name].title)}</h2>"
        f'<p><a href="{INSIDE}-{name}.zip">{INSIDE}-{name}.zip</a>, '
        f"{(OUT / f'{INSIDE}-{name}.zip').stat().st_size / 1e6:.0f} MB. Unpack it, open a terminal "
        f"in the folder <code>{INSIDE}</code>, and give these two lines:</p>"
        f"<pre>{html.escape(PLATFORMS[name].start.format(python=python))}</pre>"
        for name in names
    )
    site = '<p><a href="site/index.html">Read the course here</a>.</p>'
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        "<title>Latent Faces</title><style>body{font:18px/1.5 sans-serif;max-width:40em;"
        "margin:2em auto;padding:0 1em}pre{overflow-x:auto;background:#eee;padding:.6em;"
        "font-size:15px}</style>"
        f"<h1>Latent Faces</h1>{site if (OUT / 'site').exists() else ''}"
        f"<p>You need Python {python}. Nothing else is downloaded: what is on this page installs "
        f"without the internet.</p>{rows}</html>\n"
    )


def sizes() -> list[tuple[Path, int]]:
    """What is in build/workshop/, with sizes in bytes."""
    return [
        (path, sum(p.stat().st_size for p in [path, *path.rglob("*")] if p.is_file()))
        for path in sorted(OUT.iterdir())
    ]


# ------------------------------------------------------------------ check it, hand it out


def check() -> None:
    """Unpack the ZIP file for Linux, install it without a network, and decode a face with it."""
    archive = OUT / f"{INSIDE}-linux.zip"
    if sys.platform != "linux" or not shutil.which("unshare"):
        sys.exit("The check needs Linux, which can take a program off every network.")
    if not archive.exists():
        sys.exit(f"{archive} is not there: `make workshop` makes it.")
    alone = ["unshare", "--user", "--map-root-user", "--net"]
    face = "import vaelib; print(vaelib.load_model('pretrained').decode([[0.0] * 384]).shape)"
    with TemporaryDirectory() as folder:
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(folder)
        project = Path(folder) / INSIDE
        python = sys._base_executable
        for command in ([python, "tools/install.py"], [".venv/bin/python", "-c", face]):
            if subprocess.call([*alone, *command], cwd=project):
                sys.exit("It can't be used without a network: see above.")
    print(f"{archive.name} installs without a network, and decodes a face.")


def serve(port: int) -> None:
    """Hand out build/workshop/ to the room, until Ctrl-C."""
    if not (OUT / "index.html").exists():
        sys.exit(f"There is nothing in {OUT} yet: `make workshop` fills it.")
    handler = partial(SimpleHTTPRequestHandler, directory=str(OUT))
    try:
        server = ThreadingHTTPServer(("", port), handler)
    except OSError as error:
        sys.exit(f"Port {port} can't be used ({error.strerror}): name another one with --port.")
    print(f"Write this on the board: http://{address()}:{port}", flush=True)
    print("Ctrl-C ends it.", flush=True)
    with server, suppress(KeyboardInterrupt):
        server.serve_forever()


def address() -> str:
    """The address of this machine in the room's network; nothing is sent."""
    try:
        return ends_of_the_way("192.0.2.1", 9)[0]  # the address of no machine
    except OSError:
        return "127.0.0.1"


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nInterrupted.")
