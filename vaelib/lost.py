"""Copy a process's stderr, and put one sentence where XLA reports that another process is lost.

When a process is lost, XLA's C++ code ends the others at once: it prints a stack trace, and no
Python code runs any more. So a second, small process holds the end of the pipe. It runs this file
alone, without the rest of the package.
"""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator

AGAIN = (
    "give the same command again in all processes, and the training goes on after the last epoch"
)
_FATAL = re.compile(r"^F\d{4} .*JAX distributed service detected fatal errors.*")
_NOISE = re.compile(
    r"^([EWI]\d{4} \d\d:\d\d:|\*\*\* Check failure stack trace|\s+@ +0x|\[Gloo\] Rank)"
)
_UNHEALTHY = "stopped sending heartbeats"


def sentence_of(report: str, index: int, count: int, coordinator: str, seconds: int) -> str:
    """Say in one sentence what XLA's report means.

    Args:
        report: its lines, from the one that begins with F to the stack trace.
        index, count: of this process, and of all.
        coordinator: host and port of process 0.
        seconds: the time-out of the beginning.
    """
    if "RegisterTask" in report:
        missing = (
            "others did not come"
            if index == 0
            else f"process 0 did not answer at {coordinator}, or others did not come"
        )
        return (
            f"error: process {index} of {count} waited for {seconds} seconds, and {missing}: start "
            "all of them, check --coordinator and the network, or give a longer --timeout."
        )
    if "different incarnation" in report or "ALREADY_EXISTS" in report:
        return (
            f"error: process {index} of {count} stops, since {coordinator} is used by two "
            "trainings, or two processes have the same number: give another port, and each "
            "process a number of its own."
        )
    lost = re.findall(r"^\s*(\d+)\s*$", report, re.M) if _UNHEALTHY in report else []
    lost = lost or re.findall(r"[Tt]ask:? ?(\d+)", report)
    lost = sorted({int(number) for number in lost} - {index})
    if not lost:  # the connection to the coordinator broke
        lost = [0]
    names = " and ".join(str(number) for number in lost)
    one = len(lost) == 1
    return (
        f"error: process {index} of {count} stops, since process{'' if one else 'es'} {names} "
        f"ended or can't be reached any more: {AGAIN}."
    )


def explained(lines: Iterator[str], explain: Callable[[str], str]) -> Iterator[str]:
    """Yield the lines without XLA's reports; `explain` gives the sentence in place of the first."""
    report: list[str] | None = None
    told = False
    for line in lines:
        if _FATAL.match(line):
            report = [line]
        elif report is not None and not _NOISE.match(line):
            report.append(line)
        elif report is not None:
            if not told:
                yield explain("".join(report)) + "\n"
            report, told = None, True
        elif not told and not _NOISE.match(line):
            yield line
    if report is not None and not told:
        yield explain("".join(report)) + "\n"


def start_copying(index: int, count: int, coordinator: str, seconds: int) -> subprocess.Popen:
    """Start the second process; it copies what is written to its stdin."""
    arguments = [str(index), str(count), coordinator, str(seconds)]
    return subprocess.Popen(
        [sys.executable, "-I", __file__, *arguments], stdin=subprocess.PIPE, start_new_session=True
    )


def main() -> None:
    """Copy stdin to stderr until it ends."""
    index, count, seconds = (int(sys.argv[i]) for i in (1, 2, 4))
    with open(0, encoding="utf-8", errors="surrogateescape", newline="\n") as lines:
        for line in explained(
            lines, lambda report: sentence_of(report, index, count, sys.argv[3], seconds)
        ):
            sys.stderr.buffer.write(line.encode("utf-8", "surrogateescape"))
            sys.stderr.buffer.flush()


if __name__ == "__main__":
    main()
