"""The TensorBoard cell of notebook 3, wherever the course lies: a page answers, with the run."""

import shlex
import tempfile
from pathlib import PurePosixPath, PureWindowsPath

import pytest

A_RUN = """
import shlex
from pathlib import Path
import tensorflow as tf

run = Path.cwd() / "runs" / "the first"
with tf.summary.create_file_writer(str(run / "logs" / "train")).as_default():
    tf.summary.scalar("epoch_loss", 1.0, step=0)
"""
# In the kernel, which takes TensorBoard with it when it ends.
A_PAGE = """
import json, time, urllib.request
from tensorboard import manager

(board,) = manager.get_all()
url = f"http://localhost:{board.port}"
with urllib.request.urlopen(url, timeout=60) as page:
    assert "<title>TensorBoard</title>" in page.read().decode()
tags, end = {}, time.monotonic() + 60
while not tags and time.monotonic() < end:  # it reads the logs in its own time
    with urllib.request.urlopen(f"{url}/data/plugin/scalars/tags", timeout=60) as answer:
        tags = json.load(answer)
assert list(tags["train"]) == ["epoch_loss"]
"""


@pytest.fixture
def cell(code_of) -> str:
    (cell,) = [cell for cell in code_of("03_training.ipynb") if "%tensorboard" in cell]
    return cell


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["it's a course", '$HOME {x} #1 "ö"'])
def test_a_page_answers_and_knows_the_run(cell, run_cells, tmp_path, folder):
    course = tmp_path / folder
    course.mkdir()
    with tempfile.TemporaryDirectory() as temporary:  # where TensorBoard notes its port
        run_cells([A_RUN, cell, cell, A_PAGE], course, TMPDIR=temporary)


@pytest.mark.parametrize(
    "run",
    [PurePosixPath("/a b/it's here/1"), PureWindowsPath(r"C:\Users\Ann O'Hara\course\runs\1")],
    ids=["posix", "windows"],
)
def test_the_path_is_one_word_to_tensorboard(cell, run):
    """It splits the line as a POSIX shell does, on Windows too."""
    (line,) = [line for line in cell.splitlines() if line.startswith("logs = ")]
    names = {"run": run, "shlex": shlex}
    exec(line, names)
    [word] = shlex.split(names["logs"], comments=True, posix=True)
    assert type(run)(word) == run / "logs"
