"""Files appear whole or not at all, and a full disk is a sentence."""

import ast
import errno
import os
from pathlib import Path

import pytest

from groundwork import files
from groundwork.files import DiskFull, check_room, reserve, write_all_whole, write_whole


def test_a_file_is_utf8_with_plain_line_ends(tmp_path):
    write_whole(tmp_path / "names.txt", "Pör é\n")
    assert (tmp_path / "names.txt").read_bytes() == "Pör é\n".encode()
    assert os.listdir(tmp_path) == ["names.txt"]


ROOT = Path(files.__file__).parents[1]
SOURCES = [
    path
    for folder in ("benchmarks", "groundwork", "portraits", "tools", "vaelib")
    for path in sorted((ROOT / folder).glob("*.py"))
]


def in_the_locales_encoding(code: str) -> list[int]:
    """Lines that open, read or write a text file without a word on its encoding."""
    lines = []
    for call in ast.walk(ast.parse(code)):
        if not isinstance(call, ast.Call) or any(word.arg == "encoding" for word in call.keywords):
            continue
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        given = call.args[1:] if isinstance(call.func, ast.Name) else call.args
        mode = (
            given[0] if given else next((w.value for w in call.keywords if w.arg == "mode"), None)
        )
        is_mode = isinstance(mode, ast.Constant) and set(str(mode.value)) <= set("rwxat+")
        unnamed = {
            "read_text": not call.args,
            "write_text": len(call.args) < 2,
            "open": is_mode
            or (mode is None and bool(call.args) == isinstance(call.func, ast.Name)),
        }
        if unnamed.get(name):
            lines.append(call.lineno)
    return lines


@pytest.mark.parametrize(
    ("code", "is_found"),
    [
        ("open(path)", True),
        ("open(path, 'w')", True),
        ("open(path, mode='a')", True),
        ("path.open()", True),
        ("path.open('w')", True),
        ("(a / b).read_text()", True),
        ("(a / b).write_text(text)", True),
        ("open(path, encoding='utf-8')", False),
        ("open(path, 'rb')", False),
        ("path.open('w', encoding='utf-8')", False),
        ("path.open('wb')", False),
        ("path.read_text('utf-8')", False),
        ("path.write_text(text, 'utf-8')", False),
        ("Image.open(path)", False),
        ("os.open(path, flags)", False),
    ],
)
def test_a_text_file_without_an_encoding_is_found(code, is_found):
    assert in_the_locales_encoding(code) == ([1] if is_found else [])


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_text_file_is_read_and_written_as_utf8(path):
    assert in_the_locales_encoding(path.read_text("utf-8")) == []


def test_after_an_error_the_old_file_is_there_and_nothing_else(tmp_path):
    write_whole(tmp_path / "model.keras", b"old")
    with pytest.raises(RuntimeError), files.written_whole(tmp_path / "model.keras") as aside:
        aside.write_bytes(b"half")
        raise RuntimeError
    assert os.listdir(tmp_path) == ["model.keras"]
    assert (tmp_path / "model.keras").read_bytes() == b"old"


def test_the_file_aside_keeps_the_ending(tmp_path):
    with files.written_whole(tmp_path / "moments.npz") as aside:
        assert aside.suffix == ".npz" and aside.parent == tmp_path
        aside.write_bytes(b"")


@pytest.mark.parametrize("write", ["one", "many"])
def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch, write):
    events = []
    fsync, replace = os.fsync, os.replace

    def names(handle):
        return os.readlink(f"/proc/self/fd/{handle}") if os.path.exists("/proc") else ""

    monkeypatch.setattr(os, "fsync", lambda h: (events.append(("sync", names(h))), fsync(h)))
    monkeypatch.setattr(
        os, "replace", lambda a, b: (events.append(("rename", str(b))), replace(a, b))
    )
    if write == "one":
        write_whole(tmp_path / "a", b"1")
    else:
        write_all_whole({tmp_path / "a": b"1", tmp_path / "b": b"2"})
    kinds = [kind for kind, _ in events]
    count = 1 if write == "one" else 2
    assert kinds == ["sync"] * count + ["rename"] * count + ["sync"]  # the folder comes last
    if os.path.exists("/proc"):
        assert events[-1][1] == str(tmp_path)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_a_sentence_that_names_the_file_and_what_is_safe(
    tmp_path, monkeypatch, number
):
    def full(handle):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", full)
    path = tmp_path / "history.csv"
    with pytest.raises(DiskFull, match=r"history\.csv .*epoch 1 is safe.* make room"):
        write_whole(path, "x", safe="epoch 1 is safe")
    with pytest.raises(DiskFull, match=r"history\.csv .*epoch 1 is safe.* make room"):
        write_all_whole({path: b"x"}, safe="epoch 1 is safe")
    assert os.listdir(tmp_path) == []


def test_other_errors_stay_what_they_are(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "nowhere" / "x", "")


def test_leftovers_of_killed_programs_go_and_nothing_else(tmp_path):
    (tmp_path / f"{files.ASIDE}12345678-x.jpg").touch()
    (tmp_path / "x.jpg").touch()
    files.remove_leftovers(tmp_path)
    assert os.listdir(tmp_path) == ["x.jpg"]


def test_reserved_room_is_taken_on_the_disk(tmp_path):
    reserve(tmp_path / "pixels", 10**6)
    status = (tmp_path / "pixels").stat()
    assert status.st_size == 10**6
    if hasattr(status, "st_blocks"):
        assert status.st_blocks * 512 >= 10**6


def test_room_that_is_not_there_is_a_sentence_and_leaves_nothing(tmp_path, monkeypatch):
    def full(handle, start, size):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    with pytest.raises(DiskFull, match="pixels"):
        reserve(tmp_path / "pixels", 10**6)
    assert os.listdir(tmp_path) == []


def test_room_is_looked_for_where_the_folder_will_be(tmp_path):
    check_room(tmp_path / "a" / "b", 1, "faces")
    with pytest.raises(DiskFull, match=r"for the faces.* take another disk"):
        check_room(tmp_path / "a", 10**18, "the faces", "take another disk")
