"""Items on disk: read at start, written when they change."""

from collections.abc import Sequence

from meshchain.ledger.params import Consensus
from meshchain.ledger.queue import stored
from meshchain.ledger.queue.item import Item
from meshchain.ledger.store import Store, layout


class Journal:
    """Collects changes and writes them as one batch; what a failed write left undone goes with the next."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._changes: dict[bytes, bytes | None] = {}

    def load(self, genesis: bytes, consensus: Consensus) -> list[Item]:
        """All items in order of submission; StoreError "damaged"."""
        rows = self._store.items(layout.QUEUED)
        items = [stored.decode(key[len(layout.QUEUED) :], data, genesis, consensus) for key, data in rows]
        return sorted(items, key=lambda item: item.order)

    def promise(self, items: Sequence[Item], *, sync: bool) -> None:
        """Write new items now, all or none."""
        rows = {layout.QUEUED + item.opid: stored.encode(item) for item in items}
        if rows:
            self._store.write({**self._changes, **rows}, sync=sync)
            self._changes.clear()

    def note(self, item: Item) -> None:
        self._changes[layout.QUEUED + item.opid] = stored.encode(item)

    def forget(self, item: Item) -> None:
        self._changes[layout.QUEUED + item.opid] = None

    def flush(self) -> None:
        """Not synced: everything noted can be worked out, or done, again."""
        if self._changes:
            self._store.write(self._changes, sync=False)
            self._changes.clear()
