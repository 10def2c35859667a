"""The processes of one training: how they find each other, agree, and end together."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

import keras

from groundwork import commands
from vaelib.addresses import own_address
from vaelib.cluster import check_cluster, place_in_cluster
from vaelib.lost import AGAIN, start_copying

LOST_AFTER = 30  # seconds without a sign of life, and a process counts as lost
_BROKEN = re.compile(
    "Gloo|NCCL|[Cc]onnection|UNAVAILABLE|DEADLINE_EXCEEDED|ABORTED|CANCELLED|[Pp]eer"
)  # what JAX says of a connection
_FOR_EVER = 10**9  # milliseconds; a lost process ends the wait earlier


class OtherProcess(OSError):
    """Another process of the training can't go on; the message is one sentence."""


@dataclass
class Group:
    """The processes of a training, seen from one of them.

    Attributes:
        count: how many there are.
        index: the number of this one; process 0 writes the files.
    """

    count: int = 1
    index: int = 0
    _meetings: int = field(default=0, repr=False)

    @property
    def is_chief(self) -> bool:
        """Whether this process writes the files."""
        return self.index == 0

    @contextmanager
    def together(self) -> Iterator[None]:
        """Run the block in each process and wait for all; an error in one ends it in all.

        Raises:
            OtherProcess: another process had the error.
        """
        if self.count == 1:
            yield
            return
        error = None
        try:
            yield
        except Exception as caught:
            error = caught
        told = self.gather(commands.sentence(error) or type(error).__name__ if error else "")
        if error is not None:
            raise error
        for index, sentence in enumerate(told):
            if sentence:
                raise OtherProcess(f"Process {index} of {self.count} stops: {sentence}")

    def gather(self, text: str) -> list[str]:
        """Wait until each process has called this, and return their texts by their numbers."""
        if self.count == 1:
            return [text]
        self._meetings += 1
        client = _client()
        client.key_value_set(f"vaelib/{self._meetings}/{self.index}", "=" + text)
        keys = [f"vaelib/{self._meetings}/{index}" for index in range(self.count)]
        return [client.blocking_key_value_get(key, _FOR_EVER)[1:] for key in keys]

    def agree(self, settings: dict) -> None:
        """Check that all processes have the same settings.

        Raises:
            ValueError: they differ; it names the processes and the settings.
        """
        told = [json.loads(text) for text in self.gather(json.dumps(settings))]
        for index, other in enumerate(told):
            different = [
                f"{name} {value} and {other.get(name)}"
                for name, value in told[0].items()
                if other.get(name) != value
            ]
            if different:
                raise ValueError(
                    f"Processes 0 and {index} differ: {', '.join(different)}. Give all processes "
                    "the same command, the same faces and the same versions."
                )


ALONE = Group()


@contextmanager
def joined(
    count: int | None = None,
    index: int | None = None,
    coordinator: str | None = None,
    timeout: int = 300,
    errors: tuple[type[Exception], ...] = (),
) -> Iterator[Group]:
    """Be one of several processes in this block.

    A block that ends with an error ends the whole process, when there are several: without that,
    JAX would wait for the others, which wait for this one.

    Args:
        count: the number of processes; None takes all three from Slurm or Open MPI, and is one
            process where neither started this program.
        index: the number of this process.
        coordinator: host and port of process 0, where the others find it.
        timeout: seconds to wait for all processes at the beginning.
        errors: exceptions besides `commands.ERRORS` whose message is a sentence for a user.

    Raises:
        ValueError: a part is missing or wrong, or Keras does not run on JAX.
        OSError: the port is taken, or the host of the coordinator is not known.
    """
    count, index = _place(count, index, coordinator)
    if count == 1:
        yield ALONE
        return
    if keras.backend.backend() != "jax":
        raise ValueError(
            f"{count} processes need Keras on JAX, and it runs on {keras.backend.backend()}: unset "
            "KERAS_BACKEND."
        )
    if coordinator is not None:
        _check_coordinator(coordinator, index)
    code = None
    with _losses_explained(index, count, coordinator or "the first host", timeout):
        try:
            _connect(count, index, coordinator, timeout)
            _compare_count(count, index)
            group = Group(count, index)
            _listen_where_others_reach(group)
            if group.is_chief:
                print(f"{count} processes have met.", flush=True)
            yield group
            group.gather("done")
            _disconnect()
        except BaseException as error:
            code = _explain(error, errors)
            if index == 0:
                time.sleep(2)  # its end ends the others at once: let them print their sentences
    if code is not None:
        os._exit(code)


def _place(count: int | None, index: int | None, coordinator: str | None) -> tuple[int, int]:
    found = place_in_cluster(os.environ) if count is None else None
    if count is None and (index is not None or coordinator is not None):
        raise ValueError("--process and --coordinator need --processes: give all three.")
    if found is not None:
        check_cluster(os.environ)
        return found
    if count is None or count == 1:
        return 1, 0
    if index is None or coordinator is None:
        missing = "--process" if index is None else "--coordinator"
        raise ValueError(
            f"--processes {count} needs {missing}: give the number of this process, from 0 to "
            f"{count - 1}, and HOST:PORT of process 0; or try `python -m vaelib launch -n {count} "
            "train ...` on one machine."
        )
    if not 0 <= index < count:
        raise ValueError(
            f"--process is {index}: {count} processes have the numbers 0 to {count - 1}."
        )
    return count, index


