"""Links of Markdown text: those between files of the repository become links between pages."""

import json
import posixpath
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

# Code, which stays as it is, or a link or picture. The text of a link may hold a picture.
CODE = r"^ *(?P<fence>`{3,}|~{3,}).*?^ *(?P=fence) *$|(?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`)"
LINK = (
    r"(?P<picture>!?)\[(?P<text>(?:[^\[\]]|!?\[[^\[\]]*\](?:\([^()]*\))?)*)\]"
    r"\((?P<target>[^()\s]+)(?P<title>\s+\"[^\"]*\")?\)"
)
CODE_OR_LINK = re.compile(f"{CODE}|{LINK}", re.MULTILINE | re.DOTALL)
CELL = re.compile(r"cell-id=.*")  # what JupyterLab jumps to; a page has none
EXTERNAL = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:|//|#")  # another host, mail, or the same page


def shown_as(picture: str) -> str:
    """The name under which a page shows a picture: PNG files become WebP, which is smaller."""
    return re.sub(r"\.png$", ".webp", picture)


class Site:
    """What the links of a site lead to.

    Args:
        root: the folder of the repository.
        pages: file -> its page, both as paths from the root with "/", the page's with the
            extension of its source.
        repository: the address of the repository on the web; "" if it has none.
        branch: of the repository.

    Attributes:
        pictures: those that pages show, as paths from the root.
        made: what has no file in the repository, as paths from the root.
    """

    def __init__(
        self, root: Path, pages: Mapping[str, str], repository: str = "", branch: str = "main"
    ):
        self.root, self.pages, self.branch = root, pages, branch
        self.repository = repository.rstrip("/")
        self.pictures: set[str] = set()
        self.made: set[str] = set()
        self._known_cells: dict[str, set[str]] = {}

    def text(self, text: str, file: str) -> str:
        """Map the links of a Markdown text; those that lead nowhere on the site become words.

        Args:
            text: Markdown.
            file: that has it, as a path from the root.

        Raises:
            ValueError: a link leads to a file that does not exist (one sentence).
        """

        def mapped(match: re.Match) -> str:
            if match["target"] is None:
                return match[0]  # code
            title = match["title"] or ""
            if match["picture"]:
                return f"![{match['text']}]({self.picture(match['target'], file)}{title})"
            text = self.text(match["text"], file)
            target = self.target(match["target"], file)
            return text if target is None else f"[{text}]({target}{title})"

        return CODE_OR_LINK.sub(mapped, text)

    def target(self, target: str, file: str) -> str | None:
        """Where a link leads: to a page, to the repository, or nowhere (None)."""
        if EXTERNAL.match(target):
            return target
        path, _, anchor = target.partition("#")
        there, here = self._path(path, file), self.pages.get(file, file)
        is_cell = CELL.fullmatch(anchor) or anchor in self._cells(there)
        anchor = f"#{anchor}" if anchor and not is_cell else ""
        page = there if there in self.made else self.pages.get(there)
        if page is not None and page != here:
            return posixpath.relpath(page, posixpath.dirname(here) or ".") + anchor
        if page == here and there == file:
            return anchor or None
        if not self.repository:
            return None
        kind = "tree" if (self.root / there).is_dir() else "blob"
        return f"{self.repository}/{kind}/{self.branch}/{there}{anchor}"

    def picture(self, target: str, file: str) -> str:
        """The path of a picture beside the page, which is noted in `pictures`."""
        if EXTERNAL.match(target):
            raise ValueError(f"{file} shows {target}, from another host: keep a copy in docs/.")
        there = self._path(target, file)
        self.pictures.add(there)
        here = posixpath.dirname(self.pages.get(file, file)) or "."
        return posixpath.relpath(shown_as(there), here)

    def _cells(self, there: str) -> set[str]:
        """The names of a notebook's cells; none for another file."""
        if not there.endswith(".ipynb") or there in self.made:
            return set()
        if there not in self._known_cells:
            cells = json.loads((self.root / there).read_text("utf-8"))["cells"]
            self._known_cells[there] = {cell.get("id", "") for cell in cells}
        return self._known_cells[there]

    def _path(self, target: str, file: str) -> str:
        """The path of a link's file from the root."""
        there = posixpath.normpath(posixpath.join(posixpath.dirname(file), unquote(target)))
        if there in self.made:
            return there
        if there.startswith("..") or not (self.root / there).exists():
            raise ValueError(f"{file} links to {target}, which does not exist: mend the link.")
        return there
