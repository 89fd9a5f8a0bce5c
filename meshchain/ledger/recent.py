"""A bounded memory of ids: what was checked once need not be checked again."""

from collections import OrderedDict


class RecentSet:
    """Remembers the last ``size`` ids added; the oldest are forgotten. For one thread at a time."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._ids: OrderedDict[bytes, None] = OrderedDict()

    def add(self, item: bytes) -> None:
        self._ids[item] = None
        self._ids.move_to_end(item)
        if len(self._ids) > self._size:
            self._ids.popitem(last=False)

    def __contains__(self, item: bytes) -> bool:
        return item in self._ids

    def __len__(self) -> int:
        return len(self._ids)
