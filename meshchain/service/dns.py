"""The DNS server's sockets: UDP in a thread of its own, TCP and forwarding in the node's loop.

UDP takes what waits, looks each question up among the answers already given, and sends them all; only what is not there
passes through the engine. One task or one await per packet would cost more than the answer. The thread reads
immutable snapshots; the node's loop hands over a new one (``Engine.publish``) when the chain has moved, once the serial
that it raises is on disk.

TCP (RFC 7766): 64 connections at once, 10 s for a question to come or an answer to go; a zone is sent as fast as the
client takes it, to this machine only. Forwarding: 128 questions at once, 2 s for each resolver in turn; for programs of
this machine only, so that the node is no open resolver.
"""

import select
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Protocol

import structlog
import trio

from meshchain.config.values import Address
from meshchain.dns import transfer
from meshchain.dns.engine import FORWARD, Engine, is_local
from meshchain.dns.history import Snapshot, history_of
from meshchain.dns.query import Malformed, Unanswerable, parse
from meshchain.dns.serial import ZoneVersion
from meshchain.dns.signing import Signer
from meshchain.dns.types import AXFR, IXFR
from meshchain.ledger.chain.view import ChainView
from meshchain.ledger.errors import LocalError
from meshchain.ledger.store import layout
from meshchain.service.datagrams import Datagram, Datagrams, endpoint
from meshchain.service.ledger import LedgerService

MOST_STREAMS: Final = 64
PATIENCE: Final = 10.0
MOST_FORWARDED: Final = 128
RESOLVER_TIME: Final = 2.0
_PACKET: Final = 4096
_LOOPBACK: Final = b"\x7f\0\0\1"
_IPV4: Final = 16
"""Bytes of a struct sockaddr_in."""
_POLL: Final = 1.0
"""Seconds after which synchronisation is looked at again."""
_BUFFER: Final = 1 << 22
"""Bytes of questions that may wait in the kernel, as far as it permits."""


class Source(Protocol):
    """What the DNS server needs of the ledger."""

    @property
    def view(self) -> ChainView: ...

    @property
    def changed(self) -> trio.Event:
        """Fires after the view has been replaced."""

    @property
    def synced(self) -> bool: ...

    @property
    def progress(self) -> str: ...

    async def keep(self, rows: Mapping[bytes, bytes]) -> None:
        """LocalError."""


@dataclass(frozen=True, slots=True)
class LedgerSource:
    """The node's own ledger."""

    ledger: LedgerService

    @property
    def view(self) -> ChainView:
        return self.ledger.view

    @property
    def changed(self) -> trio.Event:
        return self.ledger.changed

    @property
    def synced(self) -> bool:
        return self.ledger.synced

    @property
    def progress(self) -> str:
        target = self.ledger.peers.target
        return f"at block {self.view.height}" + (f" of {target}" if target else "")

    async def keep(self, rows: Mapping[bytes, bytes]) -> None:
        await self.ledger.keep(rows)


