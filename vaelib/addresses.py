"""The address at which the other processes of a training reach this one."""

from collections.abc import Callable
from ipaddress import ip_address

from groundwork.addresses import ends_of_the_way


def own_address(coordinator: str, gather: Callable[[str], list[str]]) -> str:
    """The address of this machine in the network that leads to the coordinator.

    Without it, JAX's all-reduce between processors (gloo) takes the address of the machine's name,
    which is 127.0.1.1 on Debian and Ubuntu: no other machine can reach that.

    Args:
        coordinator: host and port of process 0.
        gather: gives the texts of all processes, when each has given its own.
    """
    host, _, port = coordinator.rpartition(":")
    own, of_coordinator = ends_of_the_way(host.strip("[]"), int(port))
    told = gather(of_coordinator)
    if not ip_address(own).is_loopback:
        return own
    # This is the coordinator's machine: the others may know it by an address of the network.
    return next((other for other in told if not ip_address(other).is_loopback), own)
