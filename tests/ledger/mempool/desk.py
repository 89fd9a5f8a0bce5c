"""A mempool beside a lab's chain, told of every change."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import pytest

from meshchain.ledger import operations, template
from meshchain.ledger.chain.chain import Switch
from meshchain.ledger.errors import RuleError
from meshchain.ledger.mempool import Dropped, Mempool
from meshchain.ledger.operations import Operation
from meshchain.ledger.params import Params
from tests.ledger.kit import Lab

T = TypeVar("T")
R = TypeVar("R")


class CountingWorkers:
    """Inline, and counts the items it was given (stamp hashes)."""

    threads: Final = 1

    def __init__(self) -> None:
        self.calls = 0

    def map(self, function: Callable[[T], R], items: Sequence[T]) -> list[R]:
        self.calls += len(items)
        return [function(item) for item in items]


class Desk:
    def __init__(self, params: Params | None = None, *, limit: int | None = None) -> None:
        self.lab = Lab(params)
        self.hashes = CountingWorkers()
        self.pool = Mempool(self.lab.params, self.hashes, self.lab.chain.stamps_seen, limit=limit)

    def add(self, operation: Operation, *, more: int = 0) -> bytes:
        """Stamp an unstamped operation, then hand it to the pool."""
        if operation.stamp is None:
            operation = self.lab.stamp(operation, more=more)
        return self.pool.add(operation, self.lab.next(), self.lab.now)

    def refused(self, operation: Operation, code: str, *, more: int = 0) -> RuleError:
        """The error of an add that must be refused by the rule ``code``."""
        with pytest.raises(RuleError) as caught:
            self.add(operation, more=more)
        assert caught.value.code == code, caught.value
        return caught.value

    def follow(self, switch: Switch) -> list[Dropped]:
        return self.pool.switched(switch, self.lab.next(), self.lab.now)

    def mine(self, *listed: Operation) -> list[Dropped]:
        """A block of these operations, not the pool's."""
        return self.follow(self.lab.mine(*listed))

    def mine_empty(self, count: int) -> list[Dropped]:
        return [dropped for _ in range(count) for dropped in self.mine()]

    def mine_selected(self) -> tuple[Operation, ...]:
        """A block of what the pool selects, by way of a template that must leave nothing out."""
        selected = self.pool.select(self.lab.next())
        built = template.build(self.lab.chain, selected, self.lab.now)
        assert not built.dropped
        assert built.operations == selected
        assert self.mine(*selected) == []
        return selected

    def opids(self) -> list[bytes]:
        return [pending.opid for pending in self.pool.pending()]

    def held(self) -> list[bytes]:
        return [pending.opid for pending in self.pool.held]

    def opid(self, operation: Operation) -> bytes:
        return operations.opid(operation, self.lab.genesis)
