"""The input benchmark: its folder of many faces, its measures, and a small run of each reader."""

import json
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from benchmarks import input as benchmark
from benchmarks.worker import Worker
from vaelib.data.faces import read_faces

RATES = {
    "training": [100.0, 50.0, 200.0],
    "first_epoch": [400.0],
    "later_epochs": [4000.0, 2000.0, 3000.0],
    "image_dataset": [300.0, 100.0, 200.0],
}


@pytest.fixture
def faces(tmp_path):
    """Five faces of 32 pixels, each of one colour, named out of the usual order."""
    folder = tmp_path / "faces"
    (folder / "img_align_celeba").mkdir(parents=True)
    lines = ["5", "Smiling Male"]
    for i in range(5):
        name = f"face-{i}.jpg"
        Image.new("RGB", (32, 32), (50 * i,) * 3).save(folder / "img_align_celeba" / name)
        lines.append(f"{name} {'1' if i % 2 else '-1'} {'1' if i > 2 else '-1'}")
    (folder / "list_attr_celeba.txt").write_text("\n".join(lines) + "\n")
    splits = [f"face-{i}.jpg {max(0, i - 2)}" for i in range(5)]
    (folder / "list_eval_partition.txt").write_text("\n".join(splits) + "\n")
    return read_faces(folder)


@pytest.mark.parametrize("count", [3, 12])
def test_many_faces_are_the_few_again_and_again(faces, tmp_path, count):
    folder = tmp_path / "many"
    assert benchmark.copy_faces(faces, folder, count, enlarge=False) == (32, 32)
    if count < 5:  # only the training faces are among them
        with pytest.warns(UserWarning, match="seeded split"):
            many = read_faces(folder)
    else:
        many = read_faces(folder)
        assert many.splits.to_list()[5:10] == faces.splits.to_list()
    assert len(many) == count
    for i, name in enumerate(many.file_names()):
        source = faces.file_names()[i % 5]
        assert many.attributes.loc[name].equals(faces.attributes.loc[source].rename(name))
        image = (folder / "img_align_celeba" / name).read_bytes()
        assert image == (faces.folder / "img_align_celeba" / source).read_bytes()


def test_images_are_copied_where_links_are_impossible(faces, tmp_path, monkeypatch):
    def link(source, target):
        raise OSError("too many links")

    monkeypatch.setattr(benchmark.os, "link", link)
    benchmark.copy_faces(faces, tmp_path / "many", 6, enlarge=False)
    assert len(read_faces(tmp_path / "many")) == 6


def test_enlarged_faces_have_celebas_size(faces, tmp_path):
    assert benchmark.copy_faces(faces, tmp_path / "many", 7, enlarge=True) == (178, 218)
    with Image.open(tmp_path / "many" / "img_align_celeba" / "000007.jpg") as image:
        assert image.size == (178, 218)
        assert image.getpixel((90, 100)) == pytest.approx((50, 50, 50), abs=2)


def test_a_full_disk_is_found_beforehand(faces, tmp_path, monkeypatch):
    monkeypatch.setattr(benchmark.shutil, "disk_usage", lambda path: SimpleNamespace(free=3e9))
    benchmark._check_disk(faces, 1000, False, 64, tmp_path)
    with pytest.raises(OSError, match=r"needs 4\.3 GB for 200000 faces.* smaller --count"):
        benchmark._check_disk(faces, 200_000, False, 64, tmp_path)


