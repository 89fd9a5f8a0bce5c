"""A peer that a test plays by hand: real TCP, the real transport, and messages that no honest node would send.

Every attacker comes from a loopback address of its own choice (127.0.0.2 and up), so that a ban of its host does not
fall on the honest nodes of the test, which all are at 127.0.0.1.
"""

import os
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Self, TypeVar

from meshchain.crypto import ed25519_public_key
from meshchain.ledger import params
from meshchain.ledger.errors import RemoteError
from meshchain.p2p.messages import Goodbye, Message, Ping, Pong, Ready, Version, decode, encode
from meshchain.p2p.transport import Received, Stream
from tests.node.running import Running
from tests.waiting import PATIENCE

M = TypeVar("M", bound=Message)
CONSENSUS = params.load("dev").consensus


def unchanged(version: Version) -> Version:
    return version


def open_socket(port: int, host: str = "127.0.0.2") -> socket.socket:
    """A plain connection to a node's gossip port, from ``host``."""
    sock = socket.create_connection(("127.0.0.1", port), PATIENCE, source_address=(host, 0))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


class Attacker:
    """One connection to the node at ``port``; ``seed`` is its node key, a fresh one if not given."""

    def __init__(self, port: int, host: str = "127.0.0.2", *, seed: bytes | None = None) -> None:
        self.seed = seed or os.urandom(32)
        self.sock = open_socket(port, host)
        self.stream = Stream(initiator=True, seed=self.seed, rng=os.urandom, now=time.monotonic())
        self.key = ed25519_public_key(self.seed).hex()
        self.sent = b""
        """Every byte."""
        self.got: list[Message] = []
        """Messages that have come and were not asked for by await_."""
        self._flush()

    # --- talk ----------------------------------------------------------------------------------------------

    def shake(self) -> Self:
        """The handshake, honestly."""
        while self.stream.deadline() is not None:
            assert self._pump(), "the node closed the handshake"
        return self

    def greet(self, says: Callable[[Version], Version] = unchanged) -> Self:
        """Handshake and greeting; ``says`` may change what it claims of itself (else the node's own claims)."""
        self.shake()
        theirs = self.await_(Version)
        self.send(says(replace(theirs, agent="attacker", nonce=theirs.nonce ^ 1, listen_port=0)))
        self.await_(Ready)
        self.send(Ready())
        return self

    def send(self, *messages: Message) -> None:
        self.send_raw(*map(encode, messages))

    def send_raw(self, *messages: bytes) -> None:
        """Messages of any content, sealed as they should be."""
        for message in messages:
            self.stream.send(message)
        self._flush()

    def send_plain(self, plaintext: bytes) -> None:
        """What no encoder makes: plaintext that need not be a message."""
        self.stream._plain += plaintext
        self._flush()

    def sealed(self, message: Message) -> bytes:
        """A message as it would go out, not sent."""
        self.stream.send(encode(message))
        return self.stream.take_output()

    def await_(self, kind: type[M]) -> M:
        """The next message of a type; others stay in ``got``."""
        while True:
            for message in self.got:
                if isinstance(message, kind):
                    self.got.remove(message)
                    return message
            assert self._pump(), f"closed before a {kind.__name__} came"

    def alive(self) -> bool:
        """Whether the node still answers."""
        try:
            self.send(Ping(7))
            return self.await_(Pong) is not None
        except (OSError, AssertionError):
            return False

    def farewell(self) -> Goodbye | None:
        """Read until the node closes; what it said last."""
        try:
            while self._pump():
                pass
        except ConnectionResetError:
            pass
        return next((message for message in self.got if isinstance(message, Goodbye)), None)

    # --- bytes ---------------------------------------------------------------------------------------------

    def _flush(self) -> None:
        output = self.stream.take_output()
        self.sent += output
        self.sock.sendall(output)

    def _pump(self) -> bool:
        """Read once; False at the end of the stream."""
        data = self.sock.recv(1 << 16)
        if not data:
            return False
        for event in self.stream.receive(data, time.monotonic()):
            if isinstance(event, Received):
                self._take(event.message)
        self._flush()
        return True

    def _take(self, data: bytes) -> None:
        try:
            message = decode(data, CONSENSUS)
        except RemoteError as error:
            raise AssertionError(f"the node sent nonsense: {error}") from error
        if isinstance(message, Ping):
            self.stream.send(encode(Pong(message.nonce)))
        self.got.append(message)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()


# --- what an attack costs the node -------------------------------------------------------------------------------


def memory(node: Running) -> int:
    """Proportional set size of the node's process, bytes."""
    with open(f"/proc/{node.process.pid}/smaps_rollup") as file:
        line = next(line for line in file if line.startswith("Pss:"))
    return int(line.split()[1]) * 1024


def cpu(node: Running) -> float:
    """CPU-seconds that the node's process has used."""
    with open(f"/proc/{node.process.pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
