"""A process of its own that does a piece of work each time it is told to, and waits in between."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

_ANSWER = "answer: "  # begins the lines that are meant for us


class Worker:
    """Starts `python -m MODULE --work ARGUMENTS`, which calls `serve`.

    Attributes:
        name: what it measures, for messages.
        facts: what it said of itself when it was ready.

    Raises:
        ChildProcessError: it can't start (with the reason that it gave).
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
        """Of the process."""
        return self._process.pid

    def work(self) -> dict:
        """Let it do its work once, and wait for its answer.

        Raises:
            ChildProcessError: it has ended (with the reason that it gave).
        """
        try:
            self._process.stdin.write("go\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it ended meanwhile: _answer tells why
        return self._answer()

    def stop(self) -> None:
        """End the process, whatever it does."""
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
    """In the process: say who you are, then do the work for each line that comes in."""
    print(_ANSWER + json.dumps(facts), flush=True)
    for _ in sys.stdin:
        print(_ANSWER + json.dumps(work()), flush=True)
