"""The store in memory: for simulations, where a disk would make two runs differ, and for tests."""

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping

from meshchain.ledger.store import layout


class MemoryReader:
    """Sorted keys beside a dictionary."""

    def __init__(self, data: dict[bytes, bytes], keys: list[bytes]) -> None:
        self._data = data
        self._keys = keys

    def get(self, key: bytes) -> bytes | None:
        return self._data.get(key)

    def items(
        self, prefix: bytes, start: bytes = b"", end: bytes = b"", *, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        low = bisect_left(self._keys, prefix + start)
        top = layout.range_end(prefix, end)
        high = bisect_left(self._keys, top) if top else len(self._keys)
        rows = [(key, self._data[key]) for key in self._keys[low:high]]  # as it was when the reading began
        yield from reversed(rows) if reverse else rows


class MemoryStore(MemoryReader):
    """A Store without a disk; writes cannot fail. Snapshots and copies share its rows until the next write."""

    epoch = 0

    def __init__(self) -> None:
        super().__init__({}, [])
        self._shared = False

    def write(self, changes: Mapping[bytes, bytes | None], *, sync: bool = True) -> None:  # noqa: ARG002
        if self._shared:
            self._data, self._keys, self._shared = dict(self._data), list(self._keys), False
        for key, value in changes.items():
            if value is None:
                if self._data.pop(key, None) is not None:
                    del self._keys[bisect_left(self._keys, key)]
            else:
                if key not in self._data:
                    insort(self._keys, key)
                self._data[key] = value

    def snapshot(self) -> MemoryReader:
        self._shared = True
        return MemoryReader(self._data, self._keys)

    def copy(self) -> "MemoryStore":
        """Another store with the same rows."""
        other = MemoryStore()
        other._data, other._keys = self._data, self._keys
        self._shared = other._shared = True
        return other

    def close(self) -> None:
        """Nothing to release."""
