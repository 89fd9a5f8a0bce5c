"""Peers that withhold, stall, forge and flood. Each test prints what it cost."""

import pytest

from meshchain.ledger.block import Block, encode_body
from meshchain.ledger.chain.index import Flag
from meshchain.ledger.header import Header
from meshchain.p2p.actions import Action, ConnectBlock, Peer, Send
from meshchain.p2p.blocksync.sync import WINDOW
from meshchain.p2p.messages import BlockMessage, GetBlocks, Headers, Message, NotFound, Wanted
from tests.ledger.kit import Lab
from tests.p2p.blocksync.test_download import PARAMS, beginner, blocks_got, chain, full_lab
from tests.p2p.kit import LabFacts, Network, Station
from tests.p2p.mining import lab_of, mine_headers, mined_header
from tests.p2p.syncing import HeaderServer, Server, claims, sent, server, syncer


class Withholding(Server):
    """Sends every block but those at certain heights; says nothing about them, or that they are not found."""

    def __init__(self, facts: LabFacts, heights: range, *, admits: bool = False) -> None:
        super().__init__(facts)
        self.heights = heights
        self.admits = admits

    def answer_blocks(self, peer: Peer, message: GetBlocks) -> list[Action]:
        entries = [self.facts.header(block_id) for block_id in message.ids]
        held = [entry.id for entry in entries if entry is not None and entry.height in self.heights]
        ids = tuple(block_id for block_id in message.ids if block_id not in held)
        answers = super().answer_blocks(peer, GetBlocks(ids)) if ids else []
        return [*answers, Send(peer, NotFound(Wanted.BLOCK, tuple(held)))] if held and self.admits else answers


class Replacing(Server):
    """Sends another body under the same header."""

    def __init__(self, facts: LabFacts, height: int, body: bytes) -> None:
        super().__init__(facts)
        self.height = height
        self.body = body

    def answer_blocks(self, peer: Peer, message: GetBlocks) -> list[Action]:
        return [self._replace(action) for action in super().answer_blocks(peer, message)]

    def _replace(self, action: Action) -> Action:
        assert isinstance(action, Send)
        assert isinstance(action.message, BlockMessage)
        header = Header.decode(action.message.raw[: Header.SIZE])
        return Send(action.peer, BlockMessage(header.encode() + self.body)) if header.height == self.height else action


