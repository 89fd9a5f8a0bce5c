"""Two nodes in this process, without sockets and loops: ledger, gossip machines and the real transport of each.

What each part costs can be told apart here: CPU is counted for gossip with its transport, for the header's work, and
for the ledger's connecting; bytes are those that would go through a socket, seals included.
"""

import os
import random
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from meshchain.crypto import ed25519_public_key, sign_ed25519
from meshchain.ledger import operations
from meshchain.ledger.block import Block
from meshchain.ledger.chain.chain import Chain
from meshchain.ledger.keeper import Keeper
from meshchain.ledger.mempool import Dropped, Mempool
from meshchain.ledger.operations import Operation
from meshchain.ledger.params import Params
from meshchain.ledger.queue import Queue
from meshchain.ledger.store.memory import MemoryStore
from meshchain.ledger.workers import InlineWorkers
from meshchain.p2p import messages
from meshchain.p2p.actions import Action, Close, ConnectBlock, Do, Endpoint, Outcome, Send, Task
from meshchain.p2p.addresses import AddressBook
from meshchain.p2p.conduct import Scores
from meshchain.p2p.gossip import Gossip, Own
from meshchain.p2p.slots import Slots
from meshchain.p2p.transport import Established, Received, Stream
from meshchain.p2p.work import perform
from meshchain.service.clock import SystemClock
from meshchain.service.facts import LedgerFacts

_PEER = 1
_PORT = 29337


@dataclass(slots=True)
class Cost:
    """CPU seconds, and bytes that were sent."""

    gossip: float = 0.0
    headers: float = 0.0
    connecting: float = 0.0
    sent: int = 0


class End:
    """One of the two; ``number`` makes its key and its address. End 1 dials."""

    def __init__(self, params: Params, number: int) -> None:
        rng, workers, store = random.Random(number), InlineWorkers(), MemoryStore()
        seed = rng.randbytes(32)
        key, clock, self._number = ed25519_public_key(seed), SystemClock(), number
        chain = Chain(store, params, workers)
        queue = Queue(store, params, chain.genesis_id, node_key=key, sign=lambda m: sign_ed25519(seed, m), rng=rng)
        self.chain, self._clock, self.cost = chain, clock, Cost()
        self._keeper = Keeper(chain, Mempool(params, workers, chain.stamps_seen), queue, clock, _complain)
        self._publish()
        book = AddressBook(rng.randbytes(32), rng)
        self._gossip = Gossip(
            facts=LedgerFacts(self),
            own=Own(key=key, agent="bench", listen_port=0),
            rng=rng,
            wall=clock.now,
            book=book,
            slots=Slots(book, rng, own_key=key),
            scores=Scores(),
        )
        self._stream = Stream(initiator=number == 1, seed=seed, rng=os.urandom, now=clock.running())
        self._tasks: deque[Task] = deque()

    @property
    def connected(self) -> bool:
        return self._gossip.ready_peers == 1

    def take(self, block: Block) -> None:
        """As if found here: connect it and tell the peer."""
        self._keeper.add_block(block)
        self._publish()
        with self._counted("gossip"):
            self._carry_out(self._gossip.switched(self._clock.running()))

    def admit(self, listed: Sequence[Operation]) -> None:
        for operation in listed:
            self._keeper.send(operations.encode(operation))
        self._publish()

    def receive(self, data: bytes) -> None:
        with self._counted("gossip"):
            for event in self._stream.receive(data, self._clock.running()):
                self._carry_out(self._event(event))

    def take_output(self) -> bytes:
        with self._counted("gossip"):
            output = self._stream.take_output()
        self.cost.sent += len(output)
        return output

    def work(self) -> bool:
        """Do one task that gossip has for the ledger; False if there is none."""
        if not self._tasks:
            return False
        task, tip = self._tasks.popleft(), self.chain.tip.id
        with self._counted("connecting" if isinstance(task, ConnectBlock) else "headers"):
            outcome = Outcome(perform(self._keeper, task))
            self._publish()
        with self._counted("gossip"):
            self._carry_out(self._gossip.completed(task, outcome, self._clock.running()))
            if self.chain.tip.id != tip:
                self._carry_out(self._gossip.switched(self._clock.running()))
        return True

    def _event(self, event: Established | Received) -> list[Action]:
        now = self._clock.running()
        if isinstance(event, Established):
            endpoint = Endpoint(bytes(10) + b"\xff\xff\x0a\0\0" + bytes((3 - self._number,)), _PORT)
            inbound = self._number != 1
            purpose = "inbound" if inbound else "outbound"
            return self._gossip.opened(_PEER, event.remote_key, endpoint, inbound=inbound, purpose=purpose, now=now)
        return self._gossip.received(_PEER, event.message, now)

    def _carry_out(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Send(message=message):
                    self._stream.send(messages.encode(message))
                case Do(task=task):
                    self._tasks.append(task)
                case Close(reason=reason):
                    raise AssertionError(f"the peer is closed: {reason}")

    def _publish(self) -> None:
        self.view, self.best_header = self.chain.view(), self.chain.best_header
        self.pending = self._keeper.mempool.pending()

    @contextmanager
    def _counted(self, what: str) -> Iterator[None]:
        began = time.thread_time()
        yield
        setattr(self.cost, what, getattr(self.cost, what) + time.thread_time() - began)


def settle(one: End, two: End) -> None:
    """Carry bytes and do work until neither end has anything left."""
    busy = True
    while busy:
        busy = False
        for here, there in ((one, two), (two, one)):
            if output := here.take_output():
                busy = True
                there.receive(output)
            busy = here.work() or busy


def _complain(dropped: Dropped) -> None:
    raise AssertionError(f"an operation was dropped: {dropped.code}")
