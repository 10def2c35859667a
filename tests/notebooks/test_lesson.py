"""What the text of the lesson promises: its numbers, its links, its terms.

A number in bold, such as **41%**, says: a cell above has printed this. It is looked for in the
printed output of the last cells above it.
"""

import re
from pathlib import Path

import nbformat
import pytest

from tests.notebooks.lists import ALL, COURSE, NOTEBOOKS, named

ROOT = NOTEBOOKS.parent
GLOSSARY = ROOT / "docs" / "glossary.md"
CELLS_ABOVE = 4  # cells that print something, in which a number in bold is looked for
NUMBER = r"[-+−]?\d[\d,]*(?:\.\d+)?%?"


def numbers(text: str) -> set[str]:
    """The numbers in a text, without signs and without the commas between thousands."""
    found = re.findall(NUMBER, text)
    return {number.lstrip("-+−").rstrip(",").replace(",", "") for number in found}


def printed(cell: nbformat.NotebookNode) -> str:
    """What a code cell printed: streams and tables, not the size of a figure."""
    texts = [output.get("text", "") for output in cell.outputs]
    texts += [output.get("data", {}).get("text/plain", "") for output in cell.outputs]
    return "\n".join(text for text in texts if not text.startswith("<Figure"))


def numbers_without_output(cells: list) -> list[str]:
    """The numbers in bold that no cell above them has printed."""
    missing, outputs = [], []
    for cell in cells:
        if cell.cell_type == "code":
            outputs += [text] if (text := printed(cell)) else []
            continue
        known = numbers("\n".join(outputs[-CELLS_ABOVE:]))
        bold = re.findall(rf"\*\*({NUMBER})\*\*", cell.source)
        missing += [number for number in bold if not numbers(number) <= known]
    return missing


def page(*sources: str, output: str) -> list:
    code = nbformat.v4.new_code_cell("print(x)")
    code.outputs = [nbformat.v4.new_output("stream", text=output)]
    return [code, *(nbformat.v4.new_markdown_cell(source) for source in sources)]


@pytest.mark.parametrize(
    ("text", "output", "missing"),
    [
        ("It closes **52%** of it.", "closes 52% of", []),
        ("It closes **53%** of it.", "closes 52% of", ["53%"]),
        ("**18,000** and **0.3**", "18000 faces [0.3  0.4]", []),
        ("by **7.5%**", "'+7.5%'", []),
        ("**2** of them", "20 faces, 0.2, 2.5", ["2"]),
        ("two, or 3, **not a number**", "", []),
    ],
)
def test_a_number_in_bold_is_looked_for(text, output, missing):
    assert numbers_without_output(page(text, output=output)) == missing


def test_a_number_is_looked_for_above_and_not_below():
    assert numbers_without_output(page("**5**", output="5")[::-1]) == ["5"]


@pytest.mark.parametrize("name", named(ALL))
def test_numbers_in_bold_are_those_that_were_printed(name):
    cells = nbformat.read(NOTEBOOKS / name, as_version=4).cells
    assert numbers_without_output(cells) == []


def prose(path: Path) -> str:
    """The text of a notebook or a page; code and formulas are blanked out, so places stay."""
    if path.suffix == ".md":
        text = path.read_text("utf-8")
    else:
        cells = nbformat.read(path, as_version=4).cells
        text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    return re.sub(r"`[^`\n]*`|^ {4}.*$|\$\$.*?\$\$|\$[^$\n]+\$", blank, text, flags=re.MULTILINE)


def blank(match: re.Match) -> str:
    return "`" * len(match[0])


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", prose(path), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in headings}


def links(path: Path) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", prose(path))


PAGES = [*ALL, GLOSSARY]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_each_link_leads_somewhere(path):
    for link in links(path):
        if link.startswith(("http://", "https://")):
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        made = target.is_relative_to(ROOT / "data") or target.is_relative_to(ROOT / "runs")
        assert target.exists() or made, link
        assert not anchor or anchor in anchors(target), link


TERMS = re.findall(r"^## (.*)$", GLOSSARY.read_text("utf-8"), flags=re.MULTILINE)


def test_the_glossary_is_in_order_and_each_term_is_linked_from_a_notebook():
    assert sorted(term.lower() for term in TERMS) == [term.lower() for term in TERMS]
    linked = {link.partition("#")[2] for path in ALL for link in links(path)}
    assert anchors(GLOSSARY) - {"glossary"} <= linked


def first_use(text: str, term: str) -> re.Match | None:
    """Where a text first uses a term, outside headings, titles of sources and longer terms."""
    longer = [o[len(term) :] for o in TERMS if o != term and o.lower().startswith(term.lower())]
    not_longer = f"(?!{'|'.join(longer)})" if longer else ""  # "latent space" is no "latent"
    name = term if term.isupper() else f"(?i:{term})"
    use = re.compile(rf"(?<![\w/#.-])(?<!learning ){name}{not_longer}s?(?!\w|-\w|\.\w)")
    titles = r"^#.*$|\*[^*\n]+\*, \d{4}"  # "*Auto-Encoding Variational Bayes*, 2014"
    return use.search(re.sub(titles, blank, text, flags=re.MULTILINE))