@pytest.mark.parametrize("admits", [False, True])
def test_withheld_block_is_fetched_from_another_peer(admits: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """One peer of two withholds block 500: passed over or not found, the other is asked at once."""
    network = Network()
    me, _ = beginner(network)
    facts = LabFacts(full_lab())
    withholding = network.add("withholding", facts, Withholding(facts, range(495, 500), admits=admits))
    network.connect(me, withholding)
    network.connect(me, server(network, "honest", full_lab()))
    assert network.run_until(lambda: me.height == 2500, 60)
    assert network.now < 6, "the others waited for it"
    assert not me.dropped("honest")
    assert me.points("honest") == 0
    with capsys.disabled():
        word = "not found" if admits else "passed over"
        print(f"\n  five blocks {word} by one of 2 peers: 2,500 blocks in {network.now:.1f} s")


@pytest.mark.parametrize(("admits", "points", "code"), [(True, 20, "block-withheld"), (False, 0, "block-timeout")])
def test_peer_that_never_gives_a_block_of_its_own_branch_is_closed(admits: bool, points: int, code: str) -> None:
    """Alone, it is asked again and again for the block. Afterwards an honest peer's branch is taken."""
    network = Network()
    me, machine = beginner(network)
    facts = LabFacts(full_lab())
    network.connect(me, network.add("withholding", facts, Withholding(facts, range(100, 101), admits=admits)))
    assert network.run_until(lambda: me.dropped("withholding"), 100)
    assert me.height == 99
    assert (me.points("withholding"), me.closed[0].code) == (points, code)
    assert machine.blocks.in_flight == 0
    network.connect(me, server(network, "honest", full_lab()))
    assert network.run_until(lambda: me.height == 2500, 60)


def test_withheld_heavier_branch_does_not_keep_us_from_the_best_that_is_to_be_had(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Headers with more work than anybody's, and no body: the honest branch is downloaded meanwhile."""
    network, trunk = Network(), chain()[:50]
    heavier = trunk + mine_headers(PARAMS, [120] * 150, above=trunk, seed=3)
    me, machine = beginner(network)
    bad = network.add("withholding", LabFacts(Lab(PARAMS)), HeaderServer(heavier))
    bad.says = claims(200, 400)
    network.connect(me, bad)
    assert network.run_until(lambda: me.facts.best_header().height == 200, 10)
    network.connect(me, server(network, "honest", lab_of(PARAMS, chain()[:150])))
    assert network.run_until(lambda: me.height == 150, 10), "the honest branch was not taken"
    took = network.now
    assert network.run_until(lambda: me.dropped("withholding"), 120)
    network.run(3)
    assert machine.headers.status.synced
    with capsys.disabled():
        print(f"\n  heavier headers without bodies: on the honest branch after {took:.1f} s", end=", ")
        print(f"the withholder closed after {network.now - 3:.0f} s")


def test_stalled_block_is_taken_away_and_the_silent_peer_closed(capsys: pytest.CaptureFixture[str]) -> None:
    network, lab = Network(), lab_of(PARAMS, chain()[:20])
    me, _ = beginner(network)
    stalling = server(network, "stalling", lab)
    network.connect(me, stalling)
    assert network.run_until(lambda: sent(stalling, GetBlocks) != [], 10)
    for link in stalling.links.values():
        link.free = 10_000.0
    network.connect(me, server(network, "honest", lab))
    assert network.run_until(lambda: me.height == 20, 20), "nobody else was asked"
    took = network.now
    assert took < 8
    assert network.run_until(lambda: me.dropped("stalling"), 100)
    assert [close.code for close in me.closed] == ["block-timeout"]
    with capsys.disabled():
        print(f"\n  the only peer asked falls silent: the other was asked after {took:.1f} s", end=", ")
        print(f"the silent one closed after {network.now:.0f} s")


def test_whoever_holds_up_a_full_window_has_two_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    """Three peers owe the first 48 blocks and send none; an honest one fills the window above and waits."""
    network = Network()
    me, _ = beginner(network)
    times: list[float] = []
    for number in range(3):
        stalling = server(network, f"stalling{number}", full_lab())
        network.connect(me, stalling)
        assert network.run_until(lambda stalling=stalling: sent(stalling, GetBlocks) != [], 10)  # type: ignore[misc]
        for link in stalling.links.values():
            link.free = 10_000.0
    network.connect(me, server(network, "honest", full_lab()))
    waiting = network.run_until(lambda: full_window(me), 10) and network.now

    def watch() -> bool:
        if len(me.closed) > len(times):
            times.append(network.now)
        return me.height == 2500

    assert network.run_until(watch, 120)
    assert me.closed[0].code == "block-stalled"
    assert times[0] - waiting <= 3.1
    assert not me.dropped("honest")
    assert not me.blames
    with capsys.disabled():
        print(f"\n  window full at {waiting:.1f} s: {[close.code for close in me.closed]} at {times}", end=", ")
        print(f"synced at {network.now:.1f} s")


def full_window(station: Station) -> bool:
    last = station.tasks[-1]
    entry = station.facts.header(last.block_id) if isinstance(last, ConnectBlock) else None
    return entry is not None and entry.height == station.height + WINDOW


def test_blocks_that_nobody_asked_for_are_dropped() -> None:
    """But for one on top of the tip."""
    network, lab = Network(), lab_of(PARAMS, chain()[:10])
    me, machine = syncer(network, "me", lab)
    peer, _ = network.connect(me, server(network, "other", lab_of(PARAMS, chain()[:10])))
    network.run(2)
    tasks, bodies = len(me.tasks), count_bodies(me)
    for header in [chain()[3], *chain()[11:200]]:
        network.apply(me, machine.message(peer, BlockMessage(Block(header, ()).encode()), network.now))
    network.run(1)
    assert (len(me.tasks), count_bodies(me)) == (tasks, bodies)
    network.apply(me, machine.message(peer, BlockMessage(Block(chain()[10], ()).encode()), network.now))
    network.run(1)
    assert me.height == 11
    assert not me.blames


def test_side_branches_are_not_stored_because_somebody_sends_them() -> None:
    """Known headers, unasked bodies: a peer cannot choose what fills the disk."""
    network, trunk = Network(), chain()[:30]
    side = mine_headers(PARAMS, [120] * 5, above=trunk[:20], seed=7)
    me, machine = syncer(network, "me", lab_of(PARAMS, trunk))
    me.facts.lab.chain.add_headers(side, None)
    peer, _ = network.connect(me, server(network, "other", lab_of(PARAMS, trunk)))
    network.run(2)
    bodies = count_bodies(me)
    for header in side:
        network.apply(me, machine.message(peer, BlockMessage(Block(header, ()).encode()), network.now))
    network.run(1)
    assert count_bodies(me) == bodies


def count_bodies(station: Station) -> int:
    index = station.facts.lab.chain.index
    return sum(bool(entry.flags & Flag.BODY) for leaf in index.leaves() for entry in index.ancestors(leaf))


@pytest.mark.parametrize("body", ["garbage", "truncated", "another"])
def test_wrong_body_is_the_senders_fault_and_not_the_headers(body: str, capsys: pytest.CaptureFixture[str]) -> None:
    network, lab = Network(), Lab(PARAMS)
    owner = lab.owner()
    commit = lab.stamp(owner.commit("alice"))
    for _ in range(40):
        lab.mine()
    raw = {"garbage": b"\xff" * 50, "truncated": encode_body((commit,))[:-1], "another": encode_body((commit,))}[body]
    facts = LabFacts(lab.fork())
    bad = network.add("bad", facts, Replacing(facts, 7, raw))
    me, _ = syncer(network, "me", Lab(PARAMS))
    me.facts.lab.now = lab.now
    network.connect(me, bad)
    network.run(5)
    assert me.points("bad") == 100
    assert me.height < 40
    entry = me.facts.header(lab.blocks()[6].header.id)
    assert entry is not None
    assert not entry.flags & Flag.FAILED
    network.connect(me, server(network, "honest", lab))
    assert network.run_until(lambda: me.height == 40, 20)
    with capsys.disabled():
        print(f"\n  {body} body: {me.blames[0].reason.split(':')[0]}, 100 points; the header's block connected later")


def test_best_header_on_an_invalid_branch(capsys: pytest.CaptureFixture[str]) -> None:
    """The heaviest headers lead over a block whose state root is wrong. Its sender is blamed, the branch is marked,
    and the honest lighter branch, offered by another peer, becomes active."""
    network, trunk = Network(), chain()[:50]
    wrong = mined_header(PARAMS, trunk, state_root=b"\1" * 32)
    heavier = [*trunk, wrong, *mine_headers(PARAMS, [120] * 100, above=[*trunk, wrong], seed=3)]
    me, machine = beginner(network)
    bad = network.add("bad", LabFacts(Lab(PARAMS)), BodyServer(heavier))
    bad.says = claims(151, 302)
    network.connect(me, bad)
    network.connect(me, server(network, "honest", lab_of(PARAMS, chain()[:120])))
    assert network.run_until(lambda: me.height == 120, 30)
    network.run(3)
    failed = me.facts.header(wrong.id)
    assert failed is not None
    assert failed.flags & Flag.FAILED
    assert me.facts.best_header().id == me.tip_id
    assert me.points("bad") >= 100
    assert me.points("honest") == 0
    assert machine.headers.status.synced
    with capsys.disabled():
        print(f"\n  151 headers over an invalid block: {me.points('bad')} points, honest branch of 120 active", end=" ")
        print(f"after {network.now - 3:.1f} s, {blocks_got(me).total()} bodies fetched")


class BodyServer(HeaderServer):
    """Headers and their empty blocks, valid or not."""

    def message(self, peer: Peer, message: Message, now: float) -> list[Action]:
        if isinstance(message, GetBlocks):
            by_id = {header.id: header for header in self.chain}
            return [Send(peer, BlockMessage(Block(by_id[i], ()).encode())) for i in message.ids if i in by_id]
        return super().message(peer, message, now)


def test_who_goes_on_announcing_an_invalid_branch_is_banned() -> None:
    network, trunk = Network(), chain()[:10]
    wrong = mined_header(PARAMS, trunk, state_root=b"\1" * 32)
    tail = mine_headers(PARAMS, [120] * 10, above=[*trunk, wrong])
    me, machine = syncer(network, "me", lab_of(PARAMS, trunk))
    assert me.facts.do(ConnectBlock(0, wrong.id, Block(wrong, ()).encode())).error is not None
    peer, _ = network.connect(me, server(network, "bad", lab_of(PARAMS, trunk)))
    network.run(2)
    for count in range(1, 6):
        network.apply(me, machine.message(peer, Headers((wrong, *tail[:count])), network.now))
        network.run(1)
    assert me.points("bad") == 100


def test_malformed_block_message() -> None:
    network, lab = Network(), lab_of(PARAMS, chain()[:10])
    me, machine = syncer(network, "me", lab)
    peer, _ = network.connect(me, server(network, "other", lab_of(PARAMS, chain()[:10])))
    network.apply(me, machine.message(peer, BlockMessage(b"\xff" * 130), network.now))
    assert me.points("other") == 100
    assert me.height == 10
