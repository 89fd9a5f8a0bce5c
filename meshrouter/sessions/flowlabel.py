"""The flow label on the wire: the same for all packets of a flow, and nothing of the kernel's own (RFC 6437 §3).

A keyed hash of addresses, protocol and ports, so that routers may tell flows apart without learning ports, or what
label the kernel gave. Hashing costs more than sealing a small packet; so the labels of an address pair are kept.
"""

from hashlib import blake2s
from typing import Final

MOST_LABELS: Final = 1024
"""Flows of one pair remembered (100 KB); then all are forgotten, and hashed once again."""
_WITH_PORTS: Final = frozenset({6, 17})
_LABEL: Final = 0xFFFFF


class FlowLabels:
    """Of one pair. ``secret``: 32 bytes; ``addresses``: 32 bytes, from us to the other."""

    __slots__ = ("_addresses", "_labels", "_secret")

    def __init__(self, secret: bytes, addresses: bytes) -> None:
        self._secret = secret
        self._addresses = addresses
        self._labels: dict[bytes, int] = {}

    def of(self, packet: bytes) -> int:
        """20 bits, for an IPv6 packet of this pair."""
        flow = packet[40:44] + packet[6:7] if packet[6] in _WITH_PORTS else packet[6:7]
        label = self._labels.get(flow)
        return self._hash(flow) if label is None else label

    def _hash(self, flow: bytes) -> int:
        if len(self._labels) >= MOST_LABELS:
            self._labels.clear()
        digest = blake2s(self._addresses + flow, key=self._secret, digest_size=4).digest()
        label = self._labels[flow] = int.from_bytes(digest, "big") & _LABEL
        return label
