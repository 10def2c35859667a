"""One sentence in the place of XLA's report about a lost process."""

import subprocess
import sys

from vaelib import lost

FATAL = (
    "F1126 09:19:05.531893   24230 client.h:80] Terminating process because the JAX distributed "
)
FATAL += "service detected fatal errors. This most likely indicates that another task died. "
STACK = [
    "*** Check failure stack trace: ***\n",
    "    @     0x7faeeb840634  absl::lts_20260107::log_internal::LogMessage::SendToLog()\n",
    "    @     0x7faef2ca71f5  (unknown)\n",
]
UNHEALTHY = [
    FATAL + "absl::Status: UNAVAILABLE: The following tasks are unhealthy (stopped sending "
    "heartbeats):\n",
    "1\n",
    "3\n",
    "The tasks have crashed. Check the task logs for an earlier error.\n",
]
NO_COORDINATOR = [FATAL + "UNAVAILABLE: Failed to send RPC to coordination service.\n", "more\n"]
NOT_THERE = [FATAL + "absl::Status: DEADLINE_EXCEEDED: Deadline Exceeded\n", "\n"]
NOT_THERE += ["RPC: /xla.coordination.CoordinationService/RegisterTask\n"]


def told(report: list[str], index: int = 2) -> list[str]:
    lines = ["epoch 1: loss 3\n", "E1126 09:19:05.5   11 agent.cc:2] Polled an error\n"]
    return list(
        lost.explained(
            iter([*lines, *report, *STACK]),
            lambda text: lost.sentence_of(text, index, 4, "node1:12", 60),
        )
    )


def test_the_lost_processes_are_named_and_nothing_else_is_shown(one_sentence):
    first, sentence = told(UNHEALTHY)
    assert first == "epoch 1: loss 3\n"
    one_sentence(sentence.rstrip("\n"), "process 2 of 4", "processes 1 and 3", "same command again")


def test_without_a_coordinator_process_0_is_named(one_sentence):
    one_sentence(told(NO_COORDINATOR)[1].rstrip("\n"), "process 0 ended", "same command again")


def test_the_time_out_of_the_beginning_is_named(one_sentence):
    one_sentence(
        told(NOT_THERE)[1].rstrip("\n"), "60 seconds", "process 0", "node1:12", "--timeout"
    )
    assert "process 0 did not answer" not in told(NOT_THERE, index=0)[1]


def test_other_lines_stay_as_they_are():
    lines = ["Traceback:\n", '  File "x.py", line 1\n', "ValueError: @ 3\n", "no end"]
    assert list(lost.explained(iter(lines), lambda _: "none")) == lines


def test_it_runs_without_the_package_and_copies_each_line_at_once():
    copier = subprocess.Popen(
        [sys.executable, "-I", lost.__file__, "0", "2", "node1:12", "60"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    copier.stdin.write(b"one \xff line\n")
    copier.stdin.flush()
    assert copier.stderr.readline() == b"one \xff line\n"  # before the end of its input
    rest = copier.communicate("".join(NO_COORDINATOR).encode())[1]
    assert rest.startswith(b"error: process 0 of 2 stops")
    assert rest.count(b"\n") == 1
