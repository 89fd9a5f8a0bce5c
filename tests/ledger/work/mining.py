"""A network of miners on a virtual clock: Poisson mining against the real rules, with clocks of their own.

Theory of operation
-------------------
A ``Miners`` group stands for all miners that share a clock, hence a view of the chain. In a short step each
group finds a block with probability step · rate / work(bits), the bits being those that the rule demands
of a block with the time the group would stamp now: with own-time difficulty they fall while one waits.
Blocks reach everybody at once. A group accepts a block if its parent was accepted and the rules of
``chaintime`` pass against the group's own clock; it mines on the heaviest block it accepted.

From the policy a group has: no future check and no mining while its clock is before genesis or before its
tip's median; when a clock is repaired, the view is drawn anew, which disconnects what lies too far ahead.
No group has peers that tell it the time, and one that is not ``cautious`` ignores policy altogether, never
checks the future and always mines: consensus has to bear that too.
"""

import random
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Generic, Protocol, TypeVar

from meshchain.ledger import compact
from meshchain.ledger.chaintime import MEDIAN_SPAN, check_future, check_time, median_time_past
from meshchain.ledger.difficulty import Difficulty, advance, at_genesis, next_bits
from meshchain.ledger.errors import HeldError
from meshchain.ledger.params import Params

S = TypeVar("S")
HOUR, DAY = 3600, 86_400
STEP = 20.0
"""Longest step in seconds: in 20 s a waiting block becomes 0.2 % easier."""


class Rule(Protocol[S]):
    """A difficulty rule with its kind of state: the real one, or one that lacks a clause."""

    def start(self) -> S: ...
    def bits(self, state: S, time: int) -> int: ...
    def advance(self, state: S, time: int, bits: int) -> S: ...


class RealRule:
    def __init__(self, params: Params) -> None:
        self.consensus = params.consensus

    def start(self) -> Difficulty:
        return at_genesis(self.consensus)

    def bits(self, state: Difficulty, time: int) -> int:
        return next_bits(self.consensus, state, time)

    def advance(self, state: Difficulty, time: int, bits: int) -> Difficulty:
        return advance(self.consensus, state, time, bits)


@dataclass(slots=True, eq=False)
class Block(Generic[S]):
    parent: "Block[S] | None"
    times: tuple[int, ...]
    """Of this block and up to 10 ancestors, oldest first."""
    work: int
    state: S
    found: float
    """True time."""
    miner: "Miners[S] | None"
    median: int = field(init=False)

    def __post_init__(self) -> None:
        self.median = median_time_past(self.times)


@dataclass(slots=True, eq=False)
class Miners(Generic[S]):
    """``rate`` hashes/s; ``offset`` seconds by which their clock is wrong; ``ahead`` seconds they add on purpose."""

    rate: float
    offset: float = 0.0
    ahead: int = 0
    cautious: bool = True
    hashes: float = 0.0
    tip: Block[S] = field(init=False)
    accepted: set[Block[S]] = field(default_factory=set)

    def clock(self, now: float) -> float:
        return now + self.offset

    def stamp(self, now: float) -> int:
        return max(int(self.clock(now)) + self.ahead, self.tip.median + 1)


class Network(Generic[S]):
    """``run`` lets time pass; rates and clocks are changed between runs."""

    def __init__(self, params: Params, miners: list[Miners[S]], seed: object, rule: Rule[S]) -> None:
        self.params, self.miners, self.rule = params, miners, rule
        self.random = random.Random(str(seed))
        self.now = float(params.consensus.genesis_time + 3 * DAY)
        genesis: Block[S] = Block(None, (params.consensus.genesis_time,), 0, self.rule.start(), self.now, None)
        self.blocks = [genesis]
        self._asked, self._answer = (genesis, 0), 1
        for group in miners:
            group.tip = genesis
            group.accepted.add(genesis)

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        patience = self.random.expovariate(1)
        while self.now < end:
            hazards = [self._hazard(group) for group in self.miners]
            total = sum(hazards)
            step = min(self._step(total), end - self.now)
            if patience > total * step:
                patience -= total * step
                self._pass(step)
                continue
            self._pass(patience / total)
            self._find(self.random.choices(self.miners, hazards)[0])
            patience = self.random.expovariate(1)

    def _step(self, total: float) -> float:
        """Nobody mines: on to the moment when a cautious group's clock becomes credible, if ever."""
        if total:
            return STEP
        return min((1 + self._doubt(group) for group in self.miners if group.rate), default=float("inf"))

    def repair(self, group: Miners[S]) -> None:
        """Set the group's clock right; what lies too far ahead of it goes, what was held may come."""
        group.offset = 0.0
        group.accepted, group.tip = {self.blocks[0]}, self.blocks[0]
        for block in self.blocks[1:]:
            self._offer(group, block)

    def _pass(self, seconds: float) -> None:
        self.now += seconds
        for group in self.miners:
            group.hashes += group.rate * seconds

    def _doubt(self, group: Miners[S]) -> float:
        """Seconds until the group's clock is past genesis and its tip's median; ≤ 0: it is credible."""
        earliest = max(self.params.consensus.genesis_time, group.tip.median)
        return earliest - group.clock(self.now)

    def _hazard(self, group: Miners[S]) -> float:
        if not group.rate or (group.cautious and self._doubt(group) > 0):
            return 0.0
        return group.rate / self._work_now(group.tip, group.stamp(self.now))

    def _work_now(self, tip: Block[S], stamp: int) -> int:
        """Expected hashes for a block on ``tip``; groups with the same clock ask for the same."""
        if self._asked != (tip, stamp):
            self._asked, self._answer = (tip, stamp), compact.work(self.rule.bits(tip.state, stamp))
        return self._answer

    def _find(self, miner: Miners[S]) -> None:
        parent, time = miner.tip, miner.stamp(self.now)
        bits = self.rule.bits(parent.state, time)
        state = self.rule.advance(parent.state, time, bits)
        times = (*parent.times[1 - MEDIAN_SPAN :], time)
        check_time(time, parent.median)
        self.blocks.append(Block(parent, times, parent.work + compact.work(bits), state, self.now, miner))
        for group in self.miners:
            self._offer(group, self.blocks[-1])

    def _offer(self, group: Miners[S], block: Block[S]) -> None:
        if block.parent not in group.accepted:
            return
        try:
            if group.cautious and self._doubt(group) <= 0:
                check_future(block.times[-1], group.clock(self.now), self.params.policy)
        except HeldError:
            return
        group.accepted.add(block)
        if block.work > group.tip.work:
            group.tip = block


def main_chain(group: Miners[S]) -> list[Block[S]]:
    """Blocks of the group's chain, oldest first, without genesis."""
    chain: list[Block[S]] = []
    block = group.tip
    while block.parent is not None:
        chain.append(block)
        block = block.parent
    return chain[::-1]


def found_between(group: Miners[S], start: float, end: float) -> list[Block[S]]:
    """Blocks of the group's chain that were found in true time [start, end)."""
    return [block for block in main_chain(group) if start <= block.found < end]


def spacing(group: Miners[S], start: float, end: float) -> float:
    """Mean seconds a block in true time [start, end); infinite without blocks."""
    blocks = len(found_between(group, start, end))
    return (end - start) / blocks if blocks else float("inf")


def longest_wait(group: Miners[S], start: float, end: float) -> float:
    """Longest time without a block in [start, end), in seconds."""
    instants = [start, *(block.found for block in found_between(group, start, end)), end]
    return max(after - before for before, after in pairwise(instants))
