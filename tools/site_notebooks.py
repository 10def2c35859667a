"""Prepare notebooks for the site: stills of widgets, folded solutions, texts for screen readers."""

import base64
import json
import re
from itertools import groupby
from pathlib import PurePosixPath

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from tools.colab_cells import is_colab
from tools.exercises import TAG
from tools.live import noted, place

WIDGET = re.compile(r"(\w+): a widget, which needs a running kernel")  # vaelib/widgets/base.py
# The widgets that a page can run without a kernel, and the size of the faces that each shows.
LIVE = {"Explorer": 64, "Inside": 64, "Morph": 64, "Studio": 128}
# What a widget begins with, where a notebook sets something else than live pages do.
FIRST = {"face": 0}
OPTIONS = {
    ("05", "Studio"): FIRST,
    ("explorers", "Studio"): FIRST,
    ("05", "Explorer"): {
        **{"x_axis": "Male", "y_axis": "Blond_Hair", "color": "Male"},
        "value": [2.5, 4],
    },
}
NOTE = "This is a picture of the widget. It needs Python: run the notebook to use it."


def for_site(notebook: NotebookNode, file: str) -> dict[str, bytes]:
    """Change a notebook into what its page shows.

    Args:
        notebook: with outputs; it is changed.
        file: its path from the root.

    Returns:
        The stills of its widgets: file name -> the bytes of a JPG; the notebook shows them in the
        folder `stills` of the root.
    """
    stem = PurePosixPath(file).stem
    stills: dict[str, bytes] = {}
    heading, cells = stem, []
    for cell in [cell for cell in notebook.cells if not is_colab(cell)]:
        cells.append(cell)
        if cell.cell_type == "markdown":
            heading = last_heading(cell.source) or heading
            continue
        for output in [o for o in cell.outputs if widget(o)]:
            name = still_name(stem, widget(output), stills)
            stills[name] = base64.b64decode(output.data["image/jpeg"])
            picture = "../" * (len(PurePosixPath(file).parts) - 1) + f"stills/{name}"
            cells.append(new_markdown_cell(still(widget(output), stem, picture)))
            cell.outputs.remove(output)
        cell.metadata["mystnb"] = {"image": {"alt": f"Output of a cell of “{heading}”"}}
    notebook.cells = folded(cells)
    return stills


def last_heading(markdown: str) -> str:
    """The text of the last heading; "" if there is none."""
    headings = re.findall(r"^#+ +(.+?)\s*$", markdown, re.MULTILINE)
    return re.sub(r"[`*]", "", headings[-1]) if headings else ""


def widget(output: NotebookNode) -> str:
    """The class of the widget that an output is the picture of; "" if it is something else."""
    data = output.get("data", {})
    found = WIDGET.match(data.get("text/plain", ""))
    return found[1] if found and "image/jpeg" in data else ""


def still_name(stem: str, name: str, taken: dict[str, bytes]) -> str:
    """A name for the still of a widget, new in its notebook."""
    base = f"{stem}_{name.lower()}"
    names = [f"{base}.jpg", *(f"{base}_{i}.jpg" for i in range(2, len(taken) + 3))]
    return next(n for n in names if n not in taken)


def still(name: str, stem: str, picture: str) -> str:
    """The Markdown of a still; a widget that can run in a page takes its place there."""
    image = f"![The widget {name}, as a picture]({picture})"
    if name not in LIVE:
        return noted('class="still"', image, NOTE)
    number = stem.partition("_")[0]
    more = {"notebook": number}
    if options := OPTIONS.get((number, name)):
        more["options"] = json.dumps(options)
    return place(name.lower(), image, LIVE[name], **more)


def folded(cells: list[NotebookNode]) -> list[NotebookNode]:
    """Put the cells of each solution into an element that opens with a click or a key."""
    result = []
    for solution, run in groupby(cells, lambda cell: TAG in cell.metadata.get("tags", [])):
        if solution:
            opening = '<details class="solution"><summary>Solution</summary>'
            run = [new_markdown_cell(opening), *run, new_markdown_cell("</details>")]
        result += run
    return result
