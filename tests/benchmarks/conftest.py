"""What the tests of several benchmarks use."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.colours import COLOUR_NAMES, SIZE
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


@pytest.fixture
def colour_faces(tmp_path) -> Path:
    """A folder of 200 faces of one colour each; most of those who smile are men."""
    folder, count = tmp_path / "faces", 200
    rng = np.random.default_rng(0)
    smiling = rng.random(count) < 0.5
    values = np.stack([smiling, smiling ^ (rng.random(count) < 0.05), rng.random(count) < 0.5], 1)
    values = np.concatenate([values, np.zeros((count, 1), bool)], axis=1)
    (folder / "img_align_celeba").mkdir(parents=True)
    rows = []
    for i, row in enumerate(values):
        name = f"{i + 1:06}.jpg"
        pixels = np.full((SIZE, SIZE, 3), np.where(row[:3], 180, 75), "uint8")
        Image.fromarray(pixels).save(folder / "img_align_celeba" / name, quality=95)
        rows.append(" ".join([name, *np.where(row, "1", "-1")]))
    header = [str(count), " ".join([*COLOUR_NAMES, "Young"])]
    (folder / "list_attr_celeba.txt").write_text("\n".join(header + rows) + "\n")
    splits = [f"{i + 1:06}.jpg {[0, 0, 0, 1, 2][i % 5]}" for i in range(count)]
    (folder / "list_eval_partition.txt").write_text("\n".join(splits) + "\n")
    return folder
