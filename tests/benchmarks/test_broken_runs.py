"""The benchmark of the broken runs: it takes its programs from the task, and keeps what is read."""

import numpy as np
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, writes

from benchmarks.broken_runs import history_of, pictures, programs, write_run
from vaelib.model import VAE, build_decoder, build_encoder
from vaelib.task import ROWS, SHOWN, SIZE, read_run

NAMES = ["RunA", "RunB", "RunC"]


def notebook(tmp_path, *cells):
    path = tmp_path / "task.ipynb"
    path.write_text(writes(new_notebook(cells=[new_markdown_cell("# T"), *cells])))
    return path


def test_the_programs_are_the_cells_that_define_them(tmp_path):
    cells = ["import math", "SIZE, STEPS = 32, 2", "def train():\n    return STEPS", "1 / 0"]
    cells += [f"class {name}:\n    pass" for name in NAMES]
    cells += [f"def batches_{run}():\n    return math.pi" for run in "abc"]
    names = programs(notebook(tmp_path, *map(new_code_cell, cells)))
    names["STEPS"] = 7
    assert names["train"]() == 7 and names["batches_c"]() > 3


def test_a_task_that_lost_a_program_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"task.ipynb does not define train, STEPS, RunA"):
        programs(notebook(tmp_path, new_code_cell("print(1)")))


def test_what_is_written_is_read_again(tmp_path):
    vae = VAE(build_encoder(SIZE, 4), build_decoder(SIZE, 4))
    vae.compile("adam")
    faces = np.random.default_rng(0).random((16, SIZE, SIZE, 3), "float32")
    vae.fit(faces, validation_data=(faces,), epochs=2, verbose=0)
    history = history_of(vae)
    assert list(history.index) == [1, 2] and len(history.columns) == 6
    rows = pictures(vae, faces, faces[::-1])
    assert rows.shape == (len(ROWS) * SHOWN, SIZE, SIZE, 3)
    write_run(tmp_path, "a", history, rows)
    pd.DataFrame({"run": ["a"], "kl": [1.5]}).to_csv(tmp_path / "numbers.csv", index=False)
    pd.DataFrame({"a": [0.5, 1.0]}).to_csv(tmp_path / "kl.csv", index=False)
    run = read_run("a", tmp_path)
    assert run.numbers == {"kl": 1.5} and run.kl.tolist() == [0.5, 1.0]
    assert run.history.equals(history.rename_axis("epoch"))
    assert np.allclose(run.pictures["new"], faces[::-1][:SHOWN], atol=0.5 / 255)
    assert np.allclose(run.pictures["trained on"], faces[:SHOWN], atol=0.5 / 255)
