"""Sentences that the widgets say in notebooks and in web pages, where JavaScript fills them in."""

import json
from pathlib import Path

PATH = Path(__file__).with_name("sentences.json")
SENTENCES: dict[str, str] = json.loads(PATH.read_text("utf-8"))


def say(name: str, /, **values: object) -> str:
    """A sentence of sentences.json with its values: `say("rare_percent", percent=32)`."""
    return SENTENCES[name].format(**values)
