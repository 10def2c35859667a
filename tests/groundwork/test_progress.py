"""Progress: a bar on a terminal, lines in a log."""

import io

from groundwork import progress
from groundwork.progress import Progress


def test_in_a_log_every_tenth_is_a_line(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr", io.StringIO())
    with Progress("Reading faces", 2000, "face", 100) as counter:
        for _ in range(19):
            counter.advance(100)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Reading faces: 200 of 2,000"
    assert lines[-1] == "Reading faces: 2,000 of 2,000"
    assert len(lines) == 10


def test_short_work_is_silent_in_a_log(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr", io.StringIO())
    with Progress("Reading faces", 30, "face") as counter:
        counter.advance(30)
    assert capsys.readouterr().out == ""


def test_slow_things_have_lines_even_if_they_are_few(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr", io.StringIO())
    with Progress("Switching", 30, "person", silent_below=0) as counter:
        for _ in range(30):
            counter.advance(1)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 10 and lines[-1] == "Switching: 30 of 30"


def test_on_a_terminal_it_is_a_bar(monkeypatch, capsys):
    class Terminal(io.StringIO):
        isatty = staticmethod(lambda: True)

    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    bars = []

    class Bar:
        def __init__(self, **options):
            self.n = options["initial"]
            bars.append(self)

        def update(self, count):
            self.n += count

        def close(self):
            self.closed = True

    monkeypatch.setattr(progress, "tqdm", Bar)
    with Progress("Reading faces", 2000, "face") as counter:
        counter.advance(500)
    assert bars[0].n == 500 and bars[0].closed
    assert capsys.readouterr().out == ""
