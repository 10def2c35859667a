"""Write the pages of the API reference: one for each module, or for each package of small ones."""

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGES = ("vaelib", "portraits", "groundwork")
FOLDER = "reference"
INDEX = """\
Reference
=========

What the packages of the course offer to Python, from their docstrings. The command lines are
described in :doc:`/start`.
"""
MODULE = """\
.. automodule:: {name}
   :members:
   :member-order: bysource
"""


def module_pages(root: Path) -> dict[str, str]:
    """Make the pages.

    Args:
        root: the folder with the packages.

    Returns:
        The text of each page (reStructuredText), by its path.
    """
    pages, index = {}, [INDEX]
    for package in PACKAGES:
        units = list(units_of(root, package))
        first, *_ = summaries(root, package)
        index.append(f"{heading(package, '-')}\n{first}\n")
        rows = []
        for unit, modules in units:
            pages[f"{FOLDER}/{unit}.rst"] = page(root, unit, modules)
            rows.append(f":doc:`{unit}`\n   {summaries(root, unit)[0]}\n")
        index.append("\n".join(rows))
        names = "\n".join(f"   {unit}" for unit, _ in units)
        index.append(f".. toctree::\n   :hidden:\n\n{names}\n")
    return {**pages, f"{FOLDER}/index.rst": "\n".join(index)}


def units_of(root: Path, package: str) -> Iterator[tuple[str, list[str]]]:
    """The units that get a page: the package, its modules, and its packages with their modules."""
    yield package, []
    for path in sorted((root / package).iterdir()):
        if path.suffix == ".py" and not path.stem.startswith("_") and has_public(path):
            yield f"{package}.{path.stem}", [f"{package}.{path.stem}"]
        elif (path / "__init__.py").exists():
            inner = [p for p in sorted(path.glob("*.py")) if not p.stem.startswith("_")]
            names = [f"{package}.{path.name}.{p.stem}" for p in inner if has_public(p)]
            yield f"{package}.{path.name}", names


def has_public(path: Path) -> bool:
    """Whether a module defines a function or a class for others, with a docstring."""
    nodes = ast.parse(path.read_text("utf-8")).body
    defined = [node for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    return any(not node.name.startswith("_") and ast.get_docstring(node) for node in defined)


def page(root: Path, unit: str, modules: list[str]) -> str:
    """The page of a module, or of a package: what it hands on, and its modules."""
    if modules == [unit]:
        return f"{heading(unit)}\n{MODULE.format(name=unit)}"
    first, rest = summaries(root, unit)
    parts = [f"{heading(unit)}\n{first}\n", *([f"{rest}\n"] if rest else [])]
    if names := handed_on(root, unit):
        listed = "\n".join(f"* :py:obj:`~{module}.{name}`" for module, name in names)
        parts.append(f"Names that ``import {unit}`` brings:\n\n{listed}\n")
    parts += [f"{heading(name, '-')}\n{MODULE.format(name=name)}" for name in modules]
    return "\n".join(parts)


def handed_on(root: Path, package: str) -> list[tuple[str, str]]:
    """The names that a package takes from its modules for its users: (module, name) each."""
    tree = ast.parse((root / package.replace(".", "/") / "__init__.py").read_text("utf-8"))
    public = []
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            public = ast.literal_eval(node.value)
    taken = [
        (node.module, alias.name)
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    ]
    return [(module, name) for module, name in taken if name in public]


def summaries(root: Path, name: str) -> tuple[str, str]:
    """The first line of a module's docstring, and the rest."""
    path = root / name.replace(".", "/")
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    first, _, rest = (ast.get_docstring(ast.parse(file.read_text("utf-8"))) or "").partition("\n")
    return first, rest.strip()


def heading(text: str, line: str = "=") -> str:
    """A heading in reStructuredText."""
    return f"{text}\n{line * len(text)}\n"
