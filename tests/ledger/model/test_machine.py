"""Chain against model: Hypothesis looks for the shortest way to a difference, seeded walks for the strangest."""

import random
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.ledger.model.people import Draw
from tests.ledger.model.world import World


def hypothetical(data: st.DataObject) -> Draw:
    return Draw(lambda low, high: data.draw(st.integers(low, high)))


class ChainMachine(RuleBasedStateMachine):
    """Commits one block deep."""

    depth = 1

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self.depth, Counter())

    @rule(data=st.data(), blocks=st.integers(1, 4))
    def grow(self, data: st.DataObject, blocks: int) -> None:
        self.world.grow(hypothetical(data), blocks)

    @rule(count=st.integers(1, 8))
    def wait(self, count: int) -> None:
        self.world.wait(count)

    @rule(data=st.data(), back=st.integers(0, 9), reverse=st.booleans())
    def rival(self, data: st.DataObject, back: int, reverse: bool) -> None:
        self.world.rival(hypothetical(data), back, reverse=reverse)

    @rule(data=st.data(), length=st.integers(1, 3))
    def grow_elsewhere(self, data: st.DataObject, length: int) -> None:
        self.world.grow_elsewhere(hypothetical(data), length)

    @rule()
    def reopen(self) -> None:
        self.world.reopen()

    @invariant()
    def same(self) -> None:
        self.world.compare()


class DeeperMachine(ChainMachine):
    """Commits two blocks deep."""

    depth = 2


QUICK = settings(
    max_examples=20,
    stateful_step_count=20,
    derandomize=True,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("machine", [ChainMachine, DeeperMachine])
def test_the_chain_does_what_the_model_does(machine: type[ChainMachine]) -> None:
    run_state_machine_as_test(machine, settings=QUICK)


@pytest.mark.slow
@pytest.mark.parametrize("machine", [ChainMachine, DeeperMachine])
def test_the_chain_does_what_the_model_does_for_long(machine: type[ChainMachine]) -> None:
    run_state_machine_as_test(machine, settings=settings(QUICK, max_examples=300, stateful_step_count=50))


EVENTS = ["commit", "reveal", "update", "renew", "transfer", "revoke"]
EVENTS += ["expired", "grace", "revoked names", "address", "claims held by others", "reorg", "bad branch tried"]
EVENTS += ["refused: " + why for why in ("reg", "born", "used", "known", "window", "taken", "grace", "revoked", "seq")]
EVENTS += ["refused: " + why for why in ("expires", "no gain", "signature", "proof", "repeated", "anchor height")]


def walk(seed: int, steps: int) -> Counter[str]:
    """A random walk; what happened on it."""
    rng = random.Random(seed)
    draw, world = Draw(rng.randint), World(1 + seed % 2, Counter())
    for _ in range(steps):
        step = rng.choice(["grow"] * 6 + ["wait", "rival", "rival", "elsewhere", "reopen"])
        if step == "grow":
            world.grow(draw, 1)
        elif step == "wait":
            world.wait(rng.randint(1, 9))
        elif step == "rival":
            world.rival(draw, rng.randint(0, 12), reverse=rng.random() < 0.5)
        elif step == "elsewhere":
            world.grow_elsewhere(draw, rng.randint(1, 3))
        else:
            world.reopen()
        world.compare()
    best = world.tree.best()
    assert world.tree.replayed(best) == world.tree.state(best)
    return world.seen


def test_random_walks_meet_everything_that_can_happen() -> None:
    seen: Counter[str] = Counter()
    for seed in range(24):
        seen.update(walk(seed, steps=80))
    missed = [event for event in EVENTS if seen[event] < 2]
    assert not missed, f"the walks do not meet {missed}: {seen}"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 140))
def test_long_random_walks(seed: int) -> None:
    walk(seed, steps=250)
