"""Packets that are larger than a link: cut into pieces for one hop, put together on its other side.

Only links whose largest inner packet has less than 1280 bytes do so, because less is not IPv6 (RFC 8200 §5); everywhere
else a packet that is too large is its source's affair. Each piece is sealed, so nobody can slip one in. A neighbour has
a bounded number of unfinished packets; they are dropped when they are 2 s old.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from meshrouter.errors import WireError
from meshrouter.wire.frame import OVERHEAD
from meshrouter.wire.train import MAX_PIECES, PIECE_HEADER_SIZE, SMALLEST_WHOLE, TRAIN_TIME, Piece

MOST_UNFINISHED: Final = 8
"""Packets of one neighbour under way: at 16 pieces of under 1305 bytes, 160 kB."""


@dataclass(slots=True)
class _Unfinished:
    began: float
    pieces: dict[int, bytes] = field(default_factory=dict)
    count: int | None = None

    def add(self, piece: Piece) -> bytes | None:
        if piece.last:
            self.count = piece.number + 1
        self.pieces.setdefault(piece.number, piece.content)
        if self.count is None:
            return None
        if max(self.pieces) >= self.count:
            raise WireError("piece-number", f"piece {max(self.pieces)} of a packet that has {self.count}")
        if len(self.pieces) < self.count:
            return None
        return b"".join(self.pieces[number] for number in range(self.count))


class Pieces:
    """Both sides of one neighbour."""

    def __init__(self) -> None:
        self._next = 0
        self._unfinished: OrderedDict[int, _Unfinished] = OrderedDict()

    def cut(self, mtu: int, packet: bytes) -> list[bytes] | None:
        """Plaintexts of PIECE frames of at most ``mtu`` bytes; None if so large ones need none, or it would take more
        than 16."""
        room = mtu - OVERHEAD - PIECE_HEADER_SIZE
        if mtu - OVERHEAD >= SMALLEST_WHOLE or room < 1 or len(packet) > MAX_PIECES * room:
            return None
        self._next = (self._next + 1) & 0xFFFF
        starts = range(0, len(packet), room)
        return [
            Piece(self._next, number, start + room >= len(packet), packet[start : start + room]).encode()
            for number, start in enumerate(starts)
        ]

    def add(self, plaintext: bytes, now: float) -> bytes | None:
        """The packet, once all of it is here. WireError for what is no piece."""
        piece = Piece.decode(plaintext)
        while self._unfinished and next(iter(self._unfinished.values())).began < now - TRAIN_TIME:
            self._unfinished.popitem(last=False)
        if piece.packet not in self._unfinished and len(self._unfinished) >= MOST_UNFINISHED:
            self._unfinished.popitem(last=False)
        unfinished = self._unfinished.setdefault(piece.packet, _Unfinished(now))
        try:
            packet = unfinished.add(piece)
        except WireError:
            del self._unfinished[piece.packet]
            raise
        if packet is not None:
            del self._unfinished[piece.packet]
        return packet
