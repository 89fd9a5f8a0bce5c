"""Floods of cheap headers, forgeries and lies: nothing is stored, memory stays small, the liar is blamed."""

import gc
import random
import tracemalloc
from bisect import bisect
from collections.abc import Sequence
from functools import cache
from itertools import accumulate, pairwise

import pytest

from meshchain.ledger import compact
from meshchain.ledger.header import Header
from meshchain.p2p.actions import Action, CheckHeaders, CheckWork, Do, Send
from meshchain.p2p.headersync import HeaderSync
from meshchain.p2p.headersync.presync import LOOKAHEAD
from meshchain.p2p.messages import MAX_HEADERS, GetHeaders, Headers
from tests.ledger.kit import Lab, small_params
from tests.p2p.kit import LabFacts, Network, Silent, Station, version_of
from tests.p2p.mining import lab_of, mine_headers, work_of_chain
from tests.p2p.syncing import HeaderServer, Syncer, claims, server, stored_headers, syncer

PARAMS = small_params(retarget=True)
CHEAP = 8000
FORK = 100
FORGED = 12


@cache
def our_chain() -> list[Header]:
    """Blocks in quick succession, then 700 at the difficulty that this has led to: 28 hashes each."""
    return mine_headers(PARAMS, [10] * 250 + [120] * 700)


@cache
def cheap_chain() -> list[Header]:
    """Real work, two hashes a header, from genesis on."""
    return mine_headers(PARAMS, [120] * CHEAP, seed=2)


@cache
def deep_rival() -> list[Header]:
    """Leaves our chain after 100 blocks and outweighs it after more than a message of headers."""
    trunk = our_chain()[:FORK]
    return trunk + mine_headers(PARAMS, [117] * 2500 + [90] * 200, above=trunk, seed=5)


def victim(network: Network) -> tuple[Station, Syncer]:
    lab = lab_of(PARAMS, our_chain())
    me, machine = syncer(network, "me", lab)
    lab.now = max(our_chain()[-1].time, cheap_chain()[-1].time) + 60
    return me, machine


def attacker(network: Network, chain: Sequence[Header], work: int = 10**9) -> tuple[Station, HeaderServer]:
    machine = HeaderServer(chain)
    station = network.add("attacker", LabFacts(Lab(PARAMS)), machine)
    station.says = claims(len(chain), work)
    return station, machine


def hashed(station: Station) -> int:
    """Headers whose work the station was made to hash."""
    return sum(len(task.headers) for task in station.tasks if isinstance(task, CheckWork | CheckHeaders))


def test_flood_of_cheap_headers_is_measured_and_forgotten(capsys: pytest.CaptureFixture[str]) -> None:
    """8,000 headers with real work that come to less than ours: a bit each, nothing stored, 50 points for the lie.

    An honest peer's new block gets through meanwhile.
    """
    network = Network()
    me, machine = victim(network)
    lab = lab_of(PARAMS, our_chain())
    honest = server(network, "honest", lab)
    before = stored_headers(me)
    bad, flood = attacker(network, cheap_chain())
    network.connect(me, bad, latency=0.5)
    peer, _ = network.connect(me, honest)
    sizes: list[int] = []
    lab.now = me.facts.lab.now
    block = lab.block(time=our_chain()[-1].time + 120)
    lab.chain.add_block(block, None)

    def watching() -> bool:
        sizes.append(max(map(machine.headers.memory, me.links), default=0))
        if len(sizes) == 5:
            network.apply(me, machine.message(peer, Headers((block.header,)), network.now))
        return False

    network.run_until(watching, 60)
    assert flood.given == CHEAP
    assert me.tip_id == block.header.id
    assert stored_headers(me) == before + 1
    assert max(sizes) == CHEAP // 8
    assert sizes[-1] == 0
    assert [(blame.points, blame.reason.split(":")[0]) for blame in me.blames] == [(50, "false-claim")]
    assert me.points("attacker") == 50
    assert hashed(me) < CHEAP / 6
    assert machine.headers.status.synced
    with capsys.disabled():
        size = CHEAP * Header.SIZE
        print(f"\n  {CHEAP:,} cheap headers ({size:,} bytes): 0 stored, at most {max(sizes):,} bytes kept,", end=" ")
        print(f"{hashed(me):,} hashed; 50 points")


