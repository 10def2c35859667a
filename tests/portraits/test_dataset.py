"""The data set on disk: its format, and that no interruption or mistake can spoil it."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from groundwork.commands import run
from portraits import ATTRIBUTES, DRAWING_VERSION, Person, PortraitsError, render
from portraits import dataset as module
from portraits.__main__ import app
from portraits.dataset import partition, usable_cores, write_dataset

SIZE = 16


def draw(out, count=8, **options):
    return write_dataset(out, count, **{"size": SIZE, "jobs": 1, **options})


def contents(folder):
    """Every file below a folder but the lock: name -> bytes."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name[0] != "."]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A folder with 25 portraits, not to be changed."""
    return draw(tmp_path_factory.mktemp("drawn") / "portraits", 25)


# ------------------------------------------------------------------ the format


def test_files(drawn):
    names = [f"img_align_celeba/{number:06d}.jpg" for number in range(1, 26)]
    tables = ["list_attr_celeba.txt", "list_eval_partition.txt", "manifest.json"]
    assert sorted(contents(drawn)) == names + tables


def test_pictures_are_the_persons(drawn):
    for number in (1, 2, 25):
        with Image.open(drawn / "img_align_celeba" / f"{number:06d}.jpg") as image:
            assert (image.format, image.size, image.mode) == ("JPEG", (SIZE, SIZE), "RGB")
            difference = np.asarray(image, float) - render(Person.sample(0, number - 1), SIZE)
        assert np.abs(difference).mean() < 12  # JPG halves the resolution of colour


def test_attribute_table_is_celebas(drawn):
    text = (drawn / "list_attr_celeba.txt").read_text()
    assert text.endswith("\n")
    count, header, *rows = text.splitlines()
    assert int(count) == len(rows) == 25
    assert header.split() == list(ATTRIBUTES)
    for number, row in enumerate(rows, start=1):
        # columns of fixed width, as published: "000001.jpg -1  1 ..."
        assert len(row) == 10 + 40 * 3
        assert row[:10] == f"{number:06d}.jpg"
        values = [row[start : start + 3] for start in range(10, len(row), 3)]
        assert set(values) <= {" -1", "  1"}
        expected = Person.sample(0, number - 1).attributes().values()
        assert [value == "  1" for value in values] == list(expected)


def test_partition_table(drawn):
    rows = (drawn / "list_eval_partition.txt").read_text().splitlines()
    assert rows[:2] == ["000001.jpg 0", "000002.jpg 0"]
    assert rows[18:20] == ["000019.jpg 1", "000020.jpg 2"]
    assert len(rows) == 25


def test_partition_shares():
    splits = [partition(number) for number in range(1, 20_001)]
    assert [splits.count(split) for split in (0, 1, 2)] == [18_000, 1_000, 1_000]


def test_manifest(drawn):
    manifest = json.loads((drawn / "manifest.json").read_text())
    manifest.pop("format")
    assert manifest == {
        "version": DRAWING_VERSION,
        "seed": 0,
        "width": SIZE,
        "height": SIZE,
        "count": 25,
        "switched": "",
    }


# ------------------------------------------------------------------ the same bytes every time


def test_jobs_and_count_do_not_change_a_portrait(drawn, tmp_path):
    alone, parallel = contents(drawn), contents(draw(tmp_path / "parallel", 55, jobs=2))
    pictures = [name for name in alone if name.endswith(".jpg")]
    assert len(pictures) == 25
    assert [name for name in pictures if parallel[name] != alone[name]] == []


def test_another_seed_is_another_population(drawn, tmp_path):
    other = contents(draw(tmp_path / "other", 3, seed=1))
    name = "img_align_celeba/000001.jpg"
    assert other[name] != contents(drawn)[name]


# ------------------------------------------------------------------ going on


def test_complete_returns_at_once(tmp_path, monkeypatch, capsys):
    out = draw(tmp_path / "out")
    before = contents(out)
    monkeypatch.setattr(module, "_write", None)  # would fail if called
    capsys.readouterr()
    draw(out)
    assert capsys.readouterr().out == f"{out} is complete: 8 portraits\n"
    assert contents(out) == before


def test_goes_on_after_an_interruption(tmp_path, monkeypatch):
    whole = contents(draw(tmp_path / "whole"))
    out = tmp_path / "out"
    pictures = []

    def interrupt_after_three(path, content):
        if path.suffix == ".jpg":
            if len(pictures) == 3:
                raise KeyboardInterrupt
            pictures.append(path.name)
        replace_file(path, content)

    replace_file = module._replace_file
    with monkeypatch.context() as patch:
        patch.setattr(module, "_replace_file", interrupt_after_three)
        with pytest.raises(KeyboardInterrupt):
            draw(out)
    assert sorted(contents(out)) == [f"img_align_celeba/{name}" for name in pictures] + [
        "manifest.partial.json"
    ]
    kept = out / "img_align_celeba" / pictures[0]
    before = kept.stat().st_mtime_ns
    half = out / "img_align_celeba" / ".000004.jpg.12345.tmp"
    half.write_bytes(b"half a pic")
    draw(out)
    assert contents(out) == whole
    assert kept.stat().st_mtime_ns == before  # not drawn a second time
    assert not half.exists()


