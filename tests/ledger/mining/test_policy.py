"""Every gate of the decision to mine, in order, and the duties behind them."""

from dataclasses import replace

import pytest

from meshchain.ledger.mining import Decision, MiningInputs, decide
from meshchain.ledger.mining.policy import IDLE_DUTY, WAITING_DUTY
from meshchain.ledger.params import bundled_networks

MESH = bundled_networks()["mesh"].policy
DEV = bundled_networks()["dev"].policy
START = 1_900_000_000.0

READY = MiningInputs(
    now=START + 3600,
    started=START,
    enabled=True,
    synced=True,
    peers_configured=True,
    links_up=True,
    peers_connected=5,
    peer_median_offset=2.0,
    clock_credible=True,
    tip_time=int(START + 3500),
    median_time=int(START + 2900),
    genesis_time=1_795_305_600,
    own_waiting=0,
    foreign_pending=0,
    foreign_since=None,
)


def test_an_idle_node_mines_a_little() -> None:
    decision = decide(MESH, READY)
    assert (decision.mine, decision.duty) == (True, IDLE_DUTY)
    assert "5%" in decision.reason


def test_the_duty_rises_while_own_operations_wait_and_not_for_others() -> None:
    assert decide(MESH, replace(READY, own_waiting=1)).duty == WAITING_DUTY > IDLE_DUTY
    assert "2 own operations wait" in decide(MESH, replace(READY, own_waiting=2)).reason
    assert decide(MESH, replace(READY, foreign_pending=9, foreign_since=START)).duty == IDLE_DUTY


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"enabled": False}, "switched off"),
        ({"now": START + 19.5}, "looking for peers"),
        ({"synced": False}, "not synced"),
        ({"genesis_time": int(START + 7200)}, "genesis"),
        ({"median_time": int(START + 3700)}, "median"),
        ({"peer_median_offset": 601.0}, "behind"),
        ({"peer_median_offset": -601.0, "peers_connected": 3}, "ahead of"),
    ],
)
def test_each_gate_stops_mining_and_says_why(change: dict[str, float], word: str) -> None:
    inputs = replace(READY, own_waiting=3, **change)  # type: ignore[arg-type]
    decision = decide(MESH, inputs)
    assert decision.held
    assert (decision.mine, decision.duty) == (False, 0.0)
    assert word in decision.reason
    assert 0 < decision.check_again <= 20


@pytest.mark.parametrize(
    "change",
    [
        {"peer_median_offset": 599.0},
        {"peer_median_offset": 9999.0, "peers_connected": 2},
        {"peer_median_offset": None},
        {"now": START + 20},
        {"median_time": int(START + 3600)},
        {"clock_credible": False},
    ],
)
def test_what_is_within_bounds_does_not(change: dict[str, float]) -> None:
    inputs = replace(READY, tip_time=int(START), median_time=int(START), genesis_time=int(START))
    assert decide(MESH, replace(inputs, **change)).mine  # type: ignore[arg-type]


@pytest.mark.parametrize(("configured", "links"), [(True, False), (False, True), (True, True)])
def test_peers_are_looked_for_where_there_can_be_any(configured: bool, links: bool) -> None:
    fresh = replace(READY, peers_configured=configured, links_up=links, peers_connected=0, peer_median_offset=None)
    early = decide(MESH, replace(fresh, now=START + 5, median_time=0))
    assert not early.mine
    assert early.check_again == 15
    assert decide(MESH, replace(fresh, now=START + early.check_again + 5, median_time=0)).mine


def test_with_nobody_to_look_for_mining_starts_at_once() -> None:
    alone = replace(READY, peers_configured=False, links_up=False, now=START, median_time=0)
    assert decide(MESH, alone).mine


def test_dev_looks_for_nobody() -> None:
    assert decide(DEV, replace(READY, now=START, own_waiting=1)) == Decision(
        True, 1.0, "1 own operation waits for a block: making a block", 5.0
    )


def test_dev_trusts_no_clock() -> None:
    """Blocks made faster than one a second carry its median ahead of every clock."""
    ahead = replace(READY, median_time=int(START + 9000), genesis_time=int(START + 9000), peer_median_offset=5000.0)
    assert decide(DEV, replace(ahead, own_waiting=1)).mine


def test_dev_mines_only_when_something_waits() -> None:
    decision = decide(DEV, READY)
    assert not decision.mine
    assert decision.reason == "nothing waits for a block"


def test_dev_still_needs_the_chain() -> None:
    assert not decide(DEV, replace(READY, own_waiting=1, synced=False)).mine
    assert not decide(DEV, replace(READY, own_waiting=1, enabled=False)).mine


def test_dev_leaves_the_operations_of_others_to_them_for_a_moment() -> None:
    foreign = replace(READY, foreign_pending=2, foreign_since=READY.now - 0.25, foreign_wait=0.75)
    decision = decide(DEV, foreign)
    assert not decision.mine
    assert decision.check_again == pytest.approx(0.5)
    assert "0.5 s" in decision.reason
    assert decide(DEV, replace(foreign, now=READY.now + decision.check_again)).mine
    assert decide(DEV, replace(foreign, own_waiting=1)).mine
