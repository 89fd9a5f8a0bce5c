"""The router, as the node sees it: a process of its own at the other end of a channel.

The node tells it who it is, what the ledger says of the keys it asks about, and what people want to know (``ask``); it
tells its questions, its neighbours and its troubles. When it ends it is started again, after 1 s, 2 s, … 30 s; until
then an alarm stands. Nothing that comes through the channel is trusted to be well-formed.
"""

import itertools
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import structlog
import trio

from meshchain.ledger.errors import LocalError
from meshchain.ledger.store import layout
from meshchain.mesh.bindings import own_addresses
from meshchain.mesh.neighbour import MeshNeighbour
from meshchain.mesh.telling import Message, of_answers, of_tip
from meshchain.mesh.watch import Answer, Watch
from meshchain.service.ledger import LedgerService
from meshrouter.links.specs import LinkSpec
from meshrouter.process.channel import ChannelError, Splitter, decode, encode
from meshrouter.process.start import Start

_BACKLOG: Final = 1024
"""Messages waiting for the router; a router that takes none for so long is ended."""
_FIRST_WAIT: Final = 1.0
_LAST_WAIT: Final = 30.0
_LASTED: Final = 60.0
"""Seconds after which a router counts as a good one."""
_STUCK: Final = 10.0
"""Seconds that a router may take to read a message; it reads all it gets at once."""
_STOP_TIME: Final = 5.0
"""Seconds that it has for saying goodbye to neighbours and taking its TUN away."""
SEQNOS: Final = 1000
"""Sequence numbers reserved at a time: a restart goes on with fresh ones, and writes to disk are rare."""
_SUBJECTS: Final = 4096
"""Questions in one message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What every router of this node is started with."""

    seed: bytes
    key: bytes
    zone: int
    links: tuple[LinkSpec, ...]
    tun: str | None
    gossip_port: int
    rules: tuple[Mapping[str, Any], ...] = ()