def test_measuring_allocates_no_more_than_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    """Bytes really allocated between two messages of a flood, by tracemalloc."""
    lab = lab_of(PARAMS, our_chain())
    sync = HeaderSync(PARAMS, LabFacts(lab), random.Random(1))
    facts = LabFacts(lab)
    actions = sync.peer_ready(1, claims(CHEAP, 10**9)(version_of(facts)), 0.0)
    chain = cheap_chain()
    [header.id for header in chain]  # the test's own memory, not the machine's
    tracemalloc.start()
    kept = []
    for at in range(0, CHEAP, MAX_HEADERS):
        gc.collect()
        kept.append(tracemalloc.get_traced_memory()[0])
        assert any(isinstance(a, Send) and isinstance(a.message, GetHeaders) for a in actions)
        actions = feed(sync, facts, sync.headers(1, Headers(tuple(chain[at : at + MAX_HEADERS])), 0.0))
    tracemalloc.stop()
    assert sync.memory(1) == CHEAP // 8
    grown = [after - before for before, after in pairwise(kept[1:])]
    assert max(grown) < 2 * MAX_HEADERS // 8
    with capsys.disabled():
        print(f"\n  {sync.memory(1):,} bytes kept of {CHEAP:,} headers; allocated with each message of 2,000: {grown}")


def feed(sync: HeaderSync, facts: LabFacts, actions: list[Action]) -> list[Action]:
    """Do the tasks among the actions until only messages are left."""
    rest = []
    for action in actions:
        if isinstance(action, Do) and isinstance(action.task, CheckHeaders | CheckWork):
            rest += feed(sync, facts, sync.checked(action.task, facts.do(action.task), 0.0))
        else:
            rest.append(action)
    return rest


def test_forged_work_is_found_in_the_first_message(capsys: pytest.CaptureFixture[str]) -> None:
    """Every rule is kept but the hash. The sample finds it before the claim is believed."""
    forged = mine_headers(PARAMS, [120] * 3000, seed=3, work=False)
    network = Network()
    me, _ = victim(network)
    before = stored_headers(me)
    bad, flood = attacker(network, forged)
    network.connect(me, bad)
    network.run(20)
    assert stored_headers(me) == before
    assert flood.given == MAX_HEADERS
    assert [(blame.points, blame.reason.split(":")[0]) for blame in me.blames] == [(100, "pow")]
    with capsys.disabled():
        print(f"\n  forged headers: 100 points after {flood.given:,} of them, {hashed(me)} hashed, 0 stored")


def test_forging_only_the_headers_that_carry_the_work_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    """1,000 cheap headers with real work, then a steep rise whose last headers carry more work than a thousand others.

    A sample of one in eight would miss the last twelve in 20 of 100 tries; weighted by work it finds them.
    """
    cheap = cheap_chain()[:1000]
    rise = mine_headers(PARAMS, [1] * 900, above=cheap, work=False)
    works = list(accumulate(compact.work(header.bits) for header in cheap + rise))
    enough = bisect(works, work_of_chain(our_chain()))
    real = cheap + mine_headers(PARAMS, [1] * (enough - len(cheap) - FORGED), above=cheap)
    chain = real + mine_headers(PARAMS, [1] * FORGED, above=real, work=False)
    share = 1 - works[len(real) - 1] / works[len(chain) - 1]
    found = 0
    for seed in range(50):
        facts = LabFacts(our_lab())
        sync = HeaderSync(PARAMS, facts, random.Random(seed))
        sync.peer_ready(1, claims(len(chain), 10**9)(version_of(facts)), 0.0)
        before = len(facts.lab.chain.store._keys)  # type: ignore[attr-defined]
        actions = feed(sync, facts, sync.headers(1, Headers(tuple(chain)), 0.0))
        found += any(getattr(action, "points", 0) == 100 for action in actions)
        assert len(facts.lab.chain.store._keys) == before  # type: ignore[attr-defined]
    assert found >= 49
    with capsys.disabled():
        print(
            f"\n  forged: the last {FORGED} of {len(chain)} headers, {share:.0%} of the work: found {found} of 50 times"
        )


