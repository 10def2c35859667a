"""Every call that makes a figure leaves one in the page, wherever in its cell it stands."""

import ast

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager

from tests.notebooks.lists import EXECUTED, EXPLORERS, NOTEBOOKS, named
from vaelib import drawings, plots

MAKERS = {name for name in [*dir(plots), *dir(drawings)] if name.startswith("show_")}
MAKERS |= {"loss_curve", "latent_histograms", "subplots", "figure"}


def figures_made(source: str) -> int:
    """How many calls in a cell make a figure; calls inside its own functions don't count."""

    def count(node: ast.AST) -> int:
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda):
            return 0
        made = sum(count(child) for child in ast.iter_child_nodes(node))
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            sized = any(keyword.arg == "figsize" for keyword in node.keywords)  # pandas' plots
            made += name in MAKERS or sized
        return made

    return count(ast.parse(TransformerManager().transform_cell(source)))


def pictures(cell: nbformat.NotebookNode) -> int:
    return sum("image/png" in output.get("data", {}) for output in cell.outputs)


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("show_rows(rows)", 1),
        ("if cases:\n    show_rows(rows)\nassert cases", 1),
        ("figure, axes = plt.subplots()\naxes.plot([1, 2])", 1),
        ("table.plot(figsize=(2, 2))\nshow_faces(x)", 2),
        ("def f():\n    show_faces(x)", 0),
        ("from vaelib.plots import show_faces", 0),
    ],
)
def test_the_count_of_a_cell(source, count):
    assert figures_made(source) == count


@pytest.mark.parametrize("name", named(EXECUTED))
def test_each_figure_is_in_the_outputs(name):
    notebook = nbformat.read(NOTEBOOKS / name, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    makes_none = name in ("explorers.ipynb", "solutions/02_model_solutions.ipynb")
    assert any(figures_made(cell.source) for cell in cells) or makes_none
    for cell in cells:
        assert pictures(cell) >= figures_made(cell.source), cell.source


def test_each_widget_of_the_page_of_explorers_has_its_picture():
    cells = nbformat.read(EXPLORERS, as_version=4).cells
    widgets = ("Inside(", "Studio(", "Explorer(", "Morph(")
    shown = {last for cell in cells for last in widgets if cell.source.startswith(last)}
    shown |= {last for cell in cells for last in widgets if f"\n{last}" in cell.source}
    assert shown == set(widgets)
    stills = [o for c in cells for o in c.get("outputs", []) if "image/jpeg" in o.get("data", {})]
    assert len(stills) == len(widgets)


def test_a_figure_appears_in_the_middle_of_a_cell(run_cells):
    cells = [
        "import numpy as np\nfrom vaelib.plots import show_faces, show_rows",
        "x = np.ones((2, 8, 8, 3))",
        "if len(x):\n    show_rows({'faces': x})\nassert len(x) == 2",
        "for _ in range(2):\n    show_faces(x)\nprint('end')",
    ]
    *_, once, twice = run_cells(cells).cells
    assert [pictures(once), pictures(twice)] == [1, 2]
