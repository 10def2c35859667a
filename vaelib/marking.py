"""Give points for the wrap-up task: read a notebook, and run it only if told to.

docs/teaching/marking.md has the scheme. Reading runs nothing of a learner's: answers are taken as
plain values. Running executes their code, with all that it may do to this computer.
"""

import ast
import json
import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import zmq
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from traitlets.config import Config

from vaelib.task import RUNS, read_run

# Of each run; "why" is marked by hand.
POINTS = {"cause": 2, "number": 1, "code": 3, "trained": 2}
BY_READING, BY_RUNNING = ("cause", "number"), ("code", "trained")
CAUSES = {"a": "mean_for_sum", "b": "no_draw", "c": "few_faces"}
CHOICES = (
    *("mean_for_sum", "no_draw", "few_faces", "learning_rate_too_high", "no_kl"),
    *("validation_faces_in_training", "values_0_to_255", "too_few_latents"),
)
SHOWS = {  # the numbers of a run in which its fault can be seen
    "a": {"kl", "latents_in_use", "deviation"},
    "b": {"error_draws", "deviation"},
    "c": {"error_new", "error_trained_on"},
}
TOLERANCE = 0.02  # of a stated number, which may be rounded
CELL_TIMEOUT = 900  # seconds; a training takes less than a minute on two cores
MARK = "points of the task: "
LAST_CELL = f"""
from vaelib import load_images as _load, read_faces as _read
from vaelib.task import SIZE as _size, report as _report
_faces = _read("portraits")
_new = _load(_faces, _faces.file_names("test")[:200], _size)
print({MARK!r} + _report(globals(), _new))
"""


@dataclass
class Marks:
    """The points of a submission.

    Attributes:
        points: (run, part) -> points; a part that was not looked at is missing.
        faults: one sentence for each part without its points.
        why: run -> the learner's explanation, for the teacher to mark.
    """

    points: dict[tuple[str, str], int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    why: dict[str, str] = field(default_factory=dict)

    @property
    def is_full(self) -> bool:
        """Whether every part that was looked at has all of its points."""
        return all(got == POINTS[part] for (_, part), got in self.points.items())

    def give(self, run: str, part: str, fault: str) -> None:
        """Give the points of a part, or none and the fault."""
        self.points[run, part] = 0 if fault else POINTS[part]
        if fault:
            self.faults.append(f"Run {run}, {part}: {fault}")


def mark(path: Path, run: bool = False) -> Marks:
    """Mark a notebook of the task.

    Args:
        path: the notebook.
        run: execute it, to look at the mended code and the trained models, too.

    Raises:
        OSError: the file can't be read.
        ValueError: it is no notebook, or was run and its kernel died.
    """
    notebook = read_notebook(path)
    marks, answers = Marks(), {}
    try:
        answers = answers_of(notebook)
    except ValueError as error:
        marks.faults.append(f"The answers: {error}")
        marks.points = {(name, part): 0 for name in RUNS for part in BY_READING}
    for name in RUNS if not marks.faults else ():
        given = answers.get(name)
        given = given if isinstance(given, dict) else {}
        marks.give(name, "cause", cause(name, given))
        marks.give(name, "number", number(name, given))
        marks.why[name] = " ".join(str(given.get("why", "")).split())
    for name, parts in (found_by_running(notebook) if run else {}).items():
        for part, fault in parts.items():
            marks.give(name, part, fault)
    return marks


def read_notebook(path: Path) -> nbformat.NotebookNode:
    """Read a notebook; a ValueError names a file that is none."""
    try:
        return nbformat.read(path, as_version=4)
    except OSError:
        raise
    except Exception as error:  # nbformat has many for what is no notebook
        raise ValueError(
            f"{path} is no notebook, or only a part of one: ask for the file again."
        ) from error


def answers_of(notebook: nbformat.NotebookNode) -> dict[str, Any]:
    """The value of `answers` in a notebook, without running it; a ValueError says what is wrong."""
    value: ast.expr | None = None
    for cell in notebook.cells:
        if cell.cell_type != "code" or not re.search(r"^answers\b", cell.source, re.MULTILINE):
            continue
        try:
            tree = ast.parse(cell.source)
        except (SyntaxError, ValueError) as error:
            raise ValueError(
                "the cell is no Python: mend its quotes, commas and brackets."
            ) from error
        for line in tree.body:
            if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "answers":
                value = line.value
    if value is None:
        raise ValueError("there is no `answers = {...}`: keep the cell of the task.")
    try:
        found = ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError) as error:
        raise ValueError("they are no plain text and numbers: write them as values.") from error
    if not isinstance(found, dict):
        raise ValueError("they are no dictionary: keep the form of the task.")
    return found


