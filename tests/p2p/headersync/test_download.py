"""Honest peers: long downloads, several peers, restarts, announcements."""

from functools import cache

import pytest

from meshchain.ledger.block import Block
from meshchain.ledger.header import Header
from meshchain.p2p.messages import GetHeaders, Headers
from tests.ledger.kit import Lab, small_params
from tests.p2p.kit import LabFacts, Network, Silent, Station
from tests.p2p.mining import lab_of, mine_headers, work_of_chain
from tests.p2p.syncing import HeaderServer, Syncer, claims, sent, server, stored_headers, syncer

PARAMS = small_params(retarget=True)


@cache
def long_chain() -> list[Header]:
    return mine_headers(PARAMS, [120] * 10_000)


def fresh(network: Network, *, wall: float) -> tuple[Station, Syncer]:
    station, machine = syncer(network, "me", Lab(PARAMS))
    station.facts.lab.now = wall
    return station, machine


def header_server(network: Network, name: str, chain: list[Header]) -> tuple[Station, HeaderServer]:
    """Tells the truth about the work of its headers, and has no bodies."""
    machine = HeaderServer(chain)
    station = network.add(name, server(Network(), name, Lab(PARAMS)).facts, machine)
    station.says = claims(len(chain), work_of_chain(chain))
    return station, machine


def test_ten_thousand_headers_from_several_peers(capsys: pytest.CaptureFixture[str]) -> None:
    """One peer leads; the others are asked for their last header only."""
    network, chain = Network(), long_chain()
    me, machine = fresh(network, wall=chain[-1].time + 60)
    servers = [header_server(network, f"s{i}", chain) for i in range(4)]
    peers = [network.connect(me, station)[0] for station, _ in servers]
    assert network.run_until(lambda: me.facts.best_header().height == 10_000, 30)
    network.run(2)
    given = [one.given for _, one in servers]
    assert given == [10_000, 1, 1, 1]
    assert {machine.headers.heads.get(peer) for peer in peers} == {me.facts.best_header()}
    assert machine.headers.status.target == 10_000
    assert not me.blames
    assert not me.closed
    size = sum(len(headers.headers) for headers in sent(me, Headers) if isinstance(headers, Headers)) * Header.SIZE
    questions = [len(sent(station, GetHeaders)) for station, _ in servers]
    with capsys.disabled():
        print(f"\n  10,000 headers: {given} from 4 peers in {questions} questions, {size:,} bytes of headers")


def test_lost_leader_is_replaced_where_it_stopped() -> None:
    network, chain = Network(), long_chain()
    me, _ = fresh(network, wall=chain[-1].time + 60)
    servers = [header_server(network, f"s{i}", chain) for i in range(2)]
    for station, _ in servers:
        network.connect(me, station)
    assert network.run_until(lambda: me.facts.best_header().height == 4000, 30)
    network.remove(servers[0][0])
    assert network.run_until(lambda: me.facts.best_header().height == 10_000, 30)
    assert servers[1][1].given <= 6001, "what was there already was fetched again"


def test_restart_in_the_middle_goes_on_from_there() -> None:
    network, chain = Network(), long_chain()
    me, _ = fresh(network, wall=chain[-1].time + 60)
    first, _ = header_server(network, "first", chain)
    network.connect(me, first)
    assert network.run_until(lambda: me.facts.best_header().height == 6000, 30)
    store = me.facts.lab.chain.store
    network.remove(me)

    again, _ = syncer(network, "again", Lab(PARAMS, store=store))
    again.facts.lab.now = chain[-1].time + 60
    assert again.facts.best_header().height == 6000
    second, machine = header_server(network, "second", chain)
    network.connect(again, second)
    assert network.run_until(lambda: again.facts.best_header().height == 10_000, 30)
    assert machine.given <= 4001
    assert not again.blames