def test_private_memory_leaves_mapped_files_out(tmp_path):
    size = 64 * 2**20
    np.save(tmp_path / "zeros.npy", np.zeros(size, "uint8"))
    code = f"""
import sys, numpy
print("started", flush=True); sys.stdin.readline()
mapped = numpy.load({str(tmp_path / "zeros.npy")!r}, mmap_mode="r"); mapped.sum()
print("mapped", flush=True); sys.stdin.readline()
own = numpy.ones({size}, "uint8")
print("own", flush=True); sys.stdin.readline()
"""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    process = subprocess.Popen([sys.executable, "-c", code], **pipes)
    found = {}
    with benchmark.PeakMemory(process.pid, every=0.01) as memory:
        for stage in ("started", "mapped", "own"):
            assert process.stdout.readline().strip() == stage
            found[stage] = benchmark.private_memory(process.pid)
            if stage == "own":
                time.sleep(0.1)  # lets the watcher look
            process.stdin.write("\n")
            process.stdin.flush()
        process.communicate()
    assert found["mapped"] - found["started"] < size / 4
    assert found["own"] - found["started"] == pytest.approx(size, rel=0.1)
    assert memory.peak >= found["own"]
    assert benchmark.private_memory(process.pid) == 0  # it has ended


def test_summary_and_table():
    result = benchmark.summary(RATES, 812.4)
    assert result["first_epoch_ratio"] == 4.0
    assert result["later_epoch_ratio"] == 30.0
    assert result["ratio_to_image_dataset"] == 15.0
    assert result["peak_private_mb"] == 812
    lines = benchmark.as_text(result).splitlines()
    assert lines[2].split() == ["first", "epoch", "400.0", "4.00", ">=", "3"]
    assert lines[3].split() == ["later", "epochs", "3000.0", "30.00", ">=", "10"]


def test_readers_read_every_face(faces):
    ours = benchmark.OurInput(str(faces.folder), 2, 32)
    first, later = ours(), ours()
    assert "tables" in first["parts"] and not later["parts"]
    theirs = benchmark.ImageDataset(str(faces.folder), 2, 32)
    assert all(answer["rate"] > 0 for answer in (first, later, theirs()))
    assert sum(len(batch) for batch in theirs.dataset) == 5
    levels = sorted(float(batch.numpy().max()) for batch in theirs.dataset)
    assert levels[0] >= 0 and levels[-1] <= 1


class FakeWorker:
    """Answers with the numbers above, and is a process that has ended."""

    def __init__(self, name):
        names = {"ours": ["first_epoch", "later_epochs"]}.get(name, [name])
        self._answers = iter([rate for key in names for rate in RATES[key]])
        self.facts, self.pid = {"device": "CPU"}, 2**30

    def work(self) -> dict:
        return {"rate": next(self._answers)}

    def stop(self) -> None:
        pass


def test_command(faces, tmp_path, monkeypatch, capsys, run_here):
    monkeypatch.setattr(benchmark, "contender", lambda *options: FakeWorker("training"))
    monkeypatch.setattr(benchmark, "Worker", lambda what, module, name, *rest: FakeWorker(name))
    figure = tmp_path / "new" / "input.png"
    options = ("--faces", faces.folder, "--count", 8, "--turns", 1, "--figure", figure)
    assert run_here(benchmark.app, *options) == 0
    printed = capsys.readouterr().out
    found = json.loads(printed.splitlines()[-1])
    assert (found["first_epoch_ratio"], found["later_epoch_ratio"]) == (4.0, 40.0)
    assert found["ratio_to_image_dataset"] == pytest.approx(4000 / 300, abs=0.01)
    assert (found["count"], found["file_pixels"], found["device"]) == (8, "178x218", "CPU")
    assert [path.name for path in figure.parent.iterdir()] == ["input.png"]  # no folder is left


def test_missing_folder_ends_with_a_sentence(tmp_path, run_here, capsys):
    assert run_here(benchmark.app, "--faces", tmp_path / "none") == 2
    assert "none does not exist" in capsys.readouterr().err


@pytest.mark.slow
def test_a_worker_answers_until_it_is_stopped(faces):
    worker = Worker("the input", "benchmarks.input", "ours", faces.folder, 2, 32)
    assert worker.work()["rate"] > 0
    assert worker.work()["rate"] > 0
    worker.stop()
    worker.stop()  # once more does no harm
