"""Make the slides of docs/teaching/slides.md: one HTML file that opens without a network.

python tools/slides.py             writes build/slides.html
python tools/slides.py --out FILE  writes another file

reveal.js, which shows them, is installed with npm into build/ the first time, in the version of
docs/teaching/slides/package-lock.json. From then on, no network is needed here either.
"""

import argparse
import base64
import re
import sys
from html import escape
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from groundwork.commands import sentence  # noqa: E402
from groundwork.files import write_whole  # noqa: E402
from tools.npm import fetch  # noqa: E402

SLIDES = ROOT / "docs" / "teaching" / "slides.md"
LOOK = ROOT / "docs" / "teaching" / "slides"  # the style, and the versions for npm
OUT = ROOT / "build" / "slides.html"
FIGURE = re.compile(r"^\[Figure: (?P<alt>[^\]]+)\]\((?P<file>[^)#]+)(?:#(?P<cell>[^)]+))?\)$", re.M)
KINDS = {".png": "image/png", ".jpg": "image/jpeg", ".gif": "image/gif"}
SETTINGS = "{width: 1280, height: 720, margin: 0.02, center: false, hash: true, slideNumber: true"
SETTINGS += ", display: 'flex', controls: false"
SETTINGS += ", transition: 'none', plugins: [RevealMarkdown, RevealNotes]}"


def main() -> None:
    """Write the slides; end with one sentence if something is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=OUT, help="the HTML file to write")
    options = parser.parse_args()
    try:
        page = presentation(slides_of(SLIDES), reveal(ROOT / "build" / "npm-slides"))
        options.out.parent.mkdir(parents=True, exist_ok=True)
        write_whole(options.out, page)
    except (OSError, ValueError) as error:
        sys.exit(sentence(error))
    print(f"{options.out} has the slides: {len(page) / 1e6:.1f} MB, to be opened in a browser.")


def slides_of(path: Path) -> list[str]:
    """Read the slides of a page as Markdown, with their figures in them.

    What is above the first line "---" is for readers of the page, and no slide.

    Raises:
        OSError: a file can't be read.
        ValueError: there is no slide, or a figure is not where its link says.
    """
    _, *slides = re.split(r"^---\n", path.read_text(encoding="utf-8"), flags=re.M)
    if not slides:
        raise ValueError(f"{path.name} has no slides: a line with --- begins each.")

    def picture(match: re.Match) -> str:
        file = (path.parent / match["file"]).resolve()
        if not file.exists():
            raise ValueError(f"{path.name} has a figure of {match['file']}: there is no such file.")
        source = of_notebook(file, match["cell"]) if match["cell"] else of_file(file)
        return f"![{match['alt']}]({source})"

    return [FIGURE.sub(picture, slide).strip() for slide in slides]


def of_notebook(path: Path, cell_id: str) -> str:
    """The picture that a cell of a notebook has made, as it is saved there, as a data URL."""
    try:
        cells = nbformat.read(path, as_version=4).cells
    except OSError:
        raise
    except Exception as error:  # nbformat has many for what is no notebook
        raise ValueError(f"{path.name} is no notebook: restore it.") from error
    for output in (o for cell in cells if cell.id == cell_id for o in cell.get("outputs", [])):
        for kind in KINDS.values():
            if data := output.get("data", {}).get(kind):
                return f"data:{kind};base64,{''.join(data.split())}"
    raise ValueError(f"No cell {cell_id} of {path.name} has a picture: name another cell.")


def of_file(path: Path) -> str:
    """A picture in a file, as a data URL."""
    if path.suffix not in KINDS:
        raise ValueError(f"{path.name} is no {', '.join(KINDS)}: name another picture.")
    return f"data:{KINDS[path.suffix]};base64,{base64.b64encode(path.read_bytes()).decode()}"


def reveal(folder: Path) -> dict[str, str]:
    """The text of reveal.js' files, by their names; npm installs it in a folder if need be.

    Raises:
        OSError: npm is missing, or fails (one sentence).
    """
    dist = fetch(LOOK, folder) / "reveal.js" / "dist"
    names = ("reset.css", "reveal.css", "reveal.js", "plugin/markdown.js", "plugin/notes.js")
    return {name: (dist / name).read_text(encoding="utf-8") for name in names}


def presentation(slides: list[str], files: dict[str, str]) -> str:
    """Put slides, in Markdown, and reveal.js into one page of HTML."""
    files = files | {"slides.css": (LOOK / "slides.css").read_text(encoding="utf-8")}
    styles = [text for name, text in files.items() if name.endswith(".css")]
    # In a page, "</script>" ends a script wherever it stands.
    scripts = [
        text.replace("</script", r"<\/script") for n, text in files.items() if n[-3:] == ".js"
    ]
    sections = [
        f"<section data-markdown><textarea data-template>\n{escape(slide, quote=False)}\n"
        "</textarea></section>"
        for slide in slides
    ]
    title = re.sub(r"^#+ ", "", slides[0].splitlines()[0])
    head = f'<meta charset="utf-8"><title>{escape(title)}</title>'
    head += '<meta name="viewport" content="width=device-width, initial-scale=1">'
    head += "".join(f"\n<style>\n{text}\n</style>" for text in styles)
    body = '<div class="reveal"><div class="slides">\n' + "\n".join(sections) + "\n</div></div>"
    body += "".join(f"\n<script>\n{text}\n</script>" for text in scripts)
    body += f"\n<script>Reveal.initialize({SETTINGS});</script>"
    page = f"<head>{head}\n</head>\n<body>\n{body}\n</body>"
    return f'<!doctype html>\n<html lang="en">\n{page}\n</html>\n'


if __name__ == "__main__":
    main()
