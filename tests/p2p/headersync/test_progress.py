"""What status says: before the first sync, at the tip, and when something heavier is missing."""

import random

from meshchain.ledger.header import Header
from meshchain.p2p.actions import CheckHeaders
from meshchain.p2p.headersync import HeaderSync, SyncProgress
from meshchain.p2p.headersync.progress import FAR, GRACE, LONG
from meshchain.p2p.messages import Headers
from tests.ledger.kit import Lab, small_params
from tests.p2p.kit import LabFacts, version_of
from tests.p2p.mining import lab_of, mine_headers
from tests.p2p.syncing import claims

PARAMS = small_params()
CHAIN: list[Header] = mine_headers(PARAMS, [120] * 60)


def start(height: int) -> tuple[LabFacts, HeaderSync]:
    lab = lab_of(PARAMS, CHAIN[:height]) if height else Lab(PARAMS)
    lab.now = CHAIN[-1].time
    facts = LabFacts(lab)
    return facts, HeaderSync(PARAMS, facts, random.Random(1))


def show(facts: LabFacts, sync: HeaderSync, peer: int, headers: list[Header], now: float) -> None:
    """The peer answers with these headers, and the ledger takes them."""
    sync.headers(peer, Headers(tuple(headers)), now)
    task = CheckHeaders(peer, headers)
    sync.checked(task, facts.do(task), now)


def test_without_peers() -> None:
    _, sync = start(3)
    sync.tick(0.0)
    assert sync.status.synced
    assert (sync.status.height, sync.status.target, sync.status.message) == (3, 3, "no peers")


def test_headers_then_blocks_then_synced() -> None:
    facts, sync = start(0)
    sync.peer_ready(1, claims(60, 120)(version_of(facts)), 0.0)
    assert (sync.status.synced, sync.status.message) == (False, "fetching headers: 0 of 60")
    show(facts, sync, 1, CHAIN, 1.0)
    assert (sync.status.synced, sync.status.message) == (False, "fetching blocks: 0 of 60")
    facts.lab.take(lab_of(PARAMS, CHAIN))
    sync.tick(2.0)
    assert (sync.status.synced, sync.status.height, sync.status.message) == (True, 60, "synced")


def test_before_the_first_sync_strangers_claims_count_for_a_minute_only() -> None:
    facts, sync = start(3)
    for second in range(2 * int(GRACE)):  # another one every second, none of which ever answers
        sync.peer_ready(second + 1, claims(10**6, 10**9)(version_of(facts)), float(second), inbound=True)
        assert sync.status.synced == (second >= GRACE), second
    facts, sync = start(3)
    sync.peer_ready(1, claims(10**6, 10**9)(version_of(facts)), 0.0)
    sync.tick(2 * GRACE - 1)
    assert not sync.status.synced, "a peer of our own choice is waited for until it has answered"


def test_a_block_on_its_way_is_no_fall_back() -> None:
    facts, sync = start(40)
    sync.peer_ready(1, version_of(facts), 0.0)
    sync.headers(1, Headers((CHAIN[39],)), 0.0)
    sync.tick(0.0)
    assert sync.status.synced
    show(facts, sync, 1, CHAIN[40 : 40 + MOST], 10.0)
    assert sync.status == SyncProgress(True, 40, 40 + MOST, f"fetching blocks: 40 of {40 + MOST}")
    sync.tick(10.0 + LONG - 1)
    assert verdict(sync)
    sync.tick(10.0 + LONG)
    assert not verdict(sync), "it has been missing for long"
    sync.peer_gone(1, 10.0 + LONG + 1)
    assert verdict(sync), "nobody offers it any more"


def verdict(sync: HeaderSync) -> bool:
    return sync.status.synced


MOST = 8
"""Headers that may come unasked."""


def test_many_missing_blocks_are_a_fall_back_at_once() -> None:
    facts, sync = start(40)
    sync.peer_ready(1, version_of(facts), 0.0)
    sync.tick(0.0)
    assert verdict(sync)
    show(facts, sync, 1, CHAIN[39 : 41 + FAR], 1.0)  # the question goes on from below our tip
    assert not verdict(sync)


def test_before_the_first_sync_one_missing_block_is_one_too_many() -> None:
    facts, sync = start(40)
    sync.peer_ready(1, claims(41, 82)(version_of(facts)), 0.0)
    assert not verdict(sync)
    show(facts, sync, 1, CHAIN[40:41], 1.0)
    assert not verdict(sync)


def test_a_parked_branch_is_nothing_to_wait_for() -> None:
    """All its bodies are here; whether it is adopted is the ledger's affair."""
    params = small_params(settled_depth=2)
    lab = Lab(params)
    lab.chain.settling = True
    lab.mine_empty(10)
    rival = lab.fork(back=6)
    rival.mine_empty(20)
    facts = LabFacts(lab)
    sync = HeaderSync(params, facts, random.Random(1))
    sync.peer_ready(1, claims(24, rival.chain.tip.work)(version_of(facts)), 0.0)
    sync.headers(1, Headers(tuple(block.header for block in rival.blocks())), 0.0)
    for block in rival.blocks():
        lab.chain.add_block(block, None)
    assert lab.chain.parked()
    task = CheckHeaders(1, [block.header for block in rival.blocks()])
    sync.checked(task, facts.do(task), 1.0)
    assert sync.status.synced
    assert (sync.status.height, sync.status.target) == (10, 10)
