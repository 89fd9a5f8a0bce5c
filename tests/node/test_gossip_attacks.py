"""Attacks on a real node over real TCP: it stays responsive, its memory bounded, its honest peer connected.

All attacks fall on one node, one after another, as they would outside. What each cost is printed (``pytest -s``).
"""

import os
import secrets
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

import pytest

from meshchain.ledger import params
from meshchain.ledger.header import Header
from meshchain.p2p.messages import GetHeaders, Headers, Ping, Ready, Version, encode
from tests.node.attacker import Attacker, cpu, memory, open_socket
from tests.node.registering import drafts
from tests.node.running import Running
from tests.p2p.mining import mine_headers
from tests.waiting import eventually, free_port

BLOCKS = 100
MOST_GROWTH = 16 << 20
"""Bytes by which the node may grow in one attack."""


@dataclass
class Town:
    """``target`` is attacked; ``honest`` has dialled it and is at 127.0.0.1."""

    target: Running
    honest: Running
    port: int
    hosts: Iterator[str]
    """Addresses to attack from, none used twice."""

    def attacker(self, *, host: str | None = None, seed: bytes | None = None) -> Attacker:
        return Attacker(self.port, host or next(self.hosts), seed=seed)

    def peers(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.target.call("getpeerinfo")
        return rows

    def ban_of(self, host: str) -> str:
        """The reason; "" if there is no ban."""
        return next((ban["reason"] for ban in self.target.call("listbanned") if ban["who"] == host), "")

    def banned(self, attacker: Attacker, reason: str) -> None:
        """The attacker was told, it is on the list with its reason, and cannot come back."""
        host = attacker.sock.getsockname()[0]
        said = attacker.farewell()
        assert said is not None
        assert said.code == "banned"
        eventually(lambda: reason in self.ban_of(host), f"{host} is banned: {reason}")
        with self.attacker(host=host) as again:
            answer = again.shake().farewell()
        assert answer is not None
        assert answer.code == "banned"


def addresses() -> Iterator[str]:
    for number in range(2, 1 << 15):
        yield f"127.0.{number >> 7}.{2 * (number & 127) + 1}"


def honest_row(node: Running) -> list[int]:
    """Ids of the ready peers at 127.0.0.1."""
    return [
        row["id"]
        for row in node.call("getpeerinfo")
        if row["address"].startswith("127.0.0.1:") and row["state"] == "ready"
    ]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder, port = tmp_path_factory.mktemp("town"), free_port()
    with ExitStack() as stack:
        target = stack.enter_context(Running(folder / "target", p2p=f"127.0.0.1:{port}")).wait()
        honest = stack.enter_context(Running(folder / "honest", "--peer", f"127.0.0.1:{port}")).wait()
        target.call("generate", BLOCKS)
        eventually(lambda: honest.call("getblockcount") == BLOCKS, "the honest node is synced")
        yield Town(target, honest, port, addresses())


@contextmanager
def unharmed(town: Town, what: str) -> Iterator[None]:
    """Before and after: the honest peer's connection is the same, RPC answers at once, memory is bounded."""
    peers, before, start = honest_row(town.target), memory(town.target), cpu(town.target)
    yield
    asked = time.monotonic()
    assert honest_row(town.target) == peers != []
    answered = time.monotonic() - asked
    after = memory(town.target)
    cost = f"PSS {before / 1e6:.1f} → {after / 1e6:.1f} MB, {cpu(town.target) - start:.2f} s of CPU"
    print(f"\n{what}: {cost}, RPC in {1000 * answered:.0f} ms")
    assert after - before < MOST_GROWTH
    assert answered < 20, "20 ms where the machine has nothing else to do"


def closed(sock: socket.socket) -> bool:
    """Whether the node hangs up without a word that could be read."""
    with suppress(ConnectionError):
        while sock.recv(1 << 16):
            pass
    return True


# --- before anybody is known -------------------------------------------------------------------------------------


def test_garbage(town: Town) -> None:
    with unharmed(town, "100 connections of garbage"):
        for _ in range(100):
            with open_socket(town.port, next(town.hosts)) as sock, suppress(ConnectionError):
                sock.sendall(secrets.token_bytes(1 << 16))
                assert closed(sock)


def test_connections_that_are_reset_at_once(town: Town) -> None:
    with unharmed(town, "300 resets"):
        host = next(town.hosts)
        for _ in range(300):
            with open_socket(town.port, host) as sock:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_two_hundred_connections_from_one_host(town: Town) -> None:
    with unharmed(town, "200 connections from one host"), ExitStack() as stack:
        host, inside = next(town.hosts), 0
        for _ in range(200):
            with suppress(AssertionError, ConnectionError):
                attacker = stack.enter_context(town.attacker(host=host))
                attacker.greet()
                inside += 1
        assert 0 < inside <= 8
        assert len([row for row in town.peers() if row["address"].startswith(host)]) <= 8
        with town.attacker() as other:
            other.greet()
            assert other.alive()


def test_strangers_who_say_nothing_leave_room_for_others(town: Town) -> None:
    with unharmed(town, "100 silent strangers from one host"), ExitStack() as stack:
        host = next(town.hosts)
        for _ in range(100):
            stack.enter_context(open_socket(town.port, host))
        with town.attacker() as other:
            other.greet()
            assert other.alive()


def test_a_replayed_handshake(town: Town) -> None:
    """What a peer once sent gets an answer that cannot be read, and no session."""
    with unharmed(town, "a replayed handshake"):
        with town.attacker() as first:
            first.greet()
        with open_socket(town.port, next(town.hosts)) as sock:
            sock.sendall(first.sent)
            assert closed(sock)
        assert town.target.log().count(f"key={first.key[:16]}") == 1


# --- a peer with a key -------------------------------------------------------------------------------------------


def test_an_oversize_message_is_refused_when_announced(town: Town) -> None:
    with unharmed(town, "4 GiB announced"), town.attacker() as attacker:
        host = attacker.sock.getsockname()[0]
        attacker.greet().send_plain(b"\xff\xff\xff\xff")
        attacker.farewell()
        eventually(lambda: "4294967295 bytes announced" in town.ban_of(host), "it is banned")


def test_a_type_that_does_not_exist(town: Town) -> None:
    with unharmed(town, "an unknown type"), town.attacker() as attacker:
        host = attacker.sock.getsockname()[0]
        attacker.greet().send_raw(b"\xee" * 100)
        attacker.farewell()
        eventually(lambda: "announced where 0 are allowed" in town.ban_of(host), "it is banned")


def test_malformed_messages_are_banned_and_shown(town: Town) -> None:
    with unharmed(town, "a malformed message"), town.attacker() as attacker:
        attacker.greet().send_raw(bytes((Ping.TYPE,)) + b"\x82\x01\x02")
        town.banned(attacker, "malformed message")
        shown = meshctl(town.target, "peers")
        assert "malformed message" in shown
        assert "127.0.0.1" in shown
        assert "code=banned" in town.target.log()


def test_a_truncated_stream(town: Town) -> None:
    with unharmed(town, "a truncated stream"):
        with town.attacker() as attacker:
            host = attacker.sock.getsockname()[0]
            attacker.greet().sock.sendall(b"\x10\x00half a frame")
            attacker.sock.shutdown(socket.SHUT_WR)  # a close with bytes unread would be a reset
            assert closed(attacker.sock)
        eventually(lambda: "code=truncated" in town.target.log(), "the log says so")
        assert not town.ban_of(host)  # anybody on the path can cut a stream


@pytest.mark.parametrize("change", ["repeated", "changed"])
def test_frames_that_somebody_on_the_path_has_touched(town: Town, change: str) -> None:
    with unharmed(town, f"a {change} frame"), town.attacker() as attacker:
        host = attacker.sock.getsockname()[0]
        attacker.greet()
        frame = attacker.sealed(Ping(1))
        touched = frame + frame if change == "repeated" else frame[:-1] + bytes((frame[-1] ^ 1,))
        attacker.sock.sendall(touched)
        attacker.farewell()
        assert not town.ban_of(host)


@pytest.mark.parametrize(
    ("code", "changes"),
    [("wrong-network", {"network": "mesh"}), ("wrong-genesis", {"genesis": bytes(32)})],
)
def test_strangers_to_this_network(town: Town, code: str, changes: dict[str, Any]) -> None:
    with unharmed(town, code), town.attacker() as attacker:
        theirs = attacker.shake().await_(Version)
        attacker.send(replace(theirs, nonce=1, **changes))
        said = attacker.farewell()
        assert said is not None
        assert said.code == code
        assert not town.ban_of(attacker.sock.getsockname()[0])


def test_messages_out_of_turn(town: Town) -> None:
    with unharmed(town, "out of turn"):
        for early in (Ping(1), GetHeaders((bytes(32),)), Ready()):
            with town.attacker() as attacker:
                attacker.shake().send(early)
                said = attacker.farewell()
                assert said is not None
                assert said.code == "out-of-turn"
        with town.attacker() as attacker:
            attacker.greet().send(Ready())
            said = attacker.farewell()
            assert said is not None
            assert said.code == "out-of-turn"


def test_a_flood_of_small_messages(town: Town) -> None:
    with unharmed(town, "100,000 pings"), town.attacker() as attacker:
        host = attacker.sock.getsockname()[0]
        attacker.greet()
        with suppress(ConnectionError):
            for _ in range(1000):
                attacker.send_raw(*[encode(Ping(1))] * 100)
        eventually(lambda: "more messages" in town.ban_of(host), "it is banned")


def test_a_reader_that_asks_and_never_reads(town: Town) -> None:
    """It is paused, not fed: the answers wait with the questions."""
    questions, size = 500, BLOCKS * 124  # what its budget allows at once
    genesis = bytes.fromhex(town.target.call("getblockhash", 0))
    what = f"{questions} questions, {questions * size / 1e6:.0f} MB of answers that nobody reads"
    with unharmed(town, what), town.attacker() as attacker:
        attacker.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 17)
        attacker.greet()
        before = memory(town.target)
        attacker.send(*[GetHeaders((genesis,))] * questions)
        eventually(lambda: sent_to(town, attacker) > 1 << 16, "answers are under way")
        eventually(still(lambda: sent_to(town, attacker)), "nothing more is sent")
        assert sent_to(town, attacker) < questions * size / 2
        assert memory(town.target) - before < 4 << 20
        assert min(len(attacker.await_(Headers).headers) for _ in range(questions)) >= BLOCKS
        assert attacker.alive()


