"""Tests of web/docstrings.py: docstrings become valid reStructuredText and say the same."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SPEC = importlib.util.spec_from_file_location("docstrings", ROOT / "web" / "docstrings.py")
docstrings = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(docstrings)


@pytest.mark.parametrize(
    "line, wanted",
    [
        ("from (b, *shape) to a list", r"from (b, \*shape) to a list"),
        ("columns with val_, and `val_` too", r"columns with val\_, and `val_` too"),
        ("It is |m1 - m2|^2", r"It is \|m1 - m2\|^2"),
        ("The *others* are n * 3", r"The *others* are n \* 3"),
        ("a_name and ``a * b``", "a_name and ``a * b``"),
    ],
)
def test_characters_are_kept(line, wanted):
    assert docstrings.escaped(line) == wanted


def test_named_results_get_a_section():
    lines = """\
Text.

Returns:
    faces, refused: counts;
    strength: the factor
        of the vector;
    The others are None.

Raises:
    ValueError: no.""".splitlines()
    assert list(docstrings.with_results(lines)) == [
        *("Text.", "", "Results:"),
        *("    faces, refused: counts;", "    strength: the factor", "        of the vector;"),
        *("", "The others are None.", "", "Raises:", "    ValueError: no.", ""),
    ]


def test_one_result_stays_as_it_is():
    lines = ["Returns:", "    float array (n,): the distances,", "    one for each."]
    assert list(docstrings.with_results(lines)) == [*lines, ""]
