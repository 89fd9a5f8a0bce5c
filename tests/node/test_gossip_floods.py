"""The long attacks: ten thousand bad operations a second, peers that take minutes to do nothing."""

import itertools
import json
import os
import select
import socket
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from meshchain.ledger import operations, params
from meshchain.ledger.operations import Commit, Reveal
from meshchain.ledger.stamps import Stamp
from meshchain.p2p.messages import GetHeaders, Inventory, Operations
from meshchain.rpc.client.errors import ClientError
from tests.ledger.kit import Owner
from tests.node.attacker import Attacker, cpu, memory, open_socket
from tests.node.conftest import Launch
from tests.node.registering import drafts
from tests.node.running import Running
from tests.waiting import PATIENCE, eventually, free_port

pytestmark = pytest.mark.slow

FLOOD = 60.0
"""Seconds."""
PEERS = 3
OFFERED = 10_000
"""Bad operations a second, of all of them together."""
MOST_CPU = 0.6
"""Of a core: a quarter for checks that turn out to be wasted, the rest for handshakes, opening and reading."""


BITS = 5
"""Of a good stamp: 256 hashes on average. A random one has no work."""


@pytest.fixture
def hard_network(tmp_path: Path) -> str:
    """As dev, but stamps need work."""
    table = json.loads(params._genesis_text())["dev"]
    table["consensus"]["stamp_bits"] = dict.fromkeys(table["consensus"]["stamp_bits"], BITS)
    file = tmp_path / "hard.json"
    file.write_text(json.dumps(table))
    return str(file)


