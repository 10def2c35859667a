"""Which address of this machine leads to another one: the routing table is asked, nothing sent."""

import socket


def ends_of_the_way(host: str, port: int) -> tuple[str, str]:
    """The address that this machine has in the network that leads to a host, and the host's.

    Args:
        host: its name, or its address.
        port: any of the host's.

    Raises:
        OSError: no network leads there, or nobody knows the name.
    """
    family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind) as probe:
        probe.connect(address)  # of datagrams: this only chooses the network
        return probe.getsockname()[0].partition("%")[0], str(address[0]).partition("%")[0]
