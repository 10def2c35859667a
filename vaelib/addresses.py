"""The address at which the other processes of a training reach this one."""

import socket
from collections.abc import Callable
from ipaddress import ip_address


def own_address(coordinator: str, gather: Callable[[str], list[str]]) -> str:
    """The address of this machine in the network that leads to the coordinator.

    Without it, JAX's all-reduce between processors (gloo) takes the address of the machine's name,
    which is 127.0.1.1 on Debian and Ubuntu: no other machine can reach that.

    Args:
        coordinator: host and port of process 0.
        gather: gives the texts of all processes, when each has given its own.
    """
    own, of_coordinator = _ends_of_the_way(coordinator)
    told = gather(of_coordinator)
    if not ip_address(own).is_loopback:
        return own
    # This is the coordinator's machine: the others may know it by an address of the network.
    return next((other for other in told if not ip_address(other).is_loopback), own)


def _ends_of_the_way(coordinator: str) -> tuple[str, str]:
    """The addresses of this machine and of the coordinator; nothing is sent."""
    host, _, port = coordinator.rpartition(":")
    found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_DGRAM)
    family, kind, _, _, address = found[0]
    with socket.socket(family, kind) as probe:
        probe.connect(address)
        return probe.getsockname()[0].partition("%")[0], str(address[0]).partition("%")[0]
