"""The loop of the router's process: files, timers, and the machines between them.

Theory of operation
-------------------
One thread, one epoll, system calls that do not block. There is no trio and no asyncio here, and the reason is a figure:
a task that awaits each packet costs 36 µs a packet (0.3 Gbit/s at 1,400 bytes), a wake-up that drains 64 of them
9 µs (1.2 Gbit/s); the difference is the scheduler's, and a router has nothing to schedule. A round is::

    wait, at most until the earliest deadline
    for each file that is ready:
        read a batch (≤ 64 datagrams, about 256 KB)  →  the coordinator, which works it off inline
        write: packets to the TUN, outboxes to the sockets, messages to the node
    timers that are due, and the same writing

Every file gets its turn in every round, whatever the others bring; and because what a batch caused is written before
the next batch is read, latency is that of one batch and the kernel's queues, not ours, hold what is too much.

**Faults.** What strangers send raises nothing: machines count it. If a machine has a bug and raises all the same, that
batch is lost, ``loop-fault`` is counted and the trace goes to the log, the first MOST_TRACES times: a packet that kills
the router would be a weapon. Only the end of the channel, or nonsense on it, ends the loop.
"""

import sys
import traceback
from collections.abc import Callable
from typing import Final, Protocol

from meshrouter.counters import Counters
from meshrouter.errors import LocalError
from meshrouter.links.keeper import Links, Sink
from meshrouter.process.channel import Channel, Message
from meshrouter.process.poller import Action, Poller
from meshrouter.process.tunnel import Tunnel

MOST_TRACES: Final = 10
LONGEST_WAIT: Final = 60.0
"""Seconds; epoll knows no infinity."""
LOOK_WITHIN: Final = 0.002
"""Seconds after a batch within which it is asked whether a timer comes earlier now. Asking costs 15 µs, as much as a
packet; no timer here is more exact than this."""


class Coordinator(Sink, Protocol):
    """What the loop drives: ``meshrouter.router.Router``."""

    def tun_packets(self, packets: list[tuple[bytes, bytes]], now: float) -> None: ...
    def take_tun(self) -> list[tuple[bytes, bytes]]: ...
    def deadline(self) -> float: ...
    def tick(self, now: float) -> None: ...
    def parent(self, message: Message, now: float) -> None: ...
    def take_parent(self) -> list[Message]: ...


def _deaf(_message: Message) -> None:
    """Nobody listens."""


class Loop:
    """``clock``: running seconds. ``overheard`` gets the node's messages too, before the coordinator."""

    def __init__(
        self,
        router: Coordinator,
        *,
        poller: Poller,
        channel: Channel,
        links: Links,
        tunnel: Tunnel | None,
        counters: Counters,
        clock: Callable[[], float],
        overheard: Callable[[Message], None] = _deaf,
    ) -> None:
        self.stopped = False
        """The node said stop, rather than vanish."""
        self._over = False
        self._look_at = float("-inf")
        """When timers are to be asked again: when the next is due, as far as is known."""
        self._router = router
        self._poller = poller
        self._channel = channel
        self._links = links
        self._tunnel = tunnel
        self._counters = counters
        self._clock = clock
        self._overheard = overheard
        poller.watch(channel, self._heard_from_node, self._write_channel)

    def run(self) -> None:
        """Until the channel ends or the node says stop. LocalError (channel) for nonsense on it."""
        while not self._channel.ended and not self._over:
            self.turn()

    def turn(self) -> None:
        """One round."""
        actions = self._poller.wait(self._look_at - self._clock())
        for action in actions:
            self._guarded(action)
        now = self._clock()
        if actions:
            self._look_at = min(self._look_at, now + LOOK_WITHIN)
        if now >= self._look_at:
            self._look(now)

    def _look(self, now: float) -> None:
        """What is due happens; and when is the next thing due?"""
        if now >= self._deadline():
            self._guarded(self._tick)
        self._look_at = min(self._deadline(), now + LONGEST_WAIT)

    def hear(self, message: Message, now: float) -> None:
        """The node has said something."""
        if message.get("type") == "stop":
            self.stopped = self._over = True
            return
        self._overheard(message)
        self._router.parent(message, now)

    def end(self) -> None:
        """``run`` returns after this round."""
        self._over = True

    def _deadline(self) -> float:
        tunnel = self._tunnel.deadline() if self._tunnel is not None else float("inf")
        return min(self._router.deadline(), self._links.deadline(), tunnel)

    def _tick(self, now: float) -> None:
        if now >= self._router.deadline():
            self._router.tick(now)
        if now >= self._links.deadline():
            self._links.tick(now)
        if self._tunnel is not None:
            self._tunnel.tick(now)

    def _guarded(self, action: Action) -> None:
        now = self._clock()
        try:
            action(now)
            self._write(now)
        except LocalError:
            raise
        except Exception:
            self._counters.drop("loop-fault")
            if self._counters["loop-fault"] <= MOST_TRACES:
                traceback.print_exc(file=sys.stderr)

    def _write(self, now: float) -> None:
        """What the last batch caused."""
        packets = self._router.take_tun()
        if packets and self._tunnel is not None:
            self._tunnel.write(packets)
        self._links.flush(now)
        messages = self._router.take_parent()
        if messages:
            for message in messages:
                self._channel.send(message)
            self._write_channel(now)

    def _write_channel(self, _now: float) -> None:
        self._poller.want_write(self._channel, self._channel.flush())

    def _heard_from_node(self, now: float) -> None:
        for message in self._channel.receive():
            self.hear(message, now)