class DnsService:
    """``stored``: the row ``layout.ZONE`` of the store."""

    def __init__(
        self,
        listen: Address,
        forward: Sequence[Address],
        source: Source,
        signer: Signer,
        *,
        stored: bytes | None,
        secret: bytes,
        now: Callable[[], float],
        steady: Callable[[], float],
    ) -> None:
        self._listen = listen
        self._forward = tuple(forward)
        self._source = source
        self._version = ZoneVersion.decode(stored)
        self._log = structlog.get_logger("dns")
        self._streams = trio.CapacityLimiter(MOST_STREAMS)
        self._forwarding = 0
        self._signer = signer
        self.engine = Engine(
            signer, self._snapshot(synced=False), secret=secret, now=now, steady=steady, forwards=bool(forward)
        )
        self.port = 0

    async def open(self) -> None:
        """Bind UDP and TCP to one port; LocalError "dns-address" if that cannot be."""
        try:
            self._listeners = await trio.open_tcp_listeners(self._listen.port, host=self._listen.host)
            self.port = self._listeners[0].socket.getsockname()[1]
            self._udp = [_datagrams(listener.socket, self.port) for listener in self._listeners]
        except OSError as error:
            why = "choose another port with --dns, or --dns off"
            raise LocalError("dns-address", f"--dns cannot listen at {self._listen}: {error}; {why}") from None

    async def run(self) -> None:
        """Serve until cancelled."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            nursery.start_soon(self._follow)
            for sock in self._udp:
                nursery.start_soon(self._run_udp, sock)
            for listener in self._listeners:
                nursery.start_soon(partial(trio.serve_listeners, self._serve_stream, [listener]))

    # --- the ledger ----------------------------------------------------------------------------------------

    async def _follow(self) -> None:
        while True:
            changed = self._source.changed
            await self._publish()
            with trio.move_on_after(_POLL):
                await changed.wait()

    async def _publish(self) -> None:
        """A serial that cannot be written is not served: the node's disk has an alarm, this tries again."""
        version = self._version.follow(self._source.view.tip.state_root, self._signer.window, self._signer.key.tag)
        if version != self._version:
            try:
                await self._source.keep({layout.ZONE: version.encode()})
            except LocalError:
                return
            self._version = version
        before, after = self.engine.snapshot, self._snapshot(synced=self._source.synced)
        is_news = (before.serial, before.synced) != (after.serial, after.synced)
        if is_news and after.view.tip.state_root == version.root:  # else another tip has come meanwhile
            history = await trio.to_thread.run_sync(history_of, before, after)
            self.engine.publish(replace(after, history=history))

    def _snapshot(self, *, synced: bool) -> Snapshot:
        return Snapshot(self._source.view, self._version, synced, self._source.progress)

    # --- UDP -----------------------------------------------------------------------------------------------

    async def _run_udp(self, sock: socket.socket) -> None:
        """The thread ends when the pipe is closed."""
        token, done = trio.lowlevel.current_trio_token(), trio.Event()
        wake, waker = socket.socketpair()
        loop = _UdpLoop(
            self.engine, sock, wake, lambda packet, to: token.run_sync_soon(self._forward_udp, sock, packet, to)
        )
        thread = threading.Thread(target=loop.run, name="dns", daemon=True)
        thread.start()
        try:
            await done.wait()
        finally:
            waker.close()
            with trio.CancelScope(shield=True):
                await trio.to_thread.run_sync(thread.join)
            for end in (wake, sock):
                end.close()

    # --- TCP -----------------------------------------------------------------------------------------------

    async def _serve_stream(self, stream: trio.SocketStream) -> None:
        try:
            self._streams.acquire_on_behalf_of_nowait(stream)
        except trio.WouldBlock:
            await trio.aclose_forcefully(stream)
            return
        try:
            async with stream:
                await self._converse(stream, str(stream.socket.getpeername()[0]))
        except (OSError, LocalError, trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError):
            await trio.aclose_forcefully(stream)
        finally:
            self._streams.release_on_behalf_of(stream)

    async def _converse(self, stream: trio.SocketStream, address: str) -> None:
        while packet := await _receive(stream):
            transferring = self._transfer(packet, address)
            if transferring is not None:
                await self._send_zone(stream, packet[:2], transferring)
                continue
            answer = self.engine.stream(packet, address)
            if answer == FORWARD:
                answer = await self._ask_resolvers(packet, _ask_by_tcp)
            if answer is None:
                return
            await _send(stream, answer)

    def _transfer(self, packet: bytes, address: str) -> Iterator[bytes] | None:
        """The messages of a zone, if that is asked for by who may and can be given."""
        try:
            query = parse(packet)
        except (Unanswerable, Malformed):
            return None
        snapshot = self.engine.snapshot
        if query.type not in (AXFR, IXFR) or not is_local(address) or not snapshot.synced:
            return None
        editions = (
            transfer.edition_of(zone, snapshot, self._signer) for zone in self.engine.zones if zone.name == query.name
        )
        return next((transfer.messages(query, edition) for edition in editions if edition is not None), None)

    async def _send_zone(self, stream: trio.SocketStream, prefix: bytes, messages: Iterator[bytes]) -> None:
        """Some hundred names a message, made in a thread: they are signed."""
        while message := await trio.to_thread.run_sync(partial(next, messages, b"")):
            await _send(stream, prefix + message)

    # --- forwarding ----------------------------------------------------------------------------------------

    def _forward_udp(self, sock: socket.socket, packet: bytes, to: tuple[str, int]) -> None:
        if self._forwarding < MOST_FORWARDED:
            self._forwarding += 1
            self._nursery.start_soon(self._relay, sock, packet, to)

    async def _relay(self, sock: socket.socket, packet: bytes, to: tuple[str, int]) -> None:
        try:
            answer = await self._ask_resolvers(packet, _ask_by_udp)
            if answer is not None:
                sock.sendto(answer, to)
        except OSError:  # the client has gone
            pass
        finally:
            self._forwarding -= 1

    async def _ask_resolvers(self, packet: bytes, ask: Callable[[bytes, Address], Awaitable[bytes]]) -> bytes | None:
        """Of the first that answers; None if none does."""
        for resolver in self._forward:
            try:
                with trio.fail_after(RESOLVER_TIME):
                    return await ask(packet, resolver)
            except (OSError, trio.TooSlowError, trio.BrokenResourceError):
                continue
        return None


