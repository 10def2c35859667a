"""What the tests of several benchmarks use."""

import pytest

from vaelib.__main__ import main


@pytest.fixture
def run_here(monkeypatch):
    """Runs the command line of a benchmark in this process; returns its exit code."""

    def run(app, *arguments: object) -> int:
        monkeypatch.setattr("sys.argv", ["benchmark", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main(app)
        return end.value.code or 0

    return run
