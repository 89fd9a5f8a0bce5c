"""An IPv6 packet to another destination, its transport checksum kept right.

The checksum covers the destination by the pseudo-header (RFC 8200 §8.1); it is adjusted by what changed (RFC 1624
eqn 3: HC' = ~(~HC + ~m + m')), not computed anew, so that a wrong one stays wrong.
"""

from typing import Final

from meshrouter.offload.checksum import ones_sum

_CHECKSUM_AT: Final = {6: 16, 17: 6, 58: 2, 136: 6}
"""Offset in the header of TCP, UDP, ICMPv6, UDP-Lite."""
_UDP: Final = 17
_OPTIONS: Final = frozenset({0, 60})
"""Hop-by-hop and destination options: next header, then the length beyond the first 8 bytes, in units of 8."""
_FRAGMENT: Final = 44
_MOST_HEADERS: Final = 8
_ONES: Final = 0xFFFF


def with_destination(packet: bytes, destination: bytes) -> bytes:
    """``packet``: with an IPv6 header. ``destination``: 16 bytes."""
    moved = packet[:24] + destination + packet[40:]
    field = _checksum_field(packet)
    if field is None:
        return moved
    adjusted = _adjusted(int.from_bytes(packet[field : field + 2], "big"), packet[24:40], destination)
    return moved[:field] + adjusted.to_bytes(2, "big") + moved[field + 2 :]


def _adjusted(checksum: int, before: bytes, after: bytes) -> int:
    """1 … 0xFFFF: never 0, which UDP keeps for "none"."""
    total = (_ONES - checksum) + (_ONES - ones_sum(before)) + ones_sum(after)
    return _ONES - total % _ONES


def _checksum_field(packet: bytes) -> int | None:
    """Where the checksum stands; None if there is none: a later fragment, another protocol, UDP without."""
    kind, at = packet[6], 40
    for _ in range(_MOST_HEADERS):
        if kind in _CHECKSUM_AT:
            field = at + _CHECKSUM_AT[kind]
            none = kind == _UDP and not any(packet[field : field + 2])
            return None if none or field + 2 > len(packet) else field
        if len(packet) < at + 8 or kind not in _OPTIONS | {_FRAGMENT}:
            return None
        if kind == _FRAGMENT and int.from_bytes(packet[at + 2 : at + 4], "big") >> 3:
            return None
        kind, at = packet[at], at + (8 if kind == _FRAGMENT else 8 + 8 * packet[at + 1])
    return None
