"""Gossip over TCP: sockets, time and tasks around the sans-IO machines of ``meshchain.p2p``.

One task reads and one writes for each connection (``connection``). Work for the ledger goes through one channel to one
worker, and its outcomes come back into the machines. Whatever moves the chain or fills the mempool, here or elsewhere
in the node, is told to the machines by ``_follow_ledger``.

A ledger that cannot be read (its disk is full, and the database had to be closed) stops a machine in the middle of
something. Then all connections end and new machines take over as soon as it can be read again; addresses,
anchors, scores and bans live on.
"""

import itertools
import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from typing import Any

import structlog
import trio

from meshchain.config.values import Address
from meshchain.ledger.errors import LocalError
from meshchain.p2p import kept, messages
from meshchain.p2p.actions import Action, Close, Dial, Do, Endpoint, Outcome, Peer, Send, Task
from meshchain.p2p.gossip import Gossip
from meshchain.p2p.messages import MAX_BLOCKS, Goodbye
from meshchain.p2p.session import Session
from meshchain.p2p.slots import Door
from meshchain.p2p.standing import PeerStanding, standing_of
from meshchain.p2p.transport import Established, Received, Stream
from meshchain.service.connection import Connection
from meshchain.service.endpoints import endpoint_of, resolve, text_of
from meshchain.service.ledger import LedgerService

_TICK = 0.25
"""Seconds between looks at timers: block requests stall after 2 s, inventories trickle within 2 s."""
_QUIET_TICK = 1.0
"""The same while nothing moves: timers that do not hang on chain or mempool run for many seconds. Each look wakes up a
machine that may have nothing else to do."""
_QUIET_AFTER = 3.0
"""Seconds since chain or mempool changed."""
_DIAL_TIME = 10.0
_PAUSE = 1.0
"""Seconds between looks whether the ledger can be read again."""
_RESOLVE_EVERY = 300.0
_ANY = "::"
"""As an address to listen at: IPv4, too, which trio would leave out; or IPv4 alone if a machine has nothing else."""
_MOST_BANS = 200
"""Shown; the latest."""
_MAX_TASKS = 4096
"""Outstanding work; the machines keep far below it (16 blocks and one batch of headers a peer)."""


