"""The node's side of its router: a test plays the router at the other end of a real channel."""

import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import trio

from meshchain.ledger.errors import LocalError
from meshchain.mesh.neighbour import MeshNeighbour
from meshchain.p2p.standing import PeerStanding
from meshchain.service import router as module
from meshchain.service.ledger import LedgerService
from meshchain.service.router import SEQNOS, RouterService, Setup
from meshrouter.binding_form import binding_from_json
from meshrouter.directory import Binding, Role
from meshrouter.links.specs import Kind, LinkSpec
from meshrouter.process.start import Start
from tests.ledger.kit import Lab, Node
from tests.mesh.test_bindings import CLAIM, record
from tests.node.test_ledger_service import service, until

ME, PEER = Node(1), Node(2)
LINK = LinkSpec(kind=Kind.UDP_INTERFACE, name="udp:eth0", interface="eth0", port=3003)
SETUP = Setup(seed=ME.seed, key=ME.key, zone=0, links=(LINK,), tun="mesh0", gossip_port=9337)


class Played:
    """The router's end."""

    def __init__(self, sock: socket.socket) -> None:
        self._stream = trio.SocketStream(trio.socket.from_stdlib_socket(sock))
        self._buffer = bytearray()

    async def say(self, **message: Any) -> None:  # noqa: ANN401 - any JSON
        await self.say_raw(json.dumps(message).encode())

    async def say_raw(self, raw: bytes) -> None:
        await self._stream.send_all(len(raw).to_bytes(4, "big") + raw)

    async def hear(self, kind: str) -> dict[str, Any]:
        """The next message of this type."""
        with trio.fail_after(30):
            while True:
                message = json.loads(await self._take())
                if message["type"] == kind:
                    return dict(message)

    async def _take(self) -> bytes:
        while len(self._buffer) < 4 or len(self._buffer) < (end := 4 + int.from_bytes(self._buffer[:4], "big")):
            data = await self._stream.receive_some(65536)
            assert data, "the node hung up"
            self._buffer += data
        taken = bytes(self._buffer[4:end])
        del self._buffer[:end]
        return taken

    async def end(self) -> None:
        await self._stream.aclose()


