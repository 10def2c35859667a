"""Tests of benchmarks/sliders.py: its last line, and its notebook."""

import ast
import importlib

import nbformat
import pandas as pd
import pytest

from benchmarks.sliders import SLIDERS, summary, write_notebook


def test_summary_holds_the_medians_and_their_ratio():
    times = pd.DataFrame(
        [(name, ms) for name, all_ms in zip(SLIDERS, ([10, 12, 14], [20, 30, 40], [90, 120, 150]))
         for ms in all_ms],
        columns=["slider", "ms"],
    )  # fmt: skip
    found = summary(times, {"studio": 15.0, "without look-ahead": 80.0})
    assert found["median_ms"] == 12
    assert found["p95_ms"] == pytest.approx(13.8)
    assert found["ratio_to_matplotlib"] == 10
    assert found["settled_ms"] == 15
    assert found["waiting_median_ms"] == 30
    assert found["waiting_settled_ms"] == 80
    assert found["matplotlib_median_ms"] == 120


def test_the_notebook_imports_what_there_is(tmp_path):
    write_notebook(tmp_path / "made" / "sliders.ipynb")
    notebook = nbformat.read(tmp_path / "made" / "sliders.ipynb", as_version=4)
    cells = [ast.parse(cell.source) for cell in notebook.cells]
    assert len(cells) == len(SLIDERS)
    imports = [node for cell in cells for node in cell.body if isinstance(node, ast.ImportFrom)]
    assert imports
    for node in imports:
        module = importlib.import_module(node.module)
        assert all(hasattr(module, name.name) for name in node.names)