@cache
def our_lab() -> Lab:
    return lab_of(PARAMS, our_chain())


def test_cheap_prefix_with_a_forged_top_stores_nothing() -> None:
    """One message whose last header claims more work than any chain has: bits are judged before anything is kept."""
    cheap = cheap_chain()[:1500]
    last = cheap[-1]
    top = Header(1, last.height + 1, last.id, last.operations_root, bytes(32), last.time + 120, 0x03000001, 0)
    network = Network()
    me, _ = victim(network)
    before = stored_headers(me)
    bad, _ = attacker(network, [*cheap, top])
    network.connect(me, bad)
    network.run(20)
    assert stored_headers(me) == before
    assert [(blame.points, blame.reason.split(":")[0]) for blame in me.blames] == [(100, "header-bits")]


def test_a_branch_with_enough_work_is_fetched_twice_and_stored(capsys: pytest.CaptureFixture[str]) -> None:
    """A deep rival that outweighs ours: the other half of a healed partition."""
    rival = deep_rival()
    assert work_of_chain(rival) > work_of_chain(our_chain())
    network = Network()
    me, machine = victim(network)
    me.facts.lab.now = rival[-1].time + 60
    lab = lab_of(PARAMS, rival)
    network.connect(me, server(network, "other", lab))
    sizes = []

    def measured() -> bool:
        sizes.append(max(map(machine.headers.memory, me.links), default=0))
        return me.tip_id == rival[-1].id

    assert network.run_until(measured, 60)
    assert not me.blames
    given = sum(len(m.headers) for _, m in me.got if isinstance(m, Headers))
    assert len(rival) < given < 2 * len(rival) + 200
    assert len(rival) // 10 < max(sizes) <= len(rival) // 8 + 1 + LOOKAHEAD * Header.SIZE
    with capsys.disabled():
        print(f"\n  a deep rival of {len(rival) - FORK:,} headers: {given:,} sent, before storing", end=" ")
        print(f"at most {max(sizes):,} bytes kept")