def unlinked(text: str) -> list[str]:
    """The terms that a text uses, and whose first use is no link to the glossary."""
    missing = []
    for term in TERMS:
        link = rf"[^\]\[]*\]\([^)]*glossary\.md#{term.lower().replace(' ', '-')}\)"
        match = first_use(text, term)
        missing += [term] if match and not re.match(link, text[match.end() :]) else []
    return missing


def test_a_first_use_is_recognised():
    link = "[latent space](../docs/glossary.md#latent-space)"
    assert unlinked(f"A {link}, the latent space.") == []
    assert unlinked(f"The latent space, a {link}.") == ["Latent space"]
    assert unlinked("Two [latents](../docs/glossary.md#latent), both latents.") == []
    assert unlinked("A [latent](../docs/glossary.md#nat).") == ["Latent"]
    assert unlinked("# The prior\n\nAlternate naturally.") == []
    assert unlinked("- A. Author, *Likelihood and Nats*, 2014: about the prior.") == ["Prior"]


# Notebook 2 is where most terms are introduced.
@pytest.mark.parametrize("name", named([path for path in ALL if path != COURSE[1]]))
def test_terms_are_linked_where_a_notebook_first_uses_them(name):
    assert unlinked(prose(NOTEBOOKS / name)) == []


PREDICT = r"^> \*\*Predict\.\*\* "
FOLD = r"<details><summary>Answer</summary>\n\n(?:[^<].*\n+)+</details>$"
QUESTION = rf"^\*\*Question (\d)\.\*\* .*\n\n{FOLD}"
READ_ON = "\n## Where to read on\n"


def lacking(cells: list) -> list[str]:
    """What a notebook should have for its reader, and has not."""
    texts = [cell.source for cell in cells if cell.cell_type == "markdown"]
    text = "\n\n".join(texts)
    predicted = [i for i, cell in enumerate(cells) if re.search(PREDICT, cell.source, flags=re.M)]
    followed = [any(c.cell_type == "code" for c in cells[i + 1 : i + 3]) for i in predicted]
    questions = re.findall(QUESTION, text, flags=re.M)
    order = re.findall(r"^## (Recap|Questions|Exercises|Where to read on)$", text, flags=re.M)
    end = text.rpartition(READ_ON)[2] if READ_ON in text else ""
    sources = re.findall(r"^- .*\]\(https://", end, flags=re.M)
    has = {
        "'In this notebook, we', in the first cell": "In this notebook, we" in texts[0],
        "**Before you start.**, in the first cell": "\n**Before you start.** " in texts[0],
        "three '> **Predict.** ', each before a cell to run": sum(followed) >= 3 and all(followed),
        "five folded questions, 1 to 5": questions == list("12345"),
        "Recap, Questions, Exercises, Where to read on, in this order": order
        == ["Recap", "Questions", "Exercises", "Where to read on"],
        "two sources with a link each": len(sources) >= 2,
    }
    return [what for what, there in has.items() if not there]


def lesson() -> list:
    """A notebook that has everything."""
    fold = "<details><summary>Answer</summary>\n\nSo.\n\n</details>"
    questions = "\n\n".join(f"**Question {i}.** Why?\n\n{fold}" for i in range(1, 6))
    sources = "- A ([arXiv:1](https://a.org))\n- B ([arXiv:2](https://b.org))"
    end = f"## Recap\n\n## Questions\n\n{questions}\n\n## Exercises"
    end = f"{end}\n\n## Where to read on\n\n{sources}"
    cells = [
        nbformat.v4.new_markdown_cell("In this notebook, we\n\n**Before you start.** You know")
    ]
    for _ in range(3):
        cells += [
            nbformat.v4.new_markdown_cell("Text.\n\n> **Predict.** What?"),
            nbformat.v4.new_code_cell("show_faces(x)"),
            nbformat.v4.new_markdown_cell("**Answer.** This."),
        ]
    return [*cells, nbformat.v4.new_markdown_cell(end)]


@pytest.mark.parametrize(
    ("old", "new", "lacks"),
    [
        ("", "", ""),
        ("Before you start", "Before", "Before you start"),
        ("> **Predict.**", "Predict", "three"),
        ("show_faces(x)", "", "three"),
        ("**Question 5.**", "**Question 6.**", "folded"),
        ("</details>", "", "folded"),
        ("## Recap", "## Summary", "order"),
        ("(https://b.org)", "", "sources"),
    ],
)
def test_what_a_lesson_lacks(old, new, lacks):
    cells = lesson()
    for cell in cells:
        cell.source = cell.source.replace(old, new)
    cells = [cell for cell in cells if cell.source]
    missing = lacking(cells)
    assert any(lacks in what for what in missing) if lacks else missing == []


@pytest.mark.parametrize("name", named(COURSE))
def test_each_notebook_has_what_a_lesson_has(name):
    missing = lacking(nbformat.read(NOTEBOOKS / name, as_version=4).cells)
    assert not missing, f"{name} lacks {'; '.join(missing)}"
