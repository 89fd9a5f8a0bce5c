"""Renewals that nobody asks for: names whose primary host is this node, when a quarter of their life is left.

Also in grace, never for a revoked name, one at a time. Each tip is swept once, a slice a call, so that a node
that hosts thousands of names does not stop at every block.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Final

from meshchain.ledger import operations
from meshchain.ledger.chain.statedb import StoredState
from meshchain.ledger.operations import Renew
from meshchain.ledger.queue.facts import Facts
from meshchain.ledger.queue.shelf import Shelf
from meshchain.ledger.record import primary_key
from meshchain.ledger.store import Store

_SLICE: Final = 200
"""Names looked at in one call: about 10 ms."""
_FRACTION: Final = 4
"""Renewed when expiry / 4 blocks are left: a quarter of a year on mesh, long enough for any outage."""


class Renewals:
    """Finds names to renew and signs for them with the node's key."""

    def __init__(self, store: Store, node_key: bytes, sign: Callable[[bytes], bytes]) -> None:
        self._state = StoredState(store)
        self._node_key = node_key
        self._sign = sign
        self._swept: bytes | None = None
        self._rest: Iterator[str] = iter(())

    def due(self, facts: Facts, shelf: Shelf, genesis: bytes) -> list[Renew]:
        """Signed renewals to queue now."""
        names = list(islice(self._rest, _SLICE))
        if not names and self._swept != facts.tip:
            self._swept = facts.tip
            self._rest = self._state.names_with_key(self._node_key)
            names = list(islice(self._rest, _SLICE))
        found = (self._renewal(name, facts, shelf) for name in names)
        return [self._signed(renew, genesis) for renew in found if renew is not None]

    def _renewal(self, name: str, facts: Facts, shelf: Shelf) -> Renew | None:
        entry = facts.entry(name)
        if entry is None or entry.revoked or primary_key(entry.record) != self._node_key:
            return None
        if entry.expires - facts.height > facts.consensus.expiry // _FRACTION:
            return None
        waiting = any(item.alive and isinstance(item.operation, Renew) for item in shelf.named(name))
        return None if waiting else Renew(name=name, reg=entry.reg, expires=entry.expires)

    def _signed(self, renew: Renew, genesis: bytes) -> Renew:
        return replace(renew, signature=self._sign(operations.opid(renew, genesis)))
