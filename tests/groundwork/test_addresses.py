"""The addresses of two machines that reach each other."""

import socket

import pytest

from groundwork.addresses import ends_of_the_way


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_way_to_this_machine_begins_and_ends_here(host):
    own, other = ends_of_the_way(host, 9)
    assert own == other and own in ("127.0.0.1", "::1")


def test_a_name_that_nobody_knows_is_an_error():
    with pytest.raises(OSError):
        ends_of_the_way("no-such-host.invalid", 9)


def test_a_zone_is_no_part_of_an_address(monkeypatch):
    """Of an IPv6 address that is valid in one network only."""

    class Probe(socket.socket):
        def connect(self, address):
            pass

        def getsockname(self):
            return ("fe80::1%eth0", 9, 0, 2)

    found = [(socket.AF_INET6, socket.SOCK_DGRAM, 0, "", ("fe80::2%eth0", 9, 0, 2))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    monkeypatch.setattr(socket, "socket", Probe)
    assert ends_of_the_way("node2", 9) == ("fe80::1", "fe80::2")
