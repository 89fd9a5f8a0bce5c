"""What hashes in a simulated node: the search for blocks and for stamps.

Both do the real search at once, inline, and let its outcome come true when the hashes would have been made: at
``Costs.search_hash`` each, stretched by the duty. Whatever makes the search pointless before that (a new tip, another
job) cancels it. A search has no memory, so dropping one and beginning anew changes nothing in the long run.
"""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Final, Protocol, TypeAlias

from meshchain.ledger.block import Block
from meshchain.ledger.chain.view import ChainView
from meshchain.ledger.mempool import Pending
from meshchain.ledger.mining import Decision
from meshchain.ledger.pow import search_nonce
from meshchain.ledger.queue import Stamp
from meshchain.ledger.stamps import StampSearch
from meshchain.ledger.template import Template
from meshchain.sim.costs import Costs
from meshchain.sim.heap import Event

_TEMPLATE_LIFE: Final = 10.0
"""Seconds, as in the node's miner."""
_PIECE: Final = 64


Basis: TypeAlias = tuple[bytes, tuple[Pending, ...], float]
"""Tip, mempool and duty that a search for a block began with."""


class Body(Protocol):
    """The node these hands belong to."""

    view: ChainView
    pending: tuple[Pending, ...]
    costs: Costs

    def later(self, seconds: float, action: Callable[[], None]) -> Event: ...

    def decide(self) -> Decision: ...

    def build_template(self) -> Template: ...

    def found_block(self, block: Block) -> None: ...

    def found_stamp(self, job: Stamp, search: StampSearch) -> None: ...


def never() -> bool:
    return False


class Miner:
    """Searches for a block while the policy says so."""

    def __init__(self, body: Body, rng: random.Random) -> None:
        self._body = body
        self._rng = rng
        self._event: Event | None = None
        self._basis: Basis | None = None
        """Of the search under way."""
        self.reason = "starting"

    def look(self) -> None:
        """Something may have changed: go on, begin anew, or pause."""
        decision = self._body.decide()
        self.reason = decision.reason
        if not decision.mine:
            self._plan(decision.check_again, self.look, None)
            return
        basis = self._body.view.tip_id, self._body.pending, decision.duty
        if self._basis != basis:
            self._search(basis)

    def _search(self, basis: Basis) -> None:
        template, pace = self._body.build_template(), self._body.costs.search_hash / basis[2]
        count, start = max(1, round(_TEMPLATE_LIFE / pace)), self._rng.getrandbits(63)
        memory = self._body.view.params.consensus.pow_memory_kib
        nonce, tried = search_nonce(template.header.encode(), memory, start, count, never)
        if nonce is None:
            self._plan(tried * pace, self._again, basis)
        else:
            block = Block(replace(template.header, nonce=nonce), template.operations)
            self._plan(tried * pace, lambda: self._found(block), basis)

    def _again(self) -> None:
        self._basis = None
        self.look()

    def _found(self, block: Block) -> None:
        self._basis = None
        self._body.found_block(block)
        self.look()

    def _plan(self, seconds: float, action: Callable[[], None], basis: Basis | None) -> None:
        if self._event is not None:
            self._event.cancel()
        self._event, self._basis = self._body.later(seconds, action), basis


class Stamper:
    """Follows the queue's most urgent stamp job."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._job: Stamp | None = None
        self._event: Event | None = None

    def look(self, job: Stamp | None) -> None:
        """``job``: what the queue asks for now."""
        if job == self._job:
            return
        if self._event is not None:
            self._event.cancel()
        self._job, self._event = job, None
        if job is not None:
            self._begin(job)

    def _begin(self, job: Stamp) -> None:
        search = job.search()
        while (piece := search.next_slice(_PIECE)) is not None:
            search.feed(piece, *search.run(piece, never))
        made = search.tried - job.tried
        self._event = self._body.later(made * self._body.costs.search_hash, lambda: self._done(job, search))

    def _done(self, job: Stamp, search: StampSearch) -> None:
        self._job = self._event = None
        self._body.found_stamp(job, search)