def test_draws_what_was_deleted(tmp_path):
    out = draw(tmp_path / "out")
    whole = contents(out)
    (out / "img_align_celeba" / "000002.jpg").unlink()
    (out / "list_attr_celeba.txt").unlink()
    draw(out)
    assert contents(out) == whole


def test_a_larger_count_adds(tmp_path):
    out = draw(tmp_path / "out", 5)
    first = out / "img_align_celeba" / "000001.jpg"
    before = first.stat().st_mtime_ns
    draw(out, 9)
    assert first.stat().st_mtime_ns == before
    assert contents(out) == contents(draw(tmp_path / "whole", 9))


def test_an_older_drawing_is_drawn_again(tmp_path, monkeypatch, capsys):
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(module, "DRAWING_VERSION", DRAWING_VERSION - 1)
        patch.setattr(module, "_jpg", lambda picture: b"old")
        draw(out)
    draw(out)
    assert "older version" in capsys.readouterr().out
    assert contents(out) == contents(draw(tmp_path / "whole"))


def test_an_interrupted_redrawing_keeps_no_old_picture(tmp_path, monkeypatch):
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(module, "DRAWING_VERSION", DRAWING_VERSION - 1)
        patch.setattr(module, "_jpg", lambda picture: b"old")
        draw(out)
    calls = []

    def killed_while_deleting(out, number):
        calls.append(number)
        if len(calls) > 3:
            raise KeyboardInterrupt
        return image_path(out, number)

    image_path = module._image_path
    with monkeypatch.context() as patch:
        patch.setattr(module, "_image_path", killed_while_deleting)
        with pytest.raises(KeyboardInterrupt):
            draw(out)
    draw(out)
    assert contents(out) == contents(draw(tmp_path / "whole"))


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="there are no such signals on Windows")
@pytest.mark.parametrize("kind", ["SIGINT", "SIGKILL"])
def test_goes_on_after_a_signal(tmp_path, kind):
    """Ctrl-C, as the terminal sends it: to all processes; and a kill of the parent alone."""
    out = tmp_path / "out"
    options = ("--out", out, "--count", 9999, "--size", SIZE, "--jobs", 2)
    process = subprocess.Popen(
        [sys.executable, "-m", "portraits", *map(str, options)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # a shell may have started us in the background, where Ctrl-C is ignored
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    pictures = out / "img_align_celeba"
    deadline = time.monotonic() + 30
    while not (pictures.exists() and len(list(pictures.glob("*.jpg"))) > 10):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    if kind == "SIGINT":
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.kill()
    started = time.monotonic()
    _, errors = process.communicate(timeout=60)  # its pipe closes when the workers have ended
    assert time.monotonic() - started < 30
    if kind == "SIGINT":
        assert process.returncode == 130
        sentence = "portraits: interrupted; run the same command again to go on from here."
        assert errors.strip() == sentence
    names = sorted(path.name for path in out.iterdir() if path.name[0] != ".")
    assert names == ["img_align_celeba", "manifest.partial.json"]
    for path in pictures.glob("*.jpg"):
        Image.open(path).load()  # whole
    count = max(int(path.stem) for path in pictures.glob("*.jpg")) + 3
    draw(out, count)
    assert len(list(pictures.iterdir())) == count


def test_a_folder_of_version_1_is_drawn_again(tmp_path, capsys):
    """Its manifest gave one size for both sides."""
    out = tmp_path / "out"
    (out / "img_align_celeba").mkdir(parents=True)
    (out / "img_align_celeba" / "000001.jpg").write_bytes(b"old")
    old = {"format": "latent-faces portraits", "version": 1, "seed": 0, "size": SIZE, "count": 1}
    (out / "manifest.json").write_text(json.dumps(old))
    draw(out, 1)
    assert "older version (1, now" in capsys.readouterr().out
    assert contents(out) == contents(draw(tmp_path / "whole", 1))


def test_celebas_own_size(tmp_path):
    out = draw(tmp_path / "out", 2, size=(178, 218))
    with Image.open(out / "img_align_celeba" / "000002.jpg") as image:
        assert image.size == (178, 218)
    manifest = json.loads((out / "manifest.json").read_text())
    assert (manifest["width"], manifest["height"]) == (178, 218)
    with pytest.raises(PortraitsError, match="holds portraits of seed 0 and size 178x218"):
        draw(out, 2, size=178)


# ------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"size": 15}, "16 to 1024"),
        ({"size": 1025}, "16 to 1024"),
        ({"size": (64, 8)}, "16 to 1024"),
        ({"count": 0}, "1 to 999999"),
        ({"count": 1_000_000}, "1 to 999999"),
        ({"seed": -1}, "seed"),
        ({"jobs": 0}, "jobs"),
    ],
)
def test_refuses_numbers_without_sense(tmp_path, options, words):
    with pytest.raises(PortraitsError, match=words):
        draw(tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"seed": 1}, "seed 0"),
        ({"switched": {"Smiling": True}}, "seed 0"),
        ({"size": 32}, "size 16"),
        ({"count": 24}, "holds 25"),
    ],
)
def test_refuses_other_parameters_than_the_folders(drawn, options, words):
    before = contents(drawn)
    with pytest.raises(PortraitsError, match=words):
        draw(drawn, **{"count": 25, **options})
    assert contents(drawn) == before


