"""All links of a node: opened as asked for, closed when what is under them goes, opened again when it returns.

Theory of operation
-------------------
Links on interfaces (``udp:IFACE``, ``ethernet:IFACE``) exist while their interface is up, has carrier and the addresses
they began with; after every netlink event what should be is compared with what is (``wanted``). A changed MTU changes
the link in place, anything else closes it and opens a new one: neighbours see that at once, not after a timeout.
Links to peers (``udp:HOST:PORT``) are opened anew when nothing was heard for SILENCE: the name may mean another host
now, the path another MTU. Stream links live as long as their connection; the dialler or listener behind gives the next.
What cannot be opened is tried again, on every change of an interface and after RETRY, and said in ``troubles``.
"""

import random
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol

from meshrouter.counters import Counters
from meshrouter.errors import LocalError
from meshrouter.links.connections import SILENCE as STREAM_SILENCE
from meshrouter.links.connections import Dialler, Listener
from meshrouter.links.driven import DrivenLink
from meshrouter.links.ethernet import Ethernet
from meshrouter.links.ip import SockAddress
from meshrouter.links.resolver import Resolver, addresses
from meshrouter.links.specs import Kind, LinkSpec
from meshrouter.links.stream import StreamLink
from meshrouter.links.udp_broadcast import UdpBroadcast
from meshrouter.links.udp_listen import UdpListen
from meshrouter.links.udp_peer import UdpPeer
from meshrouter.links.wanted import Wanted, wanted_links
from meshrouter.links.watch import Watch
from meshrouter.process.poller import Poller

RETRY: Final = 5.0
"""Seconds until what failed is tried again."""
SILENCE: Final = 120.0
"""Seconds without a frame until a unicast peer is looked up again."""
DEVICE_WAIT: Final = 0.002
"""Seconds for a full device queue to drain: 64 full frames at 400 Mbit/s."""
_NEVER: Final = float("inf")


class Sink(Protocol):
    """Who wants the links: the router's coordinator."""

    def add_link(self, link: DrivenLink, now: float) -> None: ...
    def remove_link(self, link: DrivenLink, now: float) -> None: ...
    def link_frames(self, link: DrivenLink, frames: list[tuple[bytes, bytes]], now: float) -> None: ...


@dataclass(eq=False, slots=True)
class _Held:
    link: DrivenLink
    heard: float
    silence: float = _NEVER
    """Seconds after which it is closed if nothing was heard."""
    key: tuple[object, ...] = ()
    gone: list["Dialler | Listener | LinkSpec"] = field(default_factory=list)
    """Who is told when it is closed."""
    writing: bool = False
    """Whether we wait for its socket to be writable."""


