"""A driver for links on real sockets: what the router's loop does, and nothing of the router."""

import random
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from types import TracebackType
from typing import Self

from meshrouter.counters import Counters
from meshrouter.links.driven import DrivenLink
from meshrouter.links.keeper import Links
from meshrouter.links.specs import LinkSpec
from meshrouter.process.poller import Poller
from tests.netns.host import Host as Namespace

PATIENCE = 20.0
"""Seconds until a condition that never comes is a failure."""


class Host:
    """A node without a router, here or in a namespace: it keeps what its links hear."""

    def __init__(self, *specs: LinkSpec, own_devices: Sequence[str] = (), namespace: Namespace | None = None) -> None:
        self._inside = nullcontext if namespace is None else namespace.inside
        self.poller = Poller()
        self.counters = Counters()
        self.heard: list[tuple[DrivenLink, bytes, bytes]] = []
        self.removed: list[DrivenLink] = []
        with self._inside():
            self.links = Links(
                specs,
                poller=self.poller,
                sink=self,
                counters=self.counters,
                rng=random.Random(1),
                own_devices=own_devices,
            )
            self.links.start(time.monotonic())

    def add_link(self, link: DrivenLink, now: float) -> None:
        """Seen in ``links.links``."""

    def remove_link(self, link: DrivenLink, now: float) -> None:
        self.removed.append(link)

    def link_frames(self, link: DrivenLink, frames: list[tuple[bytes, bytes]], now: float) -> None:
        self.heard += [(link, address, frame) for address, frame in frames]

    @property
    def link(self) -> DrivenLink:
        """The only link."""
        (link,) = self.links.links
        return link

    def turn(self, seconds: float) -> None:
        """Sockets opened on the way are the namespace's."""
        with self._inside():
            for action in self.poller.wait(seconds):
                action(time.monotonic())
            now = time.monotonic()
            if now >= self.links.deadline():
                self.links.tick(now)
            self.links.flush(now)

    def send(self, address: bytes, *frames: bytes) -> None:
        self.link.send_many(address, frames)
        self.links.flush(time.monotonic())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.links.close(time.monotonic())
        self.poller.close()


def until(condition: Callable[[], bool], *hosts: Host) -> None:
    """Run the hosts until the condition holds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"never came; troubles: {[host.links.troubles for host in hosts]}"
        for host in hosts:
            host.turn(0.01 / len(hosts))