def test_slow_leader_loses_the_lead_but_not_the_connection(capsys: pytest.CaptureFixture[str]) -> None:
    """A full message takes 62 s over the first line; the second peer is there after 20."""
    network, chain = Network(), long_chain()
    me, _ = fresh(network, wall=chain[-1].time + 60)
    slow, _ = header_server(network, "slow", chain)
    quick, machine = header_server(network, "quick", chain)
    network.connect(me, slow, rate=4000)
    network.connect(me, quick)
    assert network.run_until(lambda: me.facts.best_header().height == 10_000, 30)
    took = network.now
    assert machine.given >= 10_000
    network.run(60)
    assert not me.blames
    assert not me.dropped("slow")
    with capsys.disabled():
        print(f"\n  10,000 headers with a leader at 4 kB/s: {took:.1f} s, one more peer")


def test_silent_leader_is_closed_unless_it_is_the_last() -> None:
    network, chain = Network(), long_chain()[:100]
    me, machine = fresh(network, wall=chain[-1].time + 60)
    silent = network.add("silent", LabFacts(Lab(PARAMS)), Silent())
    silent.says = claims(100, 10**9)
    network.connect(me, silent)
    network.run(300)
    assert not me.closed, "the last peer was closed"
    assert len(sent(silent, GetHeaders)) == 1
    network.connect(me, server(network, "honest", lab_of(PARAMS, chain)))
    assert network.run_until(lambda: me.height == 100, 60)
    network.run(200)
    assert me.dropped("silent")
    assert [close.code for close in me.closed] == ["headers-timeout"]
    assert machine.headers.status.target == 100


def test_announced_block_with_a_known_parent_is_checked_at_once() -> None:
    network, lab = Network(), Lab(PARAMS)
    lab.mine_empty(5)
    other = server(network, "other", lab.fork())
    me, machine = syncer(network, "me", lab)
    peer, _ = network.connect(me, other)
    network.run(2)
    block = other.facts.lab.block()
    other.facts.lab.chain.add_block(block, None)
    asked = len(sent(other, GetHeaders))
    network.apply(me, machine.message(peer, Headers((block.header,)), network.now))
    assert network.run_until(lambda: me.height == 6, 5)
    assert len(sent(other, GetHeaders)) == asked


def test_announced_block_with_unknown_parents_fetches_what_lies_between() -> None:
    network, lab = Network(), Lab(PARAMS)
    lab.mine_empty(5)
    other = server(network, "other", lab.fork())
    me, machine = syncer(network, "me", lab)
    peer, _ = network.connect(me, other)
    network.run(2)
    for _ in range(20):
        other.facts.lab.mine()
    me.facts.lab.now = other.facts.lab.now
    network.apply(me, machine.headers.announced(peer, other.facts.tip().header, network.now))
    assert network.run_until(lambda: me.height == 25, 5)
    head = machine.headers.heads.get(peer)
    assert head is not None
    assert head.id == me.tip_id
    assert not me.blames


def test_announcement_during_a_question_is_not_lost() -> None:
    network, lab = Network(), Lab(PARAMS)
    lab.mine_empty(5)
    other = server(network, "other", lab.fork())
    me, machine = syncer(network, "me", lab)
    peer, _ = network.connect(me, other, latency=2.0)
    network.run(2.5)  # the answer to the first question is on its way
    other.facts.lab.mine_empty(3)
    me.facts.lab.now = other.facts.lab.now
    network.apply(me, machine.headers.announced(peer, other.facts.tip().header, network.now))
    assert network.run_until(lambda: me.height == 8, 20)
    assert not me.blames


def test_peer_that_reorganises_between_two_messages_is_followed() -> None:
    network, chain = Network(), long_chain()
    rival = chain[:1990] + mine_headers(PARAMS, [119] * 1000, above=chain[:1990], seed=2)
    me, _ = fresh(network, wall=chain[-1].time + 60)
    station, machine = header_server(network, "s", chain[:2500])
    network.connect(me, station)
    assert network.run_until(lambda: stored_headers(me) > 1, 30)
    machine.chain, machine.heights = rival, {header.id: header.height for header in rival}
    assert network.run_until(lambda: me.facts.best_header().id == rival[-1].id, 30)
    assert not me.blames


