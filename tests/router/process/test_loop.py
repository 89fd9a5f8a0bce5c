"""The loop: what it hands to whom, and that nothing that a batch does ends it."""

import random
import socket
import time

import pytest

from meshrouter.counters import Counters
from meshrouter.links.driven import DrivenLink
from meshrouter.links.keeper import Links
from meshrouter.links.link import EVERYBODY
from meshrouter.links.specs import Kind, LinkSpec
from meshrouter.process.channel import Channel, ChannelError, Message
from meshrouter.process.loop import Loop
from meshrouter.process.poller import Poller


class Returner:
    """A coordinator that sends every frame back, counts its ticks, and breaks on a frame that says so."""

    def __init__(self) -> None:
        self.links: list[DrivenLink] = []
        self.told: list[Message] = []
        self.ticks: list[float] = []
        self.due = float("inf")
        self.messages: list[Message] = []

    def add_link(self, link: DrivenLink, now: float) -> None:
        self.links.append(link)

    def remove_link(self, link: DrivenLink, now: float) -> None:
        self.links.remove(link)

    def link_frames(self, link: DrivenLink, frames: list[tuple[bytes, bytes]], now: float) -> None:
        for address, frame in frames:
            if frame == b"break":
                raise ZeroDivisionError("a bug")
            link.send(address, frame)

    def tun_packets(self, packets: list[tuple[bytes, bytes]], now: float) -> None:
        raise AssertionError("there is no TUN")

    def take_tun(self) -> list[tuple[bytes, bytes]]:
        return []

    def deadline(self) -> float:
        return self.due

    def tick(self, now: float) -> None:
        self.ticks.append(now)
        self.due = float("inf")

    def parent(self, message: Message, now: float) -> None:
        self.told.append(message)

    def take_parent(self) -> list[Message]:
        taken, self.messages = self.messages, []
        return taken


class Rig:
    """A loop with one UDP link on loopback, a peer's socket, and the node's end of the channel."""

    def __init__(self) -> None:
        self.router = Returner()
        self.counters = Counters()
        self.poller = poller = Poller()
        nodes_end, ours = socket.socketpair()
        self.node, self.channel = Channel(nodes_end), Channel(ours)
        spec = LinkSpec(kind=Kind.UDP_LISTEN, name="listen", host="127.0.0.1")
        links = Links([spec], poller=poller, sink=self.router, counters=self.counters, rng=random.Random(1))
        links.start(time.monotonic())
        self.links = links
        self.loop = Loop(
            self.router,
            poller=poller,
            channel=self.channel,
            links=links,
            tunnel=None,
            counters=self.counters,
            clock=time.monotonic,
        )
        self.peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.peer.connect(("127.0.0.1", self.router.links[0].port))  # type: ignore[attr-defined]
        self.peer.settimeout(5)

    def close(self) -> None:
        self.links.close(time.monotonic())
        self.peer.close()
        self.node.close()
        self.channel.close()
        self.poller.close()


def test_a_frame_is_answered_in_the_round_in_which_it_came() -> None:
    rig = Rig()
    rig.peer.send(b"frame")
    rig.loop.turn()
    assert rig.peer.recv(100) == b"frame"
    rig.close()


def test_a_bug_costs_its_batch_and_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    rig = Rig()
    for frame in (b"break", b"frame"):
        rig.peer.send(frame)
        rig.loop.turn()
    assert rig.peer.recv(100) == b"frame"
    assert rig.counters["loop-fault"] == 1
    assert "ZeroDivisionError: a bug" in capsys.readouterr().err
    rig.close()


def test_timers_fire_when_due_and_not_before() -> None:
    rig = Rig()
    rig.router.due = due = time.monotonic() + 0.02
    while not rig.router.ticks:
        rig.loop.turn()
    assert due <= rig.router.ticks[0] < due + 1
    rig.close()


def test_messages_go_both_ways_and_stop_stops() -> None:
    rig = Rig()
    rig.router.messages = [{"type": "news"}]
    rig.node.send({"type": "tip"})
    rig.node.send({"type": "stop"})
    rig.node.flush()
    rig.loop.run()
    assert rig.router.told == [{"type": "tip"}]
    assert rig.loop.stopped
    assert rig.node.receive() == [{"type": "news"}]
    rig.close()


def test_the_end_of_the_channel_ends_the_loop() -> None:
    rig = Rig()
    rig.node.close()
    rig.loop.run()
    assert not rig.loop.stopped
    rig.close()


def test_nonsense_on_the_channel_ends_the_loop() -> None:
    rig = Rig()
    rig.node._socket.send(b"\0\0\0\2[]")
    with pytest.raises(ChannelError):
        rig.loop.run()
    rig.close()


def test_what_the_router_sends_by_itself_leaves_too() -> None:
    rig = Rig()
    rig.peer.send(b"\x22")
    rig.loop.turn()
    assert rig.peer.recv(100) == b"\x22"
    rig.router.links[0].send(EVERYBODY, b"beacon")
    rig.router.due = 0.0
    rig.loop.turn()
    assert rig.peer.recv(100) == b"beacon"
    rig.close()
