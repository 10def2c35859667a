"""The picture and the page of the architecture say what the code says."""

import re
import tomllib

from tools import architecture
from tools.architecture import ROOT, arrows, crossings, described, floors, modules, settle, text

PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")


def test_the_picture_shows_the_imports_as_they_are():
    assert described(architecture.PICTURE) == text(arrows()), "run: python tools/architecture.py"


def test_every_module_has_a_place():
    for package, rows in floors().items():
        placed = [room for row in rows for room in row]
        assert sorted(placed) == sorted(modules(package))


def test_arrows_that_others_say_are_left_out():
    shown = arrows()
    assert "vaelib.model" in shown["vaelib.runs"]
    assert "vaelib.scales" not in shown["vaelib.model"]  # latent_model imports it, too
    assert {"portraits", "vaelib.data"} <= shown["vaelib.counterfactuals"]


def test_the_picture_is_drawn_with_every_module_and_the_same_each_time(tmp_path):
    rows = {"vaelib": [["vaelib.a"], ["vaelib.b"]], "portraits": [["portraits.c"]]}
    for name in ("one.svg", "two.svg"):
        architecture.draw(
            rows | {"groundwork": [["groundwork.d"]]}, {"vaelib.a": {"vaelib.b"}}, tmp_path / name
        )
    assert described(tmp_path / "one.svg") == "vaelib.a -> vaelib.b"
    drawn = (tmp_path / "one.svg").read_bytes()
    assert drawn == (tmp_path / "two.svg").read_bytes()
    assert all(f"<!-- {name} -->".encode() in drawn for name in ("a", "b", "c", "d"))


def test_crossings_are_counted():
    below = {"a": ["d"], "b": ["c"], "c": [], "d": []}
    assert crossings([["a", "b"], ["c", "d"]], below) == 1
    assert crossings([["b", "a"], ["c", "d"]], below) == 0


def test_boxes_keep_their_order_and_distance():
    x = settle([["a", "b"], ["c"]], {"a": ["c"], "b": ["c"], "c": ["a", "b"]})
    assert x["b"] - x["a"] >= architecture.ACROSS - 1e-9
    assert abs(x["c"] - (x["a"] + x["b"]) / 2) < 1e-6


def test_the_page_names_files_and_functions_that_exist():
    steps = re.findall(r"`(\w+/[\w/]+\.(?:py|js))`(?:: `(?:\w+\.)?(\w+)`)?", PAGE)
    assert len(steps) > 15
    for path, name in steps:
        code = (ROOT / path).read_text("utf-8")
        assert not name or re.search(rf"(def|class) {name}\b", code), (path, name)


def test_the_readme_tells_the_length_of_the_model():
    (told,) = re.findall(r"in fewer than (\d+) lines", (ROOT / "README.md").read_text("utf-8"))
    assert len((ROOT / "vaelib" / "model.py").read_text("utf-8").splitlines()) < int(told)


def test_the_readme_names_modules_that_exist():
    readme = (ROOT / "README.md").read_text("utf-8")
    for package in ("vaelib", "portraits"):
        (line,) = re.findall(rf"^    {package}/ +[^:]+: ([^;\n]+)", readme, re.MULTILINE)
        names = re.findall(r"\w+", line.replace("and their parts", "").replace(" and ", ", "))
        assert {f"{package}.{name}" for name in names} <= modules(package)


def test_the_version_is_the_same_everywhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    (cited,) = re.findall(r"^version: (.+)$", citation, re.MULTILINE)
    newest = re.findall(r"^## (\d.+)$", changes, re.MULTILINE)[0]
    assert project["version"] == cited == newest
