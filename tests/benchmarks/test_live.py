"""Tests of benchmarks/live.py: its server, which stands for the real ones."""

import urllib.request

from benchmarks.live import NETWORK, served


def test_the_server_lets_browsers_keep_what_they_have(tmp_path):
    (tmp_path / "face.txt").write_text("face")
    with served(tmp_path) as address, urllib.request.urlopen(f"{address}/face.txt") as answer:
        assert answer.read() == b"face"
        assert answer.headers["Cache-Control"] == "max-age=600"


def test_the_network_is_that_of_the_target():
    assert NETWORK["downloadThroughput"] * 8 == 20e6  # bits per second
    assert NETWORK["latency"] == 50  # milliseconds
