"""What a packet for this host begins: which of its bytes rules are about.

Rules judge what *opens* something: a TCP SYN, a datagram that answers none of ours, an echo request, and every packet
of any other protocol. What belongs to something open goes through, as with any stateful filter; otherwise "accept port
80, drop the rest" would drop the answers to our own connections. For TCP and ICMPv6 the packet itself says which it is
(a segment without a connection gets a RST from the kernel); for UDP what was sent is remembered for a while.
"""

from dataclasses import dataclass
from typing import Final

TCP: Final = 6
UDP: Final = 17
ICMPV6: Final = 58
_FRAGMENT: Final = 44
_OPTIONS: Final = frozenset({0, 60})
_MOST_HEADERS: Final = 8
_SYN: Final = 2
_ACK: Final = 16
_ECHO_REQUEST: Final = 128


@dataclass(frozen=True, slots=True)
class Opening:
    """``port``, ``peer_port``: of TCP and UDP; this host's and the other's."""

    protocol: int
    port: int = 0
    peer_port: int = 0


PASSES: Final = Opening(-1)
"""It belongs to something that was judged when it opened."""


def opening(protocol: int, payload: bytes) -> Opening | None:
    """``payload``: what follows the IPv6 header. None: too short to tell, which no honest stack sends (RFC 1858)."""
    for _ in range(_MOST_HEADERS):
        if protocol == _FRAGMENT:
            if len(payload) < 8:
                return None
            if int.from_bytes(payload[2:4], "big") >> 3:
                return PASSES
            protocol, payload = payload[0], payload[8:]
        elif protocol in _OPTIONS:
            if len(payload) < 8:
                return None
            protocol, payload = payload[0], payload[8 + 8 * payload[1] :]
        else:
            return _transport(protocol, payload)
    return None


def _transport(protocol: int, payload: bytes) -> Opening | None:
    if protocol == TCP:
        if len(payload) < 14:
            return None
        return _with_ports(TCP, payload) if payload[13] & (_SYN | _ACK) == _SYN else PASSES
    if protocol == UDP:
        return _with_ports(UDP, payload) if len(payload) >= 4 else None
    if protocol == ICMPV6:
        return Opening(ICMPV6) if payload[:1] == bytes((_ECHO_REQUEST,)) else PASSES
    return Opening(protocol)


def _with_ports(protocol: int, payload: bytes) -> Opening:
    return Opening(protocol, int.from_bytes(payload[2:4], "big"), int.from_bytes(payload[:2], "big"))
