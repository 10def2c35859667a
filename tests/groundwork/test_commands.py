"""The command lines of all packages: what a user can mend is one line and exit code 2."""

import errno
import functools
import inspect
import typing
from importlib import import_module
from pathlib import Path

import pytest
import typer

from groundwork.commands import run, sentence

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
APPS = [path.stem for path in BENCHMARKS.glob("*.py") if "Typer(" in path.read_text("utf-8")]
NUMBERS = ["9" * 20, "9" * 5000, "-1", "nan", "inf", "many"]


def give(app, *arguments, monkeypatch, capsys):
    """Runs a command line in this process: its exit code, and the lines on stderr."""
    monkeypatch.setattr("sys.argv", ["program", *arguments])
    with pytest.raises(SystemExit) as end:
        run(app)
    return end.value.code or 0, capsys.readouterr().err.splitlines()


def command(function) -> typer.Typer:
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(function)
    return app


@pytest.mark.parametrize(
    "error",
    [
        ValueError("two\nlines."),
        OverflowError("too large."),
        MemoryError("Unable to allocate 1 TB"),
        MemoryError(),
        EOFError("no more"),
        OSError(errno.EACCES, "Permission denied", "/a/file"),
        OSError(errno.EEXIST, "File exists", "/a/file"),
        OSError(errno.ENOTDIR, "Not a directory", "/a/file"),
        OSError(errno.EISDIR, "Is a directory", "/a/file"),
        OSError(errno.ENOENT, "No such file or directory", "/a/file"),
        OSError(errno.EIO, "Input/output error", "/a/file"),
    ],
    ids=lambda error: f"{type(error).__name__}",
)
def test_an_error_is_one_line_that_names_the_file(error, monkeypatch, capsys):
    def fail():
        raise error

    code, (*_, line) = give(command(fail), monkeypatch=monkeypatch, capsys=capsys)
    assert code == 2
    assert line.startswith("error: ") and line.endswith(".") and "Errno" not in line
    if isinstance(error, OSError):
        assert "/a/file" in line


def test_our_own_sentences_stay_as_they_are():
    for error in (ValueError("This is it."), FileNotFoundError("This is it.")):
        assert sentence(error) == "This is it."


def test_a_mistake_of_ours_keeps_its_traceback(monkeypatch, capsys):
    def fail():
        raise KeyError("a bug")

    monkeypatch.setattr("sys.argv", ["program"])
    with pytest.raises(KeyError):
        run(command(fail))


def test_what_succeeds_exits_with_0_and_typer_keeps_its_exit_codes(monkeypatch, capsys):
    def leave(code: int = 0):
        raise typer.Exit(code)

    for app, arguments, expected in [
        (command(lambda: print("done")), [], 0),
        (command(leave), ["--code", "130"], 130),
        (command(leave), ["--help"], 0),
    ]:
        assert give(app, *arguments, monkeypatch=monkeypatch, capsys=capsys) == (expected, [])


@pytest.mark.slow
@pytest.mark.parametrize("name", APPS)
def test_every_number_of_a_benchmark_has_its_limits(name, monkeypatch, capsys):
    (info,) = import_module(f"benchmarks.{name}").app.registered_commands
    started = command(functools.wraps(info.callback)(lambda **_: pytest.fail("it starts")))
    typer.main.get_command(started).make_context(name, [], resilient_parsing=False)  # defaults
    hints = typing.get_type_hints(info.callback)
    options = [
        f"--{option.replace('_', '-')}"
        for option in inspect.signature(info.callback).parameters
        if any(kind in str(hints[option]) for kind in ("int", "float", "Literal"))
    ]
    assert options
    for option in options:
        for number in NUMBERS:
            code, lines = give(started, option, number, monkeypatch=monkeypatch, capsys=capsys)
            assert code == 2, (option, number[:20])
            (line,) = lines
            assert line.startswith(f"error: Invalid value for '{option}': "), line
