"""A bounded memory that forgets what has not been asked for lately, at the cost of a plain dict."""

from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Generations(Generic[K, V]):
    """Two dicts: when the young one holds half of ``most``, it becomes the old one, and what was old is forgotten.

    An eviction costs nothing per entry, and a flood of new keys takes two generations to displace what is in use.
    """

    __slots__ = ("_half", "_old", "young")

    def __init__(self, most: int) -> None:
        self._half = max(most // 2, 1)
        self.young: dict[K, V] = {}
        """For readers in a hurry: ``get`` it without promotion, never write."""
        self._old: dict[K, V] = {}

    def __len__(self) -> int:
        return len(self.young) + len(self._old)

    def get(self, key: K, default: V) -> V:
        young, old = self.young, self._old  # another thread may be about to replace them
        if key in young:
            return young[key]
        if key not in old:
            return default
        value = old[key]
        self.put(key, value)
        return value

    def put(self, key: K, value: V) -> None:
        if len(self.young) >= self._half:
            self._old, self.young = self.young, {}
        self.young[key] = value

    def clear(self) -> None:
        self.young, self._old = {}, {}
