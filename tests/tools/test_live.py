"""Tests of tools/live.py: what it writes without a model and without npm."""

import gzip
import json
import re
from pathlib import Path

import pytest

from tools import live, npm

ROOT = Path(__file__).resolve().parents[2]


def test_the_same_file_is_compressed_to_the_same_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"face" * 1000)
    live.pack(tmp_path / "a", tmp_path / "a.gz")
    once = (tmp_path / "a.gz").read_bytes()
    live.pack(tmp_path / "a", tmp_path / "a.gz")
    assert (tmp_path / "a.gz").read_bytes() == once
    assert gzip.decompress(once) == b"face" * 1000
    assert len(once) < 100


def test_without_npm_a_sentence_says_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.setattr(live, "PACKAGES", tmp_path / "npm")
    monkeypatch.setattr(npm, "find_npm", lambda: None)
    monkeypatch.setattr("sys.argv", ["live.py", str(tmp_path / "out")])
    with pytest.raises(SystemExit, match=r"npm is needed .* install Node"):
        live.main()


def test_the_page_names_the_course_and_links_to_it_where_it_is():
    assert "href" not in live.way_into_course("")
    assert '<a href="index.html">Latent Faces</a>' in live.way_into_course("index.html")
    assert "<!-- course -->" in (live.SOURCE / "studio.html").read_text("utf-8")


def test_the_runtime_is_pinned_and_the_lock_names_no_host():
    package = json.loads((live.SOURCE / "package.json").read_text("utf-8"))
    lock = json.loads((live.SOURCE / "package-lock.json").read_text("utf-8"))
    wanted = package["dependencies"]["onnxruntime-web"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", wanted)
    assert lock["packages"]["node_modules/onnxruntime-web"]["version"] == wanted
    for name, entry in lock["packages"].items():
        assert not name or entry["integrity"].startswith("sha512-")
        assert entry.get("resolved", "https://registry.npmjs.org/").startswith(
            "https://registry.npmjs.org/"
        )


def test_what_the_models_depend_on_is_there():
    assert [name for name in live.DEPENDS if not (ROOT / name).is_file()] == []