class _UdpLoop:
    """The thread's work; ``forward`` takes (packet, client)."""

    def __init__(
        self,
        engine: Engine,
        sock: socket.socket,
        wake: socket.socket,
        forward: Callable[[bytes, tuple[str, int]], None],
    ) -> None:
        self._engine = engine
        self._sock = sock
        self._datagrams = Datagrams(sock)
        self._wake = wake
        self._forward = forward

    def run(self) -> None:
        poller = select.poll()
        poller.register(self._sock, select.POLLIN)
        poller.register(self._wake, select.POLLIN)
        log = structlog.get_logger("dns")
        failed = False
        while all(fd != self._wake.fileno() for fd, _ in poller.poll()):
            try:
                self._drain()
            except Exception:  # a fault of ours in one answer must not end the service
                if not failed:
                    log.exception("a question could not be answered")
                failed = True

    def _drain(self) -> None:
        """One batch; what is remembered is answered right here."""
        engine, answers = self._engine, list[Datagram]()
        hot = engine.hot
        for packet, client in self._datagrams.receive():
            known = hot.get(packet[2:]) if client[4:8] == _LOOPBACK and len(client) == _IPV4 else None
            answer = packet[:2] + known if known else self._slow(packet, client)
            hot = engine.hot
            if answer:
                answers.append((answer, client))
        self._datagrams.send(answers)

    def _slow(self, packet: bytes, client: bytes) -> bytes | None:
        to = endpoint(client)
        answer = self._engine.udp(packet, to[0])
        if answer == FORWARD:
            self._forward(packet, to)
        return answer


def _datagrams(twin: "trio.socket.SocketType", port: int) -> socket.socket:
    """A UDP socket at the address of a TCP listener."""
    sock = socket.socket(twin.family, socket.SOCK_DGRAM)
    try:
        if twin.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        sock.bind((twin.getsockname()[0], port))
    except OSError:
        sock.close()
        raise
    sock.setblocking(False)
    return sock


async def _receive(stream: trio.SocketStream) -> bytes:
    """One question; b"" at the end. trio.TooSlowError."""
    with trio.fail_after(PATIENCE):
        head = await _exactly(stream, 2)
        return await _exactly(stream, int.from_bytes(head, "big")) if head else b""


async def _exactly(stream: trio.SocketStream, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = await stream.receive_some(count - len(data))
        if not more:
            return b""
        data += more
    return data


async def _send(stream: trio.SocketStream, message: bytes) -> None:
    with trio.fail_after(PATIENCE):
        await stream.send_all(len(message).to_bytes(2, "big") + message)


async def _ask_by_udp(packet: bytes, resolver: Address) -> bytes:
    """From a port of its own, under the client's id; only an answer to this question counts."""
    family = socket.AF_INET6 if ":" in resolver.host else socket.AF_INET
    with trio.socket.socket(family, socket.SOCK_DGRAM) as sock:
        await sock.connect((resolver.host, resolver.port))
        await sock.send(packet)
        while True:
            answer = await sock.recv(_PACKET)
            if answer[:2] == packet[:2] and len(answer) >= 12 and answer[2] & 0x80:
                return answer


async def _ask_by_tcp(packet: bytes, resolver: Address) -> bytes:
    async with await trio.open_tcp_stream(resolver.host, resolver.port) as stream:
        await _send(stream, packet)
        answer = await _receive(stream)
        if not answer:
            raise OSError("the resolver closed the connection")
        return answer
