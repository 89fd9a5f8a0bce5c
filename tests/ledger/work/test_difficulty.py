"""asert_bits against public vectors and real powers; the whole rule against the slow model."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from meshchain.ledger import compact, params
from meshchain.ledger.difficulty import Anchor, Difficulty, advance, asert_bits, at_genesis, next_bits
from meshchain.ledger.params import Consensus
from tests.ledger.work import difficulty_model as model

MESH = params.load("mesh").consensus
GAP = 4 * MESH.half_life
HARD = 0x1C2B3C4D
"""About 2^34 hashes: far from the limit and from 1."""


def mesh_asert(anchor_bits: int, time_delta: int, height_delta: int) -> int:
    return asert_bits(
        anchor_bits,
        time_delta,
        height_delta,
        spacing=MESH.spacing,
        half_life=MESH.half_life,
        pow_limit_bits=MESH.pow_limit_bits,
    )


def vector_rows(file: Path) -> tuple[dict[str, int], list[tuple[int, int, int]]]:
    """({name: number} of the head, [(height, time, bits)])."""
    lines = file.read_text(encoding="ascii").splitlines()
    head = dict(line[2:].strip().split(": ", 1) for line in lines if line.startswith("##"))
    rows = [line.split()[1:] for line in lines if line and not line.startswith("#")]
    numbers = {name: int(value, 0) for name, value in head.items() if name != "description"}
    return numbers, [(int(height), int(time), int(bits, 16)) for height, time, bits in rows]


@pytest.mark.parametrize("run", range(1, 13))
def test_aserti3_vectors(asert_vectors: list[Path], run: int) -> None:
    """Bitcoin Cash's parameters; their times count from the anchor's parent, hence one block more."""
    (file,) = [path for path in asert_vectors if path.name == f"run{run:02}"]
    head, rows = vector_rows(file)
    assert len(rows) == head["iterations"]
    for height, time, bits in rows:
        found = asert_bits(
            head["anchor nBits"],
            time - head["anchor parent time"],
            height - head["anchor height"] + 1,
            spacing=600,
            half_life=172_800,
            pow_limit_bits=0x1D00FFFF,
        )
        assert found == bits, (height, time)


@given(st.integers(-40 * 7200, 40 * 7200), st.integers(0, 2000))
def test_close_to_the_real_power(time_delta: int, height_delta: int) -> None:
    exponent = (time_delta - 120 * height_delta) / 7200
    expected = compact.to_target(HARD) * 2.0**exponent
    found = compact.to_target(mesh_asert(HARD, time_delta, height_delta))
    limit = compact.to_target(MESH.pow_limit_bits)
    assert found == limit or found == pytest.approx(expected, rel=0.0002)
    assert found < limit or expected > limit * 0.9998


def test_division_truncates_toward_zero() -> None:
    """One second ahead of the line: -1·65536/7200 = -9.1 counts as -9; half-life 65537 makes it 0."""
    assert asert_bits(HARD, 119, 1, spacing=120, half_life=65537, pow_limit_bits=0x1F2AAAAA) == HARD
    assert asert_bits(HARD, 121, 1, spacing=120, half_life=65537, pow_limit_bits=0x1F2AAAAA) == HARD
    assert compact.to_target(mesh_asert(HARD, 119, 1)) < compact.to_target(HARD)


@given(st.integers(-(2**80), 2**80), st.integers(0, 2**64), st.integers(0, 2**32 - 1))
@example(2**64 - 1, 0, 0x01010000)
@example(-(2**64), 2**32, 0x1F2AAAAA)
def test_any_input_is_cheap_and_within_bounds(time_delta: int, height_delta: int, anchor_bits: int) -> None:
    bits = mesh_asert(anchor_bits, time_delta, height_delta)
    assert 1 <= compact.to_target(bits) <= compact.to_target(MESH.pow_limit_bits)
    assert compact.to_bits(compact.to_target(bits)) == bits


STEPS = st.one_of(
    st.integers(0, 600),
    st.integers(-4000, 0),
    st.sampled_from([GAP - 1, GAP, GAP + 1]),
    st.integers(GAP, 20 * GAP),
    st.integers(10 * 86_400, 60 * 365 * 86_400),
    st.sampled_from([-30 * 365 * 86_400, 2**63]),
)
NETWORKS = st.builds(
    replace,
    st.just(MESH),
    spacing=st.sampled_from([120, 1, 600]),
    half_life=st.sampled_from([7200, 7201, 1800]),
    pow_limit_bits=st.sampled_from([0x1F2AAAAA, 0x207FFFFF, 0x1D00FFFF, 0x03123456]),
    retarget=st.sampled_from([True, True, True, False]),
)


def assert_state_is(consensus: Consensus, chain: list[model.Block], state: Difficulty) -> None:
    at = model.anchor_index(consensus, chain)
    assert state == Difficulty(
        height=len(chain),
        bits=chain[-1][1],
        anchor=Anchor(at + 1, *chain[at]),
        max_time=max(time for time, _ in chain),
    )


@given(NETWORKS, st.lists(st.tuples(STEPS, st.booleans()), min_size=1, max_size=30))
@settings(max_examples=150)
@example(MESH, [(0, True), (60, False), (GAP + 1, True), (-GAP, True), (GAP + 60, False), (60, False), (9 * GAP, True)])
@example(MESH, [(5, False)] * 12 + [(GAP + 1, False)] + [(9 * GAP, False)])
def test_rule_agrees_with_the_model(consensus: Consensus, steps: list[tuple[int, bool]]) -> None:
    """Random chains: steps from the last block or (True) from the greatest time so far, gaps among them."""
    state, chain = at_genesis(consensus), list[model.Block]()
    for step, from_greatest in steps:
        times = [time for time, _ in chain] or [consensus.genesis_time]
        time = min(max((max(times) if from_greatest else times[-1]) + step, 0), 2**64 - 1)
        bits = next_bits(consensus, state, time)
        assert bits == model.required_bits(consensus, chain, time)
        state = advance(consensus, state, time, bits)
        chain.append((time, bits))
        assert_state_is(consensus, chain, state)


def state_at(bits: int, *, ahead: int = 0) -> Difficulty:
    """Block 100, anchored at block 1; its time is ``ahead`` seconds before the one the line wants."""
    start = MESH.genesis_time
    return Difficulty(100, bits, Anchor(1, start, bits), start + 99 * 120 - ahead)


def test_block_one_has_the_limit_and_is_the_anchor() -> None:
    for time in (MESH.genesis_time + 1, MESH.genesis_time + 10 * 365 * 86_400):
        state = at_genesis(MESH)
        assert next_bits(MESH, state, time) == MESH.pow_limit_bits
        state = advance(MESH, state, time, MESH.pow_limit_bits)
        assert state == Difficulty(1, MESH.pow_limit_bits, Anchor(1, time, MESH.pow_limit_bits), time)


def test_four_half_lives_exactly_are_no_gap() -> None:
    state = state_at(HARD)
    at, after = state.max_time + GAP, state.max_time + GAP + 1
    assert advance(MESH, state, at, HARD).anchor == state.anchor
    assert advance(MESH, state, after, HARD).anchor == Anchor(101, after, HARD)


def test_a_gap_eases_sixteenfold_at_most() -> None:
    state = state_at(HARD)
    sixteen = compact.to_bits(16 * compact.to_target(HARD))
    for days in (1, 10, 3650):
        assert next_bits(MESH, state, state.max_time + days * 86_400) == sixteen
    near_limit = state_at(0x1F200000)
    assert next_bits(MESH, near_limit, near_limit.max_time + 864_000) == MESH.pow_limit_bits


def test_a_chain_ahead_of_the_line_gets_no_more_than_it_earned() -> None:
    state = state_at(HARD, ahead=12 * 3600)
    time = state.max_time + GAP + 1
    earned = mesh_asert(HARD, time - MESH.genesis_time, 100)
    assert next_bits(MESH, state, time) == earned
    assert compact.to_target(earned) < compact.to_target(HARD)


def test_at_the_threshold_both_rules_agree() -> None:
    """On the line, one second makes a gap and changes the target by less than 2 %."""
    state = state_at(HARD)
    before = compact.to_target(next_bits(MESH, state, state.max_time + GAP))
    after = compact.to_target(next_bits(MESH, state, state.max_time + GAP + 1))
    assert after == pytest.approx(before, rel=0.02)


def test_a_stamp_in_the_past_makes_no_gap() -> None:
    """After a gap, a stale clock: the next honest block stands on the new line, not before another gap."""
    state = state_at(HARD)
    today = state.max_time + 10 * 86_400
    state = advance(MESH, state, today, next_bits(MESH, state, today))
    eased = state.bits
    stale = advance(MESH, state, today - 9 * 86_400, next_bits(MESH, state, today - 9 * 86_400))
    assert stale.max_time == today
    assert stale.anchor == state.anchor
    assert next_bits(MESH, stale, today + 240) == eased


def test_without_retargeting_the_limit_stays() -> None:
    dev = params.load("dev").consensus
    state = at_genesis(dev)
    for time in (dev.genesis_time + 1, dev.genesis_time + 2, 2**40, 5):
        assert next_bits(dev, state, time) == dev.pow_limit_bits
        state = advance(dev, state, time, dev.pow_limit_bits)
    assert state.height == 4
