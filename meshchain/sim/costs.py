"""What work costs in virtual time, and hashing that is done once however many nodes ask for it."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

from meshchain.ledger.params import Consensus
from meshchain.p2p.actions import AdmitOperation, CheckHeaders, CheckWork, ConnectBlock, Task

T = TypeVar("T")
R = TypeVar("R")

_REMEMBERED: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Costs:
    """Virtual seconds. The default hash is dear, so that a few cheap ones give a block in about the usual time."""

    search_hash: float = 0.06
    """One hash of a search for a block or a stamp, at full duty."""
    check_hash: float = 0.0007
    """One hash of a check."""
    operation: float = 0.006
    block: float = 0.002

    def of(self, task: Task) -> float:
        match task:
            case CheckHeaders(headers=headers) | CheckWork(headers=headers):
                return self.check_hash * len(headers)
            case ConnectBlock():
                return self.block
            case AdmitOperation():
                return self.operation


class MemoWorkers:
    """Workers of all nodes of a simulation: inline, with results remembered by the full input.

    Every node checks every header and every stamp; the virtual cost is each one's own (``Costs``), the real one is paid
    once. Only pure functions of hashable input come here, so a remembered result is the result.
    """

    threads: Final = 1

    def __init__(self) -> None:
        self.hits = 0
        self.misses = 0
        self._known: OrderedDict[Hashable, Any] = OrderedDict()

    def map(self, function: Callable[[T], R], items: Sequence[T]) -> list[R]:
        return [self._one(function, item) for item in items]

    def _one(self, function: Callable[[T], R], item: T) -> R:
        key = _key(function, item)
        if key is None:
            return function(item)
        if key in self._known:
            self.hits += 1
            result: R = self._known[key]
            return result
        self.misses += 1
        result = self._known[key] = function(item)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return result


def _key(function: Callable[..., object], item: object) -> Hashable | None:
    """The whole input; None where a part of it cannot be compared. All nodes of a simulation share one Consensus."""
    if not isinstance(function, partial):
        return None
    args = tuple(id(arg) if isinstance(arg, Consensus) else arg for arg in function.args)
    key = function.func, args, item
    try:
        hash(key)
    except TypeError:
        return None
    return key