def cause(run: str, given: dict[str, Any]) -> str:
    """What is wrong with a stated cause; "" if it is right."""
    stated = given.get("cause")
    if not stated:
        return "no cause is stated."
    if not isinstance(stated, str) or stated not in CHOICES:
        return f"{str(stated)[:60]!r} is none of the causes in the list."
    return "" if stated == CAUSES[run] else f"{stated} is not what broke this run."


def number(run: str, given: dict[str, Any]) -> str:
    """What is wrong with the number that shows the fault; "" if it is right."""
    name, value = given.get("number"), given.get("value")
    measured = read_run(run).numbers
    if not name:
        return "no number is named."
    if not isinstance(name, str) or name not in measured:
        return f"{str(name)[:60]!r} is none of the numbers of a run."
    if name not in SHOWS[run]:
        return f"{name} does not show this fault."
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"the value of {name} is no number."
    if not abs(value - measured[name]) <= max(0.05, TOLERANCE * abs(measured[name])):  # or nan
        return f"{name} is {measured[name]:g} in this run, and not {value:g}."
    return ""


def found_by_running(notebook: nbformat.NotebookNode) -> dict[str, dict[str, str]]:
    """Execute a copy of a notebook in an empty folder, and look at what it has made.

    A cell that fails does not stop the others.

    Returns:
        The faults of `vaelib.task.report`.

    Raises:
        ValueError: the kernel died, a cell took too long, or the last cell did not end.
    """
    copy = nbformat.from_dict(notebook)
    copy.cells = [*copy.cells, nbformat.v4.new_code_cell(LAST_CELL)]
    quiet = Config()
    if zmq.has("curve"):
        quiet.KernelManager.transport_encryption = "auto"  # else each kernel warns
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            copy,
            config=quiet,
            timeout=CELL_TIMEOUT,
            kernel_name="python3",
            allow_errors=True,
            store_widget_state=False,
            resources={"metadata": {"path": folder}},
        )
        try:
            client.execute()
        except CellTimeoutError as error:
            raise ValueError(
                f"A cell of the notebook ran for more than {CELL_TIMEOUT // 60} minutes: "
                "nothing is marked."
            ) from error
        except DeadKernelError as error:
            raise ValueError("The notebook ended its own kernel: nothing is marked.") from error
    printed = "".join(output.get("text", "") for output in copy.cells[-1].outputs)
    lines = [line for line in printed.splitlines() if line.startswith(MARK)]
    if not lines:
        raise ValueError("The models could not be looked at: run the notebook by hand.")
    return json.loads(lines[-1].removeprefix(MARK))


def table(marks: Marks) -> str:
    """The points as a table, one line per run, and the faults and explanations below it."""
    width = max(map(len, POINTS))
    lines = ["".join([f"{'':8}", *(f"{part:>{width + 2}}" for part in POINTS)])]
    for run in RUNS:
        cells = [f"{marks.points.get((run, part), '-')} of {most}" for part, most in POINTS.items()]
        lines.append("".join([f"run {run:4}", *(f"{cell:>{width + 2}}" for cell in cells)]))
    most = sum(POINTS[part] for _, part in marks.points)
    lines.append(f"together {sum(marks.points.values())} of {most} points")
    lines += marks.faults
    if not any(part in BY_RUNNING for _, part in marks.points):
        lines.append("Mended code and models were not looked at: --run executes the notebook.")
    lines += [f"Run {run}, why (to be marked by hand): {marks.why.get(run) or '-'}" for run in RUNS]
    return "\n".join(lines)