class GossipService:
    """Carries out what ``gossip`` wants. ``run`` never returns by itself."""

    def __init__(
        self, ledger: LedgerService, gossip: Gossip, *, seed: bytes, listen: Address | None, peers: tuple[Address, ...]
    ) -> None:
        self._ledger = ledger
        self._gossip = gossip
        self._seed = seed
        self._listen = listen
        self._peers = peers
        self._numbers = itertools.count(1)
        self._connections: dict[Peer, Connection] = {}
        self._door = Door()
        self._saving = trio.Lock()
        self._tasks_in, self._tasks_out = trio.open_memory_channel[Task](_MAX_TASKS)
        self._most_unsent = max(1 << 23, 2 * MAX_BLOCKS * messages.greatest(ledger.chain.params.consensus))
        self._nursery: trio.Nursery
        self._moved = trio.Event()
        """Set when chain or mempool change; replaced by the ticker."""
        self._moved_at = ledger.clock.running()
        self._started = ledger.clock.running()
        self._log = structlog.get_logger("gossip")

    async def open(self) -> None:
        """Bind the listening sockets; LocalError "p2p-address" if that cannot be."""
        self._listeners: list[trio.SocketListener] = []
        if self._listen is None:
            return
        try:
            host = None if self._listen.host == _ANY else self._listen.host
            self._listeners = await trio.open_tcp_listeners(self._listen.port, host=host)
        except OSError as error:
            raise LocalError("p2p-address", f"cannot listen for peers at {self._listen}: {error}") from None

    async def run(self) -> None:
        while True:
            try:
                await self._run_once()
            except* LocalError as errors:
                self._log.error("gossip pauses: the ledger cannot be read", error=str(_first(errors)))
            await self._begin_anew()

    async def _begin_anew(self) -> None:
        """Wait for a ledger that can be read and a port that is free."""
        self._ledger.set_peers(PeerStanding(message="no peers: the ledger cannot be read"))
        while True:
            await trio.sleep(_PAUSE)
            try:
                self._ledger.view.index.main_id(0)
                await self.open()
            except LocalError:
                continue
            self._gossip = self._gossip.renewed()
            self._tasks_in, self._tasks_out = trio.open_memory_channel[Task](_MAX_TASKS)
            return

    async def _run_once(self) -> None:
        async with trio.open_nursery() as self._nursery:
            if self._listeners:
                self._nursery.start_soon(trio.serve_listeners, self._accept, self._listeners)
            for loop in (self._resolve, self._tick, self._work, self._follow_ledger, self._save):
                self._nursery.start_soon(loop)

    def set_neighbours(self, neighbours: Mapping[Endpoint, bytes]) -> None:
        """Nodes on our links, which are peers as long as they are there: endpoint → key."""
        self._gossip.slots.set_neighbours(neighbours)

    def wire_bytes(self, peer: Peer) -> tuple[int, int]:
        """Bytes sent and received on a connection."""
        connection = self._connections.get(peer)
        return (0, 0) if connection is None else (connection.sent, connection.received)

    # --- connections ---------------------------------------------------------------------------------------

    async def _accept(self, sock: trio.SocketStream) -> None:
        """Strangers are counted until their key is proven, or they are gone."""
        try:
            endpoint = endpoint_of(sock)
        except OSError:  # gone already
            await sock.aclose()
            return
        if not self._door.knock(endpoint.ip, self._now()):
            await sock.aclose()
            return
        with ExitStack() as inside:
            inside.callback(self._door.entered, endpoint.ip)
            await self._serve(sock, endpoint, inbound=True, purpose="inbound", proven=inside.close)

    async def _dial(self, action: Dial) -> None:
        try:
            with trio.fail_after(_DIAL_TIME):
                sock = await trio.open_tcp_stream(text_of(action.endpoint), action.endpoint.port)
        except (OSError, trio.TooSlowError):
            self._gossip.dial_failed(action.endpoint, self._now())
            return
        if not await self._serve(sock, action.endpoint, inbound=False, purpose=action.purpose):
            self._gossip.dial_failed(action.endpoint, self._now())

    async def _serve(
        self,
        sock: trio.SocketStream,
        endpoint: Endpoint,
        *,
        inbound: bool,
        purpose: str,
        proven: Callable[[], None] = lambda: None,
    ) -> bool:
        """Run a connection to its end; whether its key was ever proven (``proven`` is called when it is)."""
        peer = next(self._numbers)
        stream = Stream(
            initiator=not inbound, seed=self._seed, rng=os.urandom, now=self._now(), limit_of=self._limit_of
        )
        connection = Connection(sock, stream, endpoint, inbound=inbound, purpose=purpose, most_unsent=self._most_unsent)
        self._connections[peer] = connection
        end = None
        try:
            end = await connection.run(partial(self._received, peer, proven), self._now)
        finally:
            del self._connections[peer]
            blame = end.reason if end is not None and end.blame else None
            self._carry_out(self._gossip.closed(peer, self._now(), blame=blame))
        if connection.proven:
            self._log.info("peer gone", peer=peer, endpoint=text_of(endpoint), code=end.code, why=end.reason)
        return connection.proven

    def _received(self, peer: Peer, proven: Callable[[], None], event: Established | Received) -> None:
        connection, now = self._connections[peer], self._now()
        if isinstance(event, Received):
            self._carry_out(self._gossip.received(peer, event.message, now))
            return
        connection.proven = True
        proven()
        endpoint, inbound, purpose = connection.endpoint, connection.inbound, connection.purpose
        self._log.info("peer", peer=peer, endpoint=text_of(endpoint), purpose=purpose, key=event.remote_key.hex()[:16])
        self._carry_out(
            self._gossip.opened(peer, event.remote_key, endpoint, inbound=inbound, purpose=purpose, now=now)
        )

    def _limit_of(self, kind: int) -> int:
        return messages.limit_of(kind, self._ledger.chain.params.consensus)

    # --- loops ---------------------------------------------------------------------------------------------

    async def _resolve(self) -> None:
        """Names of configured peers may lead elsewhere one day: they are looked up again and again."""
        while True:
            for address in self._peers:
                for endpoint in await resolve(address):
                    self._gossip.slots.want(endpoint)
            await trio.sleep(_RESOLVE_EVERY if self._peers else float("inf"))

    async def _save(self) -> None:
        """Keep addresses and bans every few minutes; a full disk costs no more than some memory of the network."""
        while True:
            await trio.sleep(kept.SAVE_EVERY)
            await self.save()

    async def save(self) -> None:
        """One after the other, so that the older never comes to stand over the newer."""
        try:
            async with self._saving:
                await self._ledger.keep(await trio.to_thread.run_sync(kept.rows_later(self._gossip)))
        except LocalError as error:
            self._log.warning("addresses not saved", code=error.code, error=error.message)

    async def _tick(self) -> None:
        while True:
            self._carry_out(self._gossip.tick(self._now()))
            self._publish()
            await trio.sleep(_TICK)
            if self._now() > self._moved_at + _QUIET_AFTER:
                self._moved = trio.Event()
                with trio.move_on_after(_QUIET_TICK - _TICK):
                    await self._moved.wait()

    def _stir(self) -> None:
        """Chain or mempool has changed: timers are short for a while."""
        self._moved_at = self._now()
        self._moved.set()

    async def _work(self) -> None:
        """All that waits goes to the ledger together, and again what it did not get to."""
        tasks: list[Task] = []
        while True:
            tasks = tasks or [await self._tasks_out.receive()]
            with suppress(trio.WouldBlock):
                while True:
                    tasks.append(self._tasks_out.receive_nowait())
            outcomes = await self._ledger.perform(tasks)
            for task, outcome in zip(tasks, outcomes, strict=False):
                self._carry_out(self._gossip.completed(task, outcome, self._now()))
            del tasks[: len(outcomes)]

    async def _follow_ledger(self) -> None:
        tip, pending = self._ledger.view.tip_id, self._ledger.pending
        while True:
            changed = self._ledger.changed
            if self._ledger.pending != pending:
                known = {item.wid for item in pending}
                pending = self._ledger.pending
                fresh = [item for item in pending if item.wid not in known]
                self._carry_out(self._gossip.admitted(fresh, self._now()))
                self._stir()
            if self._ledger.view.tip_id != tip:
                tip = self._ledger.view.tip_id
                self._carry_out(self._gossip.switched(self._now()))
                self._stir()
            await changed.wait()

    def _publish(self) -> None:
        gossip, params = self._gossip, self._ledger.chain.params
        standing = standing_of(gossip, params, configured=bool(self._peers), started=self._started, now=self._now())
        rows = tuple(map(self._row, gossip.sessions.values()))
        self._ledger.set_peers(replace(standing, table=rows, bans=self._ban_rows()))

    def _ban_rows(self) -> tuple[dict[str, Any], ...]:
        standing = self._gossip.scores.standing(self._ledger.clock.now())[: -_MOST_BANS - 1 : -1]
        return tuple({**_who(who), "until": int(ban.until), "reason": ban.reason} for who, ban in standing)

    def _row(self, session: Session) -> dict[str, Any]:
        sent, received = self.wire_bytes(session.peer)
        wall = self._ledger.clock.now()
        return {
            "id": session.peer,
            "address": str(Address(text_of(session.endpoint), session.endpoint.port)),
            "direction": "in" if session.inbound else "out",
            "purpose": session.purpose,
            "state": session.stage.value,
            "key": session.key.hex(),
            "agent": session.theirs.agent if session.theirs else "",
            "height": self._gossip.height_of(session.peer),
            "sent": sent,
            "received": received,
            "ping_ms": None if session.round_trip is None else round(1000 * session.round_trip, 1),
            "score": round(self._gossip.scores.points(session.key, wall)),
            "reason": self._gossip.scores.reason(session.key),
            "seconds": round(self._now() - session.opened),
        }

    # --- actions -------------------------------------------------------------------------------------------

    def _now(self) -> float:
        return self._ledger.clock.running()

    def _carry_out(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Send(peer=peer, message=message):
                    self._send(peer, messages.encode(message))
                case Close(peer=peer, code=code, reason=reason):
                    self._close(peer, code, reason)
                case Dial():
                    self._nursery.start_soon(self._dial, action)
                case Do(task=task):
                    self._order(task)

    def _order(self, task: Task) -> None:
        """Give work to the ledger; if it is too far behind, that is for the machines as if its disk had failed."""
        try:
            self._tasks_in.send_nowait(task)
        except trio.WouldBlock:
            busy = Outcome(error=LocalError("busy", f"{_MAX_TASKS} tasks wait for the ledger"))
            self._carry_out(self._gossip.completed(task, busy, self._now()))

    def _send(self, peer: Peer, data: bytes) -> None:
        if peer in self._connections:
            self._connections[peer].send(data)

    def _close(self, peer: Peer, code: str, reason: str) -> None:
        if peer in self._connections:
            self._connections[peer].send(messages.encode(Goodbye.saying(code, reason)))
            self._connections[peer].close(code, reason)


def _who(banned: bytes) -> dict[str, str]:
    """A key of 32 bytes, a host of 16."""
    if len(banned) != 16:
        return {"who": banned.hex(), "kind": "key"}
    return {"who": text_of(Endpoint(banned, 0)), "kind": "host"}


def _first(errors: BaseExceptionGroup[Exception]) -> Exception:
    """Nurseries wrap what ended them, and wrap it again."""
    found = errors.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found
