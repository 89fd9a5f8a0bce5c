"""The last operations that were confirmed, so that one sent again gets a better answer than "seq-too-low"."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Final

_SIZE: Final = 4096
"""opids; at least 20 full blocks."""


class Confirmed:
    """opid → height, of operations in the active chain's newest blocks, as far as they came while this program runs."""

    def __init__(self) -> None:
        self._heights: OrderedDict[bytes, int] = OrderedDict()

    def height(self, opid: bytes) -> int | None:
        return self._heights.get(opid)

    def switched(self, left: Iterable[bytes], joined: Mapping[bytes, int]) -> None:
        """Forget the operations of disconnected blocks, remember those of connected ones."""
        for opid in left:
            self._heights.pop(opid, None)
        for opid, height in joined.items():
            self._heights[opid] = height
            self._heights.move_to_end(opid)
        while len(self._heights) > _SIZE:
            self._heights.popitem(last=False)
