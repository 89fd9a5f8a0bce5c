"""Bodies from honest peers: in parallel, resumed, along several branches, through local faults."""

from collections import Counter
from functools import cache

import pytest

from meshchain.ledger.chain.index import Flag
from meshchain.ledger.errors import StoreError
from meshchain.ledger.header import Header
from meshchain.p2p.actions import ConnectBlock
from meshchain.p2p.blocksync.sync import ELSEWHERE, MOST_AT_ONCE, WINDOW
from meshchain.p2p.messages import BlockMessage, GetBlocks, Headers, Message
from tests.ledger.kit import Lab, small_params
from tests.p2p.kit import LabFacts, Network, Station
from tests.p2p.mining import lab_of, mine_headers, work_of_chain
from tests.p2p.syncing import HeaderServer, Syncer, claims, sent, server, syncer

PARAMS = small_params()


@cache
def chain() -> list[Header]:
    return mine_headers(PARAMS, [120] * 2500)


@cache
def full_lab() -> Lab:
    """Shared by servers, which only read it."""
    return lab_of(PARAMS, chain())


def beginner(network: Network, lab: Lab | None = None) -> tuple[Station, Syncer]:
    station, machine = syncer(network, "me", lab or Lab(PARAMS))
    station.facts.lab.now = chain()[-1].time + 60
    return station, machine


def blocks_got(station: Station) -> Counter[str]:
    """Blocks by the station that sent them."""
    return Counter(station.names[peer] for peer, message in station.got if isinstance(message, BlockMessage))


def test_several_peers_share_the_work_and_nothing_comes_twice(capsys: pytest.CaptureFixture[str]) -> None:
    network = Network()
    me, machine = beginner(network)
    servers = [server(network, f"s{i}", full_lab()) for i in range(4)]
    for station in servers:
        network.connect(me, station, rate=200_000)
    most = []

    def done() -> bool:
        most.append(machine.blocks.in_flight + machine.blocks.at_ledger)
        return me.height == 2500

    assert network.run_until(done, 120)
    got = blocks_got(me)
    assert got.total() == 2500
    assert min(got.values()) > 300
    assert max(most) <= MOST_AT_ONCE
    for _, message in servers[0].got:
        assert not isinstance(message, GetBlocks) or len(message.ids) <= 16
    assert not me.blames
    assert not me.closed
    network.run(2)
    assert machine.headers.status.synced
    with capsys.disabled():
        print(f"\n  2,500 blocks in {network.now:.1f} s from 4 peers: {dict(got)}, at most {max(most)} at once")


def test_no_peer_has_more_than_sixteen_blocks_in_flight() -> None:
    """The blocks come one after the other, so that the peer is asked for more while some are on their way."""
    network = Network()
    me, machine = beginner(network)
    network.connect(me, server(network, "other", full_lab()), latency=0.3, rate=10_000)
    most = []

    def watch() -> bool:
        most.append(machine.blocks.in_flight)
        return me.height >= 300

    assert network.run_until(watch, 60)
    assert max(most) == 16


@pytest.mark.parametrize(("block", "most"), [(4096, MOST_AT_ONCE), (1 << 18, 32), (1 << 22, 16)])
def test_no_more_blocks_at_once_than_fit_into_eight_mib_from_any_number_of_peers(block: int, most: int) -> None:
    params = small_params(max_block_size=block)
    headers = mine_headers(params, [120] * 500)
    network = Network()
    me, machine = syncer(network, "me", Lab(params))
    me.facts.lab.now = headers[-1].time
    for number in range(25):
        station = network.add(f"p{number}", LabFacts(Lab(params)), HeaderServer(headers))
        station.says = claims(500, work_of_chain(headers))
        network.connect(me, station)
    network.run(4)
    assert machine.blocks.in_flight == most


def test_slow_but_steady_peer_is_never_closed() -> None:
    """A block every 5 s: sixteen of them take longer than a silent peer is given."""
    network = Network()
    me, _ = beginner(network)
    slow = server(network, "slow", lab_of(PARAMS, chain()[:60]))
    network.connect(me, slow)
    assert network.run_until(lambda: me.facts.best_header().height == 60, 5)
    for link in slow.links.values():
        link.rate = 27
    assert network.run_until(lambda: me.height == 60, 1000)
    assert network.now > 200
    assert not me.closed
    assert not me.blames


def test_restart_in_the_middle_fetches_only_what_is_missing() -> None:
    network = Network()
    me, _ = beginner(network)
    first = server(network, "first", full_lab())
    network.connect(me, first)
    assert network.run_until(lambda: me.height >= 700, 60)
    store = me.facts.lab.chain.store
    network.remove(me)
    have = sum(bool(entry.flags & Flag.BODY) for entry in me.facts.ancestors(me.facts.best_header()))

    again, _ = beginner(network, Lab(PARAMS, store=store))
    second = server(network, "second", full_lab())
    network.connect(again, second)
    assert network.run_until(lambda: again.height == 2500, 60)
    assert blocks_got(again).total() == 2501 - have, "genesis is one of those it had"
    assert not again.blames


