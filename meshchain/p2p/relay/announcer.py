"""Telling peers of a new tip, and answering what they ask about it.

Compact to those who asked for it, by header to the others, nothing to those who have it. A reorganisation of up to
8 blocks is announced by its headers, a longer one by its tip alone; whoever cannot place that asks. A node that
is catching up says nothing: its new tips are everybody else's old blocks.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from meshchain.ledger.chain.index import IndexEntry
from meshchain.p2p.actions import Action, Blame, Peer, Send
from meshchain.p2p.facts import Facts
from meshchain.p2p.messages import (
    BlockOperations,
    CompactBlock,
    GetBlockOperations,
    Headers,
    NotFound,
    Prefilled,
    Wanted,
    short_id,
)
from meshchain.p2p.relay.body import Body

PREFILL: Final = 4096
"""Bytes of operations that are sent along because we did not have them either."""
BEHIND: Final = 6
"""With more blocks to come than this, new tips are not announced. An attacker who wanted to silence a node by headers
whose bodies he withholds would have to mine as many."""
SERVED: Final = 10
"""Blocks below the tip whose operations are given out singly (Bitcoin Core's depth)."""
BAD_INDEX_POINTS: Final = 20
_PATH: Final = 8


@dataclass(slots=True)
class _Listener:
    compact: bool = False
    has: bytes | None = None
    """The newest block that it is known to have."""


class Announcer:
    """Of one node's tips."""

    def __init__(self, facts: Facts, rng: random.Random) -> None:
        self._facts = facts
        self._rng = rng
        self._listeners: dict[Peer, _Listener] = {}
        self._announced = facts.tip()
        self._body: tuple[bytes, Body] | None = None
        """The block read last, by id."""
        self._lacked: tuple[bytes, tuple[int, ...]] = (b"", ())
        """Block id and the positions that had to be fetched for it."""

    def __contains__(self, peer: Peer) -> bool:
        return peer in self._listeners

    def ready(self, peer: Peer) -> None:
        self._listeners[peer] = _Listener()

    def gone(self, peer: Peer) -> None:
        self._listeners.pop(peer, None)

    def wants_compact(self, peer: Peer, *, compact: bool) -> None:
        if peer in self._listeners:
            self._listeners[peer].compact = compact

    def has(self, peer: Peer, block_id: bytes) -> None:
        """The peer need not be told of this block."""
        if peer in self._listeners:
            self._listeners[peer].has = block_id

    def lacked(self, block_id: bytes, indexes: tuple[int, ...]) -> None:
        """These operations of a block were not in our mempool; others may lack them, too."""
        self._lacked = block_id, indexes

    def announce(self) -> list[Action]:
        """To everybody who does not have the tip; nothing if it was announced before."""
        tip, before = self._facts.tip(), self._announced
        if tip.id == before.id:
            return []
        self._announced = tip
        if self._facts.best_header().height > tip.height + BEHIND:
            return []
        headers = Headers(tuple(entry.header for entry in self._path(before, tip)))
        compact = self._compact(tip) if len(headers.headers) == 1 else None
        actions: list[Action] = []
        for peer, listener in self._listeners.items():
            if listener.has != tip.id:
                actions.append(Send(peer, compact if compact is not None and listener.compact else headers))
                listener.has = tip.id
        return actions

    def answer(self, peer: Peer, question: GetBlockOperations) -> list[Action]:
        """Operations of one of the newest blocks; a position that the block does not have costs 20 points."""
        body = self._recent(question.block_id)
        if body is None:
            return [Send(peer, NotFound(Wanted.BLOCK, (question.block_id,)))]
        if question.indexes[-1] >= len(body.raws):
            return [Blame(peer, BAD_INDEX_POINTS, "asked for an operation that the block does not have")]
        raws = tuple(body.raws[index] for index in question.indexes)
        return [Send(peer, BlockOperations(question.block_id, raws))]

    # --- inside ------------------------------------------------------------------------------------------

    def _path(self, before: IndexEntry, tip: IndexEntry) -> Sequence[IndexEntry]:
        """The blocks from the fork with ``before`` to ``tip``, oldest first; the tip alone if they are many."""
        old = {entry.id for entry in islice(self._facts.ancestors(before), _PATH + 1)}
        path: list[IndexEntry] = []
        for entry in islice(self._facts.ancestors(tip), _PATH + 1):
            if entry.id in old:
                return path[::-1]
            path.append(entry)
        return [tip]

    def _compact(self, tip: IndexEntry) -> CompactBlock | None:
        body = self._read(tip.id)
        if body is None:
            return None
        salt = self._rng.getrandbits(64)
        prefilled = self._prefilled(tip.id, body)
        sent = {index for index, _ in prefilled}
        wids = [wid for index, wid in enumerate(body.wids) if index not in sent]
        return CompactBlock(tip.header, salt, tuple(short_id(tip.id, salt, wid) for wid in wids), prefilled)

    def _prefilled(self, block_id: bytes, body: Body) -> tuple[Prefilled, ...]:
        lacked_of, indexes = self._lacked
        chosen: list[Prefilled] = []
        room = PREFILL
        for index in indexes if lacked_of == block_id else ():
            room -= len(body.raws[index])
            if room < 0:
                break
            chosen.append((index, body.raws[index]))
        return tuple(chosen)

    def _recent(self, block_id: bytes) -> Body | None:
        entry = self._facts.header(block_id)
        if entry is None or entry.height + SERVED < self._facts.tip().height:
            return None
        return self._read(block_id)

    def _read(self, block_id: bytes) -> Body | None:
        if self._body is None or self._body[0] != block_id:
            raw = self._facts.block_bytes(block_id)
            if raw is None:
                return None
            self._body = block_id, Body.split(raw)
        return self._body[1]
