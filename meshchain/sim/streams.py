"""Links between nodes and the connections over them: bytes in order, late, as fast as the link is, or not at all.

Theory of operation
-------------------
A *link* joins two nodes. While it is up, what a side sends leaves when the wire is free (``rate`` bytes a second, each
way) and arrives ``latency`` seconds later. While it is *down* nothing arrives: as TCP would, a connection keeps what
was sent and delivers it after the link has come up again, in order, unless one of its ends has given up; and a new one
cannot be made. Neither end is told; they find out by silence. ``reset`` is the other way to lose a connection: both
ends learn of it, as when a process ends and its machine says so.

The end of a connection is one more thing that travels: the other side learns of it after what was sent before.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from meshchain.sim.heap import Heap


class Listener(Protocol):
    """Who has an end of a connection."""

    def arrived(self, data: bytes) -> None: ...

    def ended(self) -> None:
        """The other side has closed, or the connection was reset."""


@dataclass(eq=False, slots=True)
class Link:
    """``latency`` in s one way; ``rate`` in bytes/s each way, None for any."""

    ends: tuple[str, str]
    latency: float = 0.02
    rate: float | None = None
    up: bool = True
    carried: int = 0
    """Bytes that have arrived, both ways."""
    connections: list["Connection"] = field(default_factory=list)
    """Open ones, oldest first."""

    def set_up(self, up: bool) -> None:
        """Bring the link up or down."""
        self.up = up
        for connection in list(self.connections) if up else ():
            for pipe in connection.pipes:
                pipe.resume()

    def reset(self) -> None:
        """End every connection on it at once, on both sides."""
        for connection in list(self.connections):
            connection.reset()


class Pipe:
    """One direction of a connection."""

    def __init__(self, heap: Heap, link: Link, listener: Listener) -> None:
        self._heap = heap
        self._link = link
        self._listener = listener
        self._free = 0.0
        """When what was sent so far has left."""
        self._under_way: deque[Callable[[], None]] = deque()
        self._late = 0
        """How many things should have arrived while the link was down."""
        self.closed = False

    def send(self, data: bytes) -> None:
        rate = self._link.rate
        self._leave(lambda: self._deliver(data), len(data) / rate if rate else 0.0)

    def end(self) -> None:
        """Tell the other side, after everything else, that nothing more comes."""
        self._leave(self._finish, 0.0)

    def resume(self) -> None:
        """The link is up again: what is late arrives one latency from now."""
        for _ in range(self._late):
            self._heap.at(self._heap.now + self._link.latency, self._arrive)
        self._late = 0

    def _leave(self, item: Callable[[], None], seconds: float) -> None:
        self._free = max(self._free, self._heap.now) + seconds
        self._under_way.append(item)
        self._heap.at(self._free + self._link.latency, self._arrive)

    def _arrive(self) -> None:
        """Something is due; what arrives is what left first."""
        if self._link.up:
            self._under_way.popleft()()
        else:
            self._late += 1

    def _deliver(self, data: bytes) -> None:
        if not self.closed:
            self._link.carried += len(data)
            self._listener.arrived(data)

    def cut(self) -> None:
        """End at once; nothing that is under way arrives."""
        self._finish()

    def _finish(self) -> None:
        if not self.closed:
            self.closed = True
            self._listener.ended()


class Connection:
    """Two pipes; ``first`` listens at the side that dialled, ``second`` at the other."""

    def __init__(self, heap: Heap, link: Link, first: Listener, second: Listener) -> None:
        self._link = link
        self.pipes = Pipe(heap, link, second), Pipe(heap, link, first)
        """From first to second, and back."""
        link.connections.append(self)

    def send(self, side: int, data: bytes) -> None:
        """Side 0 (first) or 1 sends."""
        self.pipes[side].send(data)

    def close(self, side: int) -> None:
        """Side 0 (first) or 1 hangs up: it hears nothing more, the other side reads what was sent and then the end."""
        ours, theirs = self.pipes[side], self.pipes[1 - side]
        if not theirs.closed:
            theirs.closed = True
            ours.end()
        if ours.closed and self in self._link.connections:
            self._link.connections.remove(self)

    def reset(self) -> None:
        """Both sides learn of the end now, and nothing that was under way arrives."""
        self._link.connections.remove(self)
        for pipe in self.pipes:
            pipe.cut()
