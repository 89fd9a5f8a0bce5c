"""Operations one step ahead of the chain: bounded, and paid for like any other by their stamps.

A reveal waits here for its commit to be confirmed or old enough, an update for the reveal, the renewal or the
earlier update it builds on. What waits is tried again with every block, and when an operation of its name
comes into the pool. Nothing stays for ever: a stamp's anchor runs out after two grids.
"""

from collections.abc import Iterator
from typing import Final

from meshchain.ledger.errors import RuleError
from meshchain.ledger.mempool.bounds import MAX_PER_NAME
from meshchain.ledger.mempool.pending import Pending, order_of
from meshchain.ledger.operations import Operation, Reveal

_REVEAL_WAITS: Final = frozenset(("commitment-missing", "reveal-too-early"))
_OTHERS_WAIT: Final = frozenset(("name-absent", "name-in-grace", "seq-too-high"))


class Orphans:
    """At most ``limit`` encoded bytes and 8 operations a name; the lowest ranks leave."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._by_opid: dict[bytes, Pending] = {}
        self.size = 0

    def __len__(self) -> int:
        return len(self._by_opid)

    def get(self, opid: bytes) -> Pending | None:
        return self._by_opid.get(opid)

    def in_order(self, name: str | None = None) -> Iterator[Pending]:
        """Those of a name, or all: reveals and renewals first, then by seq, as they can become valid."""
        listed = [pending for pending in self._by_opid.values() if name in (None, pending.name)]
        return iter(sorted(listed, key=lambda pending: order_of(pending.operation)))

    def hold(self, pending: Pending, error: RuleError) -> None:
        """Keep an operation, in place of another form of it; RuleError "mempool-full" if it ranks lowest."""
        self.remove(pending.opid)
        self._by_opid[pending.opid] = pending
        self.size += pending.size
        self._shrink(pending)
        if pending.opid not in self._by_opid:
            raise RuleError("mempool-full", f"too much waits for an earlier step already ({error.message})")

    def remove(self, opid: bytes) -> None:
        pending = self._by_opid.pop(opid, None)
        if pending is not None:
            self.size -= pending.size

    def _shrink(self, newest: Pending) -> None:
        while (crowd := self._too_many(newest.name)) is not None:
            self.remove(min(crowd, key=lambda pending: pending.rank_key).opid)

    def _too_many(self, name: str | None) -> list[Pending] | None:
        """The operations of which one has to leave, None if everything is within bounds."""
        if len(same := list(self.in_order(name))) > MAX_PER_NAME:
            return same
        return list(self.in_order()) if self.size > self._limit else None


def may_wait(operation: Operation, error: RuleError) -> bool:
    """Whether one more step of the chain can make the operation valid."""
    return error.code in (_REVEAL_WAITS if isinstance(operation, Reveal) else _OTHERS_WAIT)
