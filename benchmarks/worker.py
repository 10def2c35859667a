"""A process that does its work once per request, and waits in between.

Unlike `groundwork.processes` it keeps what it has loaded, and starts Python anew with a module of
its own, so that one program's settings and memory do not change another's rate.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

_ANSWER = "answer: "  # begins the lines that are answers


class Worker:
    """Start `python -m MODULE --work ARGUMENTS`, which calls `serve`.

    Attributes:
        name: what it measures, for messages.
        facts: what the process said of itself when it was ready.

    Raises:
        ChildProcessError: it can't start; the message has the reason that it gave.
    """

    def __init__(self, name: str, module: str, *arguments: object):
        self.name = name
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  # a pipe might fill up
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, "--work", *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            cwd=Path(__file__).resolve().parents[1],
            # TensorFlow would take all of a GPU's memory for the first process.
            env={**os.environ, "TF_FORCE_GPU_ALLOW_GROWTH": "true"},
        )
        self.facts = self._answer()

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    def work(self) -> dict:
        """Request the work once, and wait for the answer.

        Raises:
            ChildProcessError: it has ended; the message has the reason that it gave.
        """
        try:
            self._process.stdin.write("go\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it ended meanwhile: _answer tells why
        return self._answer()

    def stop(self) -> None:
        """Kill the process."""
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def _answer(self) -> dict:
        for line in self._process.stdout:
            if line.startswith(_ANSWER):
                return json.loads(line.removeprefix(_ANSWER))
        self._errors.seek(0)
        reason = (self._errors.read().strip().splitlines() or ["it gave no reason."])[-1]
        self.stop()
        raise ChildProcessError(f"Measuring {self.name} failed: {reason}")


def serve(facts: dict, work: Callable[[], dict]) -> None:
    """Print facts, then do the work for each line read; call this in the process."""
    print(_ANSWER + json.dumps(facts), flush=True)
    for _ in sys.stdin:
        print(_ANSWER + json.dumps(work()), flush=True)
