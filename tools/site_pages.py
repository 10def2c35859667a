"""Gather the sources of the site in one folder: pages of web/, docs, notebooks, modules.

Every file keeps the place that it has in the repository, so that links between them stay right.
"""

import io
import json
import re
import shutil
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

import nbformat
from PIL import Image

from tools.site_links import Site, shown_as
from tools.site_modules import module_pages
from tools.site_notebooks import for_site

ROOT = Path(__file__).resolve().parent.parent
WEB = "web"
# What becomes a page, besides the pages of web/ and those of the modules.
FILES = (
    *("docs/*.md", "docs/teaching/**/*.md", "data/README.md", "hub/README.md"),
    *("CONTRIBUTING.md", "CHANGELOG.md"),
    *("notebooks/*.ipynb", "notebooks/solutions/*.ipynb", "notebooks/task/*.ipynb"),
)
README = "README.md"  # the pages of web/ take parts of it
QUALITY = 90  # of the pictures of docs/, from 0 to 100
CARDS = "<!-- the notebooks -->"
ROW = re.compile(
    r"^\| \[(\d+) (.+?)\]\((notebooks/.+?)\) \| (.+?) \| (\d+) \| (\d+) \|", re.MULTILINE
)
TOCTREE = re.compile(r"^```{toctree}\n(?::.*\n)*\n(?P<names>(?:.+\n)*)```\n", re.MULTILINE)
CARD = """\
<li>

<p class="number" aria-hidden="true">{number}</p>

**[{title}]({file})**

{learn}

<p class="minutes">{reading} minutes, exercises {practice}</p>
</li>
"""


def gather(folder: Path, repository: str = "", root: Path = ROOT) -> None:
    """Bring a folder of sources up to date; files that are right already keep their dates.

    Args:
        folder: for the sources; what does not belong there is deleted.
        repository: the address of the repository on the web; "" if it has none.
        root: the folder of the repository.

    Raises:
        ValueError: a page links to a file that does not exist, or shows a picture of another host
            (one sentence).
    """
    site = Site(root, pages_of(root), repository)
    wanted: dict[str, bytes] = {}
    for file in site.pages:
        if file.startswith("notebooks/exercises/"):
            continue
        if file.endswith(".ipynb"):
            wanted |= notebook_page(root, file, site)
        else:
            wanted[file] = site.text((root / file).read_text("utf-8"), file).encode()
    wanted |= {name: text.encode() for name, text in module_pages(root).items()}
    own = {path.name: path.read_text("utf-8") for path in (root / WEB).glob("*.md")}
    site.made |= (wanted.keys() | own.keys()) - site.pages.keys()
    # web/ and the README lie at the top, as the root of the site does.
    readme = site.text((root / README).read_text("utf-8"), README)
    wanted[README] = readme.encode()
    for name, text in own.items():
        text = without_empty_lists(text.replace(CARDS, cards(readme)), wanted)
        wanted[name] = site.text(text, name).encode()
    for picture in site.pictures - wanted.keys():
        wanted[shown_as(picture)] = picture_bytes(root / picture, folder / shown_as(picture))
    settle(folder, wanted)


def pages_of(root: Path) -> dict[str, str]:
    """The page of each file that has one, as paths from the root.

    The exercises of a notebook are on the page of their solutions, which are folded.
    """
    files = [path.relative_to(root).as_posix() for form in FILES for path in root.glob(form)]
    pages = {file: file for file in sorted(files)}
    for file in [file for file in pages if file.startswith("notebooks/solutions/")]:
        pages[file.replace("solutions", "exercises")] = file
    return pages | {README: "start.md"}


def notebook_page(root: Path, file: str, site: Site) -> dict[str, bytes]:
    """The sources of a notebook's page: the notebook, and the stills of its widgets."""
    notebook = nbformat.read(root / file, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = site.text(cell.source, file)
    stills = {f"stills/{name}": picture for name, picture in for_site(notebook, file).items()}
    return {file: json.dumps(notebook, indent=1).encode(), **stills}


def picture_bytes(path: Path, made: Path) -> bytes:
    """The content of a picture as its page shows it; what was made of this version is kept."""
    if path.suffix != ".png":
        return path.read_bytes()
    if made.exists() and made.stat().st_mtime > path.stat().st_mtime:
        return made.read_bytes()
    webp = io.BytesIO()
    with Image.open(path) as picture:
        mode = "RGBA" if "A" in picture.mode else "RGB"
        picture.convert(mode).save(webp, "WEBP", quality=QUALITY)
    return webp.getvalue()


def cards(readme: str) -> str:
    """The README's table of notebooks as a list, which is easier to read on a telephone."""
    names = ("number", "title", "file", "learn", "reading", "practice")
    items = [CARD.format(**dict(zip(names, row.groups()))) for row in ROW.finditer(readme)]
    if not items:
        raise ValueError(f"{README} has no table of notebooks any more: see ROW in {__file__}.")
    return '<ul class="cards">\n' + "".join(items) + "</ul>\n"


def without_empty_lists(text: str, files: Iterable[str]) -> str:
    """Leave out the lists of pages (toctree) whose patterns match none of the files."""

    def kept(match: re.Match) -> str:
        patterns = match["names"].split()
        found = any(fnmatchcase(file, f"{form}.*") for file in files for form in patterns)
        return match[0] if found else ""

    return TOCTREE.sub(kept, text)


def settle(folder: Path, wanted: dict[str, bytes]) -> None:
    """Make a folder hold these files and no others; those that are right are left alone."""
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        if path.relative_to(folder).as_posix() not in wanted:
            path.unlink()
    for name, content in wanted.items():
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
