"""Any peers, messages and order of tasks: nothing is raised, bounds hold, and afterwards an honest peer is enough."""

import random
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from meshchain.ledger.block import Block
from meshchain.ledger.header import Header
from meshchain.p2p.actions import Action, CheckHeaders, CheckWork, Close, Do, Task
from meshchain.p2p.blocksync.sync import MOST_AT_ONCE
from meshchain.p2p.messages import BlockMessage, Headers, NotFound, Wanted
from tests.ledger.kit import Lab, small_params
from tests.p2p.kit import LabFacts, Network, version_of
from tests.p2p.mining import lab_of, mine_headers, mined_header
from tests.p2p.syncing import Syncer, claims, server

PARAMS = small_params()
STEPS = 120


@cache
def chains() -> list[list[Header]]:
    """The honest chain, a rival, one with an invalid block in it, one without work, one in the future."""
    main = mine_headers(PARAMS, [120] * 300)
    rival = main[:20] + mine_headers(PARAMS, [120] * 200, above=main[:20], seed=2)
    wrong = [*main[:30], mined_header(PARAMS, main[:30], state_root=b"\1" * 32)]
    invalid = wrong + mine_headers(PARAMS, [120] * 100, above=wrong, seed=3)
    forged = main[:50] + mine_headers(PARAMS, [120] * 20, above=main[:50], work=False)
    future = main[:60] + mine_headers(PARAMS, [10**5] * 20, above=main[:60], seed=4)
    return [main, rival, invalid, forged, future]


@cache
def honest() -> Lab:
    return lab_of(PARAMS, chains()[0])


class Storm:
    """Random events on one machine. ``waiting``: tasks that the ledger has not done yet."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        lab = lab_of(PARAMS, chains()[0][: self.rng.choice([1, 10, 200])])
        lab.now = chains()[0][-1].time + 60
        self.facts = LabFacts(lab)
        self.machine = Syncer(self.facts, seed)
        self.waiting: list[Task] = []
        self.peers: list[int] = []
        self.now = 0.0
        self.count = 0

    def step(self) -> None:
        self.now += self.rng.choice([0, 0, 0.1, 1, 10])
        kinds = [self.ready, self.gone, self.headers, self.headers, self.block, self.block, self.missing, self.task]
        self.take(self.rng.choice([*kinds, self.task, self.tick])())
        assert self.machine.blocks.in_flight + self.machine.blocks.at_ledger <= MOST_AT_ONCE
        assert sum(isinstance(task, CheckHeaders | CheckWork) for task in self.waiting) <= self.count

    def take(self, actions: list[Action]) -> None:
        self.waiting += [action.task for action in actions if isinstance(action, Do)]
        for action in actions:
            if isinstance(action, Close) and action.peer in self.peers:  # both machines may have had enough of it
                self.peers.remove(action.peer)
                self.take(self.machine.peer_gone(action.peer, self.now))

    def peer(self) -> int:
        return self.rng.choice(self.peers) if self.peers else 0

    def ready(self) -> list[Action]:
        self.count += 1
        self.peers.append(self.count)
        self.machine.inbound = self.rng.random() < 0.5
        version = claims(self.rng.choice([0, 300]), self.rng.choice([0, 600, 10**9]))(version_of(self.facts))
        return self.machine.peer_ready(self.count, version, self.now)

    def gone(self) -> list[Action]:
        if len(self.peers) < 3:
            return []
        return self.machine.peer_gone(self.peers.pop(self.rng.randrange(len(self.peers))), self.now)

    def headers(self) -> list[Action]:
        chain = self.rng.choice(chains())
        at = self.rng.randrange(len(chain))
        listed = chain[at : at + self.rng.choice([0, 1, 5, 300])]
        return self.machine.message(self.peer(), Headers(tuple(listed)), self.now)

    def block(self) -> list[Action]:
        header = self.rng.choice(self.rng.choice(chains()))
        raw = self.rng.choice([Block(header, ()).encode(), header.encode() + b"\xff"])
        return self.machine.message(self.peer(), BlockMessage(raw), self.now)

    def missing(self) -> list[Action]:
        ids = tuple(header.id for header in self.rng.sample(chains()[0], 3))
        return self.machine.message(self.peer(), NotFound(Wanted.BLOCK, ids), self.now)

    def task(self) -> list[Action]:
        if not self.waiting:
            return []
        task = self.waiting.pop(self.rng.randrange(len(self.waiting)))
        return self.machine.completed(task, self.facts.do(task), self.now)

    def tick(self) -> list[Action]:
        return self.machine.tick(self.now)

    def calm(self) -> None:
        """Everybody leaves, the ledger does what is left to do."""
        while self.peers:
            self.take(self.machine.peer_gone(self.peers.pop(), self.now))
        while self.waiting:
            self.take(self.task())


@settings(max_examples=40)
@given(st.integers(0, 2**32))
def test_after_any_storm_an_honest_peer_is_enough(seed: int) -> None:
    storm = Storm(seed)
    for _ in range(STEPS):
        storm.step()
    storm.calm()
    assert (storm.machine.blocks.in_flight, storm.machine.blocks.at_ledger) == (0, 0)
    network = Network()
    network.now = storm.now
    me = network.add("me", storm.facts, storm.machine)
    storm.machine.inbound = False
    best = honest()
    network.connect(me, server(network, "honest", best))
    assert network.run_until(lambda: me.facts.tip().work >= best.chain.tip.work, 300)
    assert not me.blames
