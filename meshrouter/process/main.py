"""``python -m meshrouter --fd N``: a router, at the other end of the node's socketpair.

It waits for the start message; opens the TUN and sees what becomes of it, since neighbours are told whether there is
one; then it makes the machines, opens the links, says ``ready`` and runs. It ends when the channel does (the devices
stay, for the router that comes next), or when the node says stop (the TUN goes, with its addresses and routes).
"""

import contextlib
import ctypes
import gc
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from types import FrameType
from typing import Final

from meshrouter.coordination.node_side import NodeSide
from meshrouter.counters import Counters
from meshrouter.directory import Directory
from meshrouter.env import Env
from meshrouter.errors import LocalError
from meshrouter.host.plan import IDLE_DEVICE, HostPlan
from meshrouter.identity import Identity
from meshrouter.links.driven import DrivenLink
from meshrouter.links.keeper import Links
from meshrouter.policy.rule import Rule
from meshrouter.process.channel import Channel, Message
from meshrouter.process.loop import LONGEST_WAIT, Loop
from meshrouter.process.poller import Poller
from meshrouter.process.start import Start
from meshrouter.process.tunnel import Tunnel, dismiss, start_worker
from meshrouter.router import RouterConfig

SETTLE_TIME: Final = 15.0
"""Seconds that the host's set-up may take before we go on without knowing."""
_ADDRESS_SIZE: Final = 16
_YOUNG: Final = 50_000
"""New objects until cycles among them are looked for (700 is usual): a packet makes some twenty, none in a cycle, and
the search took a tenth of a router's time."""
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEPT: Final = 16 << 20
"""Bytes of freed memory that stay ours."""


class RouterProcess:
    """All parts of one router, from the first message to the end."""

    def __init__(self, channel: Channel, start: Start, ahead: "subprocess.Popen[bytes] | None" = None) -> None:
        self._channel = channel
        self._start = start
        self._clock = time.monotonic
        self._poller = Poller()
        self._counters = Counters()
        self._identity = Identity.from_seed(start.seed)
        self._rng = random.SystemRandom()
        self._ready = False
        self._told: dict[str, str] = {}
        self._tunnel = self._make_tunnel(ahead)
        self._settle()
        self.had_tun = self._has_tun()
        env = Env(
            identity=self._identity, genesis=start.genesis, rng=self._rng, zone=start.zone, counters=self._counters
        )
        config = RouterConfig(
            gossip_port=start.gossip_port,
            has_tun=self.had_tun,
            tun_takes_udp=self._tunnel is not None and self._tunnel.splits_udp,
            first_seqno=start.seqno,
            rules=tuple(Rule.from_form(form) for form in start.extra.get("rules", ())),
        )
        self._links = Links(
            start.links,
            poller=self._poller,
            sink=self,
            counters=self._counters,
            rng=self._rng,
            own_devices=(IDLE_DEVICE,) if start.tun is None else (start.tun, IDLE_DEVICE),
        )
        self._router = NodeSide(
            env,
            Directory(),
            config,
            links=lambda: self._links.links,
            tun=lambda: start.tun if self._has_tun() else None,
            off=self._off,
            started=self._clock(),
        )
        self.link_frames = self._router.link_frames
        self._loop = Loop(
            self._router,
            poller=self._poller,
            channel=channel,
            links=self._links,
            tunnel=self._tunnel,
            counters=self._counters,
            clock=self._clock,
            overheard=self._overhear,
        )

    def run(self, heard: Sequence[Message]) -> None:
        """Until the end; ``heard`` came behind the start message. LocalError (channel)."""
        if self._tunnel is not None:
            self._tunnel.listen()
        self._links.start(self._clock())
        for message in heard:
            self._loop.hear(message, self._clock())
        self._ready = True
        self._say({"type": "ready"})
        gc.collect()
        gc.freeze()  # what is here now stays; it need not be looked at again and again
        gc.set_threshold(_YOUNG, 20, 20)
        keep = True
        try:
            self._loop.run()
            keep = not self._loop.stopped
        finally:
            self._close(keep=keep)

    def _close(self, *, keep: bool) -> None:
        now = self._clock()
        self._router.router.close(now)
        self._links.close(now)
        if self._tunnel is not None:
            self._tunnel.close(keep=keep)
        self._channel.close()
        self._poller.close()

    # --- links, on their way to the coordinator ------------------------------------------------------------

    def add_link(self, link: DrivenLink, now: float) -> None:
        self._router.add_link(link, now)
        self._log("info", "link is up", link=link.name, mtu=link.mtu)

    def remove_link(self, link: DrivenLink, now: float) -> None:
        self._router.remove_link(link, now)
        self._log("info", "link is gone", link=link.name, reason=link.ended)

    # --- TUN -----------------------------------------------------------------------------------------------

    def _make_tunnel(self, ahead: "subprocess.Popen[bytes] | None") -> Tunnel | None:
        start = self._start
        if start.tun is None:
            if ahead is not None:
                dismiss(ahead)
            return None
        claimed = () if start.claimed is None else (start.claimed,)
        return Tunnel(
            HostPlan(start.tun, self._identity.address, claimed, start.loopback),
            poller=self._poller,
            counters=self._counters,
            packets=lambda packets, now: self._router.tun_packets(packets, now),
            changed=self._tunnel_changed,
            ahead=ahead,
        )

    def _settle(self) -> None:
        """Until it is known whether there is a TUN; what comes out of it meanwhile waits in the kernel."""
        if self._tunnel is None:
            return
        end = self._clock() + SETTLE_TIME
        self._tunnel.tick(self._clock())
        while not self._tunnel.settled and self._clock() < end:
            for action in self._poller.wait(1.0):
                action(self._clock())

    def _has_tun(self) -> bool:
        return self._tunnel is not None and self._tunnel.device is not None

    def _tunnel_changed(self) -> None:
        """Alarms to the node. A TUN that comes late needs another router, since ours has told all it has none."""
        assert self._tunnel is not None
        alarms = {each.code: each.message for each in self._tunnel.alarms}
        for code, message in alarms.items():
            if self._told.get(code) != message:
                self._say({"type": "alarm", "code": code, "message": message})
        for code in self._told:
            if code not in alarms:
                self._say({"type": "alarm-over", "code": code})
        self._told = alarms
        if self._ready:
            self._router.surroundings_moved()
        if self._ready and self._has_tun() and not self.had_tun:
            self._log("warning", "there is a TUN now; the router starts again with it")
            self._loop.end()

    # --- node ----------------------------------------------------------------------------------------------

    def _overhear(self, message: Message) -> None:
        """Own claimed addresses are the host's too."""
        if message.get("type") != "own" or self._tunnel is None:
            return
        try:
            addresses = tuple(bytes.fromhex(each) for each in message["addresses"])
        except (KeyError, TypeError, ValueError):
            return  # the coordinator counts it
        if all(len(each) == _ADDRESS_SIZE for each in addresses):
            self._tunnel.claim(addresses)

    def _off(self) -> dict[str, str]:
        """What does not run, and why."""
        return {**self._told, **self._links.troubles}

    def _log(self, level: str, event: str, **what: object) -> None:
        self._say({"type": "log", "level": level, "event": event, **what})

    def _say(self, message: Message) -> None:
        self._channel.send(message)
        self._channel.flush()


