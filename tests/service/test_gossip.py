"""The shell around gossip, in process: what it does when the ledger is far behind, and how it saves."""

import threading
from collections.abc import Callable
from random import Random

import pytest
import trio
import trio.testing

from meshchain.ledger.store import layout
from meshchain.p2p import kept, messages
from meshchain.p2p.actions import AdmitOperation, Do
from meshchain.p2p.addresses import Snapshot, decode, encode
from meshchain.p2p.gossip import Own
from meshchain.p2p.messages import Headers, Ready
from meshchain.service.facts import LedgerFacts
from meshchain.service.gossip import _MAX_TASKS, GossipService
from tests.ledger.kit import Lab
from tests.node.test_ledger_service import service
from tests.p2p.addresses.crowd import NOW, anywhere, key_of, v4
from tests.p2p.kit import LabFacts, version_of
from tests.p2p.mining import mine_headers

PEER = 1


def shell(lab: Lab) -> GossipService:
    """A node's gossip, with nobody connected and none of its loops running."""
    ledger, clock = service(lab)
    own = Own(key=b"\x80" * 32, agent="test", listen_port=0)
    gossip = kept.recalled(lab.chain.store, facts=LedgerFacts(ledger), own=own, rng=Random(1), wall=clock.now)
    return GossipService(ledger, gossip, seed=bytes(32), listen=None, peers=())


def greet(one: GossipService, lab: Lab) -> None:
    """A peer is connected and ready, and has nothing that we lack."""
    now = one._now()
    one._gossip.opened(PEER, b"k" * 32, v4(10, 1), inbound=False, purpose="outbound", now=now)
    for message in (version_of(LabFacts(lab)), Ready(), Headers(())):
        one._carry_out(one._gossip.received(PEER, messages.encode(message), now))


def test_more_work_than_the_ledger_may_have_waiting_is_asked_for_again() -> None:
    """The channel is full: for gossip as if a disk had failed, so nobody is blamed and nothing is lost."""

    async def run() -> None:
        lab = Lab()
        one = shell(lab)
        greet(one, lab)
        for n in range(_MAX_TASKS):
            one._carry_out([Do(AdmitOperation(PEER + 1, n.to_bytes(32, "big"), b"x"))])
        (header,) = mine_headers(lab.params, [120])
        lab.now += 200
        announcement = messages.encode(Headers((header,)))
        one._carry_out(one._gossip.received(PEER, announcement, one._now()))
        state = one._gossip.machines.header_sync._peers[PEER]
        assert state.batch is None, "its outcome has come"
        assert state.retry_at is not None
        assert one._gossip.scores.points(b"k" * 32, NOW) == 0
        assert one._tasks_out.statistics().current_buffer_used == _MAX_TASKS
        one._tasks_out.receive_nowait()  # the ledger goes on
        one._carry_out(one._gossip.received(PEER, announcement, one._now()))
        assert one._gossip.machines.header_sync._peers[PEER].batch is not None
        assert one._tasks_out.statistics().current_buffer_used == _MAX_TASKS

    trio.run(run)


def test_a_book_is_encoded_beside_the_loop_and_as_it_was_when_the_saving_began(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[int] = []
    plain: Callable[[Snapshot], bytes] = Snapshot.encode

    def watched(snapshot: Snapshot) -> bytes:
        threads.append(threading.get_ident())
        trio.from_thread.run_sync(late)
        return plain(snapshot)

    lab, rng = Lab(), Random(1)
    book_of: list[GossipService] = []

    def late() -> None:
        """Something is heard while the book is being encoded."""
        book_of[0]._gossip.book.add(anywhere(rng), b"late", NOW, NOW)

    async def run() -> None:
        one = shell(lab)
        book_of.append(one)
        book = one._gossip.book
        for _ in range(500):
            endpoint = anywhere(rng)
            book.add(endpoint, b"src", NOW, NOW, key_of(endpoint))
        before = encode(book, [])
        monkeypatch.setattr(Snapshot, "encode", watched)
        await one.save()
        monkeypatch.undo()
        assert lab.chain.store.get(layout.ADDRESSES) == before
        assert encode(book, []) != before

    trio.run(run)
    assert threads
    assert threads[0] != threading.get_ident()


def test_two_savings_do_not_overtake_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last one, at the end of a run, is what stands."""
    plain: Callable[[Snapshot], bytes] = Snapshot.encode
    first, began = threading.Event(), threading.Event()

    def slow(snapshot: Snapshot) -> bytes:
        if not began.is_set():
            began.set()
            assert first.wait(30)
        return plain(snapshot)

    monkeypatch.setattr(Snapshot, "encode", slow)
    lab = Lab()

    async def run() -> None:
        one = shell(lab)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(one.save)
            await trio.to_thread.run_sync(began.wait)
            one._gossip.book.add(v4(10, 1), b"src", NOW, NOW)
            nursery.start_soon(one.save)
            await trio.testing.wait_all_tasks_blocked()
            assert one._saving.statistics().tasks_waiting == 1
            first.set()

    trio.run(run)
    saved = lab.chain.store.get(layout.ADDRESSES)
    assert saved is not None
    assert v4(10, 1) in decode(saved, Random(1), NOW)[0]
