"""A compact block being filled from the mempool.

A short id that fits two operations of the mempool is treated as one that fits none: the sender is asked for that
position. The mempool is searched until everything is found and no further, so a second fit may go unseen; then the
operations root does not match, and the whole block is fetched.
"""

from collections.abc import Iterable, Sequence

from meshchain.ledger import operations
from meshchain.ledger.header import Header, operations_root
from meshchain.ledger.mempool import Pending
from meshchain.p2p.messages import CompactBlock, short_id
from meshchain.p2p.relay.body import join


class Reconstruction:
    """``header``'s work must have been checked: what is done here costs two hashes an operation."""

    def __init__(self, compact: CompactBlock, pending: Iterable[Pending]) -> None:
        self._compact = compact
        self._raws: list[bytes | None] = [None] * (len(compact.short_ids) + len(compact.prefilled))
        for index, raw in compact.prefilled:
            self._raws[index] = raw
        free = [index for index, raw in enumerate(self._raws) if raw is None]
        self._places = dict(zip(compact.short_ids, free, strict=True))
        self.ambiguous = len(self._places) < len(free)
        """Two operations of the block have one short id: only the whole block will do."""
        if not self.ambiguous:
            self._search(pending)

    @property
    def header(self) -> Header:
        return self._compact.header

    @property
    def missing(self) -> tuple[int, ...]:
        """Positions still empty."""
        return tuple(index for index, raw in enumerate(self._raws) if raw is None)

    def fill(self, raws: Sequence[bytes]) -> bool:
        """Take the operations at the missing positions; False if they are not what the short ids said."""
        missing = self.missing
        if len(raws) != len(missing):
            return False
        for index, raw in zip(missing, raws, strict=True):
            if self._places.get(self._short_id(operations.wid_of(raw))) != index:
                return False
            self._raws[index] = raw
        return True

    def block(self) -> bytes | None:
        """The encoded block; None if these are not the operations that the header commits to."""
        raws = [raw for raw in self._raws if raw is not None]
        if operations_root([operations.wid_of(raw) for raw in raws]) != self.header.operations_root:
            return None
        return join(self.header, raws)

    def _search(self, pending: Iterable[Pending]) -> None:
        wanted = len(self._places)
        found: dict[int, Pending] = {}
        doubtful: list[int] = []
        for candidate in pending:
            if len(found) == wanted:
                break
            index = self._places.get(self._short_id(candidate.wid))
            if index is not None and found.setdefault(index, candidate) is not candidate:
                doubtful.append(index)
        for index, candidate in found.items():
            if index not in doubtful:
                self._raws[index] = operations.encode(candidate.operation)

    def _short_id(self, wid: bytes) -> bytes:
        return short_id(self._compact.header.id, self._compact.salt, wid)
