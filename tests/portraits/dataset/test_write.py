"""The data set on disk: its format, and that no interruption or mistake can spoil it."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from groundwork.files import ASIDE
from groundwork.locks import locked
from portraits import ATTRIBUTES, DRAWING_VERSION, Person, PortraitsError, render
from portraits.dataset import write as module
from portraits.dataset.write import write_dataset
from tests.portraits.folders import contents

SIZE = 16


def draw(out, count=8, **options):
    return write_dataset(out, count, **{"size": SIZE, "jobs": 1, **options})


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

    def interrupt_after_three(files):
        if pictures:
            raise KeyboardInterrupt
        pictures.extend(path.name for path in files)
        write_all_whole(files)

    write_all_whole = module.write_all_whole
    with monkeypatch.context() as patch:
        patch.setattr(module, "write_all_whole", interrupt_after_three)
        patch.setattr(module, "AT_ONCE", 3)
        with pytest.raises(KeyboardInterrupt):
            draw(out)
    assert len(pictures) == 3
    assert sorted(contents(out)) == [f"img_align_celeba/{name}" for name in pictures] + [
        "manifest.partial.json"
    ]
    kept = out / "img_align_celeba" / pictures[0]
    before = kept.stat().st_mtime_ns
    half = out / "img_align_celeba" / f"{ASIDE}12345678-000004.jpg"
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


def draw_old(out, monkeypatch):
    """A folder of the version before."""
    with monkeypatch.context() as patch:
        patch.setattr(module, "DRAWING_VERSION", DRAWING_VERSION - 1)
        patch.setattr(module, "_jpg", lambda picture: b"old")
        return draw(out)


def test_an_older_drawing_is_drawn_again(tmp_path, monkeypatch, capsys):
    out = draw_old(tmp_path / "out", monkeypatch)
    draw(out)
    assert "older version" in capsys.readouterr().out
    assert contents(out) == contents(draw(tmp_path / "whole"))


def test_an_interrupted_redrawing_keeps_no_old_picture(tmp_path, monkeypatch):
    out = draw_old(tmp_path / "out", monkeypatch)
    calls = []

    def killed_while_deleting(out, number):
        calls.append(number)
        if len(calls) > 3:
            raise KeyboardInterrupt
        return image_path(out, number)

    image_path = module.image_path
    with monkeypatch.context() as patch:
        patch.setattr(module, "image_path", killed_while_deleting)
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
    while not (pictures.exists() and len(list(pictures.glob("[0-9]*.jpg"))) > 10):
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
    for path in pictures.glob("[0-9]*.jpg"):
        Image.open(path).load()  # whole
    count = max(int(path.stem) for path in pictures.glob("[0-9]*.jpg")) + 3
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


# ------------------------------------------------------------------ what a power cut may leave


DAMAGE = {
    "empty": lambda whole: b"",
    "cut short": lambda whole: whole[: len(whole) // 2],
    "zeros": lambda whole: bytes(len(whole)),
}
PICTURE = "img_align_celeba/000003.jpg"


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize(
    "name", [PICTURE, "list_attr_celeba.txt", "list_eval_partition.txt", "manifest.json"]
)
def test_a_damaged_file_of_a_complete_folder_is_made_anew(tmp_path, capsys, name, damage):
    out = draw(tmp_path / "out", 5)
    whole = contents(out)
    path = out / name
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    capsys.readouterr()
    draw(out, 5)
    assert contents(out) == whole
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 2 and path.name in said[0] and "damaged" in said[0]


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("name", [PICTURE, "manifest.partial.json"])
def test_a_damaged_file_of_an_unfinished_folder_is_made_anew(tmp_path, name, damage):
    whole = contents(draw(tmp_path / "whole", 5))
    out = draw(tmp_path / "out", 4)
    os.rename(out / "manifest.json", out / "manifest.partial.json")
    path = out / name
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    draw(out, 5)
    assert contents(out) == whole


def test_after_a_damaged_manifest_no_picture_of_another_seed_is_kept(tmp_path):
    out = draw(tmp_path / "out", 3, seed=1)
    (out / "manifest.json").write_bytes(b"")
    draw(out, 3)
    assert contents(out) == contents(draw(tmp_path / "whole", 3))


def test_a_table_of_fewer_portraits_is_not_called_damaged(tmp_path, capsys):
    draw(tmp_path / "out", 5)
    draw(tmp_path / "out", 7)
    assert "damaged" not in capsys.readouterr().out


def test_pictures_are_on_the_disk_before_the_manifest_says_so(tmp_path, monkeypatch):
    synced = []
    real = os.fsync

    def fsync(handle):
        synced.append(os.readlink(f"/proc/self/fd/{handle}"))
        real(handle)

    if not os.path.exists("/proc/self/fd"):
        pytest.skip("needs /proc")
    monkeypatch.setattr(os, "fsync", fsync)
    out = draw(tmp_path / "out", 3)
    names = [os.path.basename(path).partition("-")[2] or os.path.basename(path) for path in synced]
    names = [name.partition("-")[2] or name for name in names]
    first, last = names.index("manifest.partial.json"), names.index("manifest.json")
    pictures = [i for i, name in enumerate(names) if name.endswith(".jpg")]
    tables = [i for i, name in enumerate(names) if name.endswith(".txt")]
    assert len(pictures) == 3 and len(tables) == 2
    assert first < min(pictures) and max(pictures) < names.index("img_align_celeba")
    assert names.index("img_align_celeba") < min(tables) and max(tables) < last
    assert synced[-1] == str(out)


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


@pytest.mark.parametrize("content", ["{}", "[1]", '{"format": "web app"}'])
def test_refuses_what_became_something_else(tmp_path, content):
    """Its own folder, but the manifest is whole, and not its own."""
    out = draw(tmp_path / "out", 2)
    (out / "manifest.json").write_text(content)
    before = contents(out)
    with pytest.raises(PortraitsError, match="not readable"):
        draw(out, 2)
    assert contents(out) == before


def test_refuses_a_file(tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(PortraitsError, match="is a file"):
        draw(tmp_path / "out")
    with pytest.raises(PortraitsError):
        draw(tmp_path / "out" / "below")
    assert (tmp_path / "out").read_text() == "mine"


def test_refuses_a_full_disk(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(PortraitsError, match=r"for 8 portraits of size 16 .* make room\.$"):
        draw(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_disk_that_fills_up_is_one_sentence(tmp_path, monkeypatch):
    out, real, synced = tmp_path / "out", os.fsync, []

    def full(handle):
        synced.append(handle)
        if len(synced) > 5:
            raise OSError(28, "No space left on device")
        real(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(PortraitsError, match=r"disk is full, .* make room.* same command"):
            draw(out)
    assert not list(out.rglob(f"{ASIDE}*"))
    draw(out)
    assert contents(out) == contents(draw(tmp_path / "whole"))


def test_accepts_an_empty_folder(tmp_path):
    (tmp_path / ".gitkeep").touch()
    draw(tmp_path)
    assert (tmp_path / "manifest.json").exists()


def test_two_at_once_do_not_mix(tmp_path):
    out = tmp_path / "out"
    (out / "img_align_celeba").mkdir(parents=True)
    with locked(out / ".portraits.lock"):
        with pytest.raises(PortraitsError, match="Another process"):
            draw(out)
        assert contents(out) == {}
    draw(out)


def test_draws_where_the_disk_has_no_locks(tmp_path, monkeypatch, capsys):
    fcntl = pytest.importorskip("fcntl")

    def refuse(handle, how):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    draw(tmp_path / "out", 2)
    assert "has no file locks" in capsys.readouterr().out