def sent_to(town: Town, attacker: Attacker) -> int:
    return next((row["sent"] for row in town.peers() if row["key"] == attacker.key), 0)


def still(value: Callable[[], int]) -> Callable[[], bool]:
    """A condition: the value is what it was a second ago."""
    seen: list[tuple[float, int]] = []

    def check() -> bool:
        seen.append((time.monotonic(), value()))
        before = [was for when, was in seen if when < seen[-1][0] - 1]
        return bool(before) and before[-1] == seen[-1][1]

    return check


# --- liars -------------------------------------------------------------------------------------------------------


def headers_of(attacker: Attacker, genesis: bytes) -> list[Header]:
    """The node's chain, block 1 on."""
    attacker.send(GetHeaders((genesis,)))
    return list(attacker.await_(Headers).headers)


def test_headers_without_work(town: Town) -> None:
    genesis = bytes.fromhex(town.target.call("getblockhash", 0))
    with unharmed(town, "forged headers"), town.attacker() as attacker:
        attacker.greet()
        above = headers_of(attacker, genesis)
        forged = mine_headers(params.load("dev"), [120], above=above, work=False)
        attacker.await_(GetHeaders)  # asks for what follows the tip's parent
        attacker.send(Headers((above[-1], *forged)))
        town.banned(attacker, "pow")
    assert town.target.call("getblockcount") >= BLOCKS


