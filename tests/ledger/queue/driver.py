"""A node's ledger half without a node: chain, mempool and queue, driven as the queue's essay says."""

import random
from collections.abc import Sequence
from typing import Final

from meshchain.ledger.chain.chain import Switch
from meshchain.ledger.chain.nextblock import NextBlock
from meshchain.ledger.errors import RuleError
from meshchain.ledger.mempool import Mempool
from meshchain.ledger.operations import Operation
from meshchain.ledger.queue import Queue, QueueStatus, Send, Stamp
from meshchain.ledger.recent import RecentSet
from meshchain.ledger.stamps import Stamp as FoundStamp
from tests.ledger.kit import Lab, Node

NODE: Final = Node(77)


def find(action: Stamp) -> FoundStamp:
    """The stamp that a queue asks for, with real work."""
    search = action.search()
    while (piece := search.next_slice(64)) is not None:
        search.feed(piece, *search.run(piece, lambda: False))
    return search.stamp(action.anchor_height, action.anchor_hash)


class Driver:
    """One process after another over the same store."""

    def __init__(self, lab: Lab | None = None, node: Node = NODE) -> None:
        self.lab = lab or Lab()
        self.node = node
        self.restart()

    def restart(self) -> None:
        """What was in memory is gone: queue and mempool begin anew."""
        self.queue = self.another_queue()
        self.pool = Mempool(self.lab.params, self.lab.workers, RecentSet(1000))

    def another_queue(self) -> Queue:
        lab, node = self.lab, self.node
        store, rng = lab.chain.store, random.Random(3)
        return Queue(store, lab.params, lab.genesis, node_key=node.key, sign=node.sign, rng=rng)

    @property
    def next(self) -> NextBlock:
        return self.lab.next()

    def submit(self, *drafts: Operation) -> tuple[bytes, ...]:
        return self.queue.submit(drafts, self.next, self.lab.now)

    # --- what a node does --------------------------------------------------------------------------------

    def sends(self) -> list[Send]:
        return [action for action in self.queue.tick(self.next, self.lab.now) if isinstance(action, Send)]

    def searches(self) -> list[Stamp]:
        return [action for action in self.queue.tick(self.next, self.lab.now) if isinstance(action, Stamp)]

    def send(self, action: Send) -> None:
        try:
            self.pool.add(action.operation, self.next, self.lab.now)
        except RuleError as error:
            self.queue.refused(action.opid, error, self.lab.now)
        else:
            self.queue.sent(action.opid, self.lab.now)

    def step(self) -> bool:
        """Do the first thing that the queue asks for; False if it asks for nothing."""
        actions = self.queue.tick(self.next, self.lab.now)
        if not actions:
            return False
        first = actions[0]
        if isinstance(first, Send):
            self.send(first)
        else:
            self.queue.stamped(first.opid, find(first), self.lab.now)
        return True

    def work(self) -> None:
        """Until the queue asks for nothing more."""
        for _ in range(1000):
            if not self.step():
                return
        raise AssertionError("the queue asks for ever more")

    def mine(self, *foreign: Operation, blocks: int = 1) -> None:
        """Mine what the mempool holds (and ``foreign`` stamped operations in front of it)."""
        for _ in range(blocks):
            self.work()
            for operation in foreign:
                self.pool.add(operation, self.next, self.lab.now)
            self.follow(self.lab.mine(*self.pool.select(self.next)))
            foreign = ()

    def mine_only(self, opid: bytes) -> None:
        """A block of somebody who has heard of this operation alone."""
        sent: list[Operation] = []
        while actions := self.queue.tick(self.next, self.lab.now):
            sent += [action.operation for action in actions if isinstance(action, Send) and action.opid == opid]
            self.step()
        self.follow(self.lab.mine(sent[-1]))

    def mine_empty(self, blocks: int) -> None:
        """Somebody else's blocks, who has not heard of our operations."""
        for _ in range(blocks):
            self.follow(self.lab.mine())

    def follow(self, switch: Switch) -> None:
        self.pool.switched(switch, self.next, self.lab.now)
        self.queue.switched(switch, self.next, self.lab.now)

    def reorg(self, back: int, *, forward: int = 0, first: Sequence[Operation] = ()) -> None:
        """Replace the last ``back`` blocks by ``forward`` others (default: one more), the first with ``first``."""
        rival = self.lab.fork(back=back)
        rival.mine(*(rival.stamp(operation) for operation in first))
        rival.mine_empty((forward or back + 1) - 1)
        self.follow(self.lab.take(rival))

    # --- what people see ---------------------------------------------------------------------------------

    def all(self) -> tuple[QueueStatus, ...]:
        return self.queue.status(self.next)

    def status(self, opid: bytes) -> QueueStatus:
        return next(status for status in self.all() if status.opid == opid)

    def state(self, opid: bytes) -> str:
        return self.status(opid).state

    def states(self) -> list[str]:
        return [status.state for status in self.all()]

    def check_restart(self) -> None:
        """A new process over the same store tells the same."""
        told = [_without_progress(status) for status in self.queue.status(self.next)]
        again = [_without_progress(status) for status in self.another_queue().status(self.next)]
        assert told == again, [pair for pair in zip(told, again, strict=False) if pair[0] != pair[1]]


def _without_progress(status: QueueStatus) -> dict[str, object]:
    return {**status.to_json(), "stamp": None}