def test_two_peers_with_different_branches_are_both_followed() -> None:
    """The heavier branch wins; bodies of the common part come from both, those of the lighter are not fetched."""
    network, trunk = Network(), chain()[:60]
    longer = lab_of(PARAMS, trunk + mine_headers(PARAMS, [120] * 50, above=trunk, seed=4))
    shorter = lab_of(PARAMS, trunk + mine_headers(PARAMS, [120] * 20, above=trunk, seed=5))
    me, _ = beginner(network)
    network.connect(me, server(network, "shorter", shorter))
    network.connect(me, server(network, "longer", longer))
    assert network.run_until(lambda: me.tip_id == longer.chain.tip.id, 60)
    network.run(5)
    assert blocks_got(me).total() <= 130
    assert me.tip_id == longer.chain.tip.id
    assert not me.blames
    assert not me.closed


def test_equal_work_is_settled_by_the_smaller_id_on_both_sides() -> None:
    network, trunk = Network(), chain()[:30]
    labs = [lab_of(PARAMS, trunk + mine_headers(PARAMS, [120] * 3, above=trunk, seed=seed)) for seed in (8, 9)]
    stations = [syncer(network, name, lab)[0] for name, lab in zip("ab", labs, strict=True)]
    for lab in labs:
        lab.now = chain()[-1].time
    winner = min(lab.chain.tip.id for lab in labs)
    network.connect(*stations)
    assert network.run_until(lambda: all(station.tip_id == winner for station in stations), 60)


def test_a_line_of_nodes_passes_a_chain_along() -> None:
    """Each is served by the one before while that is still syncing itself."""
    network = Network()
    source = server(network, "source", lab_of(PARAMS, chain()[:200]))
    line = [source]
    for name in "abc":
        station, _ = syncer(network, name, Lab(PARAMS))
        station.facts.lab.now = chain()[-1].time
        network.connect(station, line[-1])
        line.append(station)
    assert network.run_until(lambda: line[-1].height == 200, 1300)
    assert not [blame for station in line for blame in station.blames]


def test_full_disk_is_nobodys_fault_and_is_recovered_from() -> None:
    network = Network()
    me, _ = beginner(network)
    other = server(network, "other", full_lab())
    network.connect(me, other)
    assert network.run_until(lambda: me.height >= 300, 60)
    me.facts.fault = StoreError("disk-full", "no space left on device")
    before = blocks_got(me).total()
    network.run(60)
    assert blocks_got(me).total() < before + 400, "it went on fetching as if nothing was wrong"
    me.facts.fault = None
    assert network.run_until(lambda: me.height == 2500, 60)
    assert not me.blames
    assert not me.closed


def test_slow_peer_does_not_hold_up_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    """One peer of four at 300 B/s, a block a second: it delivers a little and stays."""
    network = Network()
    me, _ = beginner(network)
    for i in range(3):
        network.connect(me, server(network, f"quick{i}", full_lab()), rate=100_000)
    slow = server(network, "slow", lab_of(PARAMS, chain()))
    network.connect(me, slow, rate=300)
    assert network.run_until(lambda: me.height == 2500, 120)
    got, took = blocks_got(me), network.now
    assert took < 40
    assert not me.blames
    with capsys.disabled():
        print(f"\n  2,500 blocks with one of 4 peers at 300 B/s: {took:.1f} s, {dict(got)}")


def test_block_being_put_together_elsewhere_is_left_alone_for_a_while() -> None:
    network, lab = Network(), Lab(PARAMS)
    lab.mine_empty(5)
    other = server(network, "other", lab.fork())
    me, machine = syncer(network, "me", lab)
    peer, _ = network.connect(me, other)
    network.run(2)
    block = other.facts.lab.block()
    other.facts.lab.chain.add_block(block, None)
    machine.blocks.elsewhere(block.header.id, network.now)
    announcement: Message = Headers((block.header,))
    network.apply(me, machine.message(peer, announcement, network.now))
    network.run(ELSEWHERE - 0.5)
    assert not sent(other, GetBlocks)
    assert network.run_until(lambda: me.height == 6, 3)


def test_never_further_than_the_window_above_the_first_missing_block() -> None:
    """One peer of two is asked for the first blocks and sends none until it is closed."""
    network = Network()
    me, machine = beginner(network)
    withholding = server(network, "withholding", full_lab())
    network.connect(me, withholding)
    assert network.run_until(lambda: sent(withholding, GetBlocks) != [], 10)
    for link in withholding.links.values():
        link.free = 10_000.0  # its line is dead from now on
    network.connect(me, server(network, "honest", full_lab()))
    highest = []

    def watch() -> bool:
        heights = [
            e.height for t in me.tasks[-3:] if isinstance(t, ConnectBlock) and (e := me.facts.header(t.block_id))
        ]
        highest.append(max(heights, default=0) - me.height)
        return me.height == 2500

    assert network.run_until(watch, 60)
    assert WINDOW // 2 < max(highest) <= WINDOW
    assert machine.headers.status.target == 2500
