"""Part of Sphinx: docstrings are plain text with Google's sections; make it valid reStructuredText.

Characters that mean something there (`*`, `_` and `|`) are kept as they are, and the results of a
function that are listed by name become a list.
"""

import re
from collections.abc import Iterator

from sphinx.application import Sphinx

LITERAL = r"``.*?``|`[^`]*`"
EMPHASIS = r"(?<![\w*])\*[A-Za-z][\w -]*\*(?![\w*])"
SPECIAL = r"\*|\||(?<=\w)_(?!\w)"
TOKEN = re.compile(f"(?P<kept>{LITERAL}|{EMPHASIS})|{SPECIAL}")
SECTION = re.compile(r"(Returns|Yields):$")
NAMED = re.compile(r"[a-z]\w*(, [a-z]\w*)*: ")


def escaped(line: str) -> str:
    """A line in which a star, a bar and an underscore at the end of a word are just that."""
    return TOKEN.sub(lambda match: match[0] if match["kept"] else "\\" + match[0], line)


def with_lists(lines: list[str]) -> Iterator[str]:
    """The lines, with bullets before the results of a function if two or more have names."""
    indent, block = None, []
    for line in [*lines, ""]:
        inside = indent is not None and line.startswith(" " * indent) and line.strip()
        if indent is not None and not inside:
            yield from bullets(block, indent)
            indent, block = None, []
        if inside:
            block.append(line)
            continue
        yield line
        if SECTION.match(line.strip()):
            indent = len(line) - len(line.lstrip()) + 4


def bullets(block: list[str], indent: int) -> Iterator[str]:
    """The lines of a section, as a list if two or more begin with a name."""
    if sum(bool(NAMED.match(line[indent:])) for line in block) < 2:
        yield from block
        return
    margin, listed = " " * indent, False
    for line in block:
        text = line[indent:]
        if NAMED.match(text):
            yield f"{margin}* {text}"
        elif text.startswith(" "):
            yield f"{margin}  {text.strip()}"
        else:
            yield from ([margin, line] if listed else [line])
        listed = bool(NAMED.match(text)) or text.startswith(" ")


def process(
    _app: Sphinx, what: str, _name: str, _thing: object, _options: object, lines: list
) -> None:
    """Change the lines of a docstring in place."""
    lines[:] = with_lists([escaped(line) for line in lines])
    if what in ("attribute", "property"):
        lines.insert(0, "")  # else napoleon takes what stands before a colon for a type


def setup(app: Sphinx) -> dict[str, bool]:
    """Register it, to run before napoleon reads the sections."""
    app.connect("autodoc-process-docstring", process, priority=400)
    return {"parallel_read_safe": True}