def first_messages(channel: Channel) -> list[Message]:
    """What the node says first, and what has come with it; empty if it ended without a word. LocalError (channel).

    However long that takes: we are started while the node still opens its ledger.
    """
    poller = Poller()
    poller.watch(channel, lambda _now: None)
    messages: list[Message] = []
    while not messages and not channel.ended:
        poller.wait(LONGEST_WAIT)
        messages = channel.receive()
    poller.forget(channel)
    poller.close()
    return messages


def main(arguments: list[str]) -> int:
    """``--fd N``: the channel's number; ``--tun``: one will be wanted. 0 after the end of the channel, 1 for trouble,
    3 for wrong use."""
    words = [each for each in arguments if each != "--tun"]
    if len(words) != 2 or words[0] != "--fd" or not words[1].isdecimal():
        sys.stderr.write("usage: python -m meshrouter --fd N [--tun]   (meshd starts it; N is its channel)\n")
        return 3
    _keep_memory()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the node; we end with it
    signal.signal(signal.SIGTERM, _leave)
    channel = Channel(socket.socket(fileno=int(words[1])))
    ahead = start_worker() if "--tun" in arguments else None
    try:
        messages = first_messages(channel)
        if messages and messages[0].get("type") != "stop":  # a node that fails before it has begun
            RouterProcess(channel, Start.from_json(messages[0]), ahead).run(messages[1:])
    except LocalError as error:
        sys.stderr.write(f"router: {error.message}\n")
        return 1
    return 0


def _keep_memory() -> None:
    """Packets of 64 KB come and go; memory given back to the kernel after each would be zeroed again for the next.

    mallopt(3) of glibc; elsewhere nothing happens. Measured: a third of the time that cutting a train takes.
    """
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_TRIM_THRESHOLD, _KEPT)
        libc.mallopt(_M_MMAP_THRESHOLD, _KEPT)


def _leave(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)
