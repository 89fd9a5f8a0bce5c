"""The counter: whose question about the chain is answered when.

Theory of operation
-------------------
A question of 40 bytes makes this node read 2,000 headers, some 60 ms of CPU and disk; so what is served is paid for.
Each answer is charged, by what it took, to the peer's purse and to the common one. A peer that fetches the chain pays
less than its purse earns, at whatever speed it can connect blocks. Who asks for more is not refused, for there is
nothing wrong with it, but *waits*: its questions stand in a queue, in their order, and the queues of all peers are
served in turn with every tick, no more than ``A_TICK`` at a time, so that timers and other messages get theirs.
While anybody waits, nobody is served at once: newcomers with full purses would keep those who wait from their
turn for ever.

What may wait is bounded by what an honest peer has open: 16 blocks, and few questions for headers. More is refused.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from meshchain.p2p.actions import Action, Peer, Send
from meshchain.p2p.facts import Facts
from meshchain.p2p.messages import MAX_BLOCKS, BlockMessage, GetBlocks, GetHeaders, Headers
from meshchain.p2p.serving import answers
from meshchain.p2p.tokens import Bucket, Rate

Question: TypeAlias = GetHeaders | GetBlocks

A_PEER: Final = Rate(0.25, 2.0)
"""CPU-seconds a second."""
ALL: Final = Rate(0.5, 4.0)
A_TICK: Final = 0.05
"""CPU-seconds for those who wait."""
QUESTION_COST: Final = 0.0002
"""CPU-seconds of finding where a locator of 32 ids leaves our chain, or that blocks are not here."""
HEADER_COST: Final = 0.00003
"""Of reading one that is not in memory."""
BLOCK_COST: Final = 0.00005
BYTE_COST: Final = 20e-9
"""Of a block: read, encoded, sealed and sent."""
MOST_HEADER_QUESTIONS: Final = 4
"""Waiting of one peer."""
_SOMETHING: Final = 1e-9


@dataclass(slots=True)
class _Customer:
    purse: Bucket = field(default_factory=lambda: Bucket(A_PEER))
    waiting: deque[Question] = field(default_factory=deque)


class Counter:
    """Times are running seconds."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._customers: dict[Peer, _Customer] = {}
        """Whose turn it is next comes first."""
        self._all = Bucket(ALL)

    def opened(self, peer: Peer) -> None:
        self._customers[peer] = _Customer()

    def gone(self, peer: Peer) -> None:
        self._customers.pop(peer, None)

    def ask(self, peer: Peer, question: Question, now: float) -> list[Action] | None:
        """Answer, or wait; None if the peer has more questions open than it may have."""
        customer = self._customers.get(peer)
        if customer is None:
            return []
        if not _fits((*customer.waiting, question)):
            return None
        queue = any(other.waiting for other in self._customers.values())
        customer.waiting.append(question)
        return [] if queue else self._serve(peer, customer, now)

    def tick(self, now: float) -> list[Action]:
        """Answer some of those who wait, a question each in turn."""
        actions: list[Action] = []
        left = A_TICK
        turn = deque(peer for peer, customer in self._customers.items() if customer.waiting)
        while turn and left > 0:
            peer = turn.popleft()
            customer = self._customers[peer]
            served = self._serve(peer, customer, now)
            if not served:
                continue
            left -= _price(served)
            actions += served
            self._customers[peer] = self._customers.pop(peer)
            if customer.waiting:
                turn.append(peer)
        return actions

    def _serve(self, peer: Peer, customer: _Customer, now: float) -> list[Action]:
        """The first question that waits, if there is something left to pay with."""
        if not (customer.purse.has(_SOMETHING, now) and self._all.has(_SOMETHING, now)):
            return []
        question = customer.waiting.popleft()
        served = _answer(self._facts, peer, question)
        customer.purse.tokens -= _price(served)
        self._all.tokens -= _price(served)
        return served


def _fits(waiting: Sequence[Question]) -> bool:
    blocks = sum(len(question.ids) for question in waiting if isinstance(question, GetBlocks))
    headers = sum(isinstance(question, GetHeaders) for question in waiting)
    return blocks <= MAX_BLOCKS and headers <= MOST_HEADER_QUESTIONS


def _answer(facts: Facts, peer: Peer, question: Question) -> list[Action]:
    """At least one message."""
    if isinstance(question, GetHeaders):
        return answers.headers(facts, peer, question)
    return answers.blocks(facts, peer, question)


def _price(served: Sequence[Action]) -> float:
    """Of the answer to one question."""
    return QUESTION_COST + sum(map(_cost, served))


def _cost(answer: Action) -> float:
    match answer:
        case Send(message=Headers(headers=headers)):
            return HEADER_COST * len(headers)
        case Send(message=BlockMessage(raw=raw)):
            return BLOCK_COST + BYTE_COST * len(raw)
    return 0.0
