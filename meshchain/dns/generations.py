"""A bounded memory that forgets what has not been asked for lately, at the cost of a plain dict."""

from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Generations(Generic[K, V]):
    """Two dicts: when the young one weighs half of ``most``, it becomes the old one, and what was old is forgotten.

    An entry weighs 1 unless ``weigh`` says otherwise; the last one of a generation may weigh more than there was room.

    An eviction costs nothing per entry, and a flood of new keys takes two generations to displace what is in use.
    """

    __slots__ = ("_filled", "_half", "_old", "_weigh", "young")

    def __init__(self, most: int, weigh: Callable[[V], int] | None = None) -> None:
        self._half = max(most // 2, 1)
        self.young: dict[K, V] = {}
        """For readers in a hurry: ``get`` it without promotion, never write."""
        self._old: dict[K, V] = {}
        self._filled = 0
        self._weigh = weigh

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
        if key not in self.young:
            if self._filled >= self._half:
                self._old, self.young, self._filled = self.young, {}, 0
            self._filled += 1 if self._weigh is None else self._weigh(value)
        self.young[key] = value

    def clear(self) -> None:
        self.young, self._old, self._filled = {}, {}, 0
