"""Run a command line: bad input ends with one line on stderr and exit code 2, never a traceback."""

import io
import re
import sys
from typing import NoReturn

from typer import Abort, Typer, TyperException

SEEDS = {"min": 0, "max": 2**32 - 1}  # what NumPy and Keras take
ERRORS = (ValueError, OSError, ArithmeticError, MemoryError)  # raised for bad input
_LONGEST = 400  # characters of a name that are shown


def run(app: Typer, begin: str = "error", errors: tuple = (), **options: object) -> NoReturn:
    """Run a Typer application on the arguments of this process, and exit.

    Args:
        app: its commands raise `ERRORS`, whose message is one sentence, for what a user can mend.
        begin: the first word of the line.
        errors: more exceptions that mean bad input.
        options: for the application, such as `prog_name`.

    Raises:
        SystemExit: always.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # letters that the terminal lacks
    try:
        _refuse_empty(sys.argv[1:])
        code = app(standalone_mode=False, **options)
    except TyperException as error:
        told = error.format_message().replace("Value error, ", "").rstrip(".")
        message = f"{told}; --help shows all options."
    except Abort as error:  # Typer raises it at the end of a file
        message = f"A file ends too early ({error.__cause__})."
    except (*ERRORS, *errors) as error:
        message = sentence(error)
    else:
        raise SystemExit(code)
    line = re.sub(r"(\d{40})\d+", r"\1...", " ".join(message.splitlines()))
    print(f"{begin}: {line}", file=sys.stderr)
    raise SystemExit(2)


def sentence(error: BaseException) -> str:
    """Word the message of an error; for a system error, what it means and what to do."""
    if isinstance(error, MemoryError):
        which = f" ({error})" if str(error) else ""
        return f"There is not enough memory{which}: use smaller numbers, or another computer."
    if not isinstance(error, OSError) or error.errno is None or error.filename is None:
        return str(error)
    name = str(error.filename)[:_LONGEST]
    match error:
        case PermissionError():
            return f"You have no permission for {name}: change that, or name another place."
        case FileExistsError() | NotADirectoryError():
            return f"{name} can't be made, since a file is in its place: name another folder."
        case IsADirectoryError():
            return f"{name} is a folder, and a file is needed: name another."
        case FileNotFoundError():
            return f"{name} does not exist: name another."
    return f"{name} can't be used: {error.strerror}."


def _refuse_empty(arguments: list[str]) -> None:
    # An empty path would mean the current folder.
    for before, argument in zip(["", *arguments], arguments):
        if argument == "":
            name = before if before.startswith("-") else "An argument"
        elif argument.startswith("--") and argument.endswith("="):
            name = argument[:-1]
        else:
            continue
        raise ValueError(f"{name} is empty: give it a value, or leave it out.")
