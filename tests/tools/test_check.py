"""Tests of tools/check.py: every part runs, and the table tells the truth."""

import sys

import pytest
import yaml

from tools import check


def test_runs_every_part_even_after_a_failure(capfd):
    parts = {
        "first": [sys.executable, "-c", "print('one')"],
        "second": [sys.executable, "-c", "raise SystemExit(5)"],
        "third": [sys.executable, "-c", "print('three')"],
    }
    results = check.run_parts(parts)
    assert [(name, passed) for name, passed, _ in results] == [
        ("first", True),
        ("second", False),
        ("third", True),
    ]
    assert "three" in capfd.readouterr().out


def test_table():
    lines = check.table([("lint", True, 1.4), ("unit tests", False, 100.2)]).strip().splitlines()
    assert lines == [
        "lint           1 s  passed",
        "unit tests   100 s  FAILED",
        "together     102 s",
    ]


def test_only_named_parts_run(monkeypatch, capsys):
    ran = []
    monkeypatch.setattr(check, "complaint", lambda: "")
    monkeypatch.setattr(check, "run_parts", lambda parts: ran.append(list(parts)) or [])
    monkeypatch.setattr(sys, "argv", ["check.py", "types", "unit tests"])
    check.main()
    assert ran == [["types", "unit tests"]]
    monkeypatch.setattr(sys, "argv", ["check.py", "typos"])
    with pytest.raises(SystemExit):
        check.main()
    assert "there is no part 'typos'; the parts are: format, lint" in capsys.readouterr().err
    assert len(ran) == 1


def test_the_tests_that_run_on_jax_exist():
    assert not [path for path in check.JAX_TESTS if not (check.ROOT / path).is_file()]


def test_commits_run_parts_that_exist():
    hooks = yaml.safe_load((check.ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]
    (hook,) = hooks[0]["hooks"]
    program, script, *names = hook["entry"].split()
    assert (program, script) == (".venv/bin/python", "tools/check.py")
    assert hook["name"] == ", ".join(names)
    assert set(names) < set(check.PARTS)
