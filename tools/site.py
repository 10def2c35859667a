"""Build the web site of the course into build/site: `make site` calls this.

    python tools/site.py
    python tools/site.py --repository https://github.com/somebody/latent-faces

With the address of the repository, the site has links to it, to Binder and to Colab. Without the
option, it is the one in pyproject.toml. The site is made aside, and takes the place of the last one
when it is whole. A warning of Sphinx is an error.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from groundwork.commands import sentence  # noqa: E402
from tools.colab_cells import repository as own_address  # noqa: E402
from tools.live import build_live  # noqa: E402
from tools.npm import fetch  # noqa: E402
from tools.site_pages import WEB, gather  # noqa: E402

BUILD = ROOT / "build"
SITE = BUILD / "site"
WORK = BUILD / "site-work"  # sources, Sphinx's cache, and the site that is being made
LIVE = BUILD / "live"  # what makes the widgets live, and studio.html
MATHJAX = ("tex-chtml.js", "a11y", "input", "output", "sre/speech-worker.js", "ui")
SPEECH = ("base", "en", "nemeth")  # the rules by which a screen reader reads formulas
# Used by no page: maps for debuggers, templates, icons (ours are in site.css), Sphinx's records.
UNUSED = (
    *("_static/**/*.map", "_static/*.html", "_static/scripts/fontawesome.js"),
    *(".buildinfo", "objects.inv"),
)


def main() -> None:
    """Build the site; end with one sentence if that fails."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repository", default="", help="its address on the web, for links")
    given = parser.parse_args().repository
    start = time.monotonic()
    try:
        repository = given or own_address()
        if repository and not repository.startswith("https://"):
            raise ValueError(f"--repository is {repository}: give an address, https://...")
        if repository and not opens_in_colab(repository):
            print(
                "The site will have no links to Colab, which opens notebooks on github.com whose "
                "first cells know the address: write it into pyproject.toml, and give `python "
                "tools/colab_cells.py`."
            )
        build(repository)
    except (OSError, ValueError) as error:
        sys.exit(sentence(error))
    size = sum(path.stat().st_size for path in SITE.rglob("*") if path.is_file())
    print(f"{SITE.relative_to(ROOT)}: {size / 1e6:.0f} MB in {time.monotonic() - start:.0f} s")


def opens_in_colab(repository: str) -> bool:
    """Whether Colab opens its notebooks, and their first cells then know where the course is."""
    return repository.startswith("https://github.com/") and repository.rstrip("/") == own_address()


def build(repository: str) -> None:
    """Build the site beside the last one, and put it in its place.

    Raises:
        OSError: npm is missing, or Sphinx complains (one sentence).
        ValueError: a link leads to nothing (one sentence).
    """
    packages = fetch(ROOT / WEB, BUILD / "npm")
    if subprocess.call([sys.executable, "-m", "portraits"], cwd=ROOT) != 0:
        raise OSError("Without portraits there are no live widgets: see above.")
    build_live(LIVE, "index.html")
    gather(WORK / "sources", repository)
    new, old = WORK / "site", WORK / "old"
    for folder in (new, old):
        shutil.rmtree(folder, ignore_errors=True)
    add_mathjax(packages, new / "_static" / "mathjax")
    shutil.copytree(LIVE, new, dirs_exist_ok=True)
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-j", "auto"]
    command += ["-b", "html", "-c", WEB, "-d", str(WORK / "doctrees")]
    command += [str(WORK / "sources"), str(new)]
    colab = "yes" if opens_in_colab(repository) else "no"
    environment = {**os.environ, "LATENT_FACES_REPOSITORY": repository, "LATENT_FACES_COLAB": colab}
    if subprocess.call(command, cwd=ROOT, env=environment) != 0:
        shutil.rmtree(WORK / "doctrees")  # else the next build would not read, and complain, again
        raise OSError(f"Sphinx complains (see above), so {SITE} is as it was: mend that.")
    for form in UNUSED:
        for path in new.glob(form):
            path.unlink()
    if SITE.exists():
        SITE.rename(old)
    new.rename(SITE)
    shutil.rmtree(old, ignore_errors=True)


def add_mathjax(packages: Path, folder: Path) -> None:
    """Copy what MathJax may ask for, in the order of folders that web/conf.py names."""
    rules = [f"sre/mathmaps/{language}.json" for language in SPEECH]
    for name in (*MATHJAX, *rules):
        source, target = packages / "mathjax" / name, folder / "mathjax" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copyfile)(source, target)
    font = "mathjax-newcm-font"
    shutil.copytree(packages / "@mathjax" / font / "chtml", folder / "fonts" / font / "chtml")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("Interrupted; the last site is as it was.")
