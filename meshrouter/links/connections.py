"""TCP connections of stream links: dialling with patience, accepting with bounds.

Theory of operation
-------------------
``Dialler`` has at most one connection: it looks the host up, tries the addresses one after another (non-blocking, 5 s
each), and when all have failed, or the connection ended, waits: 1 s, doubled up to 60 s, with a jitter of half of it,
so that a thousand nodes do not return to a restarted peer at the same time. A connection that held for a minute
resets the wait.

``Listener`` takes what comes, within bounds: MOST_CONNECTIONS in all, MOST_FROM_ONE from one address (or IPv6 /64). A
stranger who connects and says nothing occupies a place until the links' owner closes it; whoever is silent for
SILENCE seconds (neighbours that live say something every 12) is closed here.
"""

import errno
import os
import random
import socket
from collections.abc import Callable
from functools import partial
from typing import Final, TypeAlias

from meshrouter.counters import Counters
from meshrouter.errors import LocalError
from meshrouter.links.ip import SockAddress, is_mesh
from meshrouter.links.resolver import Resolver
from meshrouter.links.specs import LinkSpec
from meshrouter.links.udp_peer import refuse_mesh
from meshrouter.process.poller import Action, Poller

CONNECT_TIME: Final = 5.0
"""Seconds for one address: three SYNs."""
SHORTEST_WAIT: Final = 1.0
LONGEST_WAIT: Final = 60.0
LASTED: Final = 60.0
"""Seconds after which a connection counts as a good one."""
MOST_CONNECTIONS: Final = 128
MOST_FROM_ONE: Final = 8
SILENCE: Final = 45.0
"""Seconds without a byte."""
_ACCEPT_BATCH: Final = 16
_NEVER: Final = float("inf")

Opened: TypeAlias = Callable[[socket.socket, SockAddress, float], None]


class Dialler:
    """One ``tcp:HOST:PORT``. ``opened(socket, where, now)``; the owner calls ``lost(now)`` when that has ended."""

    def __init__(self, spec: LinkSpec, poller: Poller, resolver: Resolver, rng: random.Random, opened: Opened) -> None:
        self._spec = spec
        self._poller = poller
        self._resolver = resolver
        self._rng = rng
        self._opened = opened
        self._socket: socket.socket | None = None
        self._targets: list[SockAddress] = []
        self._wait = SHORTEST_WAIT
        self._due = 0.0
        self._since = 0.0
        self.trouble = ""
        """Why the last attempt failed, for people."""

    def deadline(self) -> float:
        return self._due

    def tick(self, now: float) -> None:
        """Give up on what takes too long; try again when the wait is over."""
        if now < self._due:
            return
        self._due = _NEVER
        if self._socket is not None:
            self._failed("no answer", now)
        else:
            spec = self._spec
            self._resolver.resolve(spec.host, spec.port, socket.SOCK_STREAM, self._resolved, now)

    def lost(self, now: float) -> None:
        """The connection has ended."""
        if now - self._since >= LASTED:
            self._wait = SHORTEST_WAIT
        self._pause(now)

    def close(self) -> None:
        self._drop()
        self._due = _NEVER

    def _resolved(self, found: list[SockAddress], now: float) -> None:
        self.trouble = ""
        self._targets = [where for where in found if not is_mesh(where[0])]
        self._failed("no such host" if not found else "only addresses of the mesh itself", now)

    def _failed(self, reason: str, now: float) -> None:
        """On to the next address, or to the wait."""
        self._drop()
        if not self._targets:
            self.trouble = self.trouble or reason
            self._pause(now)
            return
        where = self._targets.pop(0)
        attempt = socket.socket(
            socket.AF_INET if len(where) == 2 else socket.AF_INET6,
            socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC,
        )
        code = attempt.connect_ex(where)
        if code not in (0, errno.EINPROGRESS):
            attempt.close()
            self.trouble = os.strerror(code)
            self._failed(self.trouble, now)
            return
        self._socket, self._due = attempt, now + CONNECT_TIME
        decided: Action = partial(self._decided, attempt, where)
        self._poller.watch(attempt, decided, decided, writing=True)

    def _decided(self, attempt: socket.socket, where: SockAddress, now: float) -> None:
        if attempt is not self._socket:
            return  # epoll told of both directions at once, and the first has ended it
        code = attempt.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self.trouble = os.strerror(code)
            self._failed(self.trouble, now)
            return
        self._poller.forget(attempt)
        self._socket, self._due, self._since, self.trouble = None, _NEVER, now, ""
        self._opened(attempt, where, now)

    def _pause(self, now: float) -> None:
        self._due = now + self._wait * (0.5 + self._rng.random())
        self._wait = min(self._wait * 2, LONGEST_WAIT)

    def _drop(self) -> None:
        if self._socket is not None:
            self._poller.forget(self._socket)
            self._socket.close()
            self._socket = None


class Listener:
    """One ``tcp-listen:HOST:PORT`` (``where``: numeric). LocalError: link-mesh, link-listen."""

    def __init__(self, spec: LinkSpec, where: SockAddress, poller: Poller, counters: Counters, opened: Opened) -> None:
        refuse_mesh(spec.name, where[0])
        self._socket = _listening(spec.name, where)
        self.port: int = self._socket.getsockname()[1]
        self._poller = poller
        self._counters = counters
        self._opened = opened
        self._sources: dict[socket.socket, bytes] = {}
        poller.watch(self._socket, self._accept)

    def lost(self, ended: socket.socket) -> None:
        """A connection is closed; its place is free."""
        self._sources.pop(ended, None)

    def close(self) -> None:
        self._poller.forget(self._socket)
        self._socket.close()

    def _accept(self, now: float) -> None:
        for _ in range(_ACCEPT_BATCH):
            try:
                accepted, where = self._socket.accept()
            except OSError:  # nobody any more, gone already, or no files left: the next event tries again
                return
            source = _source(where)
            if len(self._sources) >= MOST_CONNECTIONS or list(self._sources.values()).count(source) >= MOST_FROM_ONE:
                self._counters.drop("link-connections")
                accepted.close()
                continue
            accepted.setblocking(False)
            self._sources[accepted] = source
            self._opened(accepted, where, now)


def _source(where: SockAddress) -> bytes:
    """By what connections are counted: an IPv4 address, an IPv6 /64."""
    if len(where) == 2:
        return socket.inet_aton(where[0])
    packed = socket.inet_pton(socket.AF_INET6, where[0].partition("%")[0])
    return packed if packed.startswith(b"\0" * 10) else packed[:8]


def _listening(name: str, where: SockAddress) -> socket.socket:
    opened = socket.socket(
        socket.AF_INET if len(where) == 2 else socket.AF_INET6,
        socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC,
    )
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(where)
        opened.listen(64)
    except OSError as error:
        opened.close()
        raise LocalError("link-listen", f"{name}: cannot listen there: {error.strerror}") from None
    return opened