def test_refuses_a_smaller_count_than_is_drawn_of_an_unfinished_set(tmp_path):
    out = draw(tmp_path / "out", 6)
    os.rename(out / "manifest.json", out / "manifest.partial.json")
    with pytest.raises(PortraitsError, match="holds 6"):
        draw(out, 5)


def test_refuses_a_newer_drawing(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(module, "DRAWING_VERSION", DRAWING_VERSION + 1)
        out = draw(tmp_path / "out")
    with pytest.raises(PortraitsError, match="newer"):
        draw(out)


def test_refuses_a_folder_of_something_else(tmp_path):
    (tmp_path / "img_align_celeba").mkdir()
    (tmp_path / "img_align_celeba" / "000001.jpg").write_bytes(b"a real face")
    (tmp_path / "list_attr_celeba.txt").write_text("202599\n")
    before = contents(tmp_path)
    with pytest.raises(PortraitsError, match="something else"):
        draw(tmp_path)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"format": "web app"}', "\xff"])
def test_refuses_a_strange_manifest(tmp_path, content):
    (tmp_path / "manifest.json").write_text(content, encoding="latin-1")
    with pytest.raises(PortraitsError, match="not readable"):
        draw(tmp_path)


def test_refuses_a_file(tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(PortraitsError, match="is a file"):
        draw(tmp_path / "out")
    with pytest.raises(PortraitsError):
        draw(tmp_path / "out" / "below")
    assert (tmp_path / "out").read_text() == "mine"


def test_refuses_a_full_disk(tmp_path, monkeypatch):
    usage = module.shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(PortraitsError, match="free"):
        draw(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_disk_that_fills_up_is_one_sentence(tmp_path, monkeypatch):
    def full(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "_replace_file", full)
    with pytest.raises(PortraitsError, match="could not be written: No space left on device"):
        draw(tmp_path / "out")


def test_accepts_an_empty_folder(tmp_path):
    (tmp_path / ".gitkeep").touch()
    draw(tmp_path)
    assert (tmp_path / "manifest.json").exists()


def test_two_at_once_do_not_mix(tmp_path):
    out = tmp_path / "out"
    (out / "img_align_celeba").mkdir(parents=True)
    with module._locked(out):
        with pytest.raises(PortraitsError, match="Another process"):
            draw(out)
        assert contents(out) == {}
    draw(out)


# ------------------------------------------------------------------ the command line


def test_command_line(tmp_path):
    """As a learner runs it, in a process of its own."""
    root = os.path.dirname(os.path.dirname(module.__file__))
    arguments = ("--out", "new/portraits", "--count", 20, "--size", SIZE, "--jobs", 1)
    result = subprocess.run(
        [sys.executable, "-m", "portraits", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": root},
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    *progress, last = result.stdout.splitlines()
    assert progress == ["portraits: 20 of 20"]
    assert last == f"{os.path.join('new', 'portraits')} is complete: 20 portraits"
    assert result.stderr == ""


@pytest.mark.parametrize(
    "arguments",
    [
        "--size 8",
        f"--size {'9' * 5000}",
        f"--count {'9' * 20}",
        f"--jobs {'9' * 20}",
        "--jobs 0",
        f"--seed {'9' * 20}",
        "--out=",
        "--out /dev/null",
        "--size large",
        "--size 64x8",
        "--count 0",
        "--jobs many",
        f"--out {__file__}",
        "--seed -3",
        "Smiling",
        "--counterfactuals",
        "--counterfactuals Smilling",
        "--counterfactuals Smiling Attractive",
        "--counterfactuals Bald+Bangs",
        "--counterfactuals Smiling --count 0",
        "--counterfactuals Smiling --size 5000",
    ],
)
def test_command_line_refuses_in_one_sentence(tmp_path, monkeypatch, capsys, arguments):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["portraits", *arguments.split()])
    with pytest.raises(SystemExit) as end:
        run(app, "portraits")
    printed = capsys.readouterr()
    assert (end.value.code, printed.out) == (2, "")
    assert printed.err.startswith("portraits: ") and printed.err.endswith(".\n")
    assert len(printed.err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_command_line_is_interrupted_without_a_traceback(tmp_path, monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("portraits.__main__.write_dataset", interrupt)
    result = CliRunner().invoke(app, ["--out", str(tmp_path)])
    assert result.exit_code == 130
    assert "again to go on" in result.stderr


def test_usable_cores():
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)
