"""Cells run twice, and out of order, as a learner runs them."""

import ast
import builtins
import dis
import re
from itertools import combinations
from types import CodeType

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

from tests.notebooks.lists import ALL, named

OF_EACH_FIGURE = {"figure", "axes", "panels", "_"}
PREDEFINED = {*dir(builtins), "__name__", "display", "get_ipython"}


def names_of(code: CodeType) -> tuple[set[str], set[str], set[str]]:
    """The names that a cell expects to be there, those that it binds, and those that it imports."""
    expects, binds, imports = set(), set(), set()
    before = ""
    for step in dis.get_instructions(code):
        read = set()
        if step.opname in ("LOAD_NAME", "LOAD_GLOBAL"):
            read = {step.argval}
        elif isinstance(step.argval, CodeType):  # a function, a class, or a comprehension
            read = names_of(step.argval)[0]
        elif step.opname == "STORE_NAME":
            (imports if before.startswith("IMPORT") else binds).add(step.argval)
        expects |= read - binds - imports - PREDEFINED
        before = step.opname
    return expects, binds, imports


@pytest.mark.parametrize("name", named(ALL))
def test_what_cells_share_is_made_by_one_of_them(code_of, name):
    """Else a cell that is run again finds something else under the name than the first time."""
    transform = TransformerManager().transform_cell
    cells = [names_of(compile(transform(cell), name, "exec")) for cell in code_of(name)]
    for expects, *_ in cells:
        for shared in expects:
            makers = sum(shared in binds for _, binds, _ in cells)
            imported = any(shared in imports for *_, imports in cells)
            assert makers + imported == 1, f"{makers} cells make {shared}"
    for expects, binds, _ in cells:
        assert not expects & binds, "a cell changes what it was given"


def assigned(cell: str) -> set[str]:
    """The names that a cell assigns or defines itself; those of loops and functions don't count."""
    names = set()
    todo = [ast.parse(TransformerManager().transform_cell(cell))]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
            continue
        if isinstance(node, ast.Assign):
            targets = [name for target in node.targets for name in ast.walk(target)]
            names |= {
                name.id
                for name in targets
                if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
            }
        todo += ast.iter_child_nodes(node)
    return names - OF_EACH_FIGURE


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("a, (b, *c) = d\nfigure, axes = plt.subplots()", {"a", "b", "c"}),
        ("if x:\n    y = 1\nfor z in x:\n    x[0] = z", {"y"}),
        ("def f():\n    inner = 1\n%load_ext something", {"f"}),
    ],
)
def test_the_names_of_a_cell(cell, names):
    assert assigned(cell) == names


@pytest.mark.parametrize("name", named(ALL))
def test_a_name_stands_for_one_thing(code_of, name):
    cells = [assigned(cell) for cell in code_of(name)]
    assert not {name for one, other in combinations(cells, 2) for name in one & other}


# Two epochs do for the question asked here; what is asserted needs the sixty.
SHORTENED = {"02_model.ipynb": ("epochs=60", "epochs=2")}


def shown(cell: NotebookNode) -> list[str]:
    """What a cell has printed and drawn; widgets have another number each time."""
    # A kernel may send one text in several parts.
    found = ["".join(output.text for output in cell.outputs if output.output_type == "stream")]
    for output in cell.outputs:
        data = output.get("data", {})
        if data and "application/vnd.jupyter.widget-view+json" not in data:
            found.append(data.get("image/png", data.get("text/plain", "")))
    return found


def test_parts_of_a_text_are_one_text():
    texts, figure = ["one\n", "two\n"], {"image/png": "...", "text/plain": "<Figure>"}
    parts = [nbformat.v4.new_output("stream", text=text) for text in texts]
    whole = [nbformat.v4.new_output("stream", text="".join(texts))]
    drawn = [nbformat.v4.new_output("display_data", data=figure)]
    cells = [nbformat.v4.new_code_cell(outputs=some) for some in (parts, whole, drawn)]
    first, second, third = map(shown, cells)
    assert first == second == ["one\ntwo\n"]
    assert third == ["", "..."]


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.after_notebooks
@pytest.mark.parametrize(
    "name",
    [
        "01_faces.ipynb",
        "02_model.ipynb",
        "04_latent_space.ipynb",
        "05_attributes.ipynb",
        "06_morphing.ipynb",
    ],
)
def test_every_cell_runs_twice_and_out_of_order(code_of, run_cells, name):
    """A cell shows the same the second time. Those that train long are in test_sizes.py."""
    cells = code_of(name)
    if name in SHORTENED:
        usual, shorter = SHORTENED[name]
        assert usual in "".join(cells)
        cells = [cell.replace(usual, shorter) for cell in cells]
        cells = [re.sub(r"^(\s*)assert ", r"\1", cell, flags=re.MULTILINE) for cell in cells]
    twice = [cell for cell in cells for _ in range(2)]
    done = run_cells(twice + cells[::-1]).cells[: len(twice)]
    for first, second in zip(done[::2], done[1::2]):
        assert shown(first) == shown(second), first.source