class RouterService:
    """``open_channel`` starts a router and returns our end of a socketpair with it; LocalError."""

    def __init__(
        self, ledger: LedgerService, setup: Setup, open_channel: Callable[[], Awaitable[socket.socket]]
    ) -> None:
        self._ledger = ledger
        self._setup = setup
        self._open_channel = open_channel
        self._watch = Watch()
        self._watching = trio.Lock()
        self._numbers = itertools.count(1)
        self._asked: dict[int, trio.MemorySendChannel[Message]] = {}
        self._outbox: trio.MemorySendChannel[Message] | None = None
        self._told_alarms: dict[str, None] = {}
        self._log = structlog.get_logger("router")
        self.neighbours: tuple[MeshNeighbour, ...] = ()
        self.has_tun = False
        """Whether the router has its TUN now."""
        self.moved = trio.Event()
        """Replaced after it fires: ``neighbours`` or ``has_tun`` has changed."""

    # --- for the rest of the node --------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        return self._outbox is not None

    async def ask(self, method: str, params: Mapping[str, Any], patience: float) -> Message:
        """The router's answer. LocalError: router-down, router-timeout, or the router's own code."""
        if self._outbox is None:
            raise LocalError("router-down", "the router is not running; see the alarms in `meshctl status`")
        number = next(self._numbers)
        send, receive = trio.open_memory_channel[Message](1)
        self._asked[number] = send
        try:
            self._send({"type": "ask", "id": number, "method": method, "params": dict(params)})
            with trio.fail_after(patience):
                return _result(await receive.receive())
        except trio.TooSlowError:
            raise LocalError("router-timeout", f"the router did not answer within {patience:.0f} s") from None
        except trio.EndOfChannel:
            raise LocalError("router-down", "the router ended before it had answered") from None
        finally:
            self._asked.pop(number, None)

    async def run(self) -> None:
        """Keep a router running. Never returns."""
        wait = _FIRST_WAIT
        while True:
            began = trio.current_time()
            reason = await self._run_once()
            wait = _FIRST_WAIT if trio.current_time() - began > _LASTED else wait
            self._down(f"{reason}; it is started again in {wait:.0f} s")
            await trio.sleep(wait)
            wait = min(2 * wait, _LAST_WAIT)

    # --- one life of a router --------------------------------------------------------------------------------

    async def _run_once(self) -> str:
        """Why it is over."""
        try:
            channel = trio.SocketStream(trio.socket.from_stdlib_socket(await self._open_channel()))
        except (LocalError, OSError) as error:
            return f"the router cannot be started: {error}"
        reason = "the router has ended"
        try:
            async with channel:
                await self._talk(channel)
        except* (trio.BrokenResourceError, trio.ClosedResourceError, trio.WouldBlock, trio.TooSlowError) as errors:
            reason = f"the router is lost: {_first(errors)!r}"
        except* (LocalError, ChannelError) as errors:
            reason = f"the router cannot go on: {_first(errors)}"
        return reason

    async def _talk(self, channel: trio.SocketStream) -> None:
        """Until the router ends; told to stop when this is cancelled, so that it takes its TUN away."""
        send, receive = trio.open_memory_channel[Message](_BACKLOG)
        try:
            send.send_nowait(await self._start())
            self._outbox = send  # what others have to say comes behind the start
            self._watch = Watch()
            self._tell_tip()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_write, channel, receive)
                nursery.start_soon(self._follow_ledger)
                await self._read(channel)
                nursery.cancel_scope.cancel()
        except* trio.Cancelled:
            await _stop(channel)
            raise

    async def _start(self) -> Message:
        setup, view = self._setup, self._ledger.view
        claims = own_addresses(view, setup.key)
        return Start(
            seed=setup.seed,
            genesis=view.genesis_id,
            zone=setup.zone,
            gossip_port=setup.gossip_port,
            seqno=await self._reserve(0),
            links=setup.links,
            tun=setup.tun,
            claimed=claims[0] if claims else None,
            extra={"rules": list(setup.rules)},
        ).to_json()

    async def _read(self, channel: trio.SocketStream) -> None:
        """Every message of the router, until it ends, or claims one that is too long."""
        splitter = Splitter()
        with suppress(ChannelError):
            while data := await channel.receive_some(65536):
                for raw in splitter.add(bytes(data)):
                    await self._take(raw)

    async def _take(self, raw: bytes) -> None:
        try:
            message = decode(raw)
            handler = _HANDLERS.get(message["type"])
            if handler is not None:
                await handler(self, message)
        except (ChannelError, ValueError, KeyError, TypeError) as error:
            self._log.error(
                "a message of the router makes no sense", error=repr(error), start=raw[:200].decode("latin1")
            )

    # --- what the router says ------------------------------------------------------------------------------

    async def _ready(self, _message: Message) -> None:
        self._ledger.alarms.clear("router")
        self._log.info("router runs")

    async def _questions(self, message: Message) -> None:
        subjects = [bytes.fromhex(subject) for subject in message["subjects"][:_SUBJECTS]]
        if any(len(subject) not in (16, 32) for subject in subjects):
            raise ValueError("a subject is a key or an address")
        await self._tell(partial(self._watch.ask, self._ledger.view, subjects))

    async def _forgotten(self, message: Message) -> None:
        self._watch.forget(bytes.fromhex(subject) for subject in message["subjects"])

    async def _seqno(self, message: Message) -> None:
        self._send({"type": "seqno", "first": await self._reserve(int(message["above"]))})

    async def _neighbours(self, message: Message) -> None:
        neighbours = tuple(map(MeshNeighbour.from_form, message["list"]))
        self.neighbours, self.has_tun = neighbours, bool(message["tun"])
        self.moved.set()
        self.moved = trio.Event()

    async def _answer(self, message: Message) -> None:
        waiting = self._asked.get(message["id"])
        if waiting is not None:
            waiting.send_nowait(message)

    async def _alarm(self, message: Message) -> None:
        code = f"router-{message['code']}"
        self._told_alarms[code] = None
        self._ledger.alarms.set(code, message.get("message"))

    async def _note(self, message: Message) -> None:
        level = message.pop("level")
        del message["type"]
        getattr(self._log, level if level in ("info", "warning", "error") else "info")(message.pop("event"), **message)

    # --- what it is told -----------------------------------------------------------------------------------

    async def _follow_ledger(self) -> None:
        tip, synced = self._ledger.view.tip_id, self._ledger.synced
        while True:
            changed = self._ledger.changed
            if (self._ledger.view.tip_id, self._ledger.synced) != (tip, synced):
                tip, synced = self._ledger.view.tip_id, self._ledger.synced
                self._tell_tip()
                await self._tell(partial(self._watch.moved, self._ledger.view))
            await changed.wait()

    def _tell_tip(self) -> None:
        self._send_all(of_tip(self._ledger.view, self._setup.key, synced=self._ledger.synced))

    async def _tell(self, look: Callable[[], list[Answer]]) -> None:
        """What the watch finds, in a thread; one look after the other."""
        async with self._watching:
            self._send_all(of_answers(await trio.to_thread.run_sync(look)))

    async def _reserve(self, above: int) -> int:
        """The first of SEQNOS numbers that no announcement of this key has had; on disk before it is used."""
        stored = self._ledger.chain.store.get(layout.SEQNO)
        first = max(int.from_bytes(stored, "big") if stored else 1, above + 1)
        await self._ledger.keep({layout.SEQNO: (first + SEQNOS).to_bytes(8, "big")})
        return first

    def _send_all(self, messages: Iterable[Message]) -> None:
        for message in messages:
            self._send(message)

    def _send(self, message: Message) -> None:
        if self._outbox is not None:
            self._outbox.send_nowait(message)  # WouldBlock ends this router

    def _down(self, reason: str) -> None:
        self._outbox = None
        self.neighbours, self.has_tun = (), False
        self.moved.set()
        self.moved = trio.Event()
        for waiting in self._asked.values():
            waiting.close()
        for code in self._told_alarms:
            self._ledger.alarms.clear(code)
        self._told_alarms.clear()
        self._ledger.alarms.raise_("router", reason)


