"""Tests of tools/site_notebooks.py: what the page of a notebook shows of its outputs."""

import base64
import json
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools.colab_cells import with_cell
from tools.exercises import TAG
from tools.site_notebooks import OPTIONS, folded, for_site, last_heading, widget

ROOT = Path(__file__).resolve().parents[2]
FILE = "notebooks/05_attributes.ipynb"


def shown(name: str, content: bytes):
    """The output of a cell that ends with a widget."""
    data = {
        "text/plain": f"{name}: a widget, which needs a running kernel. Run this cell in ...",
        "image/jpeg": base64.b64encode(content).decode(),
    }
    return new_output("execute_result", data, execution_count=1)


def cell_of(*outputs):
    cell = new_code_cell("code")
    cell.outputs = list(outputs)
    return cell


def test_stills_become_elements_that_can_be_made_live():
    one, two = cell_of(shown("Studio", b"one")), cell_of(shown("Studio", b"two"))
    notebook = new_notebook(cells=[new_markdown_cell("# Faces"), one, two])
    stills = for_site(notebook, FILE)
    assert stills == {"05_attributes_studio.jpg": b"one", "05_attributes_studio_2.jpg": b"two"}
    _, first, still, second, _ = notebook.cells
    assert not first.outputs and not second.outputs
    assert still.source.startswith(
        '<div class="latent-faces" data-widget="studio" data-model="128" data-notebook="05" '
        'data-options="{&quot;face&quot;: 0}">'
    )
    assert "](../stills/05_attributes_studio.jpg)" in still.source


def test_the_cell_for_colab_is_not_shown():
    notebook = with_cell(new_notebook(cells=[new_markdown_cell("# Faces"), cell_of()]), "")
    assert len(notebook.cells) == 3
    for_site(notebook, FILE)
    assert [cell.source for cell in notebook.cells] == ["# Faces", "code"]


def test_a_widget_that_needs_python_is_a_still_only():
    notebook = new_notebook(cells=[cell_of(shown("Dials", b"one"))])
    for_site(notebook, FILE)
    source = notebook.cells[1].source
    assert source.startswith('<div class="still">') and "data-widget" not in source
    assert "needs Python" in source and "becomes live" not in source


def test_a_widget_begins_as_its_notebook_says():
    """The settings that are written down here are those of the cell."""
    for (number, name), options in OPTIONS.items():
        (path,) = (ROOT / "notebooks").glob(f"{number}*.ipynb")
        notebook = nbformat.read(path, as_version=4)
        cells = [c.source for c in notebook.cells if any(map(widget, c.get("outputs", [])))]
        (source,) = [source for source in cells if f"{name}(" in source]
        for key, value in options.items():
            if key == "face":
                assert key not in source and value == 0  # Studio begins with the first face
                continue
            assert key in source and json.dumps(value) in source
        notebook_page = for_site(notebook, f"notebooks/{path.name}")
        assert notebook_page and any("data-options" in cell.source for cell in notebook.cells)


def test_other_outputs_stay_and_say_where_they_stand():
    plot = new_output("display_data", {"image/png": "abcd", "text/plain": "<Figure>"})
    text = new_markdown_cell("## The `edit` function\n\n    # no heading")
    notebook = new_notebook(cells=[text, cell_of(plot)])
    assert for_site(notebook, FILE) == {}
    assert notebook.cells[1].outputs == [plot]
    assert "“The edit function”" in notebook.cells[1].metadata["mystnb"]["image"]["alt"]


def test_each_solution_is_folded_as_a_whole():
    def cell(solution: bool):
        new = new_markdown_cell("text")
        new.metadata["tags"] = [TAG] if solution else []
        return new

    sources = [c.source for c in folded([cell(s) for s in (False, True, True, False, True)])]
    opening = '<details class="solution"><summary>Solution</summary>'
    answer = [opening, "text", "text", "</details>"]
    assert sources == ["text", *answer, "text", opening, "text", "</details>"]


@pytest.mark.parametrize(
    "text, wanted",
    [("# A\n\ntext\n\n## B *c*\n\nmore", "B c"), ("text # no", ""), ("### `x` and y ", "x and y")],
)
def test_last_heading(text, wanted):
    assert last_heading(text) == wanted
