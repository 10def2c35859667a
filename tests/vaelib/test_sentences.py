"""Tests of vaelib/sentences.py: each sentence is used, here and in the pages, and can be filled."""

import re
from pathlib import Path

import pytest

from vaelib.sentences import SENTENCES, say

ROOT = Path(__file__).resolve().parents[2]
# What `say` in web/live/say.js understands.
FIELD = re.compile(r"\{\w+(:,?\.\df)?\}")


def sources(folder: str, ending: str) -> str:
    paths = [p for p in (ROOT / folder).rglob(f"*{ending}") if "node_modules" not in p.parts]
    return "".join(path.read_text("utf-8") for path in paths)


def test_a_sentence_is_filled_with_its_values():
    assert say("rare_one_in", count=1234.4) == "1 in 1,234"
    assert say("photo_unreadable", name="me.jpg").startswith("me.jpg can't be read")


@pytest.mark.parametrize("name", SENTENCES)
def test_a_sentence_has_only_fields_that_both_languages_fill(name):
    assert re.sub(FIELD, "", SENTENCES[name]).isprintable()
    assert not set("{}") & set(re.sub(FIELD, "", SENTENCES[name]))


@pytest.mark.parametrize("name", SENTENCES)
def test_python_and_the_pages_both_say_it(name):
    assert re.search(rf'say\(\s*"{name}"', sources("vaelib", ".py"))
    if name not in ("inside_draw", "inside_mean"):  # the page puts their names together
        assert f"words.{name}" in sources("web/live", ".js")
