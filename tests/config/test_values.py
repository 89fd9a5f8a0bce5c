from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshchain.config import values
from meshchain.config.links import (
    EthernetInterface,
    Link,
    NoLink,
    TcpListen,
    TcpPeer,
    UdpInterface,
    UdpListen,
    UdpPeer,
    parse_link,
)
from meshchain.config.values import Address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9336", Address("127.0.0.1", 9336)),
        ("[::]:9337", Address("::", 9337)),
        ("[2001:DB8:0::1]:1", Address("2001:db8::1", 1)),
        ("[fe80::1%eth0]:1", Address("fe80::1%eth0", 1)),
        ("node.example:65535", Address("node.example", 65535)),
        ("localhost:0", Address("localhost", 0)),
    ],
)
def test_addresses(text: str, address: Address) -> None:
    assert values.listen_address(text) == address
    assert values.listen_address(str(address)) == address


@pytest.mark.parametrize(
    "text",
    [
        "", ":", "9336", "127.0.0.1", "127.0.0.1:", ":9336", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1: 1",
        "127.0.0.1:+1", "127.0.0.1:1_0", "127.0.0.1:²", "::1:9336", "[::1]", "[::1]9336", "[::g]:1", "[1.2.3.4]:1",
        "256.0.0.1:1", "1.2.3:1", "127.0.0.1.:1", "-a:1", "a-:1", "a..b:1", "a b:1", "a" * 64 + ":1", "off",
    ],
)  # fmt: skip
def test_bad_addresses(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        values.listen_address(text)


def test_a_peer_has_a_port() -> None:
    with pytest.raises(ValueError, match="from 1 to 65535"):
        values.peer_address("node.example:0")


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("9.9.9.9", "9.9.9.9", 53),
        ("9.9.9.9:5353", "9.9.9.9", 5353),
        ("2620:fe::fe", "2620:fe::fe", 53),
        ("[2620:fe::fe]", "2620:fe::fe", 53),
        ("[2620:fe::fe]:5353", "2620:fe::fe", 5353),
        ("resolver.example", "resolver.example", 53),
    ],
)
def test_resolvers(text: str, host: str, port: int) -> None:
    assert values.resolver_address(text) == Address(host, port)


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("none", NoLink()),
        ("udp:eth0", UdpInterface("eth0")),
        ("udp:eth0:4000", UdpInterface("eth0", 4000)),
        ("udp:eth0.100", UdpInterface("eth0.100")),
        ("udp:eth0.100:4000", UdpInterface("eth0.100", 4000)),
        ("udp:wlan0.sta1:4000", UdpInterface("wlan0.sta1", 4000)),
        ("udp:192.0.2.1:3003", UdpPeer(Address("192.0.2.1", 3003))),
        ("udp:[2001:db8::1]:3003", UdpPeer(Address("2001:db8::1", 3003))),
        ("udp:node.example:3003", UdpPeer(Address("node.example", 3003))),
        ("udp:localhost:3003", UdpPeer(Address("localhost", 3003))),
        ("udp:a-very-long-host-name:3003", UdpPeer(Address("a-very-long-host-name", 3003))),
        ("udp-listen:0.0.0.0:3004", UdpListen(Address("0.0.0.0", 3004))),
        ("ethernet:eth0", EthernetInterface("eth0")),
        ("tcp:[::1]:1", TcpPeer(Address("::1", 1))),
        ("tcp-listen:[::]:0", TcpListen(Address("::", 0))),
    ],
)
def test_links(text: str, link: Link) -> None:
    assert parse_link(text) == link
    assert parse_link(str(link)) == link


@pytest.mark.parametrize(
    "text",
    [
        "", "udp", "udp:", "tcp:eth0", "tcp:1.2.3.4", "ethernet:", "ethernet:a/b", "ethernet:a b", "ethernet:eth0:1",
        "ethernet:..", "ethernet:0123456789abcdef", "udp:eth0:0", "udp:eth0:x", "udp:1.2.3.4:0", "udp:[::1]",
        "udp:1.2.3.4.5:1", "UDP:eth0", "none:", "wifi:wlan0",
    ],
)  # fmt: skip
def test_bad_links(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_link(text)


def test_words_and_numbers() -> None:
    assert values.auto_or_off("auto") is True
    assert values.auto_or_off("off") is False
    assert values.tun_or_off("off") is None
    assert values.tun_or_off("mesh0") == "mesh0"
    assert values.zone_number("65535") == 65535
    for parse, text in ((values.auto_or_off, "on"), (values.zone_number, "65536"), (values.zone_number, "-1")):
        with pytest.raises(ValueError, match="it must be"):
            parse(text)


PARSERS: list[Callable[[str], object]] = [
    values.listen_address, values.peer_address, values.resolver_address, values.listen_address_or_off,
    values.tun_or_off, values.zone_number, values.auto_or_off, parse_link,
]  # fmt: skip


@pytest.mark.parametrize("parse", PARSERS)
@given(text=st.text(max_size=30) | st.from_regex(r"(udp|tcp|off)?:?\[?[0-9a-f.:%]{0,12}\]?(:[0-9]{0,6})?"))
def test_any_text_is_a_value_or_a_value_error(parse: Callable[[str], object], text: str) -> None:
    try:
        value = parse(text)
    except ValueError:
        return
    if not isinstance(value, (bool, int, str, type(None))):
        assert parse(str(value)) == value
