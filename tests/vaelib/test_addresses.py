"""The address at which a process can be reached."""

import pytest

from vaelib import addresses


@pytest.mark.parametrize(
    ("own", "told", "expected"),
    [
        ("10.0.0.2", ["127.0.1.1", "10.0.0.1"], "10.0.0.2"),  # another machine
        ("127.0.0.1", ["127.0.1.1", "127.0.1.1", "10.0.0.1"], "10.0.0.1"),  # the coordinator's
        ("127.0.0.1", ["127.0.0.1", "127.0.0.1"], "127.0.0.1"),  # all on one
        ("::1", ["::1", "fd00::1"], "fd00::1"),
    ],
)
def test_it_is_one_that_the_others_can_reach(monkeypatch, own, told, expected):
    monkeypatch.setattr(addresses, "ends_of_the_way", lambda host, port: (own, told[0]))
    given = []
    assert addresses.own_address("node1:12345", lambda text: given.append(text) or told) == expected
    assert given == told[:1]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_on_one_machine_it_is_the_machine_itself(host):
    own = addresses.own_address(f"{host}:12345", lambda text: [text])
    assert own in ("127.0.0.1", "::1")
