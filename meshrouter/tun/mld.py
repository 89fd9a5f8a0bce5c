"""Which groups of the mesh programs on this host have joined, by what the kernel says on the TUN.

Theory of operation
-------------------
When the first program joins a group on an interface, and when the last one leaves, the kernel multicasts that: MLDv2
reports (RFC 9777, ICMPv6 type 143), or MLDv1 ones (RFC 2710, types 131 and 132) where so configured. On a TUN they
come to us, and go nowhere else. The reports have a hop-by-hop header with Router Alert before them.

Changes are told twice and never again; so a router that has just started asks (``GENERAL_QUERY``), and the kernel
answers with all it has. Sources are not told apart: a group joined for one source is a group joined.
"""

from collections.abc import Iterator
from typing import Final

GROUPS: Final = bytes.fromhex("ff18eeee")
"""ff18:eeee::/32: transient groups, organisation-local scope."""
MOST_GROUPS: Final = 256
"""More than that are not joined: every one is announced to neighbours."""

_HOP_BY_HOP, _ICMPV6 = 0, 58
_REPORT_V1, _DONE_V1, _REPORT_V2 = 131, 132, 143
_MODE_IS_INCLUDE, _TO_INCLUDE, _BLOCK = 1, 3, 6
_FIXED: Final = 48
"""IPv6 header and the 8 bytes of the hop-by-hop header."""

GENERAL_QUERY: Final = bytes.fromhex(
    "6000000000240001"  # version 6; 36 bytes of payload; hop-by-hop first; hop limit 1
    "fe800000000000000000000000000001"  # from a link-local address: the kernel believes no other
    "ff020000000000000000000000000001"
    "3a00050200000100"  # hop-by-hop: Router Alert (MLD), PadN
    "82007d9c000a0000"  # query; checksum; answer within 10 ms
    "00000000000000000000000000000000"  # any group
    "027d0000"  # robustness 2, query interval 125 s, no sources
)


class Members:
    """``groups``: joined addresses (16 bytes), in the order of joining."""

    def __init__(self) -> None:
        self.groups: dict[bytes, None] = {}

    def take(self, packet: bytes) -> bool:
        """An IPv6 packet from the TUN; whether it was a report, and goes nowhere. Malformed ones change nothing."""
        if len(packet) < _FIXED + 8 or packet[6] != _HOP_BY_HOP or packet[40] != _ICMPV6 or packet[41] != 0:
            return False
        kind = packet[_FIXED]
        if kind == _REPORT_V2:
            for group, joined in _records(packet[_FIXED:]):
                self._set(group, joined)
        elif kind in (_REPORT_V1, _DONE_V1):
            self._set(packet[_FIXED + 8 : _FIXED + 24], kind == _REPORT_V1)
        return kind in (_REPORT_V1, _DONE_V1, _REPORT_V2)

    def _set(self, group: bytes, joined: bool) -> None:
        if not joined:
            self.groups.pop(group, None)
        elif group.startswith(GROUPS) and len(group) == 16 and len(self.groups) < MOST_GROUPS:
            self.groups[group] = None


def _records(report: bytes) -> Iterator[tuple[bytes, bool]]:
    """(group, whether anybody wants it) of each record. RFC 9777 §5.2."""
    at = 8
    for _ in range(int.from_bytes(report[6:8], "big")):
        if at + 20 > len(report):
            return
        kind, sources = report[at], int.from_bytes(report[at + 2 : at + 4], "big")
        if kind != _BLOCK and 1 <= kind <= _BLOCK:
            yield report[at + 4 : at + 20], sources > 0 or kind not in (_MODE_IS_INCLUDE, _TO_INCLUDE)
        at += 20 + 16 * sources + 4 * report[at + 1]