def _check_coordinator(coordinator: str, index: int) -> None:
    match = re.fullmatch(r"\[?(.+?)\]?:(\d{1,5})", coordinator)
    if not match or not 0 < int(match[2]) < 2**16:
        raise ValueError(
            f"--coordinator is {coordinator}: give the host of process 0 and a free port of it, "
            "such as node1:12345."
        )
    host, port = match[1], int(match[2])
    try:
        socket.getaddrinfo(host, port)
    except OSError:
        raise OSError(
            f"The host {host} of --coordinator is not known here: give a name or an address of "
            "the machine of process 0."
        ) from None
    if index == 0 and not _is_free(port):
        raise OSError(
            f"Port {port} of this machine is taken by another program: give --coordinator "
            "another port, in all processes."
        )


def _is_free(port: int) -> bool:
    # JAX's own attempt would end the program without a message.
    family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        try:
            probe.bind(("", port))
            probe.listen(1)
        except OSError:
            return False
    return True


def _connect(count: int, index: int, coordinator: str | None, timeout: int) -> None:
    import jax

    # Else JAX catches SIGTERM, for a service that is not used here, and nothing would end.
    jax.config.update("jax_enable_preemption_service", False)
    is_told = coordinator is not None  # else JAX asks Slurm or Open MPI itself
    jax.distributed.initialize(
        coordinator,
        count if is_told else None,
        index if is_told else None,
        initialization_timeout=timeout,
        heartbeat_timeout_seconds=LOST_AFTER,
        shutdown_timeout_seconds=LOST_AFTER,
    )


def _compare_count(count: int, index: int) -> None:
    """Refuse a number of processes that is not that of process 0: some would wait for ever."""
    client = _client()
    client.key_value_set(f"vaelib/count/{index}", str(count))
    first = client.blocking_key_value_get("vaelib/count/0", _FOR_EVER)
    if first != str(count):
        raise ValueError(
            f"--processes is {count} in process {index}, and {first} in process 0: give all "
            "processes the same number."
        )


def _listen_where_others_reach(group: Group) -> None:
    from jax._src import distributed  # JAX has no public way to choose gloo's address
    from jax._src.lib import _jax

    address = own_address(str(distributed.global_state.coordinator_address), group.gather)
    make = _jax.make_gloo_tcp_collectives
    _jax.make_gloo_tcp_collectives = partial(make, hostname=address)


def _disconnect() -> None:
    import jax

    jax.distributed.shutdown()


def _client():
    from jax._src import distributed  # JAX has no public name for its key-value store

    return distributed.global_state.client


@contextmanager
def _losses_explained(index: int, count: int, coordinator: str, timeout: int) -> Iterator[None]:
    copier = start_copying(index, count, coordinator, timeout)
    sys.stderr.flush()
    shown = os.dup(2)
    os.dup2(copier.stdin.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(shown, 2)
        os.close(shown)
        copier.stdin.close()
        with suppress(subprocess.TimeoutExpired):  # a child may hold the pipe open
            copier.wait(timeout=10)


def _explain(error: BaseException, errors: tuple[type[Exception], ...]) -> int:
    """Say what is wrong; the exit code of this process."""
    if _is_out_of_memory(error):
        error = MemoryError("a smaller --batch-size needs less")
    elif _is_lost_connection(error):
        # A neighbour closed its connection. JAX says which process is lost when it has sent no sign
        # of life for some time, and then ends this one.
        time.sleep(LOST_AFTER + 15)
        error = OtherProcess(f"The connection to another process broke: {AGAIN}.")
    code = 1
    if isinstance(error, SystemExit):
        code = error.code if isinstance(error.code, int) else 1
    elif isinstance(error, KeyboardInterrupt):
        code = 130
    elif isinstance(error, (*commands.ERRORS, *errors)):
        print(f"error: {' '.join(commands.sentence(error).splitlines())}", file=sys.stderr)
        code = 2
    else:
        traceback.print_exception(error)
    with suppress(OSError):  # nobody reads any more
        sys.stdout.flush()
    return code


def _is_lost_connection(error: BaseException) -> bool:
    """Whether an all-reduce failed: through gloo (processors) or NCCL (GPUs)."""
    import jax

    return any(
        re.search(_BROKEN if isinstance(one, jax.errors.JaxRuntimeError) else "Gloo", str(one))
        for one in _chain(error)
    )


def _is_out_of_memory(error: BaseException) -> bool:
    import jax

    return any(
        isinstance(one, jax.errors.JaxRuntimeError) and "RESOURCE_EXHAUSTED" in str(one)
        for one in _chain(error)
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and its causes; Keras may fail again while it cleans up."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