def test_a_peer_that_lies_about_its_height_and_work(town: Town) -> None:
    """Claims that are not kept cost 50 points each, the third a ban (points fade); the node stays in service."""
    with unharmed(town, "lies about the height"):
        host, seed = next(town.hosts), os.urandom(32)
        for claim in range(3):
            with town.attacker(host=host, seed=seed) as liar:
                liar.greet(lambda version: replace(version, height=10**6, work=1 << 200))
                liar.await_(GetHeaders)
                assert not town.target.call("getblockchaininfo")["initialblockdownload"]
                liar.send(Headers(()))
                if claim < 2:
                    eventually(lambda: score(town, liar.key) >= 49, "it has points")
                else:
                    town.banned(liar, "work")
            eventually(lambda: liar.key not in [row["key"] for row in town.peers()], "it is gone")
        assert not town.target.call("getblockchaininfo")["initialblockdownload"]


def score(town: Town, key: str) -> int:
    return next((row["score"] for row in town.peers() if row["key"] == key), 0)


def test_honest_operations_went_on_all_the_while(town: Town) -> None:
    """Last of the quick ones: what the honest peer registers is confirmed at the node that was attacked."""
    town.honest.call("queueoperation", drafts(town.honest, "alice", 1))
    eventually(lambda: names(town.target) == ["alice"], "the name is confirmed")
    assert town.target.call("checkchain")["ok"]


def names(node: Running) -> list[str]:
    return [entry["name"] for entry in node.call("name_scan")]


def meshctl(node: Running, *arguments: str) -> str:
    """What a user sees."""
    command = [sys.executable, "-m", "meshchain.cli.meshctl", "--rpc", node.client.url]
    options = ["--network", "dev", "--datadir", str(node.datadir)]
    return subprocess.run([*command, *options, *arguments], capture_output=True, text=True, check=True).stdout
