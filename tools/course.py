"""Execute the notebooks, headless and in order, into build/: `make course` calls this.

python tools/course.py             those whose copy in build/ is not up to date
python tools/course.py 03 05       only those whose name begins so
python tools/course.py --force     up to date or not
python tools/course.py --write     and saves the outputs in notebooks/ itself, for authors
FACES=celeba python tools/course.py    with the faces in data/celeba, or in any folder named so
"""

import argparse
import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import nbformat
import zmq
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from traitlets.config import Config

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from groundwork.files import write_whole  # noqa: E402
from tools.faces import settle_faces  # noqa: E402
from tools.installed import complaint  # noqa: E402

EXTRA = "explorers.ipynb"  # the notebook without a number
CELL_TIMEOUT = 600  # seconds, as nbval's in pyproject.toml
# A change here makes every copy stale.
USED_BY_ALL = ("groundwork", "vaelib", "portraits")
USED_BY_ALL += ("data/pretrained", "data/groups", "data/overfitting", "data/task")
USED_BY_ALL += ("data/rate_distortion.csv",)
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE = {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"}
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def main() -> None:
    """Execute the notebooks; end with status 1 if one failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="beginnings of file names, for example 03")
    parser.add_argument("--force", action="store_true", help="execute even what is up to date")
    parser.add_argument("--write", action="store_true", help="save the outputs in notebooks/ too")
    options = parser.parse_args()
    # `tensorboard` and `!pip` in a cell come from this Python's folder.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    if wrong := complaint():
        sys.exit(wrong)
    faces, folder = settle_faces()
    if options.write and faces != "portraits":
        sys.exit(
            "--write saves pictures of the faces in notebooks/, so it works for portraits only."
        )
    # If it fails, it prints the reason.
    drawn = subprocess.call([sys.executable, "-m", "portraits"], cwd=ROOT) == 0
    if not drawn:
        sys.exit(1)
    tables = [path for path in folder.glob("[!.]*") if path.is_file()]
    if not run_course(ROOT, options.names, options.force, options.write, faces, tables):
        sys.exit(1)


def run_course(
    root: Path,
    names: Iterable[str] = (),
    force: bool = False,
    write: bool = False,
    faces: str = "portraits",
    tables: Iterable[Path] = (),
) -> bool:
    """Execute the notebooks of a project, one line each.

    Args:
        root: the project's folder; executed copies go to build/notebooks/ in it, with other
            faces than the portraits to build/notebooks-celeba/ and the like.
        names: beginnings of file names; none means all.
        force: execute even those whose executed copy is up to date.
        write: save the outputs, normalised, in notebooks/ as well.
        faces: what the faces are called: no other faces may have this name.
        tables: files that come with the faces; when one changes, every copy is stale.

    Returns:
        True if every notebook ran to its end.
    """
    notebooks = find_notebooks(root / "notebooks", tuple(names))
    if not notebooks:
        beginning = " or ".join(names) or "a digit"
        sys.exit(f"No notebook in {root / 'notebooks'} begins with {beginning}.")
    width = max(len(str(path.relative_to(root))) for path in notebooks)
    copies = root / "build" / ("notebooks" if faces == "portraits" else f"notebooks-{faces}")
    used_by_all = [*(root / part for part in USED_BY_ALL), *tables]
    failed = 0
    for i, notebook in enumerate(notebooks, 1):
        label = f"[{i}/{len(notebooks)}] {notebook.relative_to(root)!s:{width}}"
        copy = copies / notebook.relative_to(root / "notebooks")
        failure = copy.with_suffix(".failed.ipynb")
        current = not failure.exists() and is_current(copy, [notebook, *used_by_all])
        if current and not force:
            print(f"{label}  up to date", flush=True)
        else:
            start = time.time()
            node, error = execute(notebook, progress(label))
            copy.parent.mkdir(parents=True, exist_ok=True)
            save(node, failure if error else copy)
            clear = "\x1b[K" if sys.stdout.isatty() else ""  # the rest of the progress line
            took = f"{time.time() - start:.0f} s"
            print(f"{label}  {took}{'  FAILED' if error else ''}{clear}", flush=True)
            if error:
                failed += 1
                print(f"{error}\nAs far as it came: {failure.relative_to(root)}", flush=True)
                continue
            failure.unlink(missing_ok=True)
            os.utime(copy, (start, start))  # a source edited during the run is newer
        if write:
            save(normalise(nbformat.read(copy, as_version=4)), notebook)
            os.utime(copy)  # notebooks/ and build/ are the same now
    if failed:
        print(f"{failed} of {len(notebooks)} notebooks failed.", flush=True)
    return not failed


def find_notebooks(folder: Path, names: tuple[str, ...] = ()) -> list[Path]:
    """List the notebooks of a folder to execute, in order.

    The numbered ones come first, then EXTRA, then those of solutions/ and the solved task. Those of
    exercises/ hold nothing but set-up cells and room for answers, and so does the task.
    """
    patterns = ("[0-9]*.ipynb", EXTRA, "solutions/[0-9]*.ipynb", "task/*_solution.ipynb")
    found = [path for pattern in patterns for path in sorted(folder.glob(pattern))]
    return [path for path in found if not names or path.name.startswith(names)]


def is_current(copy: Path, sources: list[Path]) -> bool:
    """Whether a file is as new as all the given files, and all files of the given folders."""
    if not copy.exists():
        return False
    files = [
        file
        for source in sources
        for file in (source.rglob("*") if source.is_dir() else [source])
        if file.is_file() and "__pycache__" not in file.parts
    ]
    return all(file.stat().st_mtime <= copy.stat().st_mtime for file in files)


def execute(notebook: Path, on_cell: Callable[[int, int], None]) -> tuple[NotebookNode, str]:
    """Run a notebook in its own folder.

    Args:
        notebook: the file; it is not changed.
        on_cell: called with the number of each code cell as it starts, and their count.

    Returns:
        The executed notebook, and what went wrong in a few lines ("" if nothing did).
    """
    node = nbformat.read(notebook, as_version=4)
    code_cells = [i for i, cell in enumerate(node.cells) if cell.cell_type == "code"]

    def on_cell_start(cell: NotebookNode, cell_index: int) -> None:
        end_on_interrupt(client)
        on_cell(sum(i <= cell_index for i in code_cells), len(code_cells))

    quiet = Config()
    if zmq.has("curve"):
        quiet.KernelManager.transport_encryption = "auto"  # else each kernel warns
    client = NotebookClient(
        node,
        kernel_name="python3",
        config=quiet,
        timeout=CELL_TIMEOUT,
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": str(notebook.parent)}},
        on_cell_start=on_cell_start,
    )
    try:
        client.execute()
    except CellExecutionError as error:
        return node, shorten(str(error))
    except (CellTimeoutError, DeadKernelError) as error:
        if client.shutdown_kernel == "immediate":  # that was Ctrl-C: see end_on_interrupt
            raise KeyboardInterrupt from None
        return node, f"{type(error).__name__}: {error}"
    return node, ""


def save(node: NotebookNode, path: Path) -> None:
    """Write a notebook atomically: half of one would count as up to date."""
    write_whole(path, nbformat.writes(node) + "\n")


def end_on_interrupt(client: NotebookClient) -> None:
    """Let Ctrl-C end the notebook and its kernel at once (nbclient's own handler fails)."""
    task = asyncio.current_task()

    def end() -> None:
        client.shutdown_kernel = "immediate"
        task.cancel()

    with contextlib.suppress(NotImplementedError):  # Windows: Python raises KeyboardInterrupt
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, end)


def shorten(traceback: str, lines: int = 25) -> str:
    """Format a cell and its traceback without colours; the middle of long ones is cut."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", traceback).strip().splitlines()
    if len(text) > lines:
        text = [*text[: lines // 2], "    [...]", *text[-(lines - lines // 2) :]]
    return "\n".join(text)


def progress(label: str) -> Callable[[int, int], None]:
    """On a terminal, print which cell is running; the notebook's line will overwrite it."""

    def show(cell: int, of: int) -> None:
        if sys.stdout.isatty():
            print(f"{label}  cell {cell}/{of}", end="\r", flush=True)

    return show


def normalise(node: NotebookNode) -> NotebookNode:
    """Remove what differs between runs or machines; cells keep their ids.

    That includes stderr, which holds log lines and progress bars; nbval doesn't compare it either.
    Of a cell whose output is not compared, only pictures are kept: progress bars, names of runs and
    TensorBoard's frame mean nothing to a reader without the kernel.
    """
    node.metadata = NotebookNode(kernelspec=dict(KERNEL), language_info=dict(LANGUAGE))
    for cell in node.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
            if "nbval-ignore-output" in cell.metadata.get("tags", []):
                cell.outputs = [output for output in cell.outputs if is_picture(output)]
            for output in cell.outputs:
                output.get("data", {}).pop(WIDGET_VIEW, None)
    return node


def is_picture(output: NotebookNode) -> bool:
    """Whether an output of a cell is an image."""
    return any(kind.startswith("image/") for kind in output.get("data", {}))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nInterrupted; the same command goes on with the notebook that was at work.")
