"""The node's side of a real router process: it says who the router is, and answers what the ledger would."""

import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from ipaddress import IPv6Address
from typing import Any

from meshrouter.binding_form import binding_to_json
from meshrouter.directory import Binding, Role
from meshrouter.identity import Identity
from meshrouter.links.specs import LinkSpec
from meshrouter.process.channel import Message, Splitter, decode, encode
from meshrouter.process.start import Start
from tests.netns.host import Host

GENESIS = bytes(range(32))
PATIENCE = 30.0


class PlayedNode:
    """A router in a namespace (or here, with ``host`` None), and a ledger of ``members``: key → name."""

    def __init__(self, number: int, host: Host | None = None) -> None:
        self.identity = Identity.from_seed(number.to_bytes(32, "big"))
        self.members: dict[bytes, str] = {}
        self.heard: list[Message] = []
        self.host = host
        self.claimed: bytes | None = None
        self._numbers = 0
        self._splitter = Splitter()

    def start(self, links: Sequence[LinkSpec], *, tun: str | None = None, claimed: bytes | None = None) -> None:
        ours, theirs = socket.socketpair()
        self.claimed = claimed
        command = [sys.executable, "-m", "meshrouter", "--fd", str(theirs.fileno())]
        if self.host is not None:
            self.process = self.host.start(*command, pass_fds=[theirs.fileno()])
        else:
            self.process = subprocess.Popen(command, pass_fds=[theirs.fileno()])
        theirs.close()
        self.channel = ours
        start = Start(
            seed=self.identity.seed, genesis=GENESIS, gossip_port=0, seqno=1, links=links, tun=tun, claimed=claimed
        )
        self.say(start.to_json())
        self.say({"type": "tip", "height": 100, "synced": True})
        self.say({"type": "own", "addresses": [] if claimed is None else [claimed.hex()]})

    def say(self, message: Message) -> None:
        self.channel.sendall(encode(message))

    def listen(self, seconds: float) -> bool:
        """Take what the router says; whether it still lives."""
        if not select.select([self.channel], [], [], seconds)[0]:
            return True
        try:
            data = self.channel.recv(65_536)
        except ConnectionResetError:  # it ended without reading all we said
            return False
        for message in map(decode, self._splitter.add(data)):
            self.heard.append(message)
            if message["type"] == "questions":
                self._answer([bytes.fromhex(each) for each in message["subjects"]])
        return bool(data)

    def _answer(self, subjects: list[bytes]) -> None:
        bindings = [self._binding(each) for each in subjects if len(each) == 32]
        self.say({"type": "bindings", "list": [binding_to_json(each) for each in bindings]})
        holders = [[each.hex(), None] for each in subjects if len(each) == 16]
        self.say({"type": "holders", "list": holders})

    def _binding(self, key: bytes) -> Binding:
        name = self.members.get(key)
        return Binding(key) if name is None else Binding(key, Role.MEMBER, name)

    def ask(self, method: str, params: dict[str, Any], *others: "PlayedNode") -> dict[str, Any]:
        """The result; AssertionError with the error."""
        self._numbers += 1
        number = self._numbers
        self.say({"type": "ask", "id": number, "method": method, "params": params})
        until(lambda: bool(self._answers(number)), self, *others)
        (answer,) = self._answers(number)
        assert "result" in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def _answers(self, number: int) -> list[Message]:
        return [each for each in self.heard if each["type"] == "answer" and each["id"] == number]

    def said(self, kind: str) -> list[Message]:
        return [each for each in self.heard if each["type"] == kind]

    def neighbours(self) -> int:
        """As the router told last."""
        told = self.said("neighbours")
        return len(told[-1]["list"]) if told else 0

    def stop(self) -> int:
        """The exit code."""
        self.say({"type": "stop"})
        while self.listen(PATIENCE):
            pass
        return self.end()

    def end(self) -> int:
        """Close the channel; the exit code."""
        self.channel.close()
        return self.process.wait(timeout=PATIENCE)


def until(condition: Callable[[], bool], *nodes: PlayedNode) -> None:
    """Let the nodes listen until the condition holds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, [node.heard[-5:] for node in nodes]
        for node in nodes:
            assert node.listen(0.02 / len(nodes)), f"a router has ended: {node.heard[-3:]}"


def text(address: bytes) -> str:
    return str(IPv6Address(address))


def known_to_each_other(*nodes: PlayedNode) -> None:
    for node in nodes:
        node.members = {each.identity.key: f"node{number}" for number, each in enumerate(nodes)}


@contextmanager
def running(*nodes: PlayedNode) -> Iterator[None]:
    """Their channels end, whatever happens, and so do they."""
    try:
        yield
    finally:
        for node in nodes:
            node.channel.close()
            node.process.wait(timeout=20)
