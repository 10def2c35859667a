"""The rehearsal with many faces: its parts, and a small run of all of it."""

import json
import subprocess
import sys

import numpy as np
import pytest

from benchmarks import shards as benchmark
from vaelib.data.faces import read_faces
from vaelib.data.pixels import load_pixels


def test_the_digests_of_shares_add_up_to_that_of_the_batch():
    images = np.random.default_rng(0).random((8, 32, 32, 3)).astype("float32")
    whole = benchmark.digest(images)
    assert benchmark.digest(images[[1, 5]]) + benchmark.digest(images[[7, 6, 4, 3, 2, 0]]) == whole
    changed = images.copy()
    changed[3] = images[3, :, ::-1]
    assert benchmark.digest(changed) != whole


def test_a_digest_that_was_cut_short_by_a_kill_is_left_out(tmp_path):
    path = tmp_path / "part"
    path.write_bytes(b"".join(n.to_bytes(8, "little") for n in (5, 2**40)) + b"\1\2")
    assert benchmark.digests(path).tolist() == [5, 2**40]


def test_a_step_that_fails_says_why(tmp_path):
    with pytest.raises(ChildProcessError, match=r"again: it ended too early: .*No module named"):
        benchmark.run("shards", ["benchmarks.nothing"], tmp_path)


def test_a_step_that_ends_before_it_could_be_killed_is_an_error(tmp_path):
    with pytest.raises(ChildProcessError, match="ended too early"):
        benchmark.run("killed", ["this"], tmp_path, lambda log: False)


def test_a_step_is_killed_when_it_is_time(tmp_path):
    result = benchmark.run("half", ["http.server", "0"], tmp_path, lambda log: True)
    assert result["seconds"] < 60


def test_a_reader_begins_where_it_is_told_to(colour_faces, tmp_path):
    faces = read_faces(colour_faces)
    load_pixels(faces, 32, sharded=True)
    benchmark.read(colour_faces, 32, 8, 0, 0, tmp_path / "whole")
    whole = benchmark.digests(tmp_path / "whole")
    answer = json.loads((tmp_path / "whole.json").read_text())
    assert answer["two_processes_equal"]
    benchmark.read(colour_faces, 32, 8, 1, 9, tmp_path / "rest")
    rest = benchmark.digests(tmp_path / "rest")
    assert len(rest) == 8
    np.testing.assert_array_equal(rest, whole[1:9])


@pytest.mark.slow
@pytest.mark.long
def test_a_small_rehearsal(colour_faces, tmp_path):
    command = [
        sys.executable,
        "-m",
        "benchmarks.shards",
        "--faces",
        colour_faces,
        "--work",
        tmp_path / "work",
    ]
    command += ["--count", "1000", "--image-size", "32", "--batch-size", "8", "--steps", "2"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["shards_kept"] == result["shards_before"] >= 2
    assert result["resumed_batches_equal"] and result["two_processes_equal"]
    assert result["damaged_shard_named"]
    assert 0 < result["killed_at_batch"] < result["batches"]
    assert result["history_difference"] < 1e-4
    assert 100 < result["peak_private_mb"] < 4000
    assert not any((tmp_path / "work").iterdir())