class Started:
    """Counts the routers that the service asked for; hands each test its end."""

    def __init__(self) -> None:
        self.ends: list[socket.socket] = []
        self.played: list[Played] = []

    async def __call__(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        self.ends.append(theirs)
        return ours

    async def next(self, number: int = 1) -> Played:
        await until(lambda: len(self.ends) >= number)
        played = Played(self.ends[number - 1])
        self.played.append(played)
        return played

    async def end(self) -> None:
        for played in self.played:
            await played.end()
        for end in self.ends[len(self.played) :]:
            end.close()


@asynccontextmanager
async def running(lab: Lab) -> AsyncIterator[tuple[RouterService, Started, Callable[[], Awaitable[None]]]]:
    """A service on a lab's synced ledger; the callable lets the ledger look at what the lab has mined."""
    ledger, _ = service(lab)
    ledger.set_peers(PeerStanding(synced=True))
    async with running_on(ledger) as (router, started):
        yield router, started, ledger.tick


@asynccontextmanager
async def running_on(ledger: LedgerService) -> AsyncIterator[tuple[RouterService, Started]]:
    started = Started()
    router = RouterService(ledger, SETUP, started)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(router.run)
        yield router, started
        await started.end()
        nursery.cancel_scope.cancel()
    await started.end()


async def test_a_router_is_told_that_the_ledger_may_be_read_as_soon_as_it_may() -> None:
    """Nothing is missing all the time, but first it is not known whether somebody has more."""
    ledger, _ = service(Lab(), PeerStanding(searching=True))
    async with running_on(ledger) as (_, started):
        played = await started.next()
        assert (await played.hear("tip"))["synced"] is False
        ledger.set_peers(PeerStanding())
        assert (await played.hear("tip"))["synced"] is True


async def test_a_router_is_told_who_it_is_and_what_the_ledger_says() -> None:
    lab = Lab()
    owner = lab.owner()
    async with running(lab) as (_, started, tick):
        played = await started.next()
        start = await played.hear("start")
        told = Start.from_json(start)
        assert (told.seed, told.genesis, told.links) == (ME.seed, lab.genesis, (LINK,))
        assert (told.tun, told.gossip_port, told.claimed) == ("mesh0", 9337, None)
        assert (await played.hear("own"))["addresses"] == []
        await played.say(type="questions", subjects=[ME.key.hex(), CLAIM.hex()])
        (binding,) = (await played.hear("bindings"))["list"]
        assert binding_from_json(binding) == Binding(ME.key)
        assert (await played.hear("holders"))["list"] == [[CLAIM.hex(), None]]
        lab.register(owner, "alice", record(lab, owner, "alice", ME, ip6=CLAIM))
        await tick()
        assert (await played.hear("tip"))["height"] == lab.height
        assert (await played.hear("own"))["addresses"] == [CLAIM.hex()]
        (binding,) = (await played.hear("bindings"))["list"]
        assert binding_from_json(binding) == Binding(ME.key, Role.GUEST, "alice", CLAIM, 0)
        assert (await played.hear("holders"))["list"] == [[CLAIM.hex(), ME.key.hex()]]


async def test_what_is_asked_at_once_comes_behind_the_start() -> None:
    async with running(Lab()) as (router, started, _):
        played = await started.next()
        async with trio.open_nursery() as nursery:
            await until(lambda: router.running)
            nursery.start_soon(ignored, router.ask, "status", {}, 0.05)
            assert json.loads(await played._take())["type"] == "start"
            await played.hear("ask")


async def ignored(asked: Callable[..., Awaitable[object]], *arguments: object) -> None:
    with suppress(LocalError):
        await asked(*arguments)


async def test_a_node_that_stops_says_so_and_waits_for_the_end() -> None:
    async with running(Lab()) as (router, started, _):
        played = await started.next()
        await played.hear("start")
        ended: list[str] = []

        async def run_another() -> None:
            another = RouterService(router._ledger, SETUP, started)
            with trio.CancelScope() as scope:
                scopes.append(scope)
                await another.run()
            ended.append("node")

        scopes: list[trio.CancelScope] = []
        async with trio.open_nursery() as nursery:
            nursery.start_soon(run_another)
            other = await started.next(2)
            await other.hear("start")
            scopes[0].cancel()
            await other.hear("stop")
            ended.append("router")
            await other.end()
        assert ended == ["router", "node"]


async def test_sequence_numbers_are_never_given_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FIRST_WAIT", 0.01)
    async with running(Lab()) as (_, started, _tick):
        played = await started.next()
        first = (await played.hear("start"))["seqno"]
        await played.say(type="seqno", above=first + 5 * SEQNOS)
        jumped = (await played.hear("seqno"))["first"]
        assert jumped > first + 5 * SEQNOS
        await played.end()
        again = await started.next(2)
        assert (await again.hear("start"))["seqno"] == jumped + SEQNOS


async def test_questions_find_their_answers() -> None:
    async with running(Lab()) as (router, started, _):
        played = await started.next()
        await until(lambda: router.running)
        answers: dict[str, Any] = {}

        async def ask(method: str) -> None:
            try:
                answers[method] = await router.ask(method, {"x": 1}, 30)
            except LocalError as error:
                answers[method] = error.code

        async with trio.open_nursery() as nursery:
            for method in ("routes", "sessions", "ping"):
                nursery.start_soon(ask, method)
            asked = {(message := await played.hear("ask"))["method"]: message["id"] for _ in range(3)}
            await played.say(type="answer", id=999, result={})
            await played.say(type="answer", id=asked["sessions"], result={"sessions": []})
            await played.say(type="answer", id=asked["ping"], error={"code": "no-route", "message": "nowhere"})
            await until(lambda: len(answers) == 2)
            await played.end()
        assert answers == {"sessions": {"sessions": []}, "ping": "no-route", "routes": "router-down"}


async def test_a_router_that_is_slow_to_answer_is_not_waited_for() -> None:
    async with running(Lab()) as (router, started, _):
        await started.next()
        await until(lambda: router.running)
        with pytest.raises(LocalError, match="did not answer"):
            await router.ask("routes", {}, 0.05)


async def test_a_router_that_ends_is_started_again_and_an_alarm_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FIRST_WAIT", 0.01)
    async with running(Lab()) as (router, started, _):
        played = await started.next()
        alarms = router._ledger.alarms
        await played.say(type="alarm", code="tun", message="no permission")
        await until(lambda: [alarm.code for alarm in alarms.current] == ["router-tun"])
        await played.end()
        again = await started.next(2)
        await again.hear("start")
        assert [alarm.code for alarm in alarms.current] == ["router"], "what the old one said is void"
        await again.say(type="ready")
        await until(lambda: not alarms.current)


async def test_nonsense_is_dropped_and_what_follows_is_heard() -> None:
    form = {"key": PEER.key.hex(), "address": CLAIM.hex(), "gossip_port": 5, "underlay": "192.0.2.1", "tun": False}
    async with running(Lab()) as (router, started, _):
        played = await started.next()
        for nonsense in (b"{", b"[]", b"1", b'{"type": 7}', b'{"type": "questions"}', b'{"type": "nothing"}'):
            await played.say_raw(nonsense)
        await played.say(type="questions", subjects=["00"])
        await played.say(type="neighbours", tun=True, list=[{**form, "key": "00"}])
        await played.say(type="neighbours", tun=True, list=[form])
        await until(lambda: bool(router.neighbours))
        assert router.neighbours == (MeshNeighbour(PEER.key, CLAIM, 5, "192.0.2.1", tun=False),)
        assert router.has_tun
        await played.end()
        await until(lambda: not router.neighbours and not router.has_tun)


async def test_a_message_without_end_ends_the_router(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FIRST_WAIT", 0.01)
    async with running(Lab()) as (_, started, _tick):
        played = await started.next()
        with pytest.raises(trio.BrokenResourceError):
            await played._stream.send_all((2**31).to_bytes(4, "big") + bytes(3 << 20))
        await started.next(2)
