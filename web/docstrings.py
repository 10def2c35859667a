"""Part of Sphinx: docstrings are plain text with Google's sections; make it valid reStructuredText.

Characters that mean something there (`*`, `_` and `|`) are kept as they are, and results of a
function that are listed by name get a section of their own, `Results`.
"""

import re
from collections.abc import Iterator

from sphinx.application import Sphinx
from sphinx.ext.napoleon import Config, GoogleDocstring

LITERAL = r"``.*?``|`[^`]*`"
EMPHASIS = r"(?<![\w*])\*[A-Za-z][\w -]*\*(?![\w*])"
SPECIAL = r"\*|\||(?<=\w)_(?!\w)"
TOKEN = re.compile(f"(?P<kept>{LITERAL}|{EMPHASIS})|{SPECIAL}")
SECTION = re.compile(r"Returns:")
NAMED = re.compile(r"[a-z]\w*(, [a-z]\w*)*: ")
SECTIONS = Config(
    napoleon_use_ivar=True,
    napoleon_use_rtype=False,  # what is returned is described in words, not by names alone
    napoleon_custom_sections=[("Files", "params_style"), ("Results", "params_style")],
)


def escaped(line: str) -> str:
    """A line in which a star, a bar and an underscore at the end of a word are just that."""
    return TOKEN.sub(lambda match: match[0] if match["kept"] else "\\" + match[0], line)


def with_results(lines: list[str]) -> Iterator[str]:
    """The lines, with a section of results, if two or more of what is returned have names."""
    place, block = None, []  # the margin of the section, and its lines
    for line in [*lines, ""]:
        if place is not None and line.startswith(place + "    "):
            block.append(line)
            continue
        if place is not None:
            yield from results(block, place)
            place, block = None, []
        if SECTION.fullmatch(line.strip()):
            place = line[: len(line) - len(line.lstrip())]
        else:
            yield line


def results(block: list[str], margin: str) -> Iterator[str]:
    """The section of what is returned; what follows the named results is a paragraph after it."""
    texts = [line.removeprefix(margin + "    ") for line in block]
    named = sum(bool(NAMED.match(text)) for text in texts) > 1
    after = [text for text in texts if named and not text.startswith(" ") and not NAMED.match(text)]
    yield f"{margin}Results:" if named else f"{margin}Returns:"
    yield from (line for line, text in zip(block, texts) if text not in after)
    if after:
        yield from ["", *(margin + text for text in after)]


def process(
    app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]
) -> None:
    """Change the lines of a docstring in place."""
    text = list(with_results([escaped(line) for line in lines]))
    # Of an attribute, napoleon would take what stands before a colon for its type.
    kind = "" if what in ("attribute", "property") else what
    lines[:] = GoogleDocstring(text, SECTIONS, app, kind, name, thing, options).lines()


def setup(app: Sphinx) -> dict[str, bool]:
    """Register it."""
    app.connect("autodoc-process-docstring", process)
    return {"parallel_read_safe": True}
