"""A machine that mines ``mesh`` alone: the chain keeps its spacing, by the real difficulty rule.

Hashing is replaced by its statistics (a hash succeeds with probability target / 2^256); everything else, the
bits of every second and the duty, is what a node computes.
"""

import random
from math import expm1

import pytest

from meshchain.ledger import compact, difficulty
from meshchain.ledger.mining.policy import IDLE_DUTY, WAITING_DUTY
from meshchain.ledger.params import Consensus, bundled_networks

MESH = bundled_networks()["mesh"].consensus
STEP = 5
HOUR = 3600


class Alone:
    def __init__(self, consensus: Consensus, hash_s: float, seed: int) -> None:
        self.consensus = consensus
        self.rate = 1 / hash_s
        self.random = random.Random(seed)
        self.now = consensus.genesis_time + 9 * HOUR
        self.state = difficulty.at_genesis(consensus)

    def mine(self, seconds: int, duty: float) -> int:
        """Blocks made in this time."""
        before = self.state.height
        for _ in range(seconds // STEP):
            self.now += STEP
            bits = difficulty.next_bits(self.consensus, self.state, self.now)
            hashes = self.rate * duty * STEP
            if self.random.random() < -expm1(-hashes / compact.work(bits)):
                self.state = difficulty.advance(self.consensus, self.state, self.now, bits)
        return self.state.height - before


@pytest.mark.parametrize("hash_ms", [0.5, 0.7, 4.0])
def test_a_fresh_machine_of_either_kind_keeps_the_spacing(hash_ms: float) -> None:
    alone = Alone(MESH, hash_ms / 1000, seed=1)
    alone.mine(12 * HOUR, IDLE_DUTY)
    blocks = alone.mine(24 * HOUR, IDLE_DUTY)
    assert 24 * HOUR / blocks == pytest.approx(MESH.spacing, rel=0.12)


def test_a_tenth_of_the_duty_would_stop_a_small_board() -> None:
    alone = Alone(MESH, 0.004, seed=1)
    alone.mine(6 * HOUR, IDLE_DUTY / 10)
    blocks = alone.mine(24 * HOUR, IDLE_DUTY / 10)
    assert 24 * HOUR / blocks > 5 * MESH.spacing


def test_a_registration_takes_a_minute_or_two_while_it_waits() -> None:
    """Five blocks (commit, depth 3, reveal) at the raised duty, from a chain that runs at the idle one."""
    times = []
    for seed in range(12):
        alone = Alone(MESH, 0.0007, seed)
        alone.mine(16 * HOUR, IDLE_DUTY)
        start, goal = alone.now, alone.state.height + 5
        while alone.state.height < goal:
            alone.mine(STEP, WAITING_DUTY)
        times.append(alone.now - start)
    assert sum(times) / len(times) < 120


def test_a_burst_does_not_leave_the_chain_slow() -> None:
    alone = Alone(MESH, 0.0007, seed=3)
    alone.mine(16 * HOUR, IDLE_DUTY)
    alone.mine(300, WAITING_DUTY)
    blocks = alone.mine(6 * HOUR, IDLE_DUTY)
    assert 6 * HOUR / blocks < 1.35 * MESH.spacing