def bad_operations(genesis: bytes, count: int) -> list[bytes]:
    """Commits with stamps of no work, reveals with signatures of nobody: all different, all anchored well."""
    owner, made = Owner(9, genesis), []
    for number in range(count // 2):
        stamp = Stamp(0, genesis[:8], BITS, tuple(os.urandom(8)))
        reveal = Reveal(name=f"flood-{number}", salt=os.urandom(32), owner=owner.key, born=0, record={})
        made.append(operations.encode(replace(Commit(commitment=os.urandom(32)), stamp=stamp)))
        made.append(operations.encode(replace(reveal, stamp=stamp, signature=os.urandom(64))))
    return made


class Flooder(threading.Thread):
    """Announces bad operations and sends them at its pace; banned, it comes back from elsewhere with a fresh key."""

    def __init__(self, number: int, port: int, raws: list[bytes], stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self._number, self._port, self._stop_ = number, port, stop
        self._batches = [tuple(raws[start : start + 100]) for start in range(0, len(raws), 100)]
        self.sent = self.lives = 0

    def run(self) -> None:
        while not self._stop_.is_set():
            host = f"127.{10 + self._number}.{self.lives >> 7 & 255}.{2 * (self.lives & 127) + 1}"
            self.lives += 1
            with suppress(OSError, AssertionError), Attacker(self._port, host) as attacker:
                self._flood(attacker.greet())

    def _flood(self, attacker: Attacker) -> None:
        start = time.monotonic()
        for number in itertools.count():
            batch = self._batches[self.sent // 100 % len(self._batches)]
            attacker.send(Inventory(tuple(map(operations.wid_of, batch))), Operations(batch))
            self.sent += len(batch)
            readable, _, _ = select.select([attacker.sock], [], [], 0)
            if readable and not attacker.sock.recv(1 << 16):
                return
            if self._stop_.wait(max(0.0, start + PEERS * 100 * number / OFFERED - time.monotonic())):
                return


def test_bad_stamps_and_signatures_from_three_peers(tmp_path: Path, hard_network: str, launch: Launch) -> None:
    port = free_port()
    target = launch(tmp_path / "target", "--network", hard_network, p2p=f"127.0.0.1:{port}").wait()
    peer = ("--peer", f"127.0.0.1:{port}", "--mine", "off")
    honest = launch(tmp_path / "honest", "--network", hard_network, *peer).wait()
    eventually(lambda: bool(target.call("getpeerinfo")), "they are connected")
    raws = bad_operations(bytes.fromhex(target.call("getblockhash", 0)), 60_000)
    stop, shift = threading.Event(), 60_000 // PEERS
    flooders = [Flooder(number, port, raws[number * shift : (number + 1) * shift], stop) for number in range(PEERS)]
    before, start, spent = memory(target), time.monotonic(), cpu(target)
    for flooder in flooders:
        flooder.start()
    waits: list[float] = []
    answers: list[float] = []
    while time.monotonic() < start + FLOOD:
        name, asked = f"honest-{len(waits)}", time.monotonic()
        honest.call("queueoperation", drafts(honest, name, len(waits) + 1))
        while not knows(target, name):
            answers.append(answer_time(target))
            assert time.monotonic() < asked + PATIENCE, f"{name} was not confirmed during the flood"
            stop.wait(0.05)
        waits.append(time.monotonic() - asked)
    seconds, spent = time.monotonic() - start, cpu(target) - spent
    stop.set()
    for flooder in flooders:
        flooder.join()
    sent, lives = sum(flooder.sent for flooder in flooders), sum(flooder.lives for flooder in flooders)
    print(
        f"\n{sent / seconds:.0f} bad operations a second from {PEERS} peers ({lives} connections) for {seconds:.0f} s:"
        f"\nnode: {spent / seconds:.2f} of a core, PSS {before / 1e6:.1f} → {memory(target) / 1e6:.1f} MB,"
        f" RPC in {1000 * max(answers):.0f} ms at most"
        f"\nhonest: {len(waits)} names registered, {min(waits):.1f} to {max(waits):.1f} s each"
    )
    assert honest.call("getpeerinfo")[0]["state"] == "ready"
    assert spent / seconds < MOST_CPU
    assert memory(target) - before < 64 << 20
    assert max(answers) < 20


def answer_time(node: Running) -> float:
    asked = time.monotonic()
    node.call("getblockcount")
    return time.monotonic() - asked


def knows(node: Running, name: str) -> bool:
    try:
        shown: dict[str, object] = node.call("name_show", name)
    except ClientError:
        return False
    return shown["status"] == "active"


# --- those who do nothing ----------------------------------------------------------------------------------------


@pytest.fixture
def target(tmp_path: Path, launch: Launch) -> tuple[Running, int]:
    port = free_port()
    return launch(tmp_path / "target", p2p=f"127.0.0.1:{port}").wait(), port


def drip(sock: socket.socket, data: bytes) -> float:
    """Send a byte a second until the node hangs up; seconds that it took."""
    start = time.monotonic()
    sock.settimeout(1)
    with suppress(ConnectionError):
        for number in range(len(data)):
            sock.sendall(data[number : number + 1])
            if hung_up(sock):
                break
    return time.monotonic() - start


def hung_up(sock: socket.socket) -> bool:
    """Read for a second; whether the end came."""
    until = time.monotonic() + 1
    try:
        while time.monotonic() < until:
            if not sock.recv(1 << 16):
                return True
    except TimeoutError:
        pass
    return False


def test_a_handshake_has_ten_seconds(target: tuple[Running, int]) -> None:
    """A byte a second is no progress."""
    _, port = target
    with open_socket(port) as sock:
        assert 9 < drip(sock, b"\0\x20" + bytes(30)) < 30


def test_a_sender_of_one_byte_a_second(target: tuple[Running, int]) -> None:
    """A message under way keeps no connection open for ever: no ping is answered behind it."""
    node, port = target
    with Attacker(port) as attacker:
        attacker.greet()
        before = memory(node)
        seconds = drip(attacker.sock, attacker.sealed(Inventory((bytes(32),) * 500)))
        print(f"\ncut off after {seconds:.0f} s, PSS {before / 1e6:.1f} → {memory(node) / 1e6:.1f} MB")
        assert 80 < seconds < 200
    eventually(lambda: "ping-timeout" in node.log(), "the log says why")


def test_a_reader_of_nothing_has_a_minute(target: tuple[Running, int]) -> None:
    node, port = target
    node.call("generate", 100)
    with Attacker(port) as attacker:
        attacker.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 17)
        attacker.greet()
        eventually(lambda: bool(node.call("getpeerinfo")), "it is there")
        start = time.monotonic()
        attacker.send(*[GetHeaders((bytes.fromhex(node.call("getblockhash", 0)),))] * 1500)
        eventually(lambda: not node.call("getpeerinfo"), "it is cut off", 90)
        print(f"\ncut off after {time.monotonic() - start:.0f} s, PSS {memory(node) / 1e6:.1f} MB")
        assert time.monotonic() - start > 55
    assert "slow-reader" in node.log()