_HANDLERS: Final[dict[str, Callable[[RouterService, Message], Awaitable[None]]]] = {
    "ready": RouterService._ready,
    "questions": RouterService._questions,
    "forgotten": RouterService._forgotten,
    "seqno": RouterService._seqno,
    "neighbours": RouterService._neighbours,
    "answer": RouterService._answer,
    "alarm": RouterService._alarm,
    "alarm-over": RouterService._alarm,
    "log": RouterService._note,
}


async def _write(channel: trio.SocketStream, outbox: trio.MemoryReceiveChannel[Message]) -> None:
    """Whole messages only, also when the node stops: another one may follow."""
    async for message in outbox:
        with trio.CancelScope(shield=True), trio.fail_after(_STUCK):
            await channel.send_all(encode(message))


async def _stop(channel: trio.SocketStream) -> None:
    """Say it, and wait for the end."""
    with trio.move_on_after(_STOP_TIME, shield=True), suppress(trio.BrokenResourceError, trio.ClosedResourceError):
        await channel.send_all(encode({"type": "stop"}))
        while await channel.receive_some(65536):
            pass


def _result(answer: Message) -> Message:
    if "error" in answer:
        raise LocalError(str(answer["error"]["code"]), str(answer["error"]["message"]))
    result = answer["result"]
    return result if isinstance(result, dict) else {"result": result}


def _first(errors: BaseExceptionGroup[Exception]) -> Exception:
    """Nurseries wrap what ended them, and wrap it again."""
    found = errors.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found
