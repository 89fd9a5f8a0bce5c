"""Who is to blame for a refused header, and who is not: clocks, disks, broken rules."""

from dataclasses import replace

import pytest

from meshchain.ledger.block import Block
from meshchain.ledger.errors import StoreError
from meshchain.ledger.header import Header
from meshchain.p2p.actions import ConnectBlock
from meshchain.p2p.messages import GetHeaders, Headers
from tests.ledger.kit import Lab, small_params
from tests.p2p.kit import LabFacts, Network, Silent
from tests.p2p.mining import lab_of, mine_headers, mined_header
from tests.p2p.syncing import HeaderServer, claims, sent, server, syncer

PARAMS = small_params()


def test_headers_ahead_of_the_clock_are_fetched_again_without_blame(capsys: pytest.CaptureFixture[str]) -> None:
    """The last 5 of 20 headers lie up to 20 minutes ahead; they are taken as their time comes."""
    network, chain = Network(), mine_headers(PARAMS, [120] * 20)
    me, machine = syncer(network, "me", Lab(PARAMS))
    me.facts.lab.now = chain[-1].time - 1200
    other = server(network, "other", lab_of(PARAMS, chain))
    network.connect(me, other)
    network.run(5)
    assert me.facts.best_header().height == 15
    assert me.height == 15
    assert network.run_until(lambda: me.height == 20, 1200)
    took, asked = network.now, len(sent(other, GetHeaders))
    assert 600 <= took <= 600 + 121
    assert asked < 15
    assert not me.blames
    assert not me.closed
    head, late = machine.headers.heads.get(1), took - 600
    assert head is not None
    assert head.id == chain[-1].id
    with capsys.disabled():
        print(f"\n  5 headers up to 20 min ahead: all there {late:.0f} s after their time, {asked} questions, no blame")


def test_clock_that_is_set_lets_held_headers_in() -> None:
    network, chain = Network(), mine_headers(PARAMS, [120] * 20)
    me, _ = syncer(network, "me", Lab(PARAMS))
    me.facts.lab.now = 0.0
    network.connect(me, server(network, "other", lab_of(PARAMS, chain)))
    network.run(100)
    assert me.height == 0
    me.facts.lab.now = chain[-1].time
    assert network.run_until(lambda: me.height == 20, 125)
    assert not me.blames
    assert not me.closed


def test_peer_with_headers_from_the_future_does_not_keep_others_from_leading() -> None:
    network, chain = Network(), mine_headers(PARAMS, [120] * 20)
    future = mine_headers(PARAMS, [10**6] * 200, seed=2)
    me, _ = syncer(network, "me", Lab(PARAMS))
    me.facts.lab.now = chain[-1].time
    bad = network.add("future", LabFacts(Lab(PARAMS)), HeaderServer(future))
    bad.says = claims(200, 400)
    network.connect(me, bad)
    network.connect(me, server(network, "honest", lab_of(PARAMS, chain)))
    assert network.run_until(lambda: me.height == 20, 10)


def test_full_disk_is_not_the_peers_fault() -> None:
    network, chain = Network(), mine_headers(PARAMS, [120] * 50)
    me, _ = syncer(network, "me", Lab(PARAMS))
    me.facts.lab.now = chain[-1].time
    me.facts.fault = StoreError("disk-full", "no space left on device")
    network.connect(me, server(network, "other", lab_of(PARAMS, chain)))
    network.run(200)
    assert me.facts.best_header().height == 0
    me.facts.fault = None
    assert network.run_until(lambda: me.height == 50, 125)
    assert not me.blames
    assert not me.closed


def broken(chain: list[Header], rule: str) -> list[Header]:
    last = chain[-1]
    changes = {
        "header-height": {"height": last.height + 1},
        "header-bits": {"bits": last.bits - 1},
        "time-too-old": {"time": chain[-8].time},
    }
    return [*chain[:-1], replace(last, **changes[rule])]  # type: ignore[arg-type]


@pytest.mark.parametrize("rule", ["header-height", "header-bits", "time-too-old", "pow"])
def test_header_that_breaks_a_rule_costs_a_hundred_points_and_keeps_those_before_it(rule: str) -> None:
    network, chain = Network(), mine_headers(PARAMS, [120] * 30)
    if rule == "pow":
        shown = chain[:29] + mine_headers(PARAMS, [120], above=chain[:29], work=False)
    else:
        shown = broken(chain, rule)
    me, _ = syncer(network, "me", Lab(PARAMS))
    me.facts.lab.now = chain[-1].time
    bad = network.add("bad", LabFacts(Lab(PARAMS)), HeaderServer(shown))
    bad.says = claims(30, 60)
    network.connect(me, bad)
    network.run(5)
    assert [(blame.points, blame.reason.split(":")[0]) for blame in me.blames] == [(100, rule)]
    assert me.facts.best_header().height == 29


def test_header_on_an_invalid_block_costs_twenty() -> None:
    """It may be our rules that are old."""
    network, trunk = Network(), mine_headers(PARAMS, [120] * 10)
    wrong = mined_header(PARAMS, trunk, state_root=b"\1" * 32)
    (child,) = mine_headers(PARAMS, [120], above=[*trunk, wrong])
    me, machine = syncer(network, "me", lab_of(PARAMS, trunk))
    me.facts.lab.chain.add_headers([wrong], None)
    network.connect(me, server(network, "honest", lab_of(PARAMS, trunk)))
    bad = network.add("bad", LabFacts(lab_of(PARAMS, trunk)), Silent())
    peer, _ = network.connect(me, bad)
    fail(me.facts, wrong)
    network.apply(me, machine.message(peer, Headers(()), network.now))  # so no question is open
    network.apply(me, machine.message(peer, Headers((child,)), network.now))
    network.run(1)
    assert [(blame.points, blame.reason.split(":")[0]) for blame in me.blames] == [(20, "block-failed")]
    assert me.facts.header(child.id) is None


def fail(facts: LabFacts, header: Header) -> None:
    outcome = facts.do(ConnectBlock(0, header.id, Block(header, ()).encode()))
    assert outcome.error is not None


def test_messages_of_unknown_peers_are_nothing() -> None:
    _, machine = syncer(Network(), "me", Lab(PARAMS))
    header = mine_headers(PARAMS, [120])[0]
    assert machine.headers.headers(7, Headers((header,)), 0.0) == []
    assert machine.headers.announced(7, header, 0.0) == []
    assert machine.blocks.block(7, header.encode() + b"\x80", 0.0) == []
    assert machine.blocks.not_found(7, (header.id,), 0.0) == []
