"""Positions, hosts, and what can be a node's address."""

from ipaddress import ip_address

import pytest

from meshchain.p2p.addresses import Intake, group_of, host_of, is_usable


def raw(text: str) -> bytes:
    address = ip_address(text)
    return bytes(10) + b"\xff\xff" + address.packed if address.version == 4 else address.packed


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("1.2.3.4", "1.2.200.9", True),
        ("1.2.3.4", "1.3.3.4", False),
        ("2001:db8:1::1", "2001:db8:ffff::9", True),
        ("2001:db8::1", "2001:db9::1", False),
        ("127.0.0.1", "::1", True),
        ("127.0.0.1", "127.9.9.9", True),
        ("eeee:1::1", "eeee:2::2", True),
        ("102:304::1", "1.2.3.4", False),
    ],
)
def test_positions(one: str, other: str, same: bool) -> None:
    assert (group_of(raw(one)) == group_of(raw(other))) is same


def test_mesh_positions_go_by_the_first_hop() -> None:
    assert group_of(raw("eeee:1::1"), b"hop1") == group_of(raw("eeee:2::2"), b"hop1")
    assert group_of(raw("eeee:1::1"), b"hop1") != group_of(raw("eeee:1::1"), b"hop2")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("1.2.3.4", "1.2.3.4", True),
        ("1.2.3.4", "1.2.3.5", False),
        ("2001:db8::1", "2001:db8::ffff:1:1:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("eeee:1::1", "eeee:1::2", False),
    ],
)
def test_hosts(one: str, other: str, same: bool) -> None:
    assert (host_of(raw(one)) == host_of(raw(other))) is same
    assert len(host_of(raw(one))) == 16
    assert host_of(host_of(raw(one))) == host_of(raw(one))


@pytest.mark.parametrize("text", ["1.2.3.4", "10.0.0.1", "2600::1", "fd00::1", "eeee:1::1", "eeee::1"])
def test_usable(text: str) -> None:
    assert is_usable(raw(text), 4444)
    assert not is_usable(raw(text), 0)


@pytest.mark.parametrize(
    "text",
    [
        *("0.0.0.0", "0.1.2.3", "127.0.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "169.254.1.1"),
        *("::", "::1", "ff02::1", "fe80::1", "::1.2.3.4", "100::1", "4000::1"),
    ],
)
def test_not_usable(text: str) -> None:
    assert not is_usable(raw(text), 4444)


@pytest.mark.parametrize("private", ["10.0.0.1", "192.168.1.1", "172.16.0.1", "fd00::1"])
def test_private_addresses_come_from_neighbours(private: str) -> None:
    assert is_usable(raw(private), 22, source=raw("192.168.7.7"))
    assert is_usable(raw(private), 22, source=raw("127.0.0.1"))
    assert not is_usable(raw(private), 22, source=raw("8.8.8.8"))
    assert not is_usable(raw(private), 22, source=raw("2600::1"))
    assert not is_usable(raw(private), 22, source=raw("eeee:1::1"))
    assert is_usable(raw("8.8.4.4"), 22, source=raw("8.8.8.8"))


def test_the_intake_is_slow_unless_asked() -> None:
    intake = Intake()
    assert [intake.allowed(1, 10, now) for now in (0.0, 5.0, 10.0, 100.0, 1000.0)] == [1, 0, 1, 1, 1]
    intake.asked(1)
    intake.asked(1)
    assert intake.allowed(1, 700, 1000.0) == 700
    assert intake.allowed(1, 700, 1000.0) == 300, "asked twice is not answered twice over"
    assert intake.allowed(2, 5, 1000.0) == 1, "another peer has its own"
    intake.gone(1)
    assert intake.allowed(1, 9, 1000.0) == 1
