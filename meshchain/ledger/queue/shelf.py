"""All queued operations in memory, found by opid, name and commitment."""

from collections.abc import Iterator

from meshchain.ledger.operations import Reveal
from meshchain.ledger.queue.item import Item


class Shelf:
    """Items in order of submission."""

    def __init__(self) -> None:
        self.items: dict[bytes, Item] = {}
        self._names: dict[str, dict[bytes, Item]] = {}
        self._commitments: dict[bytes, dict[bytes, Item]] = {}

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items.values())

    def get(self, opid: bytes) -> Item | None:
        return self.items.get(opid)

    def put(self, item: Item) -> None:
        """Add as the last; takes the place of one with the same opid."""
        self.items.pop(item.opid, None)
        self.items[item.opid] = item
        if item.name is not None:
            self._names.setdefault(item.name, {})[item.opid] = item
        if item.commitment:
            self._commitments.setdefault(item.commitment, {})[item.opid] = item

    def drop(self, item: Item) -> None:
        del self.items[item.opid]
        for index, key in ((self._names, item.name), (self._commitments, item.commitment)):
            if key:
                _remove(index, key, item.opid)

    def named(self, name: str) -> list[Item]:
        return list(self._names.get(name, {}).values())

    def names(self) -> list[str]:
        return list(self._names)

    def reveals(self, commitment: bytes) -> list[Item]:
        return [item for item in self._paired(commitment) if isinstance(item.operation, Reveal)]

    def commits(self, commitment: bytes) -> list[Item]:
        """One at most: a commit is its commitment."""
        return [item for item in self._paired(commitment) if not isinstance(item.operation, Reveal)]

    def registration(self, name: str, reg: bytes) -> Item | None:
        """The reveal that begins the life ``reg`` of the name: of several the one that is best off."""
        reveals = [i for i in self.named(name) if isinstance(i.operation, Reveal) and i.reg == reg]
        return min(reveals, key=lambda item: (item.ended is not None, item.alive), default=None)

    def _paired(self, commitment: bytes) -> list[Item]:
        return list(self._commitments.get(commitment, {}).values())


def _remove(index: dict, key: object, opid: bytes) -> None:  # type: ignore[type-arg]
    del index[key][opid]
    if not index[key]:
        del index[key]
