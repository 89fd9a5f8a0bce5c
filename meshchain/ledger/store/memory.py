"""The store in memory: for simulations, where a disk would make two runs differ, and for tests."""

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping


class MemoryReader:
    """Sorted keys beside a dictionary."""

    def __init__(self, data: dict[bytes, bytes], keys: list[bytes]) -> None:
        self._data = data
        self._keys = keys

    def get(self, key: bytes) -> bytes | None:
        return self._data.get(key)

    def items(self, prefix: bytes, start: bytes = b"", *, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        low = bisect_left(self._keys, prefix + start)
        high = bisect_left(self._keys, _after(prefix)) if _after(prefix) else len(self._keys)
        selected = self._keys[low:high]
        for key in reversed(selected) if reverse else selected:
            yield key, self._data[key]


class MemoryStore(MemoryReader):
    """A Store without a disk; writes cannot fail."""

    def __init__(self) -> None:
        super().__init__({}, [])

    def write(self, changes: Mapping[bytes, bytes | None], *, sync: bool = True) -> None:  # noqa: ARG002
        for key, value in changes.items():
            if value is None:
                if self._data.pop(key, None) is not None:
                    del self._keys[bisect_left(self._keys, key)]
            else:
                if key not in self._data:
                    insort(self._keys, key)
                self._data[key] = value

    def snapshot(self) -> MemoryReader:
        return MemoryReader(dict(self._data), list(self._keys))

    def close(self) -> None:
        """Nothing to release."""


def _after(prefix: bytes) -> bytes:
    """The least byte string greater than every string that starts with ``prefix``; b"" if there is none."""
    stripped = prefix.rstrip(b"\xff")
    return stripped[:-1] + bytes((stripped[-1] + 1,)) if stripped else b""