def test_other_headers_in_the_second_pass_are_not_stored() -> None:
    """Show a heavy branch, then send a cheap one from the same fork."""
    trunk, heavy = our_chain()[:FORK], deep_rival()
    light = trunk + mine_headers(PARAMS, [117] * 1000 + [300] * 1700, above=trunk, seed=6)
    network = Network()
    me, machine = victim(network)
    me.facts.lab.now = light[-1].time + 60
    bad, liar = attacker(network, heavy)
    network.connect(me, bad)
    before = stored_headers(me)
    assert network.run_until(lambda: machine.headers.memory(1) > 2000 // 8, 20), "it was not measured"
    liar.chain, liar.heights = light, {header.id: header.height for header in light}
    network.run(20)
    assert stored_headers(me) == before
    assert me.points("attacker") == 100
    assert me.blames[0].reason.startswith("headers-changed")


def test_a_liar_about_its_height_is_found_out_at_once() -> None:
    """It claims a million blocks and has the same chain as we: one question later nobody waits for them."""
    network = Network()
    me, machine = syncer(network, "me", Lab(PARAMS))
    me.facts.lab.mine_empty(20)
    liar = server(network, "liar", me.facts.lab.fork())
    liar.says = claims(10**6, 10**12)
    network.connect(me, liar)
    assert machine.headers.status.target == 10**6
    assert not machine.headers.status.synced
    network.run(2)
    assert me.points("liar") == 50
    status = machine.headers.status
    assert (status.synced, status.target, status.message) == (True, 20, "synced")


def test_claims_of_strangers_do_not_stop_a_synced_node() -> None:
    network = Network()
    me, machine = syncer(network, "me", Lab(PARAMS))
    me.facts.lab.mine_empty(20)
    network.connect(me, server(network, "honest", me.facts.lab.fork()))
    network.run(3)
    assert machine.headers.status.synced
    liar = network.add("liar", LabFacts(me.facts.lab.fork()), Silent())
    liar.says = claims(10**6, 10**12)
    network.connect(me, liar)
    for _ in range(200):
        network.run(1)
        assert machine.headers.status.synced
        assert machine.headers.status.target == 20


def test_the_smaller_half_of_a_partition_is_not_blamed() -> None:
    """It tells the truth about its work, which is not worth fetching; its announcements are not pursued either."""
    network = Network()
    me, machine = victim(network)
    small = lab_of(PARAMS, cheap_chain()[:300])
    other = server(network, "small", small)
    peer, _ = network.connect(me, other)
    before = stored_headers(me)
    for _ in range(60):
        small.mine()
        network.apply(me, machine.headers.announced(peer, small.chain.tip.header, network.now))
        network.run(120)
    assert stored_headers(me) == before
    assert me.points("small") <= 120
    assert machine.headers.status.synced


def test_headers_that_nobody_asked_for() -> None:
    """More than eight in a message are not looked at; each such message costs 20 points."""
    network = Network()
    me, machine = victim(network)
    bad = network.add("attacker", LabFacts(Lab(PARAMS)), Silent())
    peer, _ = network.connect(me, bad)
    before, tasks = stored_headers(me), len(me.tasks)
    for _ in range(5):
        network.apply(me, machine.message(peer, Headers(tuple(cheap_chain()[:MAX_HEADERS])), network.now))
    assert me.points("attacker") == 100
    assert (stored_headers(me), len(me.tasks)) == (before, tasks)


def test_cheap_announcements_cost_no_hash_and_end_in_a_ban() -> None:
    """One valid cheap header after the other on an old block of ours."""
    network = Network()
    me, machine = victim(network)
    bad = network.add("attacker", LabFacts(Lab(PARAMS)), Silent())
    peer, _ = network.connect(me, bad)
    before = stored_headers(me)
    for seed in range(50):
        (header,) = mine_headers(PARAMS, [200], above=our_chain()[:5], seed=seed)
        network.apply(me, machine.message(peer, Headers((header,)), network.now))
    assert me.points("attacker") == 100
    assert stored_headers(me) == before
    assert hashed(me) == 0


def test_announcements_without_parents_end_in_a_ban() -> None:
    network = Network()
    me, machine = victim(network)
    bad = network.add("attacker", LabFacts(Lab(PARAMS)), Silent())
    peer, _ = network.connect(me, bad)
    for number in range(50):
        stray = Header(1, 9, number.to_bytes(32, "big"), bytes(32), bytes(32), 0, 0, 0)
        network.apply(me, machine.message(peer, Headers((stray,)), network.now))
    assert me.points("attacker") == 100


@pytest.mark.parametrize("at", [5, 950], ids=["deep", "tip"])
def test_headers_that_do_not_follow_each_other(at: int) -> None:
    """Heights, times and bits are right, and each has work; but the second is not the child of the first."""
    network = Network()
    me, machine = victim(network)
    bad = network.add("attacker", LabFacts(Lab(PARAMS)), Silent())
    peer, _ = network.connect(me, bad)
    trunk = our_chain()[:at]
    one, other = (mine_headers(PARAMS, [121, 120], above=trunk, seed=seed) for seed in (1, 2))
    network.apply(me, machine.message(peer, Headers((one[0], other[1])), network.now))
    assert [(blame.points, blame.reason.split(":")[0]) for blame in me.blames] == [(100, "headers-gap")]
    assert me.facts.header(one[0].id) is None