class Links:
    """``own_devices``: names of our TUNs. LocalError (netlink) from the constructor only."""

    def __init__(
        self,
        specs: Sequence[LinkSpec],
        *,
        poller: Poller,
        sink: Sink,
        counters: Counters,
        rng: random.Random,
        own_devices: Sequence[str] = (),
    ) -> None:
        self.troubles: dict[str, str] = {}
        """Spec's name → why it has no link now."""
        self._specs = specs
        self._poller = poller
        self._sink = sink
        self._counters = counters
        self._rng = rng
        self._own_devices = own_devices
        self._watch = Watch()
        self._resolver = Resolver()
        self._held: dict[DrivenLink, _Held] = {}
        self._diallers: dict[str, Dialler] = {}
        self._listeners: dict[str, Listener] = {}
        self._peers_due: dict[LinkSpec, float] = {}
        self._last_number = 0
        self._due = 0.0
        self._stuck_until = _NEVER

    @property
    def links(self) -> list[DrivenLink]:
        return list(self._held)

    def start(self, now: float) -> None:
        """Open what can be opened now."""
        self._poller.watch(self._watch, self._interfaces_changed)
        self._poller.watch(self._resolver, self._resolver.receive)
        for spec in self._specs:
            if spec.kind is Kind.TCP_PEER:
                opened = partial(self._dialled, spec)
                self._diallers[spec.name] = Dialler(spec, self._poller, self._resolver, self._rng, opened)
            elif spec.kind is Kind.UDP_PEER:
                self._peers_due[spec] = now
        self.tick(now)

    def deadline(self) -> float:
        """When ``tick`` is next needed."""
        diallers = [each.deadline() for each in self._diallers.values()]
        return min(self._due, self._stuck_until, *diallers, *self._peers_due.values(), _NEVER)

    def tick(self, now: float) -> None:
        """Retry, give up, look after silent ones."""
        for dialler in self._diallers.values():
            dialler.tick(now)
        self._look_up_peers(now)
        if now >= self._stuck_until:
            self.flush(now)
        if now >= self._due:
            self._due = now + RETRY
            self._reconcile(now)
            self._listen(now)
            for held in [each for each in self._held.values() if now - each.heard >= each.silence]:
                self._counters.drop("link-silent")
                self._close(held, now)

    def flush(self, now: float) -> None:
        """Hand every outbox to the kernel; close what turns out to have ended."""
        self._stuck_until = _NEVER
        for held in [held for held in self._held.values() if held.link.outbox or held.link.stuck]:
            self._flush(held, now)

    def close(self, now: float) -> None:
        """Everything; the sink hears of it."""
        self.flush(now)
        for held in list(self._held.values()):
            self._close(held, now)
        for dialler in self._diallers.values():
            dialler.close()
        for listener in self._listeners.values():
            listener.close()
        self._poller.forget(self._watch)
        self._poller.forget(self._resolver)
        self._watch.close()
        self._resolver.close()

    # --- files -----------------------------------------------------------------------------------------------

    def _hold(self, held: _Held, now: float) -> None:
        link = held.link
        self._held[link] = held
        for each in link.sockets():
            self._poller.watch(each, partial(self._readable, held, each), partial(self._flush, held))
        self.troubles.pop(link.name, None)
        self._sink.add_link(link, now)

    def _readable(self, held: _Held, readable: socket.socket, now: float) -> None:
        if held.link not in self._held:
            return  # closed by what happened before in the same round
        frames = held.link.receive(readable)
        if frames:
            held.heard = now
            self._sink.link_frames(held.link, frames, now)
        if held.link.ended:
            self._close(held, now)

    def _flush(self, held: _Held, now: float) -> None:
        link = held.link
        if link not in self._held:
            return
        link.flush()
        writing = link.stuck and not link.device_full
        if writing is not held.writing:
            held.writing = writing
            self._poller.want_write(link.sockets()[-1], writing)
        if link.device_full:
            self._stuck_until = now + DEVICE_WAIT
        if link.ended:
            self._close(held, now)

    def _close(self, held: _Held, now: float) -> None:
        link = held.link
        if self._held.pop(link, None) is None:
            return
        for each in link.sockets():
            self._poller.forget(each)
        self._tell_gone(held, now)
        link.close()
        self._sink.remove_link(link, now)

    def _tell_gone(self, held: _Held, now: float) -> None:
        for each in held.gone:
            if isinstance(each, Dialler):
                each.lost(now)
            elif isinstance(each, Listener):
                each.lost(held.link.sockets()[0])
            else:
                self._peers_due[each] = now + RETRY

    # --- interfaces ------------------------------------------------------------------------------------------

    def _interfaces_changed(self, now: float) -> None:
        if self._watch.receive():
            self._reconcile(now)
            for spec in self._peers_due:
                self._peers_due[spec] = now  # perhaps there is a way to it now

    def _reconcile(self, now: float) -> None:
        wanted, troubles = wanted_links(self._specs, self._watch.table, self._own_devices)
        by_key = {each.key: each for each in wanted}
        self.troubles = {name: why for name, why in self.troubles.items() if name not in self._interface_names()}
        self.troubles |= troubles
        for held in [each for each in self._held.values() if each.key]:
            still = by_key.pop(held.key, None)
            if still is None:
                self._close(held, now)
            else:
                held.link.resized(still.interface.mtu)
        for each in by_key.values():
            self._open(each, now)

    def _interface_names(self) -> list[str]:
        return [spec.name for spec in self._specs if spec.kind in (Kind.UDP_INTERFACE, Kind.ETHERNET)]

    def _open(self, wanted: Wanted, now: float) -> None:
        spec, interface = wanted.spec, wanted.interface
        try:
            if spec.kind is Kind.ETHERNET:
                link: DrivenLink = Ethernet(self._number(), spec.name, interface, self._counters)
            else:
                link = UdpBroadcast(self._number(), spec.name, interface, self._counters, spec.port)
        except LocalError as error:
            self.troubles[spec.name] = error.message
            return
        self._hold(_Held(link, now, key=wanted.key), now)

    def _number(self) -> int:
        self._last_number += 1
        return self._last_number

    # --- peers -----------------------------------------------------------------------------------------------

    def _look_up_peers(self, now: float) -> None:
        for spec in [each for each, due in self._peers_due.items() if now >= due]:
            self._peers_due[spec] = now + RETRY
            self._resolver.resolve(spec.host, spec.port, socket.SOCK_DGRAM, partial(self._found, spec), now)

    def _found(self, spec: LinkSpec, found: list[SockAddress], now: float) -> None:
        if spec not in self._peers_due:
            return  # a late answer; another opened it
        self.troubles[spec.name] = f"{spec.name}: no such host, or the name server does not answer"
        for where in found:
            try:
                link = UdpPeer(self._number(), spec.name, where, self._counters)
            except LocalError as error:
                self.troubles[spec.name] = error.message
            else:
                del self._peers_due[spec]
                self._hold(_Held(link, now, SILENCE, gone=[spec]), now)
                return

    def _listen(self, now: float) -> None:
        """Open what listens, as far as it does not yet; tried again while it fails."""
        for spec in self._specs:
            if spec.kind not in (Kind.UDP_LISTEN, Kind.TCP_LISTEN) or self._listens(spec):
                continue
            try:
                self._open_listening(spec, now)
            except LocalError as error:
                self.troubles[spec.name] = error.message

    def _listens(self, spec: LinkSpec) -> bool:
        return spec.name in self._listeners or any(link.name == spec.name for link in self._held)

    def _open_listening(self, spec: LinkSpec, now: float) -> None:
        kind = socket.SOCK_STREAM if spec.kind is Kind.TCP_LISTEN else socket.SOCK_DGRAM
        found = addresses(spec.host, spec.port, kind)  # one's own name: from the hosts file
        if not found:
            raise LocalError("link-listen", f"{spec.name}: {spec.host} is no address of this machine")
        if kind == socket.SOCK_DGRAM:
            self._hold(_Held(UdpListen(self._number(), spec.name, found[0], self._counters), now), now)
            return
        opened = partial(self._accepted, spec)
        self._listeners[spec.name] = Listener(spec, found[0], self._poller, self._counters, opened)
        self.troubles.pop(spec.name, None)

    def _dialled(self, spec: LinkSpec, connected: socket.socket, where: SockAddress, now: float) -> None:
        self._stream(spec.name, connected, where, self._diallers[spec.name], now)

    def _accepted(self, spec: LinkSpec, connected: socket.socket, where: SockAddress, now: float) -> None:
        self._stream(spec.name, connected, where, self._listeners[spec.name], now)

    def _stream(
        self, name: str, connected: socket.socket, where: SockAddress, origin: Dialler | Listener, now: float
    ) -> None:
        try:
            link = StreamLink(self._number(), name, connected, where, self._counters)
        except OSError:  # broken again already
            connected.close()
            origin.lost(connected) if isinstance(origin, Listener) else origin.lost(now)
            return
        self._hold(_Held(link, now, STREAM_SILENCE, gone=[origin]), now)