def test_two_peers_on_two_branches_have_two_heads() -> None:
    network, chain = Network(), long_chain()[:300]
    rival = chain[:250] + mine_headers(PARAMS, [120] * 40, above=chain[:250], seed=2)
    me, machine = fresh(network, wall=chain[-1].time + 60)
    one, _ = header_server(network, "one", chain)
    two, _ = header_server(network, "two", rival)
    peers = [network.connect(me, station)[0] for station in (one, two)]
    network.run(5)
    heads = [machine.headers.heads.get(peer) for peer in peers]
    assert [head and head.id for head in heads] == [chain[-1].id, rival[-1].id]
    assert not me.blames


def test_peer_that_is_behind_is_dropped_after_twenty_minutes_and_never_the_last() -> None:
    network, lab = Network(), Lab(PARAMS)
    lab.mine_empty(200)
    old = server(network, "old", lab.fork(back=10))
    me, machine = syncer(network, "me", lab)
    network.connect(me, old)
    network.run(4000)
    assert not me.closed, "the last peer was closed"
    level = server(network, "level", lab.fork())
    network.connect(me, level)
    started = network.now
    assert network.run_until(lambda: me.dropped("old"), 4000)
    assert network.now - started + 1320 >= 1200  # it may have been late for a while
    assert [close.code for close in me.closed] == ["behind"]
    network.run(4000)
    assert not me.dropped("level")
    assert machine.headers.status.synced


def test_inbound_peer_may_be_behind() -> None:
    network, lab = Network(), Lab(PARAMS)
    lab.mine_empty(200)
    me, _ = syncer(network, "me", lab, inbound=True)
    for name in ("one", "two"):
        network.connect(me, server(network, name, lab.fork(back=10)))
    network.run(4000)
    assert not me.closed


def test_everybody_is_asked_again_when_nothing_happens_for_long() -> None:
    """An announcement was lost: the block is found all the same."""
    network, lab = Network(), Lab(PARAMS)
    lab.mine_empty(5)
    other = server(network, "other", lab.fork())
    me, _ = syncer(network, "me", lab)
    network.connect(me, other)
    network.run(2)
    other.facts.lab.mine()
    assert network.run_until(lambda: me.height == 6, 700)


def test_only_eight_inbound_peers_are_asked_at_a_time() -> None:
    network, chain = Network(), long_chain()[:10]
    lab = lab_of(PARAMS, chain)
    me, machine = syncer(network, "me", lab, inbound=True)
    for number in range(30):
        network.connect(me, network.add(f"p{number}", LabFacts(lab.fork()), Silent()))
    network.run(5)
    asked = [station for station in network.stations if sent(station, GetHeaders)]
    assert len(asked) == 8
    assert machine.headers.status.synced


def test_block_of_the_tip_that_others_announce_is_fetched_once_known() -> None:
    """Four peers announce the same header at once; it is checked, and nobody is blamed."""
    network, lab = Network(), Lab(PARAMS)
    lab.mine_empty(5)
    me, machine = syncer(network, "me", lab)
    peers = []
    for name in "abcd":
        station = server(network, name, lab.fork())
        peers.append(network.connect(me, station)[0])
    network.run(2)
    block: Block = network.stations[1].facts.lab.block()
    for station in network.stations[1:]:
        station.facts.lab.chain.add_block(block, None)
    for peer in peers:
        network.apply(me, machine.message(peer, Headers((block.header,)), network.now))
    assert network.run_until(lambda: me.height == 6, 5)
    assert not me.blames
    assert all(head is not None and head.id == block.header.id for head in map(machine.headers.heads.get, peers))


def test_announcement_that_crosses_a_question_leaves_it_open() -> None:
    """A block is found while the peer's answer is on its way: the answer is still one, and nobody is blamed."""
    network, chain = Network(), long_chain()[:100]
    me, machine = fresh(network, wall=chain[-1].time + 60)
    honest = network.add("honest", LabFacts(Lab(PARAMS)), Silent())
    honest.says = claims(99, 2 * 99)
    peer, _ = network.connect(me, honest)
    network.run(2)
    assert len(sent(honest, GetHeaders)) == 1
    network.apply(me, machine.message(peer, Headers((chain[99],)), network.now))
    network.apply(me, machine.message(peer, Headers(tuple(chain[:99])), network.now))
    assert network.run_until(lambda: me.facts.best_header().height == 99, 5)
    assert not me.blames
