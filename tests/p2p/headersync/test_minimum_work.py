"""A node that starts on a network whose work is known by policy: nothing lighter is stored, whoever offers it."""

from collections.abc import Sequence
from functools import cache
from random import Random

from meshchain.ledger.block import Block
from meshchain.ledger.header import Header
from meshchain.p2p.actions import CheckHeaders, Do
from meshchain.p2p.blocksync import BlockSync
from meshchain.p2p.headersync import HeaderSync
from meshchain.p2p.messages import MAX_HEADERS, CompactBlock
from meshchain.p2p.relay import BlockRelay
from tests.ledger.kit import Lab, small_params
from tests.p2p.kit import LabFacts, Network, Station, version_of
from tests.p2p.mining import mine_headers, work_of_chain
from tests.p2p.syncing import HeaderServer, claims, stored_headers, syncer

LENGTH = MAX_HEADERS + 200
MINIMUM = 2 * (MAX_HEADERS + 100)
"""Two hashes a header."""
PARAMS = small_params(minimum_chain_work=MINIMUM)


@cache
def chain() -> list[Header]:
    return mine_headers(PARAMS, [120] * LENGTH)


def offered(headers: Sequence[Header], work: int) -> Station:
    """A node that starts, after a peer who claims ``work`` has had an hour to offer ``headers``."""
    network, lab = Network(), Lab(PARAMS)
    lab.now = chain()[-1].time
    me, _ = syncer(network, "me", lab)
    peer = network.add("peer", LabFacts(Lab(PARAMS)), HeaderServer(headers))
    peer.says = claims(len(headers), work)
    network.connect(me, peer)
    network.run(3600)
    return me


def test_the_network_itself_is_stored_whole() -> None:
    assert work_of_chain(chain()) >= MINIMUM
    me = offered(chain(), work_of_chain(chain()))
    assert stored_headers(me) == 1 + LENGTH
    assert me.points("peer") == 0


def test_less_is_measured_and_forgotten_without_blame() -> None:
    lighter = chain()[: MAX_HEADERS + 50]
    me = offered(lighter, work_of_chain(lighter))
    assert stored_headers(me) == 1
    assert me.points("peer") == 0


def test_less_that_claims_to_be_more_is_blamed_for_the_claim() -> None:
    me = offered(chain()[: MAX_HEADERS + 50], 10**9)
    assert stored_headers(me) == 1
    assert me.points("peer") == 50
    assert not any(isinstance(task, CheckHeaders) for task in me.tasks)


def test_no_block_on_an_empty_chain_is_taken_unasked() -> None:
    """Neither whole nor compact: a body must not be the way around."""
    for minimum, taken in ((0, True), (MINIMUM, False)):
        lab = Lab(small_params(minimum_chain_work=minimum))
        facts = LabFacts(lab)
        (header,) = mine_headers(lab.params, [120])
        rng = Random(1)
        headers = HeaderSync(lab.params, facts, rng)
        blocks = BlockSync(lab.params, facts, rng, headers.heads)
        relay = BlockRelay(lab.params, facts, rng, announced=headers.announced)
        for machine in (blocks, relay):
            machine.peer_ready(7, 0.0)
        headers.peer_ready(7, version_of(facts), 0.0)
        whole = blocks.block(7, Block(header, ()).encode(), 1.0)
        compact = relay.compact(7, CompactBlock(header, 1, (), ()), 1.0)
        assert (any(isinstance(action, Do) for action in whole)) is taken
        stores = [a for a in compact if isinstance(a, Do) and isinstance(a.task, CheckHeaders)]
        assert bool(stores) is taken
